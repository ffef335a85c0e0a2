/**
 * The transformations of blanks and NULs. Blank is what C's isspace says, for `compressWhitespace` and `removeWhitespace` also the
 * non-breaking space: as the byte 0xA0, as in ModSecurity, and as its UTF-8 form, whose first byte would stay otherwise.
 */
import type { Transformation } from './transformation.ts';

const blanks: Transformation['changes'] = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const blanksAndNbsp: Transformation['changes'] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
];
const nulls: Transformation['changes'] = [[0, 0]];

/** A run that is more than one plain blank. */
const compressible = /(?:[\t-\r]|\xc2?\xa0| (?=[\t-\r \xa0]|\xc2\xa0))(?:[\t-\r ]|\xc2?\xa0)*/g;

export const compressWhitespace: Transformation = {
  name: 'compressWhitespace',
  changes: blanksAndNbsp,
  apply: (value) => value.replaceAll(compressible, ' '),
};

export const removeWhitespace: Transformation = {
  name: 'removeWhitespace',
  changes: blanksAndNbsp,
  apply: (value) => value.replaceAll(/(?:[\t-\r ]|\xc2?\xa0)+/g, ''),
};

export const trim: Transformation = {
  name: 'trim',
  changes: blanks,
  apply: (value) => value.slice(firstInk(value), lastInk(value)),
};

export const trimLeft: Transformation = {
  name: 'trimLeft',
  changes: blanks,
  apply: (value) => value.slice(firstInk(value)),
};

export const trimRight: Transformation = {
  name: 'trimRight',
  changes: blanks,
  apply: (value) => value.slice(0, lastInk(value)),
};

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function firstInk(value: string): number {
  let at = 0;
  while (at < value.length && isBlank(value.charCodeAt(at))) at += 1;
  return at;
}

/** One behind the last character that is not blank; where all are, the end, so that `firstInk` alone decides. */
function lastInk(value: string): number {
  let end = value.length;
  while (end > 0 && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return end;
}

export const removeNulls: Transformation = {
  name: 'removeNulls',
  changes: nulls,
  apply: (value) => (value.includes('\0') ? value.replaceAll('\0', '') : value),
};

export const replaceNulls: Transformation = {
  name: 'replaceNulls',
  changes: nulls,
  apply: (value) => (value.includes('\0') ? value.replaceAll('\0', ' ') : value),
};
