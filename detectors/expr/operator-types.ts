/** Which types each operator takes and what it gives: the part of the checker that knows no names. */
import type { BinaryOperator } from './ast.ts';
import {
  anyType,
  arrayOf,
  boolType,
  durationType,
  floatType,
  intType,
  isAny,
  isNumeric,
  joined,
  stringType,
  timeType,
  type Type,
} from './types.ts';

/** The type of `left operator right`, or null when no values of these types can be combined. */
export function binaryType(operator: BinaryOperator, left: Type, right: Type): Type | null {
  switch (operator) {
    case 'or':
    case 'and':
      return both(left, right, 'bool') ? boolType : null;
    case '==':
    case '!=':
      return comparable(left, right) ? boolType : null;
    case '<':
    case '>':
    case '<=':
    case '>=':
      return ordered(left, right) ? boolType : null;
    case 'in':
      return membership(left, right) ? boolType : null;
    case 'matches':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return textual(left) && textual(right) ? boolType : null;
    case '..':
      return both(left, right, 'int') ? arrayOf(intType) : null;
    case '+':
      return sum(left, right);
    case '-':
      return difference(left, right);
    case '*':
      return product(left, right);
    case '/':
      return numbers(left, right) ? floatType : null;
    case '**':
      return numbers(left, right) ? floatType : null;
    case '%':
      return both(left, right, 'int') ? intType : null;
    case '??':
      return left.kind === 'nil' ? right : right.kind === 'nil' ? left : joined(left, right);
    default:
      return operator satisfies never;
  }
}

/** Whether `==` between the two can ever be true. */
export function comparable(left: Type, right: Type): boolean {
  if (isAny(left) || isAny(right) || left.kind === 'nil' || right.kind === 'nil') return true;
  return left.kind === right.kind || (isNumeric(left) && isNumeric(right));
}

/** Known to be of the kind, or not known at all. */
export function maybe(type: Type, kind: Type['kind']): boolean {
  return isAny(type) || type.kind === kind;
}

export function maybeNumber(type: Type): boolean {
  return isAny(type) || isNumeric(type);
}

function both(left: Type, right: Type, kind: Type['kind']): boolean {
  return maybe(left, kind) && maybe(right, kind);
}

function numbers(left: Type, right: Type): boolean {
  return maybeNumber(left) && maybeNumber(right);
}

/** nil is allowed: these operators answer false for it. */
function textual(type: Type): boolean {
  return maybe(type, 'string') || type.kind === 'nil';
}

function ordered(left: Type, right: Type): boolean {
  return (
    numbers(left, right) || both(left, right, 'string') || both(left, right, 'time') || both(left, right, 'duration')
  );
}

function membership(left: Type, right: Type): boolean {
  if (isAny(right) || right.kind === 'nil') return true;
  if (right.kind === 'array') return comparable(left, right.element);
  return (right.kind === 'map' || right.kind === 'struct') && (maybe(left, 'string') || left.kind === 'nil');
}

function numeric(left: Type, right: Type): Type {
  if (isAny(left) || isAny(right)) return anyType;
  return left.kind === 'int' && right.kind === 'int' ? intType : floatType;
}

function sum(left: Type, right: Type): Type | null {
  if (isAny(left) && isAny(right)) return anyType;
  if (both(left, right, 'string')) return stringType;
  if (numbers(left, right)) return numeric(left, right);
  if (both(left, right, 'duration')) return isAny(left) || isAny(right) ? anyType : durationType;
  return timeAndDuration(left, right) || timeAndDuration(right, left) ? timeType : null;
}

function timeAndDuration(time: Type, duration: Type): boolean {
  return maybe(time, 'time') && maybe(duration, 'duration');
}

function difference(left: Type, right: Type): Type | null {
  if (isAny(left) && isAny(right)) return anyType;
  if (numbers(left, right)) return numeric(left, right);
  if (left.kind === 'time' && isAny(right)) return anyType;
  if (both(left, right, 'time') || (left.kind === 'duration' && both(left, right, 'duration'))) return durationType;
  if (timeAndDuration(left, right)) return timeType;
  return null;
}

function product(left: Type, right: Type): Type | null {
  if (numbers(left, right)) return numeric(left, right);
  if (both(left, right, 'duration') && isAny(left) !== isAny(right)) return durationType;
  return (left.kind === 'duration' && isNumeric(right)) || (isNumeric(left) && right.kind === 'duration')
    ? durationType
    : null;
}
