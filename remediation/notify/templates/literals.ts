/** Go's literals: numbers, quoted texts and character constants as values. Null for what is none. */

const maxInt64 = 2n ** 63n - 1n;
const minInt64 = -(2n ** 63n);

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
};

/** `"…"` and `` `…` ``. Bytes that `\x` and octal escapes write are read as UTF-8, invalid ones become U+FFFD. */
export function unquoteText(literal: string): string | null {
  if (literal.startsWith('`')) return literal.slice(1, -1).replaceAll('\r', '');
  const bytes = unescape(literal.slice(1, -1), '"');
  return bytes === null ? null : bytes.toString('utf8');
}

/** `'x'` → its code point. */
export function unquoteCharacter(literal: string): bigint | null {
  const inside = literal.slice(1, -1);
  const escape = /^\\(?:x([0-9a-fA-F]{2})|([0-7]{3}))$/.exec(inside);
  if (escape) return BigInt(escape[1] === undefined ? Number.parseInt(escape[2] ?? '', 8) : `0x${escape[1]}`);
  const points = [...(unescape(inside, "'")?.toString('utf8') ?? '')];
  return points.length === 1 ? BigInt(points[0]?.codePointAt(0) ?? 0) : null;
}

function unescape(inside: string, quote: string): Buffer | null {
  const parts: Buffer[] = [];
  const escape = /\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g;
  let from = 0;
  for (const match of inside.matchAll(escape)) {
    parts.push(Buffer.from(inside.slice(from, match.index), 'utf8'));
    from = match.index + match[0].length;
    const [, hex, octal, short, long, simple] = match;
    const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
    const point = short ?? long;
    if (simple !== undefined) {
      const code = simple === quote ? quote.charCodeAt(0) : simpleEscapes[simple];
      if (code === undefined) return null;
      parts.push(Buffer.of(code));
    } else if (point !== undefined) {
      const code = Number.parseInt(point, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return null;
      parts.push(Buffer.from(String.fromCodePoint(code), 'utf8'));
    } else {
      if (byte > 255) return null;
      parts.push(Buffer.of(byte));
    }
  }
  parts.push(Buffer.from(inside.slice(from), 'utf8'));
  return Buffer.concat(parts);
}

/** An integer as `bigint`, anything with a point or an exponent as `number`; null when neither, or too large. */
export function parseNumber(written: string): bigint | number | null {
  if (written.endsWith('i') || !underscoresFit(written)) return null;
  const plain = written.replaceAll('_', '');
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/.exec(plain) ?? [];
  const negative = sign === '-';
  if (/^0[xX]/.test(body) && /[.pP]/.test(body)) return hexFloat(body, negative);
  if (/^(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[1-9][0-9]*|0)$/.test(body)) return integer(BigInt(body), negative);
  if (/^0[0-7]+$/.test(body)) return integer(BigInt(`0o${body.slice(1)}`), negative);
  if (!/^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(body) || /^0[0-9]+$/.test(body)) return null;
  const value = Number(body);
  return Number.isFinite(value) ? (negative ? -value : value) : null;
}

/** `_` stands between digits or after the mark of a base. */
function underscoresFit(written: string): boolean {
  return !written.includes('_') || !/__|_$|_[.eEpP+-]|[.eEpP+-]_|^[+-]?_/.test(written);
}

function integer(magnitude: bigint, negative: boolean): bigint | null {
  const value = negative ? -magnitude : magnitude;
  return value > maxInt64 || value < minInt64 ? null : value;
}

function hexFloat(body: string, negative: boolean): number | null {
  const match = /^0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]+)$/.exec(body);
  if (!match) return null;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  return Number.isFinite(value) ? (negative ? -value : value) : null;
}
