/**
 * File patterns as CrowdSec's `filenames` understands them (the doublestar library): `*`, `?`, `[…]` and `{a,b}` inside one
 * name, `**` for any number of folders, `\` before a character that is meant literally. Other than in a shell, `*` matches
 * names that start with a dot. Node's own glob does not, and does not say which folders it has looked at.
 */
import { GatewayError } from '../../core/errors.ts';

export type GlobSegment =
  | { readonly kind: 'literal'; readonly name: string }
  | { readonly kind: 'wild'; readonly pattern: RegExp }
  /** `**`: this folder and all below it. */
  | { readonly kind: 'any-depth' };

/** One way to read a pattern, braces resolved: segments from the root or from the working folder. */
export interface GlobPath {
  readonly absolute: boolean;
  readonly segments: readonly GlobSegment[];
}

/** What `{…}` may multiply to. */
const mostAlternatives = 256;
const longestPattern = 4_096;

/** @throws GatewayError ACQUISITION_INVALID naming the pattern and what is wrong with it. */
export function parseGlob(pattern: string): readonly GlobPath[] {
  if (pattern === '') throw invalid(pattern, 'is empty');
  if (pattern.length > longestPattern) throw invalid(pattern, `is longer than ${longestPattern} characters`);
  if (pattern.includes('\0')) throw invalid(pattern, 'holds a NUL');
  return expandBraces(pattern, pattern).map((path) => ({
    absolute: path.startsWith('/'),
    segments: path
      .split('/')
      .filter((segment) => segment !== '' && segment !== '.')
      .map((segment) => segmentOf(segment, pattern)),
  }));
}

/** Whether the pattern names one file and nothing else. */
export function isLiteralGlob(pattern: string): boolean {
  return !/[*?[{\\]/.test(pattern);
}

/** Whether an absolute path is one that the pattern stands for. */
export function matchesGlob({ absolute, segments }: GlobPath, path: string, base: string): boolean {
  const isBelow = absolute || path.startsWith(base.endsWith('/') ? base : `${base}/`);
  const names = (absolute ? path : path.slice(base.length)).split('/').filter((name) => name !== '');
  return isBelow && matchesFrom(segments, 0, names, 0);
}

function matchesFrom(segments: readonly GlobSegment[], index: number, names: readonly string[], at: number): boolean {
  const segment = segments[index];
  if (segment === undefined) return at === names.length;
  if (segment.kind === 'any-depth') {
    for (let next = at; next <= names.length; next++) if (matchesFrom(segments, index + 1, names, next)) return true;
    return index === segments.length - 1;
  }
  const name = names[at];
  if (name === undefined) return false;
  const fits = segment.kind === 'literal' ? segment.name === name : segment.pattern.test(name);
  return fits && matchesFrom(segments, index + 1, names, at + 1);
}

function invalid(pattern: string, reason: string): GatewayError {
  return new GatewayError('ACQUISITION_INVALID', `the file pattern ${JSON.stringify(pattern)} ${reason}`, {
    remedy: 'Write it as in /var/log/nginx/*.log or /srv/**/access.log.',
  });
}

/** The innermost alternatives are resolved last; nesting needs no special care. */
function expandBraces(text: string, pattern: string): string[] {
  const open = findUnescaped(text, '{', 0);
  if (open === -1) return [text];
  const parts: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '{') depth++;
    else if (character === ',' && depth === 1) {
      parts.push(text.slice(start, at));
      start = at + 1;
    } else if (character === '}' && --depth === 0) {
      parts.push(text.slice(start, at));
      const expanded = parts.flatMap((part) =>
        expandBraces(text.slice(0, open) + part + text.slice(at + 1), pattern).slice(0, mostAlternatives + 1),
      );
      if (expanded.length > mostAlternatives)
        throw invalid(pattern, `stands for more than ${mostAlternatives} patterns`);
      return expanded;
    }
    if (parts.length > mostAlternatives) throw invalid(pattern, `stands for more than ${mostAlternatives} patterns`);
  }
  throw invalid(pattern, 'has a { without its }');
}

function findUnescaped(text: string, wanted: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === wanted) return at;
  }
  return -1;
}

function segmentOf(segment: string, pattern: string): GlobSegment {
  if (segment === '**') return { kind: 'any-depth' };
  if (!/[*?[]/.test(segment)) return { kind: 'literal', name: segment.replaceAll(/\\(.)/g, '$1') };
  return { kind: 'wild', pattern: wildPattern(segment, pattern) };
}

function wildPattern(segment: string, pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < segment.length; at++) {
    const character = segment[at] ?? '';
    if (character === '*') {
      // One star says as much as several, and several would make matching slow.
      if (!source.endsWith('.*')) source += '.*';
    } else if (character === '?') source += '.';
    else if (character === '[') {
      const { text, end } = characterClass(segment, at, pattern);
      source += text;
      at = end;
    } else {
      if (character === '\\') at++;
      source += (segment[at] ?? '\\').replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`);
    }
  }
  return new RegExp(`^(?:${source})$`, 'su');
}

/** `[abc]`, `[a-z]`, `[^a]` and `[!a]`. */
function characterClass(segment: string, open: number, pattern: string): { text: string; end: number } {
  let at = open + 1;
  const negated = segment[at] === '^' || segment[at] === '!';
  if (negated) at++;
  let members = '';
  for (; at < segment.length && (segment[at] !== ']' || members === ''); at++) {
    if (segment[at] === '\\') at++;
    const character = segment[at] ?? '';
    const isRange = character === '-' && members !== '' && segment[at + 1] !== ']';
    members += isRange ? '-' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  }
  if (at >= segment.length) throw invalid(pattern, 'has a [ without its ]');
  const text = `[${negated ? '^' : ''}${members}]`;
  try {
    void new RegExp(text, 'u');
  } catch {
    throw invalid(pattern, `has a range that runs backwards in ${segment.slice(open, at + 1)}`);
  }
  return { text, end: at };
}
