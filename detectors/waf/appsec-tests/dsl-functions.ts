/**
 * The helper functions of nuclei templates, as far as they need no network and no Java. Texts are bytes.
 * Specification: nuclei's documentation, "Helper functions". One table, hence its length.
 */
import { createHash, createHmac } from 'node:crypto';
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Clock } from '../../../core/clock.ts';
import type { Random } from '../../../core/random.ts';
import { compilePattern } from '../../regex/compile-pattern.ts';
import type { DslFunction } from './dsl-evaluate.ts';
import { DslError } from './dsl-syntax.ts';
import { type DslValue, listOf, numberOf, textOf } from './dsl-value.ts';

export interface DslDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/** Characters that a function may make: payloads repeat themselves to overflow buffers. */
const longestResult = 16 * 1024 ** 2;

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const binary = (buffer: Uint8Array): string => Buffer.from(buffer).toString('latin1');

type TextFunction = (...texts: string[]) => DslValue;

/** A function of texts. */
const ofTexts =
  (run: TextFunction): DslFunction =>
  (args) =>
    run(...args.map(textOf));

const hash = (algorithm: string): DslFunction =>
  ofTexts((text = '') => createHash(algorithm).update(bytes(text)).digest('hex'));

function bounded(length: number): number {
  if (length >= 0 && length <= longestResult) return Math.trunc(length);
  throw new DslError(`${length} characters are too many`);
}

const lower = 'abcdefghijklmnopqrstuvwxyz';
const letters = lower + lower.toUpperCase();
const digits = '0123456789';

export function createDslFunctions(deps: DslDeps): ReadonlyMap<string, DslFunction> {
  return new Map(
    Object.entries({
      ...encodings,
      ...texts,
      ...comparisons,
      ...numbers,
      ...hashes,
      ...compressions,
      ...randoms(deps),
      ...times(deps),
    }),
  );
}

const wrapped = (text: string): string => text.replaceAll(/.{1,76}/g, '$&\n');

