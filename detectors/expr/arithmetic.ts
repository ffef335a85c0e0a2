/** `+ - * / % **` and ranges on values. Integers wrap at 64 bits; an integer with a float makes a float; nothing else mixes. */
import { GoDuration, GoTime } from './go-time.ts';
import { goType, isNumber, longestText, ValueError, wrap } from './values.ts';

function mismatch(operator: string, left: unknown, right: unknown): ValueError {
  return new ValueError(`invalid operation: ${goType(left)} ${operator} ${goType(right)}`);
}

export function add(left: unknown, right: unknown): unknown {
  if (typeof left === 'string' && typeof right === 'string') return concatenate(left, right);
  if (typeof left === 'bigint' && typeof right === 'bigint') return wrap(left + right);
  if (isNumber(left) && isNumber(right)) return Number(left) + Number(right);
  if (left instanceof GoTime && right instanceof GoDuration) return new GoTime(left.ms + right.ms, left.zone);
  if (left instanceof GoDuration && right instanceof GoTime) return new GoTime(left.ms + right.ms, right.zone);
  if (left instanceof GoDuration && right instanceof GoDuration) return new GoDuration(left.ms + right.ms);
  throw mismatch('+', left, right);
}

export function concatenate(left: string, right: string): string {
  if (left.length + right.length > longestText) throw new ValueError('text is too long');
  return left + right;
}

export function subtract(left: unknown, right: unknown): unknown {
  if (typeof left === 'bigint' && typeof right === 'bigint') return wrap(left - right);
  if (isNumber(left) && isNumber(right)) return Number(left) - Number(right);
  if (left instanceof GoTime && right instanceof GoTime) return new GoDuration(left.ms - right.ms);
  if (left instanceof GoTime && right instanceof GoDuration) return new GoTime(left.ms - right.ms, left.zone);
  if (left instanceof GoDuration && right instanceof GoDuration) return new GoDuration(left.ms - right.ms);
  throw mismatch('-', left, right);
}

export function multiply(left: unknown, right: unknown): unknown {
  if (typeof left === 'bigint' && typeof right === 'bigint') return wrap(left * right);
  if (isNumber(left) && isNumber(right)) return Number(left) * Number(right);
  if (left instanceof GoDuration && isNumber(right)) return new GoDuration(left.ms * Number(right));
  if (isNumber(left) && right instanceof GoDuration) return new GoDuration(Number(left) * right.ms);
  throw mismatch('*', left, right);
}

/** Always a float, also of integers; dividing by zero gives an infinity. */
export function divide(left: unknown, right: unknown): unknown {
  if (isNumber(left) && isNumber(right)) return Number(left) / Number(right);
  throw mismatch('/', left, right);
}

export function remainder(left: unknown, right: unknown): unknown {
  if (typeof left !== 'bigint' || typeof right !== 'bigint') throw mismatch('%', left, right);
  if (right === 0n) throw new ValueError('integer divide by zero');
  return left % right;
}

/** Always a float. */
export function power(left: unknown, right: unknown): unknown {
  if (!isNumber(left) || !isNumber(right)) throw mismatch('**', left, right);
  const base = Number(left);
  const exponent = Number(right);
  // Go, following C: 1 to any power and -1 to an infinite one are 1, where JavaScript has NaN.
  if (base === 1 || (base === -1 && !Number.isFinite(exponent) && !Number.isNaN(exponent))) return 1;
  return base ** exponent;
}

export function negate(value: unknown): unknown {
  if (typeof value === 'bigint') return wrap(-value);
  if (typeof value === 'number') return -value;
  throw new ValueError(`invalid operation: - ${goType(value)}`);
}

/** How many elements `from..to` has. */
export function rangeLength(from: unknown, to: unknown): number {
  if (typeof from !== 'bigint' || typeof to !== 'bigint') throw mismatch('..', from, to);
  return to < from ? 0 : Number(to - from) + 1;
}

export function rangeOfInts(from: bigint, length: number): bigint[] {
  return Array.from({ length }, (_, index) => from + BigInt(index));
}
