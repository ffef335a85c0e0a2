/** Builtins on numbers. Integers are 64 bits wide and wrap; floats are float64. */
import { type Builtin, type BuiltinTable, TypeMistake } from '../builtin.ts';
import { GoDuration } from '../go-time.ts';
import { maybe, maybeNumber } from '../operator-types.ts';
import { anyType, floatType, intType, type Type, typeText } from '../types.ts';
import { compare, goType, isNumber, ValueError, wrap } from '../values.ts';
import { invalidArgument, simple } from './signature.ts';

export const numberBuiltins: BuiltinTable = {
  abs: {
    least: 1,
    most: 1,
    check: ([type = anyType]) => wantNumber('abs', type),
    run: (value: unknown) => {
      if (typeof value === 'bigint') return wrap(value < 0n ? -value : value);
      if (typeof value === 'number') return Math.abs(value);
      throw invalidArgument('abs', value);
    },
  },
  ceil: rounding('ceil', Math.ceil),
  floor: rounding('floor', Math.floor),
  // Go rounds half away from zero; Math.round rounds it up.
  round: rounding('round', (value) => (value < 0 ? -Math.round(-value) : Math.round(value))),
  int: {
    least: 1,
    most: 1,
    check: ([type = anyType]) => {
      if (maybeNumber(type) || maybe(type, 'string') || type.kind === 'duration') return intType;
      throw new TypeMistake(`invalid argument for int (type ${typeText(type)})`);
    },
    run: (value: unknown) => toInt(value),
  },
  float: {
    least: 1,
    most: 1,
    check: ([type = anyType]) => {
      if (maybeNumber(type) || maybe(type, 'string')) return floatType;
      throw new TypeMistake(`invalid argument for float (type ${typeText(type)})`);
    },
    run: (value: unknown) => toFloat(value),
  },
  max: extreme('max', 1),
  min: extreme('min', -1),
  mean: statistic('mean', (values) => values.reduce((total, value) => total + value, 0) / values.length),
  median: statistic('median', (values) => medianOf(values)),
  bitand: bits('bitand', (left, right) => left & right),
  bitor: bits('bitor', (left, right) => left | right),
  bitxor: bits('bitxor', (left, right) => left ^ right),
  bitnand: bits('bitnand', (left, right) => left & ~right),
  bitshl: bits('bitshl', (left, right) => (shift(right) > 63n ? 0n : left << right)),
  bitshr: bits('bitshr', (left, right) => left >> (shift(right) > 63n ? 63n : right)),
  bitushr: bits('bitushr', (left, right) => (shift(right) > 63n ? 0n : BigInt.asUintN(64, left) >> right)),
  bitnot: simple({ name: 'bitnot', parameters: [intType], returns: intType }, (value: bigint) => ~value),
};

function wantNumber(name: string, type: Type): Type {
  if (maybeNumber(type)) return type;
  throw new TypeMistake(`invalid argument for ${name} (type ${typeText(type)})`);
}

function rounding(name: string, round: (value: number) => number): Builtin {
  return {
    least: 1,
    most: 1,
    check: ([type = anyType]) => {
      wantNumber(name, type);
      return floatType;
    },
    run: (value: unknown) => {
      if (!isNumber(value)) throw invalidArgument(name, value);
      return round(Number(value));
    },
  };
}

function bits(name: string, combine: (left: bigint, right: bigint) => bigint): Builtin {
  return simple({ name, parameters: [intType, intType], returns: intType }, (left: bigint, right: bigint) =>
    wrap(combine(left, right)),
  );
}

function shift(count: bigint): bigint {
  if (count < 0n) throw new ValueError('invalid operation: negative shift count');
  return count;
}

/** Numbers and lists of numbers, mixed and nested as given. */
function numbersOf(name: string, args: readonly unknown[]): (bigint | number)[] {
  const numbers: (bigint | number)[] = [];
  for (const arg of args) {
    const items: readonly unknown[] = Array.isArray(arg) ? arg : [arg];
    for (const item of items) {
      if (!isNumber(item)) throw invalidArgument(name, item);
      numbers.push(item);
    }
  }
  return numbers;
}

function wantNumbers(name: string, types: readonly Type[]): Type {
  let common: Type | null = null;
  for (const [index, type] of types.entries()) {
    const number = type.kind === 'array' ? type.element : type;
    if (!maybeNumber(number)) throw new TypeMistake(`invalid argument for ${name} (type ${typeText(type)})`, index);
    common = common === null || common.kind === number.kind ? number : anyType;
  }
  return common ?? anyType;
}

function extreme(name: string, sign: 1 | -1): Builtin {
  return {
    least: 1,
    most: 255,
    check: (types) => wantNumbers(name, types),
    run: (...args: unknown[]) => {
      let best: bigint | number | null = null;
      for (const number of numbersOf(name, args)) {
        if (best === null || compare(number, best, '>') * sign > 0) best = number;
      }
      return best;
    },
  };
}

function statistic(name: string, compute: (values: number[]) => number): Builtin {
  return {
    least: 1,
    most: 255,
    check: (types) => {
      wantNumbers(name, types);
      return floatType;
    },
    run: (...args: unknown[]) => {
      const values = numbersOf(name, args).map(Number);
      return values.length === 0 ? 0 : compute(values);
    },
  };
}

function medianOf(values: number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** Go's `int(...)`: floats lose their fraction, strings are decimal. @throws ValueError */
function toInt(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    // What Go makes of a float outside int64 is this number on amd64.
    if (!(Math.abs(value) < 2 ** 63)) return -(2n ** 63n);
    return BigInt(Math.trunc(value));
  }
  if (value instanceof GoDuration) return BigInt(Math.round(value.ms * 1e6));
  if (typeof value !== 'string') throw new ValueError(`invalid operation: int(${goType(value)})`);
  if (!/^[+-]?\d{1,24}$/.test(value)) throw new ValueError(`invalid operation: int(${JSON.stringify(value)})`);
  const parsed = BigInt(value.startsWith('+') ? value.slice(1) : value);
  if (wrap(parsed) !== parsed) throw new ValueError(`invalid operation: int(${value}): value out of range`);
  return parsed;
}

const floatShape = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const infinite = /^[+-]?inf(?:inity)?$/i;

/** Go's `strconv.ParseFloat` without hexadecimal floats, or null. */
export function parseFloat64(text: string): number | null {
  if (text.length > 400) return null;
  if (floatShape.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : null;
  }
  if (infinite.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^nan$/i.test(text) ? Number.NaN : null;
}

/** @throws ValueError */
function toFloat(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') throw new ValueError(`invalid operation: float(${goType(value)})`);
  const parsed = parseFloat64(value);
  if (parsed === null) throw new ValueError(`invalid operation: float(${JSON.stringify(value)})`);
  return parsed;
}
