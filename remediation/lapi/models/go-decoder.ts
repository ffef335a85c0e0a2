/**
 * A JSON body read into fields as Go's decoder does it: unknown keys are passed over, letters of keys may differ in case,
 * `null` leaves a field as it is, and the first value that does not fit is named while the rest is still looked at.
 * `JSON.parse` does the work; the exact words of a fault are looked for only when there is one.
 * Specification: Go `encoding/json/decode.go`. Deviation: `10.0` passes for the integer 10.
 */
import { LapiError } from '../lapi-context.ts';
import { firstJsonValue } from './go-json-syntax.ts';

/** Reads one value; undefined where it is null, absent or does not fit (`Decoding` has then heard of it). */
export type Reader<T> = (value: unknown, decoding: Decoding) => T | undefined;

/** What is being read: only the first fault counts. */
export class Decoding {
  fault: string | null = null;
  /** Name of the innermost structure, "" outside of any. */
  struct = '';
  readonly path: string[] = [];

  refuse(value: unknown, type: string, exact = false): undefined {
    if (this.fault !== null) return undefined;
    const where = this.struct === '' ? 'value' : `struct field ${this.struct}.${this.path.join('.')}`;
    this.fault = `json: cannot unmarshal ${kindOf(value, exact)} into Go ${where} of type ${type}`;
    return undefined;
  }
}

/** A number as it was written, where its words are needed. */
class WrittenNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** Reads a whole body. @throws LapiError 400 in the words of Go's decoder. */
export function decodeBody<T>(body: Uint8Array, reader: Reader<T>): T | undefined {
  const text = parsedText(body);
  const decoding = new Decoding();
  const found = reader(text.value, decoding);
  if (decoding.fault === null) return found;
  throw new LapiError(400, exactFault(text.source, reader) ?? decoding.fault);
}

function parsedText(body: Uint8Array): { source: string; value: unknown } {
  const source = textOf(body);
  try {
    return { source, value: JSON.parse(source) };
  } catch {
    const extent = firstJsonValue(body);
    if (extent.kind === 'fault') throw new LapiError(400, extent.message);
    // Go's decoder takes the first value and leaves what follows.
    const first = textOf(body.subarray(0, extent.end));
    return { source: first, value: parseOrRefuse(first) };
  }
}

function parseOrRefuse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new LapiError(400, 'the body is not JSON');
  }
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

/** The fault with numbers as they were written, or null when the body is nested too deeply to be read so. */
function exactFault(source: string, reader: Reader<unknown>): string | null {
  try {
    const written: unknown = JSON.parse(source, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' ? new WrittenNumber(context?.source ?? String(value)) : value,
    );
    const decoding = new Decoding();
    reader(written, decoding);
    return decoding.fault;
  } catch (thrown) {
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}

function kindOf(value: unknown, exact: boolean): string {
  if (Array.isArray(value)) return 'array';
  if (value instanceof WrittenNumber) return exact ? `number ${value.source}` : 'number';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return exact ? `number ${value}` : 'number';
    case 'string':
      return 'string';
    default:
      return 'object';
  }
}

export const text: Reader<string> = (value, decoding) => {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' ? value : decoding.refuse(value, 'string');
};

export const flag: Reader<boolean> = (value, decoding) => {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'boolean' ? value : decoding.refuse(value, 'bool');
};

/** `int32` or `int64`. */
export function integer(type: 'int32' | 'int64'): Reader<number> {
  const limit = type === 'int32' ? 2 ** 31 : 2 ** 63;
  return (value, decoding) => {
    if (value === null || value === undefined) return undefined;
    const number = numberOf(value);
    if (number === null) return decoding.refuse(value, type);
    const isInteger = value instanceof WrittenNumber ? /^-?\d+$/.test(value.source) : Number.isInteger(number);
    return isInteger && number >= -limit && number < limit ? number : decoding.refuse(value, type, true);
  };
}

const largestFloat32 = 3.4028235677973366e38;

export const float32: Reader<number> = (value, decoding) => {
  if (value === null || value === undefined) return undefined;
  const number = numberOf(value);
  if (number === null) return decoding.refuse(value, 'float32');
  return Math.abs(number) < largestFloat32 ? number : decoding.refuse(value, 'float32', true);
};

function numberOf(value: unknown): number | null {
  if (value instanceof WrittenNumber) return Number(value.source);
  return typeof value === 'number' ? value : null;
}

/** `type` is Go's name of the list. Elements that are null stay null. */
export function list<T>(type: string, element: Reader<T>): Reader<(T | null)[]> {
  return (value, decoding) => {
    if (value === null || value === undefined) return undefined;
    if (!Array.isArray(value)) return decoding.refuse(value, type);
    const found: (T | null)[] = [];
    for (const item of value) found.push(element(item, decoding) ?? null);
    return found;
  };
}

export type Fields<T> = { readonly [Key in keyof T]-?: Reader<NonNullable<T[Key]>> };

/** `name` is Go's name of the structure, without its package. */
export function struct<T extends object>(name: string, fields: Fields<T>): Reader<Partial<T>> {
  const readers = new Map<string, Reader<unknown>>(Object.entries(fields));
  return (value, decoding) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof WrittenNumber) {
      return decoding.refuse(value, `models.${name}`);
    }
    const outer = decoding.struct;
    const found: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const field = readers.has(key) ? key : key.toLowerCase();
      const reader = readers.get(field);
      if (reader === undefined) continue;
      decoding.struct = name;
      decoding.path.push(field);
      const read = reader((value as Record<string, unknown>)[key], decoding);
      if (read !== undefined) found[field] = read;
      decoding.path.pop();
    }
    decoding.struct = outer;
    return found as Partial<T>;
  };
}
