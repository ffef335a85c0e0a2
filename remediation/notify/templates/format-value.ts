/**
 * Go's `fmt`: values as text, with and without a format. Specification: Go package fmt, "Printing". Verbs, flags, widths,
 * explicit indexes and the texts for wrong ones (`%!d(string=x)`) are Go's; structs print without pointers.
 */
import { formatFloat } from './format-number.ts';
import { quoteText } from './quote-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateTime } from './template-time.ts';
import { bytesOf, isList, isMap, isStruct, sortedEntries, type TemplateValue, typeName } from './values.ts';

/** As `%v` prints it. */
export function formatValue(value: TemplateValue, context: RenderContext): string {
  return new Printer(context).print(value, plainVerb, 0);
}

/** Go's `Sprint`: a space between two operands neither of which is a text. */
export function sprint(args: readonly TemplateValue[], context: RenderContext): string {
  let out = '';
  for (const [index, value] of args.entries()) {
    const before = args[index - 1];
    if (index > 0 && typeof value !== 'string' && typeof before !== 'string') out += ' ';
    out += formatValue(value, context);
    context.reserve(out.length);
  }
  return out;
}

/** Go's `Sprintln`. */
export function sprintln(args: readonly TemplateValue[], context: RenderContext): string {
  return `${args.map((value) => formatValue(value, context)).join(' ')}\n`;
}

interface Verb {
  readonly letter: string;
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | null;
  readonly precision: number | null;
}

const plainVerb: Verb = {
  letter: 'v',
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  width: null,
  precision: null,
};

/** The largest width and precision, as in Go. */
const widest = 1_000_000;

/** Go's `Sprintf`. Never raises for a format, only for the bounds of the run. */
export function sprintf(format: string, args: readonly TemplateValue[], context: RenderContext): string {
  return new FormatReader(format, args, context).run();
}

class FormatReader {
  readonly #format: string;
  readonly #args: readonly TemplateValue[];
  readonly #context: RenderContext;
  readonly #printer: Printer;
  #at = 0;
  #next = 0;
  #reordered = false;
  #badIndex = false;

  constructor(format: string, args: readonly TemplateValue[], context: RenderContext) {
    this.#format = format;
    this.#args = args;
    this.#context = context;
    this.#printer = new Printer(context);
  }

  run(): string {
    let out = '';
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent === -1 ? this.#format.length : percent;
      out += this.#format.slice(this.#at, end);
      this.#at = end;
      if (percent !== -1) out += this.#directive();
      this.#context.reserve(out.length);
    }
    if (!this.#reordered && this.#next < this.#args.length) {
      const extra = this.#args.slice(this.#next).map((value) => this.#described(value));
      out += `%!(EXTRA ${extra.join(', ')})`;
    }
    return out;
  }

  #directive(): string {
    this.#at++;
    this.#badIndex = false;
    let complaint = '';
    let { minus, plus, sharp, space, zero } = plainVerb;
    for (; '-+# 0'.includes(this.#format[this.#at] ?? '?'); this.#at++) {
      const flag = this.#format[this.#at];
      if (flag === '-') [minus, zero] = [true, false];
      else if (flag === '+') plus = true;
      else if (flag === '#') sharp = true;
      else if (flag === ' ') space = true;
      else zero = !minus;
    }
    let afterIndex = this.#index();
    let width: number | null;
    if (this.#format[this.#at] === '*') {
      this.#at++;
      width = this.#starred();
      if (width === null) complaint += '%!(BADWIDTH)';
      else if (width < 0) [width, minus, zero] = [-width, true, false];
      afterIndex = false;
    } else {
      width = this.#digits();
      if (afterIndex && width !== null) this.#badIndex = true;
    }
    let precision: number | null = null;
    if (this.#format[this.#at] === '.') {
      this.#at++;
      if (afterIndex) this.#badIndex = true;
      afterIndex = this.#index();
      if (this.#format[this.#at] === '*') {
        this.#at++;
        precision = this.#starred();
        if (precision === null) complaint += '%!(BADPREC)';
        else if (precision < 0) [precision, complaint] = [null, `${complaint}%!(BADPREC)`];
        afterIndex = false;
      } else precision = this.#digits() ?? 0;
    }
    if (!afterIndex) this.#index();
    return complaint + this.#verb({ minus, plus, sharp, space, zero, width, precision });
  }

  #verb(flags: Omit<Verb, 'letter'>): string {
    const point = this.#format.codePointAt(this.#at);
    if (point === undefined) return '%!(NOVERB)';
    const letter = String.fromCodePoint(point);
    this.#at += letter.length;
    if (letter === '%') return '%';
    if (this.#badIndex) return `%!${letter}(BADINDEX)`;
    if (this.#next >= this.#args.length) return `%!${letter}(MISSING)`;
    const value = this.#args[this.#next++] ?? null;
    return this.#printer.print(value, { ...flags, letter }, 0);
  }

  /** `[3]`: the argument that comes next. True when there was one. */
  #index(): boolean {
    if (this.#format[this.#at] !== '[') return false;
    this.#reordered = true;
    const match = /^\[([0-9]{1,7})\]/.exec(this.#format.slice(this.#at, this.#at + 10));
    const wanted = Number(match?.[1] ?? 0) - 1;
    if (match && wanted >= 0 && wanted < this.#args.length) {
      this.#at += match[0].length;
      this.#next = wanted;
      return true;
    }
    this.#badIndex = true;
    const close = this.#format.indexOf(']', this.#at);
    this.#at = close === -1 ? this.#at + 1 : close + 1;
    return true;
  }

  #starred(): number | null {
    const value = this.#args[this.#next];
    if (this.#next < this.#args.length) this.#next++;
    if (typeof value !== 'bigint' || value > widest || value < -widest) return null;
    return Number(value);
  }

  #digits(): number | null {
    const match = /^[0-9]+/.exec(this.#format.slice(this.#at, this.#at + 10));
    if (!match) return null;
    this.#at += match[0].length;
    const value = Number(match[0]);
    return value > widest ? null : value;
  }

  #described(value: TemplateValue): string {
    return value === null ? '<nil>' : `${typeName(value)}=${this.#printer.print(value, plainVerb, 0)}`;
  }
}

