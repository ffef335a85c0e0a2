/** Text inside a shell script, as one word that nothing expands. */

/** For bash and zsh: within single quotes only the quote itself means something. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** In fish the backslash means something too. */
export function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** `word:description` as zsh wants it: a colon would end the word. */
export function described(word: string, description: string): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${description}`);
}
