/** Looks up a header in a list of names and values in turn. */

/** The first value of that name, in lower case; "" when there is none. */
export function headerOf(pairs: readonly string[], key: string): string {
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = pairs[at] ?? '';
    if (name.length === key.length && name.toLowerCase() === key) return pairs[at + 1] ?? '';
  }
  return '';
}
