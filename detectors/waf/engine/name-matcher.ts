/** Which values of a collection a selector means. Names compare without regard to ASCII case. */
import { compilePattern } from '../../regex/compile-pattern.ts';
import type { Selector } from '../seclang/definition.ts';

/** `key`: the name in lower case. */
export type NameMatcher = (name: string, key: string) => boolean;

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
      return (_, key) => pattern.test(key);
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
