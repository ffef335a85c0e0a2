/** Go's `strconv.Quote`: a text as a Go literal, with what cannot be printed escaped. */

const shortEscapes: Readonly<Record<string, string>> = {
  '\x07': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
  '\\': '\\\\',
};

/** Letters, marks, numbers, punctuation, symbols, and the ASCII space: what Go calls printable. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export function quoteText(text: string, quote: '"' | "'" = '"', asciiOnly = false): string {
  let out = quote as string;
  for (const character of text.toWellFormed()) out += quotedCharacter(character, quote, asciiOnly);
  return out + quote;
}

function quotedCharacter(character: string, quote: string, asciiOnly: boolean): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  if (character === quote) return `\\${quote}`;
  const point = character.codePointAt(0) ?? 0;
  if (printable.test(character) && (!asciiOnly || point < 0x80)) return character;
  if (point < 0x20 || point === 0x7f) return `\\x${point.toString(16).padStart(2, '0')}`;
  return point > 0xffff ? `\\U${point.toString(16).padStart(8, '0')}` : `\\u${point.toString(16).padStart(4, '0')}`;
}
