/** Transformations by the names that rule files give them; `transformations/` holds what they do. */
import { lowerAscii } from './ascii.ts';

export const transformationNames = [
  'base64Decode',
  'base64DecodeExt',
  'base64Encode',
  'cmdLine',
  'compressWhitespace',
  'cssDecode',
  'escapeSeqDecode',
  'hexDecode',
  'hexEncode',
  'htmlEntityDecode',
  'jsDecode',
  'length',
  'lowercase',
  'md5',
  'normalizePath',
  'normalizePathWin',
  'parityEven7bit',
  'parityOdd7bit',
  'parityZero7bit',
  'removeComments',
  'removeCommentsChar',
  'removeNulls',
  'removeWhitespace',
  'replaceComments',
  'replaceNulls',
  'sha1',
  'sqlHexDecode',
  'trim',
  'trimLeft',
  'trimRight',
  'uppercase',
  'urlDecode',
  'urlDecodeUni',
  'urlEncode',
  'utf8toUnicode',
] as const;

const byName: ReadonlyMap<string, string> = new Map([
  ...transformationNames.map((name): [string, string] => [name.toLowerCase(), name]),
  ['normalisepath', 'normalizePath'],
  ['normalisepathwin', 'normalizePathWin'],
]);

/** The canonical name, without regard to case and with both spellings of "normalise"; null when there is none. */
export function findTransformationName(written: string): string | null {
  return byName.get(lowerAscii(written)) ?? null;
}
