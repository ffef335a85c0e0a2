/** Places in documents for people: line and column, the source line, and a mark under the column. */
import type { Range } from 'yaml';

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
}

/** The widest excerpt of a source line that a message shows: some filters are 23 000 characters on one line. */
const widestExcerpt = 120;

/** The place of an offset in UTF-16 units. */
export function placeAt(source: string, offset: number): Place {
  const at = Math.min(Math.max(offset, 0), source.length);
  const start = lineStart(source, at);
  let line = 1;
  for (let index = source.indexOf('\n'); index !== -1 && index < at; index = source.indexOf('\n', index + 1)) line++;
  return { line, column: Array.from(source.slice(start, at)).length + 1 };
}

/** Two lines that show the place: the source line (an excerpt of a long one), and a mark under the column. */
export function markAt(source: string, offset: number): string {
  const at = Math.min(Math.max(offset, 0), source.length);
  const start = lineStart(source, at);
  const end = source.indexOf('\n', at);
  const line = Array.from(source.slice(start, end === -1 ? source.length : end).replaceAll(/[\t\r]/g, ' '));
  const column = Array.from(source.slice(start, at)).length;
  const from = line.length <= widestExcerpt ? 0 : Math.max(0, column - widestExcerpt / 2);
  const excerpt = line.slice(from, from + widestExcerpt);
  const before = from > 0 ? '…' : '';
  const after = from + widestExcerpt < line.length ? '…' : '';
  const mark = '.'.repeat(before.length + column - from);
  return ` | ${before}${excerpt.join('').trimEnd()}${after}\n | ${mark}^`;
}

function lineStart(source: string, at: number): number {
  return at === 0 ? 0 : source.lastIndexOf('\n', at - 1) + 1;
}

/** A scalar's text and where it stands, so that a place inside the text can be shown in the file. */
export interface ScalarText {
  readonly source: string;
  /** Offsets of the scalar with its quotes or block header. */
  readonly range: Range;
  readonly text: string;
}

/** The offset in `text` of a line and column (from 1); beyond its end for places that are not in it. */
export function offsetInText(text: string, line: number, column: number): number {
  let start = 0;
  for (let skipped = 1; skipped < line; skipped++) {
    const next = text.indexOf('\n', start);
    if (next === -1) return text.length;
    start = next + 1;
  }
  return (
    start +
    Array.from(text.slice(start, start + 2 * column))
      .slice(0, column - 1)
      .join('').length
  );
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
