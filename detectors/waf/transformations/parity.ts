/** The transformations of seven-bit data with a parity bit: the eighth bit is set or cleared. */
import type { Transformation } from './transformation.ts';

const zeroParity = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte & 0x7f));
const evenParity = Array.from({ length: 256 }, (_, byte) => withParity(byte, 0));
const oddParity = Array.from({ length: 256 }, (_, byte) => withParity(byte, 1));

export const parityEven7bit: Transformation = {
  name: 'parityEven7bit',
  changes: null,
  apply: (value) => mapBytes(value, evenParity),
};

export const parityOdd7bit: Transformation = {
  name: 'parityOdd7bit',
  changes: null,
  apply: (value) => mapBytes(value, oddParity),
};

export const parityZero7bit: Transformation = {
  name: 'parityZero7bit',
  changes: [[0x80, 0xff]],
  apply: (value) => (/[\x80-\xff]/.test(value) ? mapBytes(value, zeroParity) : value),
};

function withParity(byte: number, wanted: 0 | 1): string {
  const low = byte & 0x7f;
  let ones = 0;
  for (let bits = low; bits !== 0; bits >>= 1) ones += bits & 1;
  return String.fromCharCode(ones % 2 === wanted ? low : low | 0x80);
}

function mapBytes(value: string, map: readonly string[]): string {
  let out = '';
  for (let at = 0; at < value.length; at += 1) out += map[value.charCodeAt(at)] ?? '';
  return out;
}
