/**
 * Paths and names of values as people write them and as the rules have them. Rules have bytes, one character for each; people
 * have an address line: UTF-8, and `%hh` for whatever cannot be typed. A client chooses both, so what is shown holds no
 * control character, and a `*` of the client's is never the one that stands for anything.
 */
import { decodePercent } from '../bodies/percent-decode.ts';

/** One character for each byte, from what a person wrote. */
export function bytesOf(text: string): string {
  const bytes = /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
  return decodePercent(bytes);
}

/** The other way: `bytesOf(pathText(path))` is `path`. */
export function pathText(path: string): string {
  return escaped(path, /[^!$&'()+,\-./0-9:;=@A-Z_a-z~[\]]/g);
}

export function nameText(name: string): string {
  return escaped(name, /[^\x21-\x24\x26-\x7e]/g);
}

function escaped(bytes: string, special: RegExp): string {
  return bytes.replace(special, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
