/**
 * Values of data objects as the language wants them: numbers of integer fields become bigint, epoch milliseconds become
 * times, and what is absent becomes the zero value of its type, as Go has it.
 */
import { FieldMap } from '../event.ts';
import { GoDuration, GoTime } from './go-time.ts';
import { zeroTimeMs } from './methods.ts';
import type { Type } from './types.ts';

export type Reader = (value: unknown) => unknown;

const emptyStruct: object = Object.freeze({});
const emptyMap: object = Object.freeze({});
const emptyTextMap: object = Object.freeze(new FieldMap());
const emptyList: readonly unknown[] = Object.freeze([]);

export function readText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function readInt(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}

function readTime(value: unknown): GoTime {
  if (value instanceof GoTime) return value;
  return new GoTime(typeof value === 'number' ? value : zeroTimeMs);
}

function readDuration(value: unknown): GoDuration {
  if (value instanceof GoDuration) return value;
  return new GoDuration(typeof value === 'number' ? value : 0);
}

const orNil: Reader = (value) => value ?? null;

export function readerOf(type: Type): Reader {
  switch (type.kind) {
    case 'string':
      return readText;
    case 'int':
      return readInt;
    case 'float':
      return (value) => (typeof value === 'number' ? value : 0);
    case 'bool':
      return (value) => value === true;
    case 'time':
      return readTime;
    case 'duration':
      return readDuration;
    case 'array':
      return (value) => (Array.isArray(value) ? value : emptyList);
    case 'map': {
      const empty = type.value.kind === 'string' ? emptyTextMap : emptyMap;
      return (value) => value ?? empty;
    }
    case 'struct':
      return type.byValue ? (value) => value ?? emptyStruct : orNil;
    case 'any':
    case 'nil':
    case 'zone':
      return orNil;
    default:
      return type satisfies never;
  }
}
