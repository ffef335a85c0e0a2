/**
 * Values while an expression runs: null for nil, boolean, string, bigint for Go's int, number for float64, `GoTime`,
 * `GoDuration`, arrays, and maps (objects with own keys, `FieldMap` where a missing key is "", `Map` from `groupBy`).
 * Nothing is ever coerced from one kind to another.
 */
import { FieldMap } from '../event.ts';
import { GoDuration, GoEnum, GoTime, GoZone } from './go-time.ts';
import { byteLength, compareText } from './text.ts';

/** A mistake found by an operator or helper; the call site gives it its place. */
export class ValueError extends Error {}

/** The most elements that ranges, lists and maps made by one evaluation may have together (expr-lang's memory budget). */
export const elementBudget = 1_000_000;
/** The most steps of predicates that one evaluation may take. */
export const stepBudget = 1_000_000;
/** The longest text that an expression may build, in UTF-16 units. */
export const longestText = 16_777_216;

/** Go's name of a value's type, as messages and `%T` show it. */
export function goType(value: unknown): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    case 'object':
      return objectType(value);
    case 'undefined':
      return '<nil>';
    default:
      return typeof value;
  }
}

function objectType(value: object | null): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (value instanceof FieldMap) return 'map[string]string';
  if (value instanceof GoTime) return 'time.Time';
  if (value instanceof GoDuration) return 'time.Duration';
  if (value instanceof GoEnum) return value.type;
  if (value instanceof GoZone) return '*time.Location';
  return value instanceof Map ? 'map[interface {}]interface {}' : 'map[string]interface {}';
}

export function isNumber(value: unknown): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

/** Whether the value is a map or a structure. */
export function isMap(value: unknown): value is Record<string, unknown> | Map<unknown, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isScalarObject(value);
}

function isScalarObject(value: object): boolean {
  return value instanceof GoTime || value instanceof GoDuration || value instanceof GoEnum || value instanceof GoZone;
}

/** Numbers by value whatever their kind, nil only with nil, lists and maps by their contents. */
export function equal(left: unknown, right: unknown, depth = 0): boolean {
  if (left === right) return true;
  if (left === null || left === undefined) return right === null || right === undefined;
  if (right === null || right === undefined) return false;
  if (typeof left === 'bigint' && typeof right === 'number') return Number(left) === right;
  if (typeof left === 'number' && typeof right === 'bigint') return left === Number(right);
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (depth > 200) throw new ValueError('values are nested too deeply to be compared');
  return equalObjects(left, right, depth);
}

function equalObjects(left: object, right: object, depth: number): boolean {
  if (left instanceof GoTime) return right instanceof GoTime && left.ms === right.ms;
  if (left instanceof GoDuration) return right instanceof GoDuration && left.ms === right.ms;
  if (left instanceof GoEnum) {
    return right instanceof GoEnum && left.type === right.type && left.value === right.value;
  }
  if (left instanceof GoZone) return right instanceof GoZone && left.name === right.name;
  if (isScalarObject(right) || Array.isArray(left) !== Array.isArray(right)) return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => equal(item, right[index], depth + 1));
  }
  const entries = mapEntries(left);
  return (
    entries.length === mapEntries(right).length &&
    entries.every(([key, value]) => hasKey(right, key) && equal(value, ownValue(right, key), depth + 1))
  );
}

/** Negative, zero or positive. @throws ValueError unless both are numbers, both strings, times or durations. */
export function compare(left: unknown, right: unknown, operator: string): number {
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (isNumber(left) && isNumber(right)) {
    // NaN is neither less nor greater nor equal; every ordering of it is false.
    return left < right ? -1 : left > right ? 1 : Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0;
  }
  if (left instanceof GoTime && right instanceof GoTime) return left.ms - right.ms;
  if (left instanceof GoDuration && right instanceof GoDuration) return left.ms - right.ms;
  throw new ValueError(`invalid operation: ${goType(left)} ${operator} ${goType(right)}`);
}

export function mapEntries(map: object): [unknown, unknown][] {
  return map instanceof Map ? [...map] : Object.entries(map);
}

export function hasKey(map: object, key: unknown): boolean {
  if (map instanceof Map) return map.has(key);
  return typeof key === 'string' && Object.hasOwn(map, key) && Reflect.get(map, key) !== undefined;
}

/** The value of an own key; a missing one is "" in string maps and nil elsewhere. */
export function ownValue(map: object, key: unknown): unknown {
  if (map instanceof Map) return map.get(key) ?? null;
  if (typeof key === 'string' && Object.hasOwn(map, key)) return fromData(Reflect.get(map, key), map);
  return map instanceof FieldMap ? '' : null;
}

function fromData(value: unknown, map: object): unknown {
  if (value === undefined) return map instanceof FieldMap ? '' : null;
  return value;
}

/** Sets an own key whatever its name is. */
export function setOwn(map: object, key: string, value: unknown): void {
  if (map instanceof Map) map.set(key, value);
  else if (key === '__proto__') {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  } else Reflect.set(map, key, value);
}

/** `object[key]` on a value of any kind. @throws ValueError */
export function fetch(object: unknown, key: unknown): unknown {
  if (object === null || object === undefined) throw new ValueError(`cannot fetch ${keyText(key)} from <nil>`);
  if (Array.isArray(object)) return item(object, index(key, object), object.length);
  if (typeof object === 'string') {
    const bytes = Buffer.from(object);
    return BigInt(Number(item(bytes, index(key, object), bytes.length)));
  }
  if (!isMap(object)) throw new ValueError(`cannot fetch ${keyText(key)} from ${goType(object)}`);
  if (!(object instanceof Map) && typeof key !== 'string') {
    if (key === null) return object instanceof FieldMap ? '' : null;
    throw new ValueError(`cannot use ${goType(key)} to get an element from ${goType(object)}`);
  }
  return ownValue(object, key);
}

function keyText(key: unknown): string {
  return typeof key === 'string' || isNumber(key) ? String(key) : goType(key);
}

function index(key: unknown, object: unknown): number {
  if (typeof key === 'bigint') return Number(key);
  if (typeof key === 'number') return Math.trunc(key);
  throw new ValueError(`cannot fetch ${keyText(key)} from ${goType(object)}`);
}

function item(list: ArrayLike<unknown>, at: number, length: number): unknown {
  const position = at < 0 ? length + at : at;
  if (position < 0 || position >= length) throw new ValueError(`index out of range: ${at} (array length is ${length})`);
  return list[position] ?? null;
}

/** Where `[from:to]` really starts and ends: negative bounds count from the end, and everything is clamped. */
export function sliceBounds(length: number, from: number, to: number): [number, number] {
  const start = Math.max(0, from < 0 ? length + from : from);
  const end = Math.min(length, Math.max(0, to < 0 ? length + to : to));
  return [Math.min(start, end), end];
}

/** The length that slices count in: elements, or bytes of a string. */
export function sliceLength(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'string') return byteLength(value);
  throw new ValueError(`cannot slice ${goType(value)}`);
}

/** 64-bit two's complement, as Go's integers wrap. */
export function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
