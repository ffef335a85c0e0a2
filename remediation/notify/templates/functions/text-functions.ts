/** Sprig's functions of texts. Those that count do so in bytes, as in Go. */
import { ValueFault } from '../template-error.ts';
import { quoteText } from '../quote-text.ts';
import type { RenderContext } from '../render-context.ts';
import { bytesOf, compareTexts, define, defineVariadic, sliceBytes, type TemplateFunction } from '../values.ts';
import { toCount, toText, toTexts } from './conversions.ts';

/** Go's `unicode.IsSpace`. */
const white = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

export const textFunctions: Readonly<Record<string, TemplateFunction>> = {
  hello: define([], () => 'Hello!'),
  trim: define(['text'], ([text]) => trimSpace(text)),
  trimAll: define(['text', 'text'], ([cut, text]) => trimSet(text, cut)),
  trimall: define(['text', 'text'], ([cut, text]) => trimSet(text, cut)),
  trimPrefix: define(['text', 'text'], ([prefix, text]) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  trimSuffix: define(['text', 'text'], ([suffix, text]) =>
    suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
  ),
  upper: define(['text'], ([text]) => mapCharacters(text, upper)),
  lower: define(['text'], ([text]) => mapCharacters(text, lower)),
  title: define(['text'], ([text]) => atWordStarts(text, upper)),
  untitle: define(['text'], ([text]) =>
    text.replaceAll(/(^|\s)(\S)/gu, (_, gap: string, first: string) => gap + lower(first)),
  ),
  swapcase: define(['text'], ([text]) =>
    mapCharacters(text, (each) => (each === lower(each) ? upper(each) : lower(each))),
  ),
  nospace: define(['text'], ([text]) => text.replaceAll(white, '')),
  initials: define(['text'], ([text]) =>
    text
      .split(white)
      .map((word) => [...word][0] ?? '')
      .join(''),
  ),
  repeat: define(['int', 'text'], ([count, text], context) => repeated(text, toCount(count, 'repeat count'), context)),
  substr: define(['int', 'int', 'text'], ([start, end, text]) => substring(text, Number(start), Number(end))),
  trunc: define(['int', 'text'], ([count, text]) => truncated(text, Number(count))),
  abbrev: define(['int', 'text'], ([width, text]) => abbreviated(text, 0, Number(width))),
  abbrevboth: define(['int', 'int', 'text'], ([left, right, text]) =>
    right < 4n || (left > 0n && right < 7n) ? text : abbreviated(text, Number(left), Number(right)),
  ),
  contains: define(['text', 'text'], ([part, text]) => text.includes(part)),
  hasPrefix: define(['text', 'text'], ([prefix, text]) => text.startsWith(prefix)),
  hasSuffix: define(['text', 'text'], ([suffix, text]) => text.endsWith(suffix)),
  replace: define(['text', 'text', 'text'], ([old, to, text], context) => replaced(text, old, to, context)),
  plural: define(['text', 'text', 'int'], ([one, many, count]) => (count === 1n ? one : many)),
  quote: defineVariadic([], 'any', (_, values, context) =>
    values.flatMap((each) => (each === null ? [] : [quoteText(toText(each, context))])).join(' '),
  ),
  squote: defineVariadic([], 'any', (_, values, context) =>
    values.flatMap((each) => (each === null ? [] : [`'${toText(each, context)}'`])).join(' '),
  ),
  cat: defineVariadic([], 'any', (_, values, context) =>
    values.flatMap((each) => (each === null ? [] : [toText(each, context)])).join(' '),
  ),
  indent: define(['int', 'text'], ([count, text], context) => indented(text, count, context)),
  nindent: define(['int', 'text'], ([count, text], context) => `\n${indented(text, count, context)}`),
  wrap: define(['int', 'text'], ([width, text]) => wrapped(text, Number(width), '\n', false)),
  wrapWith: define(['int', 'text', 'text'], ([width, line, text], context) => {
    context.reserve(text.length * (line.length + 1));
    return wrapped(text, Number(width), line, true);
  }),
  join: define(['text', 'any'], ([separator, list], context) => {
    const texts = toTexts(list, context);
    context.reserve(texts.reduce((sum, each) => sum + each.length + separator.length, 0));
    return texts.join(separator);
  }),
  split: define(['text', 'text'], ([separator, text], context) => numbered(parts(text, separator, context))),
  splitn: define(['text', 'int', 'text'], ([separator, count, text], context) =>
    numbered(firstParts(text, separator, Number(count), context)),
  ),
  splitList: define(['text', 'text'], ([separator, text], context) => parts(text, separator, context)),
  toString: define(['any'], ([value], context) => toText(value, context)),
  toStrings: define(['any'], ([value], context) => toTexts(value, context)),
  sortAlpha: define(['any'], ([value], context) => toTexts(value, context).toSorted(compareTexts)),
  camelcase: define(['text'], ([text]) => camelCase(text)),
};

/** JavaScript trims one sign more (U+FEFF) and one less (U+0085) than Go. */
function trimSpace(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isWhite(text.charCodeAt(from))) from++;
  while (to > from && isWhite(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isWhite(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 9 && code <= 13);
  return code === 0x85 || (code !== 0xfeff && String.fromCharCode(code).trim() === '');
}

function trimSet(text: string, cut: string): string {
  const set = new Set(cut);
  const characters = [...text];
  let from = 0;
  let to = characters.length;
  while (from < to && set.has(characters[from] ?? '')) from++;
  while (to > from && set.has(characters[to - 1] ?? '')) to--;
  return characters.slice(from, to).join('');
}

function mapCharacters(text: string, change: (character: string) => string): string {
  return Array.from(text, change).join('');
}

/** One character stays one, as in Go: `ß` has no capital. */
export function upper(character: string): string {
  const changed = character.toUpperCase();
  return [...changed].length === 1 ? changed : character;
}

export function lower(character: string): string {
  return [...character.toLowerCase()][0] ?? character;
}

/** Go's `strings.Title`: letters, digits, underscores and (beyond ASCII) anything but white space belong to words. */
function atWordStarts(text: string, change: (character: string) => string): string {
  let inWord = false;
  return mapCharacters(text, (each) => {
    const out = inWord ? each : change(each);
    inWord = /[\p{L}\p{Nd}_]/u.test(each) || ((each.codePointAt(0) ?? 0) > 0x7f && !/\s/.test(each));
    return out;
  });
}

function repeated(text: string, count: number, context: RenderContext): string {
  context.reserve(text.length * count);
  return text.repeat(count);
}

function substring(text: string, start: number, end: number): string {
  const { length } = bytesOf(text);
  const until = start < 0 ? end : end < 0 || end > length ? length : end;
  const from = Math.max(start, 0);
  if (from > until || until > length) {
    throw new ValueFault(`slice bounds out of range [${from}:${until}] with length ${length}`);
  }
  return sliceBytes(text, from, until);
}

function truncated(text: string, count: number): string {
  const { length } = bytesOf(text);
  if (count < 0) return length + count > 0 ? sliceBytes(text, length + count, length) : text;
  return length > count ? sliceBytes(text, 0, count) : text;
}

/** At most `width` bytes, with `...` where something was left out; beginning near `offset`. */
function abbreviated(text: string, offset: number, width: number): string {
  const { length } = bytesOf(text);
  if (width < 4 || length <= width) return text;
  const from = Math.min(Math.min(offset, length), length - offset < width - 3 ? length - (width - 3) : offset);
  if (from <= 4) return `${sliceBytes(text, 0, width - 3)}...`;
  if (width < 7) return '';
  if (from + width - 3 < length) return `...${abbreviated(sliceBytes(text, from, length), 0, width - 3)}`;
  return `...${sliceBytes(text, length - (width - 3), length)}`;
}

function replaced(text: string, old: string, to: string, context: RenderContext): string {
  const times = old === '' ? [...text].length + 1 : text.split(old).length - 1;
  context.reserve(text.length + times * to.length);
  if (old !== '') return text.replaceAll(old, () => to);
  return to + Array.from(text, (each) => each + to).join('');
}

function indented(text: string, count: bigint, context: RenderContext): string {
  const spaces = toCount(count, 'indent');
  const lines = text.split('\n');
  context.reserve(text.length + lines.length * spaces);
  const pad = ' '.repeat(spaces);
  return pad + lines.join(`\n${pad}`);
}

/** Lines of at most `width` bytes; longer words are cut, or left long. */
function wrapped(text: string, width: number, line: string, cuts: boolean): string {
  const most = Math.max(width, 1);
  const bytes = bytesOf(text);
  const newLine = line === '' ? '\n' : line;
  const out: Buffer[] = [];
  let from = 0;
  while (bytes.length - from > most) {
    if (bytes[from] === 0x20) {
      from++;
      continue;
    }
    const fits = bytes.subarray(from, from + most + 1).lastIndexOf(0x20);
    const space = fits === -1 && !cuts ? bytes.indexOf(0x20, from + most) - from : fits;
    // A long last word ends it all.
    if (space < 0 && !cuts) break;
    const end = space === -1 ? from + most : from + space;
    out.push(bytes.subarray(from, end), bytesOf(newLine));
    from = space === -1 ? end : end + 1;
  }
  out.push(bytes.subarray(from));
  return Buffer.concat(out).toString('utf8');
}

function parts(text: string, separator: string, context: RenderContext): readonly string[] {
  const found = separator === '' ? [...text] : text.split(separator);
  context.charge(found.length);
  return found;
}

function firstParts(text: string, separator: string, count: number, context: RenderContext): readonly string[] {
  if (count === 0) return [];
  const all = parts(text, separator, context);
  return count < 0 || all.length <= count ? all : [...all.slice(0, count - 1), all.slice(count - 1).join(separator)];
}

/** `_0`, `_1`…: so that templates can write `$parts._0`. */
function numbered(texts: readonly string[]): Map<string, string> {
  return new Map(texts.map((each, index) => [`_${index}`, each]));
}

/** Words that `_`, `-` or spaces separate, each with a capital; separators at the start stay. */
function camelCase(text: string): string {
  const [, leading = '', rest = ''] = /^([\s_-]*)([^]*)$/.exec(text) ?? [];
  const separated = /([\s_-])(?=[\s_-])|[\s_-](?![\s_-]|$)([^])|([\s_-])$|([^\s_-]+)/gu;
  let first = true;
  const body = rest.replaceAll(separated, (whole, many?: string, start?: string, end?: string, run?: string) => {
    if (many !== undefined) return many;
    if (start !== undefined) return upper(start);
    if (end !== undefined) return end;
    const [head = '', ...tail] = [...(run ?? whole)];
    const out = (first ? upper(head) : lower(head)) + tail.map(lower).join('');
    first = false;
    return out;
  });
  return leading + body;
}
