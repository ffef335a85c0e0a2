/**
 * Which ASCII character Windows takes for a character beyond ASCII when it converts to code page 20127 (US-ASCII) by "best
 * fit": IIS and ASP did so with `%uXXXX`, and so ’ is a quote behind them. Microsoft publishes the mapping; ModSecurity reads it
 * from unicode.mapping. Latin letters fold to their base letter by the rule below, the remainder is spelled out.
 */

/** First code point, then the ASCII characters of it and of those that follow. */
const runs: readonly (readonly [number, string])[] = [
  // Signs of Latin-1, and its letters that are no letter with an accent.
  [0xa0, ' !c'],
  [0xa4, '$Y|'],
  [0xa9, 'Ca<'],
  [0xad, '-R'],
  [0xb2, '23'],
  [0xb7, '.,1o>'],
  [0xc6, 'A'],
  [0xd0, 'D'],
  [0xd8, 'O'],
  [0xe6, 'a'],
  [0xf8, 'o'],
  // Latin letters with strokes, hooks and bars, and the click letters that look like signs.
  [0x110, 'Dd'],
  [0x126, 'Hh'],
  [0x131, 'i'],
  [0x141, 'Ll'],
  [0x152, 'Oo'],
  [0x166, 'Tt'],
  [0x180, 'b'],
  [0x189, 'D'],
  [0x191, 'Ff'],
  [0x197, 'I'],
  [0x19a, 'l'],
  [0x19f, 'O'],
  [0x1ab, 't'],
  [0x1ae, 'T'],
  [0x1b6, 'z'],
  [0x1c0, '|'],
  [0x1c3, '!'],
  [0x1e4, 'Gg'],
  [0x261, 'g'],
  // Modifier letters and accents that stand alone.
  [0x2b9, "'\"'"],
  [0x2c4, '^'],
  [0x2c6, '^'],
  [0x2c8, "'"],
  [0x2cb, '`'],
  [0x2cd, '_'],
  [0x2dc, '~'],
  [0x300, '`'],
  [0x302, '^~'],
  [0x30e, '"'],
  [0x331, '__'],
  // Greek, Cyrillic, Armenian and Arabic characters that look like ASCII.
  [0x37e, ';'],
  [0x393, 'G'],
  [0x398, 'T'],
  [0x3a3, 'S'],
  [0x3a6, 'F'],
  [0x3a9, 'O'],
  [0x3b1, 'a'],
  [0x3b4, 'de'],
  [0x3c0, 'p'],
  [0x3c3, 'st'],
  [0x3c6, 'f'],
  [0x4bb, 'h'],
  [0x589, ':'],
  [0x66a, '%'],
  // Spaces, dashes, quotes and other general punctuation.
  [0x2000, '       '],
  [0x2010, '--'],
  [0x2013, '--'],
  [0x2017, '='],
  [0x2018, "'',"],
  [0x201c, '"""'],
  [0x2022, '.'],
  [0x2026, '.'],
  [0x2032, "'"],
  [0x2035, '`'],
  [0x2039, '<>'],
  [0x2044, '/'],
  // Superscripts, subscripts, letter-like symbols.
  [0x2070, '0'],
  [0x2074, '456789'],
  [0x207f, 'n'],
  [0x2080, '0123456789'],
  [0x2102, 'C'],
  [0x2107, 'E'],
  [0x210a, 'gHHHh'],
  [0x2110, 'IILl'],
  [0x2115, 'N'],
  [0x2118, 'PPQRRR'],
  [0x2122, 'T'],
  [0x2124, 'Z'],
  [0x2128, 'Z'],
  [0x212a, 'KABCeeEF'],
  [0x2133, 'Mo'],
  // Mathematical signs, brackets and lines.
  [0x2212, '-'],
  [0x2215, '/\\*'],
  [0x221a, 'v'],
  [0x221e, '8'],
  [0x2223, '|'],
  [0x2229, 'n'],
  [0x2236, ':'],
  [0x223c, '~'],
  [0x2261, '='],
  [0x2264, '=='],
  [0x2303, '^'],
  [0x2320, '()'],
  [0x2329, '<>'],
  [0x2500, '-'],
  [0x2758, '|'],
  [0x3000, ' '],
  [0x3008, '<>'],
  [0x301a, '[]'],
];

const spelledOut = buildMap();

function buildMap(): ReadonlyMap<number, number> {
  const map = new Map<number, number>();
  for (const [first, characters] of runs) {
    for (let index = 0; index < characters.length; index += 1) map.set(first + index, characters.charCodeAt(index));
  }
  return map;
}

/** The byte for one UTF-16 unit (0 to 0xFFFF): itself below 0x80, its best fit, else its low byte. */
export function bestFitByte(unit: number): number {
  if (unit < 0x80) return unit;
  if (unit >= 0xff01 && unit <= 0xff5e) return unit - 0xfee0;
  const known = spelledOut.get(unit);
  if (known !== undefined) return known;
  return (unit >= 0xc0 && unit <= 0x1f0 ? baseLetter(unit) : null) ?? unit & 0xff;
}

/** The letter under the accents of a Latin letter: É becomes E. Null when it has none. */
function baseLetter(unit: number): number | null {
  const decomposed = String.fromCharCode(unit).normalize('NFD');
  const letter = decomposed.charCodeAt(0);
  return decomposed.length > 1 && letter < 0x80 ? letter : null;
}
