/**
 * The Content-Type of a body that came without one, guessed as Go's `http.DetectContentType` does, because the simulated
 * backend is a Go program: whether rules look into a response depends on it. Specification: WHATWG MIME Sniffing §7.1, the
 * signatures of texts and of the common binary formats.
 */

/** Followed by a blank or `>`. */
const htmlTags = '!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P';
const html = new RegExp(`^[\\t\\n\\f\\r ]*<(?:(?:${htmlTags})[ >]|!--)`, 'i');

const signatures: readonly (readonly [RegExp, string])[] = [
  [html, 'text/html; charset=utf-8'],
  [/^[\t\n\f\r ]*<\?xml/, 'text/xml; charset=utf-8'],
  [/^%PDF-/, 'application/pdf'],
  [/^%!PS-Adobe-/, 'application/postscript'],
  [/^\xfe\xff/, 'text/plain; charset=utf-16be'],
  [/^\xff\xfe/, 'text/plain; charset=utf-16le'],
  [/^\xef\xbb\xbf/, 'text/plain; charset=utf-8'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^\x89PNG\r\n\x1a\n/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^BM/, 'image/bmp'],
  [/^RIFF[^]{4}WEBPVP/, 'image/webp'],
  [/^\x1f\x8b\x08/, 'application/x-gzip'],
  [/^PK\x03\x04/, 'application/zip'],
  [/^Rar!\x1a\x07[\x00\x01]/, 'application/x-rar-compressed'],
  [/^\x00asm/, 'application/wasm'],
];

/** Only the beginning is looked at. */
const sniffed = 512;

/** `body` is a binary string. */
export function sniffType(body: string): string {
  const beginning = body.slice(0, sniffed);
  const found = signatures.find(([signature]) => signature.test(beginning));
  if (found !== undefined) return found[1];
  const isBinary = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(beginning);
  return isBinary ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}
