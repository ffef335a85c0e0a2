/** Query strings and urlencoded bodies become named values: `a=1&b=2`. */
import type { NamedValue } from './body-processor.ts';
import { ArgumentList } from './body-values.ts';
import { decodeForm, hasBrokenEscape } from './percent-decode.ts';

export interface Arguments {
  readonly values: readonly NamedValue[];
  /** There were more than `limit`; the first are kept. */
  readonly dropped: boolean;
  /** A percent sign without two hexadecimal digits (URLENCODED_ERROR). Such escapes are kept as they are. */
  readonly brokenEscape: boolean;
}

/**
 * Latin1 text to decoded names and values, in order, names repeated. Empty segments are dropped; a segment without `=` is a name
 * with an empty value. `separator` is one character (`SecArgumentSeparator`), `&` when it is empty.
 */
export function parseArguments(text: string, separator: string, limit: number): Arguments {
  const between = separator === '' ? '&' : separator;
  const list = new ArgumentList(limit);
  let start = 0;
  // Looked for only once it has been passed, so that a text without any is searched once and not once for each segment.
  let equals = -1;
  while (start < text.length) {
    let end = text.indexOf(between, start);
    if (end < 0) end = text.length;
    if (end > start) {
      if (equals < start) {
        equals = text.indexOf('=', start);
        if (equals < 0) equals = text.length;
      }
      const nameEnd = Math.min(equals, end);
      const value = nameEnd < end ? decodeForm(text.slice(nameEnd + 1, end)) : '';
      if (!list.add(decodeForm(text.slice(start, nameEnd)), value)) break;
    }
    start = end + between.length;
  }
  return {
    values: list.values,
    dropped: list.dropped,
    // Few rules ask.
    get brokenEscape(): boolean {
      return hasBrokenEscape(text);
    },
  };
}
