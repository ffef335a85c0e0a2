/** Which values of a collection a selector means. Names compare without regard to ASCII case. */
import { compilePattern } from '../../regex/compile-pattern.ts';
import type { Selector } from '../seclang/definition.ts';

/** `key`: the name in lower case. */
export type NameMatcher = (name: string, key: string) => boolean;

/** Names whose answers one pattern keeps, and their length. */
const mostKnown = 512;
const longestKnown = 128;

const matchAll: NameMatcher = () => true;

/** @throws GatewayError PATTERN_INVALID */
export function nameMatcher(selector: Selector): NameMatcher {
  switch (selector.kind) {
    case 'all':
      return matchAll;
    case 'key':
      return (_, key) => key === selector.key;
    case 'pattern': {
      const pattern = compilePattern(selector.source, { subject: 'bytes', dotAll: true, caseInsensitive: true });
      // The same few names come with every request.
      const known = new Map<string, boolean>();
      return (_, key) => {
        let matches = known.get(key);
        if (matches !== undefined) return matches;
        matches = pattern.test(key);
        if (known.size >= mostKnown) known.clear();
        if (key.length <= longestKnown) known.set(key, matches);
        return matches;
      };
    }
    case 'xpath': {
      // Attributes have names of their own; every other expression means the texts.
      const name = selector.path.startsWith('//@') ? '//@*' : '/*';
      return (_, key) => key === name;
    }
    default:
      return selector satisfies never;
  }
}
