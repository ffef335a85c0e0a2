/**
 * All transformations of ModSecurity 2, ModSecurity 3 and Coraza, by name (ModSecurity Reference Manual, "Transformation
 * functions"). `none` is not among them: it clears what precedes it while rules are read.
 */
import { cmdLine } from './command-line.ts';
import { removeComments, removeCommentsChar, replaceComments } from './comments.ts';
import { length, md5, sha1 } from './digests.ts';
import {
  base64Decode,
  base64DecodeExt,
  base64Encode,
  hexDecode,
  hexEncode,
  sqlHexDecode,
  utf8toUnicode,
} from './encodings.ts';
import { htmlEntityDecode } from './entities.ts';
import { cssDecode, escapeSeqDecode, jsDecode } from './escapes.ts';
import { lowercase, uppercase } from './letters.ts';
import { parityEven7bit, parityOdd7bit, parityZero7bit } from './parity.ts';
import { normalizePath, normalizePathWin } from './paths.ts';
import type { Transformation } from './transformation.ts';
import { urlDecode, urlDecodeUni, urlEncode } from './urls.ts';
import {
  compressWhitespace,
  removeNulls,
  removeWhitespace,
  replaceNulls,
  trim,
  trimLeft,
  trimRight,
} from './whitespace.ts';

const all: readonly Transformation[] = [
  base64Decode,
  base64DecodeExt,
  base64Encode,
  cmdLine,
  compressWhitespace,
  cssDecode,
  escapeSeqDecode,
  hexDecode,
  hexEncode,
  htmlEntityDecode,
  jsDecode,
  length,
  lowercase,
  md5,
  normalizePath,
  normalizePathWin,
  parityEven7bit,
  parityOdd7bit,
  parityZero7bit,
  removeComments,
  removeCommentsChar,
  removeNulls,
  removeWhitespace,
  replaceComments,
  replaceNulls,
  sha1,
  sqlHexDecode,
  trim,
  trimLeft,
  trimRight,
  uppercase,
  urlDecode,
  urlDecodeUni,
  urlEncode,
  utf8toUnicode,
];

/** By name in lower case, British spellings included. */
export const transformations: ReadonlyMap<string, Transformation> = new Map([
  ...all.map((transformation) => [transformation.name.toLowerCase(), transformation] as const),
  ['normalisepath', normalizePath] as const,
  ['normalisepathwin', normalizePathWin] as const,
]);

/** The transformation of that name, whatever its case, or null. */
export function findTransformation(name: string): Transformation | null {
  return transformations.get(name.toLowerCase()) ?? null;
}
