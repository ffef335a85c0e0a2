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
  // Latin letters with strokes, hooks and bars.
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
  [0x1e4, 'Gg'],
  [0x261, 'g'],
  // Modifier letters and accents that stand alone.
  [0x2b9, '\'"'],
  [0x2bc, "'"],
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
  // Spaces, dashes, quotes, other general punctuation, and the trade mark.
  [0x2000, '       '],
  [0x2010, '--'],
  [0x2013, '--'],
  [0x2018, "'',"],
  [0x201c, '"""'],
  [0x2022, '.'],
  [0x2026, '.'],
  [0x2032, "'"],
  [0x2035, '`'],
  [0x2039, '<>'],
  [0x2122, 'T'],
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
  // These two are not in the mapping.
  const folds = unit >= 0xc0 && unit <= 0x1f0 && unit !== 0x1e0 && unit !== 0x1e1;
  return (folds ? baseLetter(unit) : null) ?? unit & 0xff;
}

/** The letter under the accents of a Latin letter: É becomes E. Null when it has none. */
function baseLetter(unit: number): number | null {
  const decomposed = String.fromCharCode(unit).normalize('NFD');
  const letter = decomposed.charCodeAt(0);
  return decomposed.length > 1 && letter < 0x80 ? letter : null;
}