/** All but what RFC 3986 leaves as it is, a space as `+`. */
function urlEncoded(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_.~-]/g, (one) =>
    one === ' ' ? '+' : `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function urlDecoded(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

const unescapes: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi,
    (all, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return unescapes[name.toLowerCase()] ?? all;
      const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return point > 0x10ffff ? all : Buffer.from(String.fromCodePoint(point), 'utf8').toString('latin1');
    },
  );
}

const encodings: Readonly<Record<string, DslFunction>> = {
  base64: ofTexts((text = '') => bytes(text).toString('base64')),
  base64_decode: ofTexts((text = '') => binary(Buffer.from(text, 'base64'))),
  // Python's line length, and a line end after the last line too.
  base64_py: ofTexts((text = '') => wrapped(bytes(text).toString('base64'))),
  url_encode: ofTexts((text = '') => urlEncoded(text)),
  url_decode: ofTexts((text = '') => urlDecoded(text)),
  hex_encode: ofTexts((text = '') => bytes(text).toString('hex')),
  hex_decode: ofTexts((text = '') => binary(Buffer.from(text, 'hex'))),
  html_escape: ofTexts((text = '') => text.replaceAll(/[&<>"']/g, (one) => entities[one] ?? one)),
  html_unescape: ofTexts((text = '') => unescaped(text)),
  json_minify: ofTexts((text = '') => JSON.stringify(JSON.parse(text))),
  json_prettify: ofTexts((text = '') => JSON.stringify(JSON.parse(text), null, 2)),
  xor: ([first, ...rest]) => {
    const parts = rest.map((one) => bytes(textOf(one)));
    return binary(
      bytes(textOf(first)).map((byte, index) => parts.reduce((sum, part) => sum ^ (part[index] ?? 0), byte)),
    );
  },
};

const trimSet = (characters: string): ReadonlySet<string> => new Set(characters);

function trimmedLeft(text: string, characters: string): string {
  const set = trimSet(characters);
  let from = 0;
  while (from < text.length && set.has(text[from] ?? '')) from++;
  return text.slice(from);
}

function trimmedRight(text: string, characters: string): string {
  const set = trimSet(characters);
  let to = text.length;
  while (to > 0 && set.has(text[to - 1] ?? '')) to--;
  return text.slice(0, to);
}

const blanks = ' \t\n\v\f\r';

const toLower = ofTexts((text = '') => text.toLowerCase());
const toUpper = ofTexts((text = '') => text.toUpperCase());

const texts: Readonly<Record<string, DslFunction>> = {
  to_lower: toLower,
  tolower: toLower,
  to_upper: toUpper,
  toupper: toUpper,
  to_title: ofTexts((text = '') => text.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())),
  trim: ofTexts((text = '', set = blanks) => trimmedRight(trimmedLeft(text, set), set)),
  trim_left: ofTexts((text = '', set = blanks) => trimmedLeft(text, set)),
  trim_right: ofTexts((text = '', set = blanks) => trimmedRight(text, set)),
  trim_space: ofTexts((text = '') => trimmedRight(trimmedLeft(text, blanks), blanks)),
  trim_prefix: ofTexts((text = '', prefix = '') => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  trim_suffix: ofTexts((text = '', suffix = '') =>
    suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
  ),
  replace: ofTexts((text = '', from = '', to = '') => text.replaceAll(from, () => to)),
  replace_regex: ofTexts((text = '', pattern = '', to = '') => replaced(text, pattern, to)),
  remove_bad_chars: ofTexts((text = '', set = '') => [...text].filter((one) => !trimSet(set).has(one)).join('')),
  reverse: ofTexts((text = '') => [...text].toReversed().join('')),
  repeat: ([text, count]) => {
    const one = textOf(text);
    const times = numberOf(count);
    bounded(one.length * times);
    return one.repeat(times);
  },
  padding: ([text, pad, length, place]) => {
    const size = bounded(numberOf(length));
    const one = textOf(text);
    return textOf(place) === 'prefix' ? one.padStart(size, textOf(pad)) : one.padEnd(size, textOf(pad));
  },
  concat: (args) => args.map(textOf).join(''),
  join: ([separator, ...rest]) => {
    const [only] = rest;
    return (rest.length === 1 ? listOf(only) : rest).map(textOf).join(textOf(separator));
  },
  split: ([text, separator, most]) => {
    const parts = textOf(text).split(textOf(separator ?? ','));
    const limit = most === undefined ? -1 : numberOf(most);
    if (limit <= 0 || parts.length <= limit) return parts;
    return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(textOf(separator))];
  },
  substr: ([text, from, to]) => {
    const one = textOf(text);
    return one.slice(numberOf(from), to === undefined ? undefined : numberOf(to));
  },
  index: ([value, at]) => {
    const place = numberOf(at);
    const found = typeof value === 'string' ? value[place] : listOf(value)[place];
    if (found === undefined) throw new DslError(`there is nothing at ${place}`);
    return found;
  },
  len: ([value]) => (typeof value === 'object' && value !== null ? value.length : textOf(value).length),
  sort: (args) => arranged(args, (all) => all.toSorted()),
  uniq: (args) => arranged(args, (all) => [...new Set(all)]),
  to_string: ofTexts((text = '') => text),
  print_debug: () => '',
};

/** Of a text its characters, of a list its items, of several arguments those. */
function arranged(args: readonly DslValue[], arrange: (all: readonly string[]) => string[]): DslValue {
  const [first] = args;
  if (args.length > 1) return arrange(args.map(textOf));
  return typeof first === 'string' ? arrange([...first]).join('') : arrange(listOf(first).map(textOf));
}

function replaced(text: string, pattern: string, to: string): string {
  const global = new RegExp(compilePattern(pattern, { subject: 'bytes' }).regexp.source, 'g');
  return text.replace(global, (...groups: string[]) =>
    to.replaceAll(/\$(?:\{(\d)\}|(\d))/g, (_, braced, bare) => groups[Number(braced ?? bare)] ?? ''),
  );
}

function has(text: string, pattern: string): boolean {
  return compilePattern(pattern, { subject: 'bytes' }).test(text);
}

const comparisons: Readonly<Record<string, DslFunction>> = {
  contains: ofTexts((text = '', part = '') => text.includes(part)),
  contains_all: ofTexts((text = '', ...parts) => parts.every((part) => text.includes(part))),
  contains_any: ofTexts((text = '', ...parts) => parts.some((part) => text.includes(part))),
  starts_with: ofTexts((text = '', ...parts) => parts.some((part) => text.startsWith(part))),
  ends_with: ofTexts((text = '', ...parts) => parts.some((part) => text.endsWith(part))),
  line_starts_with: ofTexts((text = '', ...parts) =>
    linesOf(text).some((line) => parts.some((part) => line.startsWith(part))),
  ),
  line_ends_with: ofTexts((text = '', ...parts) =>
    linesOf(text).some((line) => parts.some((part) => line.endsWith(part))),
  ),
  equals_any: ofTexts((text = '', ...parts) => parts.includes(text)),
  regex: ofTexts((pattern = '', text = '') => has(text, pattern)),
  regex_all: ofTexts((text = '', ...patterns) => patterns.every((pattern) => has(text, pattern))),
  regex_any: ofTexts((text = '', ...patterns) => patterns.some((pattern) => has(text, pattern))),
  compare_versions: ofTexts((version = '', ...limits) => limits.every((limit) => fitsVersion(version, limit))),
};

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/);
}

function fitsVersion(version: string, limit: string): boolean {
  const [, operator = '==', bound = ''] = /^\s*(>=|<=|==|=|!=|>|<)?\s*v?([\d.]+)/.exec(limit) ?? [];
  const order = versionOrder(version.replace(/^v/, ''), bound);
  switch (operator) {
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '!=':
      return order !== 0;
    default:
      return order === 0;
  }
}

function versionOrder(left: string, right: string): number {
  const [a, b] = [left.split('.').map(Number), right.split('.').map(Number)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const inBase =
  (base: number): DslFunction =>
  ([text]) => {
    const number = Number.parseInt(textOf(text).replace(/^0[xbo]/i, ''), base);
    if (Number.isNaN(number)) throw new DslError(`${JSON.stringify(text ?? null)} is no number of base ${base}`);
    return number;
  };

const numbers: Readonly<Record<string, DslFunction>> = {
  to_number: ([value]) => numberOf(value),
  dec_to_hex: ([value]) => numberOf(value).toString(16),
  hex_to_dec: inBase(16),
  bin_to_dec: inBase(2),
  oct_to_dec: inBase(8),
};

/** MurmurHash 3, 32 bits, as nuclei prints it: signed. */
function mmh3(text: string): string {
  const data = bytes(text);
  let state = 0;
  const mix = (word: number): number => {
    const rotated = Math.imul(word, 0xcc9e2d51);
    return Math.imul((rotated << 15) | (rotated >>> 17), 0x1b873593);
  };
  const whole = data.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    state ^= mix(data.readInt32LE(at));
    state = (Math.imul((state << 13) | (state >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = data.length - 1; at >= whole; at--) tail = (tail << 8) | (data[at] ?? 0);
  if (whole < data.length) state ^= mix(tail);
  state ^= data.length;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return String((state ^ (state >>> 16)) | 0);
}

const hashes: Readonly<Record<string, DslFunction>> = {
  md5: hash('md5'),
  sha1: hash('sha1'),
  sha256: hash('sha256'),
  sha512: hash('sha512'),
  hmac: ofTexts((algorithm = '', data = '', secret = '') =>
    createHmac(algorithm, bytes(secret)).update(bytes(data)).digest('hex'),
  ),
  mmh3: ofTexts((text = '') => mmh3(text)),
};

const limit = { maxOutputLength: longestResult };
const compressions: Readonly<Record<string, DslFunction>> = {
  gzip: ofTexts((text = '') => binary(gzipSync(bytes(text)))),
  gzip_decode: ofTexts((text = '') => binary(gunzipSync(bytes(text), limit))),
  zlib: ofTexts((text = '') => binary(deflateSync(bytes(text)))),
  zlib_decode: ofTexts((text = '') => binary(inflateSync(bytes(text), limit))),
  deflate: ofTexts((text = '') => binary(deflateRawSync(bytes(text)))),
  inflate: ofTexts((text = '') => binary(inflateRawSync(bytes(text), limit))),
};

function randoms({ random }: DslDeps): Readonly<Record<string, DslFunction>> {
  const some = (count: number, from: string): string =>
    Array.from({ length: bounded(count) }, () => from[Math.floor(random.fraction() * from.length)] ?? '').join('');
  /** `name(length, characters that are left out)`. */
  const ofLength =
    (from: string, standard: number): DslFunction =>
    ([length, without]) => {
      const left = new Set(textOf(without));
      return some(
        length === undefined ? standard : numberOf(length),
        [...from].filter((one) => !left.has(one)).join(''),
      );
    };
  return {
    rand_base: ([length, set]) => some(numberOf(length), textOf(set) || letters + digits),
    rand_char: ([set]) => some(1, textOf(set) || letters + digits),
    rand_int: ([least, most]) => {
      const from = least === undefined ? 0 : numberOf(least);
      const to = most === undefined ? 2_147_483_647 : numberOf(most);
      return from + Math.floor(random.fraction() * Math.max(1, to - from));
    },
    rand_text_alpha: ofLength(letters, 0),
    rand_text_alphanumeric: ofLength(letters + digits, 0),
    rand_text_numeric: ofLength(digits, 0),
    rand_ip: ([network]) => {
      const [base = '192.0.2.0', prefix = '24'] = textOf(network).split('/');
      const free = Math.max(0, 32 - Number(prefix || 32));
      const start = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
      const number = Math.floor(start / 2 ** free) * 2 ** free + Math.floor(random.fraction() * 2 ** free);
      return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
    },
    uuid: () => random.uuid(),
    // Serialised Java objects come from another program; what stands in for one is as opaque.
    generate_java_gadget: ofTexts((gadget = '', command = '', encoding = '') => {
      const object = bytes(`\xac\xed\x00\x05 ${gadget} ${command}`);
      if (encoding === 'base64') return object.toString('base64');
      return encoding === 'hex' ? object.toString('hex') : binary(object);
    }),
  };
}

function times({ clock }: DslDeps): Readonly<Record<string, DslFunction>> {
  const seconds = (): number => Math.floor(clock.now() / 1_000);
  const unixTime: DslFunction = ([add]) => seconds() + (add === undefined ? 0 : numberOf(add));
  return {
    unix_time: unixTime,
    unixtime: unixTime,
    to_unix_time: ofTexts((text = '') => {
      const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text) / 1_000;
      if (Number.isNaN(at)) throw new DslError(`${text} is no time`);
      return Math.floor(at);
    }),
    date_time: ([format, at]) => dateText(textOf(format), at === undefined ? clock.now() : numberOf(at) * 1_000),
    // Nothing here takes time.
    wait_for: () => true,
  };
}

/** `%Y-%m-%d %H:%M:%S`, in UTC. */
function dateText(format: string, at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  const parts: Readonly<Record<string, string>> = {
    Y: year,
    y: year.slice(2),
    m: month,
    d: day,
    D: day,
    H: time.slice(0, 2),
    M: time.slice(3, 5),
    S: time.slice(6, 8),
  };
  return format.replaceAll(/%([YymdDHMS])/g, (_, letter: string) => parts[letter] ?? '');
}