class Printer {
  readonly #context: RenderContext;

  constructor(context: RenderContext) {
    this.#context = context;
  }

  print(value: TemplateValue, verb: Verb, depth: number): string {
    this.#context.charge(1);
    this.#context.checkDepth(depth);
    this.#context.reserve(Math.max(verb.width ?? 0, verb.precision ?? 0));
    if (verb.letter === 'T') return padded(typeName(value), { ...verb, letter: 's' });
    if (verb.letter === 'p') return bad(value, verb, this);
    if (value === null) return this.#nil(verb, depth);
    if (isList(value)) return this.#list(value, verb, depth);
    if (isMap(value) || isStruct(value)) return this.#fields(value, verb, depth);
    if (value instanceof TemplateTime) return this.print(value.toString(), verb, depth);
    switch (typeof value) {
      case 'boolean':
        return verb.letter === 'v' || verb.letter === 't' ? padded(String(value), verb) : bad(value, verb, this);
      case 'bigint':
        return formatInteger(value, verb) ?? bad(value, verb, this);
      case 'number':
        return formatReal(value, verb) ?? bad(value, verb, this);
      default:
        return formatText(value, verb) ?? bad(value, verb, this);
    }
  }

  #nil(verb: Verb, depth: number): string {
    if (verb.letter !== 'v') return `%!${verb.letter}(<nil>)`;
    return verb.sharp && depth > 0 ? 'interface {}(nil)' : padded('<nil>', verb);
  }

  #list(list: readonly TemplateValue[], verb: Verb, depth: number): string {
    const inner = list.map((each) => this.print(each, verb, depth + 1));
    this.#context.reserve(inner.reduce((sum, each) => sum + each.length + 2, 0));
    if (verb.letter === 'v' && verb.sharp) return `[]interface {}{${inner.join(', ')}}`;
    return `[${inner.join(' ')}]`;
  }

  #fields(value: TemplateValue, verb: Verb, depth: number): string {
    const sharp = verb.letter === 'v' && verb.sharp;
    if (isMap(value)) {
      const inner = sortedEntries(value).map(
        ([key, each]) => `${this.print(key, verb, depth + 1)}:${this.print(each, verb, depth + 1)}`,
      );
      this.#context.reserve(inner.reduce((sum, each) => sum + each.length + 1, 0));
      return sharp ? `map[string]interface {}{${inner.join(', ')}}` : `map[${inner.join(' ')}]`;
    }
    if (!isStruct(value)) return '';
    if (value.display !== null && !sharp) return this.print(value.display, verb, depth + 1);
    const named = sharp || (verb.letter === 'v' && verb.plus);
    const inner = [...value.fields].map(
      ([name, { value: each }]) => (named ? `${name}:` : '') + this.print(each, verb, depth + 1),
    );
    this.#context.reserve(inner.reduce((sum, each) => sum + each.length + 1, 0));
    return sharp ? `${value.typeName}{${inner.join(', ')}}` : `{${inner.join(' ')}}`;
  }
}

