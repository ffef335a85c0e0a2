/**
 * Go's `fmt.Sprintf`: verbs, flags, width, precision, `*` and argument indexes, and its way of writing mistakes into the
 * text (`%!d(string=hi)`). Values are the expression language's (`values.ts`).
 */
import { GoDuration, GoEnum, GoTime, GoZone } from './go-time.ts';
import { byteLength, runeCount } from './text.ts';
import { goType, longestText, mapEntries, ValueError } from './values.ts';

interface Flags {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | null;
  precision: number | null;
}

/** Wider fields and finer precisions are refused as Go refuses them. */
const widest = 1_000_000;
const deepest = 64;

export function sprintf(format: string, args: readonly unknown[]): string {
  return new Printer(format, args).text();
}

/** `%v`. */
export function formatValue(value: unknown): string {
  return formatVerb('v', value, noFlags());
}

class Printer {
  readonly #format: string;
  readonly #args: readonly unknown[];
  #next = 0;
  #reordered = false;
  #at = 0;

  constructor(format: string, args: readonly unknown[]) {
    this.#format = format;
    this.#args = args;
  }

  text(): string {
    let text = '';
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      if (percent === -1) {
        text += this.#format.slice(this.#at);
        break;
      }
      text += this.#format.slice(this.#at, percent);
      this.#at = percent + 1;
      text += this.#directive();
      if (text.length > longestText) throw new ValueError('text is too long');
    }
    if (this.#reordered || this.#next >= this.#args.length) return text;
    const extra = this.#args
      .slice(this.#next)
      .map((arg) => (arg === null ? '<nil>' : `${goType(arg)}=${formatValue(arg)}`));
    return `${text}%!(EXTRA ${extra.join(', ')})`;
  }

  #directive(): string {
    const flags = noFlags();
    this.#flags(flags);
    const badIndex = this.#index();
    if (this.#peek() === '*') {
      this.#at++;
      const width = this.#star();
      if (width === null) return '%!(BADWIDTH)';
      flags.width = Math.abs(width);
      if (width < 0) flags.minus = true;
    } else flags.width = this.#digits();
    if (this.#peek() === '.') {
      this.#at++;
      this.#index();
      if (this.#peek() === '*') {
        this.#at++;
        const precision = this.#star();
        if (precision === null || precision < 0) return '%!(BADPREC)';
        flags.precision = precision;
      } else flags.precision = this.#digits() ?? 0;
    }
    const lateBadIndex = this.#index();
    const verb = this.#format.codePointAt(this.#at);
    if (verb === undefined) return '%!(NOVERB)';
    const letter = String.fromCodePoint(verb);
    this.#at += letter.length;
    if (letter === '%') return '%';
    if (badIndex || lateBadIndex) return `%!${letter}(BADINDEX)`;
    if (this.#next >= this.#args.length) return `%!${letter}(MISSING)`;
    // For `%v` the sign flag means field names of structures, of which there are none here.
    if (letter === 'v') flags.plus = false;
    return formatVerb(letter, this.#args[this.#next++] ?? null, flags);
  }

  #peek(): string {
    return this.#format[this.#at] ?? '';
  }

  #flags(flags: Flags): void {
    for (; ; this.#at++) {
      const letter = this.#peek();
      if (letter === '+') flags.plus = true;
      else if (letter === '-') flags.minus = true;
      else if (letter === '#') flags.sharp = true;
      else if (letter === ' ') flags.space = true;
      else if (letter === '0') flags.zero = true;
      else return;
    }
  }

