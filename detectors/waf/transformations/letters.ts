/** `lowercase` and `uppercase`: of ASCII letters only, whatever the other bytes mean. */
import type { Transformation } from './transformation.ts';

export const lowercase: Transformation = {
  name: 'lowercase',
  changes: [[0x41, 0x5a]],
  apply: lowerAscii,
};

export const uppercase: Transformation = {
  name: 'uppercase',
  changes: [[0x61, 0x7a]],
  apply: (value) => {
    if (!/[a-z]/.test(value)) return value;
    // V8 turns the case of a whole text much faster than we can of its letters.
    return /[\x80-\xff]/.test(value) ? value.replaceAll(/[a-z]+/g, (run) => run.toUpperCase()) : value.toUpperCase();
  },
};

/** ASCII letters in lower case, every other byte as it is. */
export function lowerAscii(value: string): string {
  if (!/[A-Z]/.test(value)) return value;
  return /[\x80-\xff]/.test(value) ? value.replaceAll(/[A-Z]+/g, (run) => run.toLowerCase()) : value.toLowerCase();
}
