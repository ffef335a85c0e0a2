/**
 * Strings as Go has them, on JavaScript's: lengths in code points, offsets in UTF-8 bytes, one rune at a time in case
 * changes (`ß` stays `ß`, a final sigma is nothing special). ASCII text, the usual case, takes the native way.
 */

const beyondAscii = /[^\x00-\x7f]/;
const surrogate = /[\ud800-\udfff]/;

function isAscii(text: string): boolean {
  return !beyondAscii.test(text);
}

/** Go's `utf8.RuneCountInString`. */
export function runeCount(text: string): number {
  if (!surrogate.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

export function byteLength(text: string): number {
  return isAscii(text) ? text.length : Buffer.byteLength(text);
}

/** `text[from:to]` by bytes; both are within bounds. Half characters become U+FFFD. */
export function byteSlice(text: string, from: number, to: number): string {
  if (isAscii(text)) return text.slice(from, to);
  return Buffer.from(text).toString('utf8', from, to);
}

/** The byte offset that corresponds to an index of the JavaScript string. */
export function byteOffset(text: string, index: number): number {
  return index <= 0 ? index : byteLength(text.slice(0, index));
}

export function upper(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapRunes(text, (rune) => rune.toUpperCase());
}

export function lower(text: string): string {
  return isAscii(text) ? text.toLowerCase() : mapRunes(text, (rune) => (rune === 'İ' ? 'i' : rune.toLowerCase()));
}

/** Rune by rune; a mapping to several runes is not one of Go's simple mappings, so the rune stays. */
function mapRunes(text: string, map: (rune: string) => string): string {
  let mapped = '';
  for (const rune of text) {
    const other = map(rune);
    mapped += other.length === rune.length || runeCount(other) === 1 ? other : rune;
  }
  return mapped;
}

/** Byte order, which is code point order: UTF-16 order puts astral characters before U+E000. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  if (!surrogate.test(left) && !surrogate.test(right)) return left < right ? -1 : 1;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Go's `unicode.IsSpace`, which differs from JavaScript's `\s` in U+0085 and U+FEFF. */
const goSpace = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const leadingSpace = new RegExp(`^${goSpace}+`);
const spaceRun = new RegExp(`${goSpace}+`);
const oneSpace = new RegExp(goSpace);

export function trimSpace(text: string): string {
  const start = leadingSpace.exec(text)?.[0].length ?? 0;
  let end = text.length;
  while (end > start && oneSpace.test(text[end - 1] ?? '')) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** Go's `strings.Fields`. */
export function fieldsOf(text: string): string[] {
  const trimmed = trimSpace(text);
  return trimmed === '' ? [] : trimmed.split(spaceRun);
}

export function trimLeft(text: string, cutset: string): string {
  const cut = new Set(cutset);
  let start = 0;
  for (const rune of text) {
    if (!cut.has(rune)) break;
    start += rune.length;
  }
  return text.slice(start);
}

export function trimRight(text: string, cutset: string): string {
  const cut = new Set(cutset);
  let end = text.length;
  while (end > 0) {
    const low = text.charCodeAt(end - 1);
    const pair = low >= 0xdc00 && low <= 0xdfff && end > 1 ? 2 : 1;
    if (!cut.has(text.slice(end - pair, end))) break;
    end -= pair;
  }
  return text.slice(0, end);
}

/** Go's `strings.SplitN`: `limit` 0 gives none, below 0 no limit; an empty separator splits into runes. */
export function splitText(text: string, separator: string, limit: number, keep = false): string[] {
  if (limit === 0) return [];
  const all = separator === '' ? Array.from(text) : text.split(separator);
  const tail = keep ? separator : '';
  if (limit < 0 || all.length <= limit) {
    return keep ? all.map((piece, index) => (index < all.length - 1 ? piece + tail : piece)) : all;
  }
  const head = all.slice(0, limit - 1).map((piece) => piece + tail);
  return [...head, all.slice(limit - 1).join(separator)];
}

/** Go's `strings.Replace`: the first `limit` occurrences, all when negative; an empty `old` matches before every rune. */
export function replaceText(text: string, old: string, replacement: string, limit: number): string {
  if (limit === 0 || old === replacement) return text;
  if (old === '') return insertBetween(text, replacement, limit);
  const pieces = text.split(old);
  if (limit < 0 || pieces.length - 1 <= limit) return pieces.join(replacement);
  const head = pieces.slice(0, limit + 1).join(replacement);
  return [head, ...pieces.slice(limit + 1)].join(old);
}

function insertBetween(text: string, inserted: string, limit: number): string {
  let result = '';
  let left = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  for (const rune of text) result += left-- > 0 ? inserted + rune : rune;
  return left > 0 ? result + inserted : result;
}
