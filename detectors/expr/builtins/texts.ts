/** Builtins on strings. Offsets are bytes, lengths are code points. */
import type { BuiltinTable } from '../builtin.ts';
import { formatValue } from '../go-format.ts';
import { readJson, writeJson } from '../go-json.ts';
import { byteOffset, lower, replaceText, splitText, trimLeft, trimRight, trimSpace, upper } from '../text.ts';
import { anyType, boolType, intType, stringArray, stringType, anyArray } from '../types.ts';
import { longestText, ValueError } from '../values.ts';
import { simple } from './signature.ts';

const text = stringType;

/** The most copies that `repeat` makes, as in expr-lang. */
const mostCopies = 1_000_000n;

export const textBuiltins: BuiltinTable = {
  trim: simple(
    { name: 'trim', parameters: [text, text], optional: 1, returns: text },
    (value: string, cutset?: string) =>
      cutset === undefined ? trimSpace(value) : trimRight(trimLeft(value, cutset), cutset),
  ),
  trimPrefix: simple(
    { name: 'trimPrefix', parameters: [text, text], optional: 1, returns: text },
    (value: string, prefix = ' ') => trimPrefix(value, prefix),
  ),
  trimSuffix: simple(
    { name: 'trimSuffix', parameters: [text, text], optional: 1, returns: text },
    (value: string, suffix = ' ') => trimSuffix(value, suffix),
  ),
  upper: simple({ name: 'upper', parameters: [text], returns: text }, (value: string) => upper(value)),
  lower: simple({ name: 'lower', parameters: [text], returns: text }, (value: string) => lower(value)),
  split: simple(
    { name: 'split', parameters: [text, text, intType], optional: 1, returns: stringArray },
    (value: string, separator: string, limit = -1n) => splitText(value, separator, Number(limit)),
  ),
  splitAfter: simple(
    { name: 'splitAfter', parameters: [text, text, intType], optional: 1, returns: stringArray },
    (value: string, separator: string, limit = -1n) => splitText(value, separator, Number(limit), true),
  ),
  replace: simple(
    { name: 'replace', parameters: [text, text, text, intType], optional: 1, returns: text },
    (value: string, old: string, replacement: string, limit = -1n) =>
      bounded(replaceText(value, old, replacement, Number(limit))),
  ),
  repeat: simple({ name: 'repeat', parameters: [text, intType], returns: text }, (value: string, count: bigint) => {
    if (count < 0n) throw new ValueError('invalid argument for repeat (expected positive integer)');
    if (count > mostCopies || value.length * Number(count) > longestText)
      throw new ValueError('memory budget exceeded');
    return value.repeat(Number(count));
  }),
  join: simple(
    { name: 'join', parameters: [anyArray, text], optional: 1, returns: text },
    (list: readonly unknown[], glue = '') => joinTexts('join', list, glue),
  ),
  indexOf: simple({ name: 'indexOf', parameters: [text, text], returns: intType }, (value: string, part: string) =>
    BigInt(byteOffset(value, value.indexOf(part))),
  ),
  lastIndexOf: simple(
    { name: 'lastIndexOf', parameters: [text, text], returns: intType },
    (value: string, part: string) => BigInt(byteOffset(value, value.lastIndexOf(part))),
  ),
  hasPrefix: simple(
    { name: 'hasPrefix', parameters: [text, text], returns: boolType },
    (value: string, prefix: string) => value.startsWith(prefix),
  ),
  hasSuffix: simple(
    { name: 'hasSuffix', parameters: [text, text], returns: boolType },
    (value: string, suffix: string) => value.endsWith(suffix),
  ),
  string: simple({ name: 'string', parameters: [anyType], returns: text }, (value: unknown) => formatValue(value)),
  toJSON: simple({ name: 'toJSON', parameters: [anyType], returns: text }, (value: unknown) => writeJson(value, '  ')),
  fromJSON: simple({ name: 'fromJSON', parameters: [text], returns: anyType }, (value: string) => readJson(value)),
  toBase64: simple({ name: 'toBase64', parameters: [text], returns: text }, (value: string) =>
    bounded(Buffer.from(value).toString('base64')),
  ),
  fromBase64: simple({ name: 'fromBase64', parameters: [text], returns: text }, (value: string) => decodeBase64(value)),
};

export function trimPrefix(value: string, prefix: string): string {
  return value.startsWith(prefix) ? value.slice(prefix.length) : value;
}

export function trimSuffix(value: string, suffix: string): string {
  return suffix !== '' && value.endsWith(suffix) ? value.slice(0, -suffix.length) : value;
}

export function joinTexts(name: string, list: readonly unknown[], glue: string): string {
  let length = glue.length * Math.max(0, list.length - 1);
  for (const item of list) {
    if (typeof item !== 'string') throw new ValueError(`invalid argument for ${name} (a list item is not a string)`);
    length += item.length;
  }
  if (length > longestText) throw new ValueError('text is too long');
  return list.join(glue);
}

/** @throws ValueError when a function made more text than an expression may. */
export function bounded(value: string): string {
  if (value.length > longestText) throw new ValueError('text is too long');
  return value;
}

/** Standard alphabet with padding; line ends are skipped, as Go does. @throws ValueError */
export function decodeBase64(value: string): string {
  const body = value.replaceAll(/[\r\n]/g, '');
  if (body.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(body)) throw new ValueError('illegal base64 data');
  return Buffer.from(body, 'base64').toString('utf8');
}
