/**
 * Percent-decoding of form data and query strings: `+` is a space, `%hh` is a byte, and an escape that is broken stays as it is
 * (application/x-www-form-urlencoded, as PHP, ModSecurity and Coraza read it; some origins refuse broken escapes, none reads
 * more into them).
 */
const percent = 0x25;
const plus = 0x2b;

/** The value of a hexadecimal digit by character code; 255: none. */
const hexDigits = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(value) ? 255 : value;
});

/** The value of the two hexadecimal digits at `at`, or -1. */
export function hexByteAt(text: string, at: number): number {
  if (at + 1 >= text.length) return -1;
  const high = hexDigits[text.charCodeAt(at)] ?? 255;
  const low = hexDigits[text.charCodeAt(at + 1)] ?? 255;
  return (high | low) > 15 ? -1 : (high << 4) | low;
}

/** Latin1 in and out. The very same string when there is nothing to decode. */
export function decodeForm(text: string): string {
  return text.includes('%') || text.includes('+') ? decoded(text, plus) : text;
}

/** Without the meaning of `+`: paths and extended parameter values (RFC 8187). */
export function decodePercent(text: string): string {
  return text.includes('%') ? decoded(text, -1) : text;
}

/** From this many characters on, collecting bytes is quicker than joining strings. */
const longText = 64;

function decoded(text: string, space: number): string {
  return text.length < longText ? decodedShort(text, space) : decodedLong(text, space);
}

function decodedShort(text: string, space: number): string {
  let result = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === space) {
      result += `${text.slice(from, at)} `;
      from = at + 1;
    } else if (code === percent) {
      const byte = hexByteAt(text, at + 1);
      if (byte < 0) continue;
      result += text.slice(from, at) + String.fromCharCode(byte);
      at += 2;
      from = at + 1;
    }
  }
  return from === 0 ? text : result + text.slice(from);
}

function decodedLong(text: string, space: number): string {
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    let code = text.charCodeAt(at);
    if (code === percent) {
      const byte = hexByteAt(text, at + 1);
      if (byte >= 0) {
        code = byte;
        at += 2;
      }
    } else if (code === space) code = 0x20;
    bytes[length] = code;
    length += 1;
  }
  return bytes.toString('latin1', 0, length);
}

/** Some `%` is not followed by two hexadecimal digits: ModSecurity's URLENCODED_ERROR. */
export function hasBrokenEscape(text: string): boolean {
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 1)) {
    if (hexByteAt(text, at + 1) < 0) return true;
  }
  return false;
}