/** `%!d(string=x)`: the verb does not fit the value. */
function bad(value: TemplateValue, verb: Verb, printer: Printer): string {
  return `%!${verb.letter}(${typeName(value)}=${printer.print(value, plainVerb, 0)})`;
}

function padded(text: string, { width, minus, zero }: Verb): string {
  if (width === null) return text;
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  return minus ? text + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + text;
}

/** `%+v` asks for names of fields, not for signs. */
function signOf({ letter, plus, space }: Verb): string {
  return plus && letter !== 'v' ? '+' : space ? ' ' : '';
}

/** A number filled up to its width, zeros after the sign. */
function paddedNumber(sign: string, digits: string, verb: Verb): string {
  const { width, zero } = verb;
  if (zero && width !== null) return sign + digits.padStart(width - sign.length, '0');
  return padded(sign + digits, { ...verb, zero: false });
}

const bases: Readonly<Record<string, readonly [number, string]>> = {
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, ''],
  d: [10, ''],
  v: [10, ''],
  x: [16, '0x'],
  X: [16, '0X'],
};

function formatInteger(value: bigint, verb: Verb): string | null {
  const { letter, sharp, precision } = verb;
  if (letter === 'c' || letter === 'q' || letter === 'U') return formatCharacter(value, verb);
  const base = bases[letter];
  if (base === undefined) return null;
  if (precision === 0 && value === 0n) return ' '.repeat(verb.width ?? 0);
  const magnitude = (value < 0n ? -value : value).toString(base[0]);
  const digits = (letter === 'X' ? magnitude.toUpperCase() : magnitude).padStart(precision ?? 0, '0');
  const mark = letter === 'O' ? '0o' : sharp && letter !== 'v' ? base[1] : '';
  const sign = value < 0n ? '-' : signOf(verb);
  return paddedNumber(sign + mark, digits, { ...verb, zero: verb.zero && precision === null });
}

function formatCharacter(value: bigint, verb: Verb): string {
  const valid = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value < 0xe000n);
  const character = valid ? String.fromCodePoint(Number(value)) : '\u{fffd}';
  if (verb.letter === 'c') return padded(character, verb);
  if (verb.letter === 'q') return padded(quoteText(character, "'", verb.plus), verb);
  const digits = BigInt.asUintN(64, value)
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, verb.precision ?? 4), '0');
  return padded(`U+${digits}${verb.sharp && valid ? ` '${character}'` : ''}`, { ...verb, zero: false });
}

function formatReal(value: number, verb: Verb): string | null {
  const { letter, precision } = verb;
  const lower = letter.toLowerCase();
  if (!'vefg'.includes(lower) || letter === 'V') return null;
  const kind = lower === 'v' ? 'g' : (lower as 'e' | 'f' | 'g');
  const digits = formatFloat(value, kind, precision ?? (kind === 'g' ? null : 6));
  const text = letter === 'E' || letter === 'G' ? digits.toUpperCase() : digits;
  const unsigned = text.replace(/^[+-]/, '');
  const sign = text.startsWith('-') ? '-' : signOf(verb);
  const finite = Number.isFinite(value);
  return paddedNumber(finite || sign !== '' ? sign : text.startsWith('+') ? '+' : '', unsigned, {
    ...verb,
    zero: verb.zero && finite,
  });
}

function formatText(text: string, verb: Verb): string | null {
  const { letter, precision, plus, sharp } = verb;
  const cut = precision === null ? text : [...text].slice(0, precision).join('');
  switch (letter) {
    case 'v':
      return sharp ? padded(quoteText(text), verb) : padded(cut, verb);
    case 's':
      return padded(cut, verb);
    case 'q':
      if (sharp && !/[`\x00-\x08\x0a-\x1f\x7f]/.test(cut)) return padded(`\`${cut}\``, verb);
      return padded(quoteText(cut, '"', plus), verb);
    case 'x':
    case 'X':
      return padded(formatBytes(text, verb), verb);
    default:
      return null;
  }
}

function formatBytes(text: string, { letter, precision, sharp, space }: Verb): string {
  const bytes = bytesOf(text).subarray(0, precision ?? undefined);
  const mark = sharp ? `0${letter}` : '';
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  const hex = space ? pairs.join(` ${mark}`) : pairs.join('');
  const cased = letter === 'X' ? hex.toUpperCase() : hex;
  return cased === '' ? '' : mark + cased;
}
