/** The transformations of URL encoding: `urlDecode`, `urlDecodeUni`, `urlEncode`. */
import { bestFitByte } from './best-fit.ts';
import { hexByte, hexUnit } from './bytes.ts';
import type { Transformation } from './transformation.ts';

const percent = 0x25;
const letterU = 0x75;

/** `%HH` and `+`; what is broken stays as it is. */
export const urlDecode: Transformation = {
  name: 'urlDecode',
  changes: [
    [0x25, 0x25],
    [0x2b, 0x2b],
  ],
  apply: (value) => decodePercent(value, false),
};

/** As `urlDecode`, and `%uHHHH` as IIS read it: one byte, by best fit. */
export const urlDecodeUni: Transformation = {
  name: 'urlDecodeUni',
  changes: [
    [0x25, 0x25],
    [0x2b, 0x2b],
  ],
  apply: (value) => decodePercent(value, true),
};

function decodePercent(value: string, unicode: boolean): string {
  // No escape contains a `+`, so these can go first.
  const text = value.includes('+') ? value.replaceAll('+', ' ') : value;
  let at = text.indexOf('%');
  if (at < 0) return text;
  let out = '';
  let copied = 0;
  while (at >= 0) {
    let byte = hexByte(text, at + 1);
    let length = 3;
    if (byte < 0 && unicode && (text.charCodeAt(at + 1) | 0x20) === letterU) {
      const unit = hexUnit(text, at + 2);
      byte = unit < 0 ? -1 : bestFitByte(unit);
      length = 6;
    }
    if (byte < 0) length = 1;
    else {
      out += text.slice(copied, at) + String.fromCharCode(byte);
      copied = at + length;
    }
    at += length;
    // Encoded text holds one escape after the other: a search for each of them would cost more than a look.
    if (text.charCodeAt(at) !== percent) at = text.indexOf('%', at);
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** Everything except letters, digits and `*` as `%hh`, blanks as `+`. */
export const urlEncode: Transformation = {
  name: 'urlEncode',
  changes: [
    [0x00, 0x29],
    [0x2b, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0xff],
  ],
  apply: (value) =>
    value.replaceAll(/[^0-9A-Za-z*]/g, (character) =>
      character === ' ' ? '+' : `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    ),
};
