/**
 * Unicode among binary strings: code points become their UTF-8 bytes, one character for each, and documents in UTF-16 or UTF-32
 * become UTF-8, since JSON and XML libraries of origins recognise those by themselves (RFC 4627 §3, XML 1.0 appendix F) and
 * would read what the rules have not seen.
 */
import { isUtf8 } from 'node:buffer';

const replacement = 0xfffd;

/** The UTF-8 bytes of a code point as a latin1 string. Surrogates and what is no code point give U+FFFD. */
export function utf8Bytes(codePoint: number): string {
  const code = isScalar(codePoint) ? codePoint : replacement;
  if (code < 0x80) return String.fromCharCode(code);
  if (code < 0x800) return String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
  if (code < 0x1_0000) {
    return String.fromCharCode(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return String.fromCharCode(
    0xf0 | (code >> 18),
    0x80 | ((code >> 12) & 0x3f),
    0x80 | ((code >> 6) & 0x3f),
    0x80 | (code & 0x3f),
  );
}

function isScalar(code: number): boolean {
  return code >= 0 && code <= 0x10_ffff && (code < 0xd800 || code > 0xdfff);
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

export interface Utf8Document {
  /** Without byte order mark. The document itself when it was UTF-8, or anything else with ASCII in it. */
  readonly text: string;
  readonly encoding: Encoding;
}

/** `document` as UTF-8 in a latin1 string. What cannot be decoded becomes U+FFFD. */
export function toUtf8Document(document: string): Utf8Document {
  const [encoding, mark] = encodingOf(document);
  switch (encoding) {
    case 'utf-8':
      return { text: mark === 0 ? document : document.slice(mark), encoding };
    case 'utf-16le':
    case 'utf-16be':
      return { text: fromUtf16(document, mark, encoding === 'utf-16be'), encoding };
    case 'utf-32le':
    case 'utf-32be':
      return { text: fromUtf32(document, mark, encoding === 'utf-32be'), encoding };
    default:
      return encoding satisfies never;
  }
}

/** The encoding and the length of its mark. The first two characters of JSON and XML are ASCII, so zero bytes tell it. */
function encodingOf(document: string): readonly [Encoding, number] {
  if (document.startsWith('\xef\xbb\xbf')) return ['utf-8', 3];
  if (document.startsWith('\0\0\xfe\xff')) return ['utf-32be', 4];
  if (document.startsWith('\xff\xfe\0\0')) return ['utf-32le', 4];
  if (document.startsWith('\xfe\xff')) return ['utf-16be', 2];
  if (document.startsWith('\xff\xfe')) return ['utf-16le', 2];
  if (/^\0\0\0[^\0]/.test(document)) return ['utf-32be', 0];
  if (/^[^\0]\0\0\0/.test(document)) return ['utf-32le', 0];
  if (/^\0[^\0]/.test(document)) return ['utf-16be', 0];
  if (/^[^\0]\0/.test(document)) return ['utf-16le', 0];
  return ['utf-8', 0];
}

function fromUtf16(document: string, start: number, bigEndian: boolean): string {
  const bytes = Buffer.from(start === 0 ? document : document.slice(start), 'latin1');
  // An odd byte at the end is half a character of a body that was cut.
  const units = bytes.subarray(0, bytes.length & ~1);
  if (bigEndian) units.swap16();
  return Buffer.from(units.toString('utf16le'), 'utf8').toString('latin1');
}

function fromUtf32(document: string, start: number, bigEndian: boolean): string {
  const bytes = Buffer.from(document, 'latin1');
  const codes: string[] = [];
  for (let at = start; at + 3 < bytes.length; at += 4) {
    const code = bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    codes.push(utf8Bytes(code));
  }
  return codes.join('');
}

/** All bytes of the text are well-formed UTF-8. `truncated`: its last character need not be all there. */
export function isUtf8Text(text: string, truncated: boolean): boolean {
  const bytes = Buffer.from(text, 'latin1');
  if (isUtf8(bytes)) return true;
  if (!truncated) return false;
  let lead = bytes.length - 1;
  while (lead > 0 && lead > bytes.length - 4 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead -= 1;
  return (bytes[lead] ?? 0) >= 0xc0 && isUtf8(bytes.subarray(0, lead));
}