  #digits(): number | null {
    const start = this.#at;
    while (/\d/.test(this.#peek())) this.#at++;
    if (start === this.#at) return null;
    return Math.min(Number(this.#format.slice(start, this.#at)), widest);
  }

  /** Reads `[n]`; true when the index does not exist. */
  #index(): boolean {
    if (this.#peek() !== '[') return false;
    const end = this.#format.indexOf(']', this.#at);
    if (end === -1) return true;
    const number = Number(this.#format.slice(this.#at + 1, end));
    this.#at = end + 1;
    this.#reordered = true;
    if (!Number.isInteger(number) || number < 1 || number > this.#args.length) return true;
    this.#next = number - 1;
    return false;
  }

  #star(): number | null {
    const value = this.#args[this.#next++];
    return typeof value === 'bigint' && value <= widest && value >= -widest ? Number(value) : null;
  }
}

function noFlags(): Flags {
  return { plus: false, minus: false, sharp: false, space: false, zero: false, width: null, precision: null };
}

function formatVerb(verb: string, value: unknown, flags: Flags, depth = 0): string {
  if (verb === 'T') return padded(goType(value), flags);
  if (verb === 'p') return `%!p(${goType(value)}=${formatValue(value)})`;
  if (value === null || value === undefined) return verb === 'v' ? padded('<nil>', flags) : `%!${verb}(<nil>)`;
  if (depth > deepest) throw new ValueError('value is nested too deeply to be printed');
  switch (typeof value) {
    case 'boolean':
      return verb === 't' || verb === 'v' ? padded(String(value), flags) : mistake(verb, value);
    case 'string':
      return formatString(verb, value, flags);
    case 'bigint':
      return formatInteger(verb, value, flags);
    case 'number':
      return formatFloat(verb, value, flags);
    case 'object':
      return formatObject(verb, value, flags, depth);
    default:
      return mistake(verb, value);
  }
}

function mistake(verb: string, value: unknown): string {
  return `%!${verb}(${goType(value)}=${formatValue(value)})`;
}

function formatObject(verb: string, value: object, flags: Flags, depth: number): string {
  if (value instanceof GoDuration || value instanceof GoEnum || value instanceof GoTime || value instanceof GoZone) {
    if (verb === 'd' && value instanceof GoDuration)
      return formatInteger('d', BigInt(Math.round(value.ms * 1e6)), flags);
    if (verb === 'd' && value instanceof GoEnum) return formatInteger('d', value.value, flags);
    return formatString(verb === 'v' ? 's' : verb, value.toString(), flags);
  }
  if (Array.isArray(value)) return formatList(verb, value, flags, depth);
  const entries = mapEntries(value).toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1));
  if (flags.sharp && verb === 'v') {
    const shown = entries.map(
      ([key, one]) => `${formatVerb('v', key, flags, depth + 1)}:${formatVerb('v', one, flags, depth + 1)}`,
    );
    return `${goType(value)}{${shown.join(', ')}}`;
  }
  const shown = entries.map(
    ([key, one]) => `${formatVerb(verb, key, flags, depth + 1)}:${formatVerb(verb, one, flags, depth + 1)}`,
  );
  return `map[${shown.join(' ')}]`;
}

function formatList(verb: string, list: readonly unknown[], flags: Flags, depth: number): string {
  const shown = list.map((item) => formatVerb(verb, item ?? null, flags, depth + 1));
  return flags.sharp && verb === 'v' ? `[]interface {}{${shown.join(', ')}}` : `[${shown.join(' ')}]`;
}

function padded(text: string, flags: Flags, zeros = false): string {
  if (flags.width === null) return text;
  const missing = flags.width - runeCount(text);
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (zeros && flags.zero ? '0' : ' ').repeat(missing) + text;
}

function formatString(verb: string, value: string, flags: Flags): string {
  const cut = flags.precision === null ? value : Array.from(value).slice(0, flags.precision).join('');
  switch (verb) {
    case 'v':
      return flags.sharp ? padded(goQuote(value, false), flags) : padded(cut, flags, true);
    case 's':
      return padded(cut, flags, true);
    case 'q':
      return padded(flags.sharp && !cut.includes('`') ? `\`${cut}\`` : goQuote(cut, flags.plus), flags);
    case 'x':
    case 'X': {
      const bytes = Buffer.from(value).subarray(0, flags.precision ?? byteLength(value));
      const separator = flags.space ? ' ' : '';
      const prefix = flags.sharp ? '0x' : '';
      const hex = [...bytes]
        .map((byte) => (flags.space ? prefix : '') + byte.toString(16).padStart(2, '0'))
        .join(separator);
      const text = (flags.space || hex === '' ? '' : prefix) + hex;
      return padded(verb === 'X' ? text.toUpperCase() : text, flags);
    }
    default:
      return mistake(verb, value);
  }
}

/** A Go string literal. */
function goQuote(text: string, asciiOnly: boolean): string {
  let quoted = '"';
  for (const rune of text) {
    const point = rune.codePointAt(0) ?? 0;
    const named = namedEscapes.get(rune);
    if (named !== undefined) quoted += named;
    else if (point < 0x20 || point === 0x7f) quoted += `\\x${point.toString(16).padStart(2, '0')}`;
    else if (point > 0x7e && (asciiOnly || !/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(rune))) {
      quoted +=
        point > 0xffff ? `\\U${point.toString(16).padStart(8, '0')}` : `\\u${point.toString(16).padStart(4, '0')}`;
    } else quoted += rune;
  }
  return `${quoted}"`;
}

const namedEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

const radixes: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

function formatInteger(verb: string, value: bigint, flags: Flags): string {
  if (verb === 'c' || verb === 'q' || verb === 'U') return formatRune(verb, value, flags);
  if ('eEfFgG'.includes(verb)) return mistake(verb, value);
  const radix = radixes[verb];
  if (radix === undefined) return mistake(verb, value);
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString(radix);
  if (verb === 'X') digits = digits.toUpperCase();
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  let prefix = '';
  if (verb === 'O') prefix = '0o';
  else if (flags.sharp && verb === 'x') prefix = '0x';
  else if (flags.sharp && verb === 'X') prefix = '0X';
  else if (flags.sharp && verb === 'b') prefix = '0b';
  else if (flags.sharp && verb === 'o') prefix = '0';
  if (flags.precision !== null)
    digits = flags.precision === 0 && value === 0n ? '' : digits.padStart(flags.precision, '0');
  else if (flags.zero && !flags.minus && flags.width !== null) {
    digits = digits.padStart(flags.width - sign.length - prefix.length, '0');
  }
  return padded(sign + prefix + digits, flags);
}

function formatRune(verb: string, value: bigint, flags: Flags): string {
  const point = value < 0n || value > 0x10ffffn ? 0xfffd : Number(value);
  const rune = point >= 0xd800 && point <= 0xdfff ? '\ufffd' : String.fromCodePoint(point);
  if (verb === 'c') return padded(rune, flags);
  if (verb === 'q') {
    const inner = goQuote(rune, flags.plus).slice(1, -1);
    return padded(`'${rune === "'" ? "\\'" : rune === '"' ? '"' : inner}'`, flags);
  }
  const text = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  return padded(flags.sharp ? `${text} '${rune}'` : text, flags);
}

function formatFloat(verb: string, value: number, flags: Flags): string {
  let text: string;
  switch (verb) {
    case 'v':
    case 'g':
    case 'G':
      text = general(Math.abs(value), flags.precision);
      break;
    case 'f':
    case 'F':
      text = fixed(Math.abs(value), flags.precision ?? 6);
      break;
    case 'e':
    case 'E':
      text = exponent(Math.abs(value).toExponential(Math.min(flags.precision ?? 6, 100)));
      break;
    default:
      return mistake(verb, value);
  }
  if (!Number.isFinite(value)) text = Number.isNaN(value) ? 'NaN' : 'Inf';
  const upper = verb === 'G' || verb === 'E' ? text.toUpperCase() : text;
  const negative = value < 0 || Object.is(value, -0);
  const infinite = value === Number.POSITIVE_INFINITY;
  const sign = negative ? '-' : flags.plus || infinite ? '+' : flags.space ? ' ' : '';
  if (flags.zero && !flags.minus && flags.width !== null && Number.isFinite(value)) {
    return sign + upper.padStart(flags.width - sign.length, '0');
  }
  return padded(sign + upper, flags);
}

/** Fixed notation without JavaScript's limit of 1e21. */
function fixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return '';
  const digits = Math.min(precision, 100);
  const text =
    value < 1e21 ? halfToEven(value, digits) : `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;
  return precision > digits ? text + '0'.repeat(precision - digits) : text;
}

/** `toFixed` rounds a half up, Go to the even digit. Only odd multiples of 1 / 2^(digits + 1) are halves of the last digit. */
function halfToEven(value: number, digits: number): string {
  const scaled = Math.abs(value) * 2 ** digits;
  if (Number.isInteger(scaled * 2) && !Number.isInteger(scaled)) {
    const exact = value.toFixed(digits + 1);
    const down = exact.slice(0, digits === 0 ? -2 : -1);
    if (Number(down.at(-1)) % 2 === 0) return down;
  }
  return value.toFixed(digits);
}

/** Two exponent digits at least, as in Go. */
function exponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** `%g`: the shortest text that reads back the same, or `precision` significant digits. */
function general(value: number, precision: number | null): string {
  if (!Number.isFinite(value)) return '';
  const digits = precision === null ? null : Math.min(Math.max(precision, 1), 100);
  const scientific = digits === null ? value.toExponential() : value.toExponential(digits - 1);
  const [mantissa = '', power = '0'] = scientific.split('e');
  const trimmed = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  const significant = trimmed.replace('.', '').length;
  const magnitude = Number(power);
  let threshold = digits ?? 6;
  if (digits !== null && threshold > significant && significant > magnitude) threshold = significant;
  if (magnitude < -4 || magnitude >= threshold)
    return exponent(`${trimmed}e${power.startsWith('-') ? power : `+${magnitude}`}`);
  return plain(trimmed.replace('.', ''), magnitude);
}

/** The digits with the point after `magnitude` + 1 of them. */
function plain(digits: string, magnitude: number): string {
  if (magnitude < 0) return `0.${'0'.repeat(-magnitude - 1)}${digits}`;
  if (digits.length <= magnitude + 1) return digits.padEnd(magnitude + 1, '0');
  return `${digits.slice(0, magnitude + 1)}.${digits.slice(magnitude + 1)}`;
}
