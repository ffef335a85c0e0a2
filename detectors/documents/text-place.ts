/** Places in documents for people: the source line with a mark under the column, also for what stands inside a scalar. */
import type { Range } from 'yaml';
import { lineAt, placeAt } from '../../core/place-at.ts';

/** The widest excerpt of a source line that a message shows: some filters are 23 000 characters on one line. */
const widestExcerpt = 120;

/** Two lines that show the place: the source line (an excerpt of a long one), and a mark under the column. */
export function markAt(source: string, offset: number): string {
  const line = Array.from(lineAt(source, offset));
  const column = placeAt(source, offset).column - 1;
  const from = line.length <= widestExcerpt ? 0 : Math.max(0, column - widestExcerpt / 2);
  const excerpt = line.slice(from, from + widestExcerpt);
  const before = from > 0 ? '…' : '';
  const after = from + widestExcerpt < line.length ? '…' : '';
  const mark = '.'.repeat(before.length + column - from);
  return ` | ${before}${excerpt.join('').trimEnd()}${after}\n | ${mark}^`;
}

/** A scalar's text and where it stands, so that a place inside the text can be shown in the file. */
export interface ScalarText {
  readonly source: string;
  /** Offsets of the scalar with its quotes or block header. */
  readonly range: Range;
  readonly text: string;
}

/**
 * Where `offset` of the scalar's text stands in the source; the scalar's start where that cannot be told. Folding and
 * indentation change only blanks, so what is not blank is counted off in both, whatever the style.
 */
export function offsetInScalar({ source, range, text }: ScalarText, offset: number): number {
  const [start, end] = range;
  let from = contentStart(source, start);
  for (let index = 0; index <= offset; index++) {
    if (index < text.length && isBlank(text[index])) continue;
    while (from < end && isBlank(source[from])) from++;
    if (index === offset) break;
    if (source[from] !== text[index]) return start;
    // A quote in single quotes is written twice.
    from += source[start] === "'" && text[index] === "'" ? 2 : 1;
  }
  return from < end ? from : start;
}

/** Behind the quote, or on the line after a block's header. */
function contentStart(source: string, start: number): number {
  const first = source[start];
  if (first === '"' || first === "'") return start + 1;
  if (first !== '|' && first !== '>') return start;
  const next = source.indexOf('\n', start);
  return next === -1 ? start : next + 1;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\t' || character === '\r';
}
