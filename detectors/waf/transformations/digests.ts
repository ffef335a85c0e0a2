/** `md5`, `sha1` (both give the raw bytes, as rules combine them with `hexEncode`) and `length`. */
import { hash } from 'node:crypto';
import type { Transformation } from './transformation.ts';

export const md5: Transformation = { name: 'md5', changes: null, apply: (value) => digest('md5', value) };

export const sha1: Transformation = { name: 'sha1', changes: null, apply: (value) => digest('sha1', value) };

function digest(algorithm: 'md5' | 'sha1', value: string): string {
  return hash(algorithm, Buffer.from(value, 'latin1'), 'buffer').toString('latin1');
}

/** The number of bytes, in decimal. */
export const length: Transformation = { name: 'length', changes: null, apply: (value) => String(value.length) };
