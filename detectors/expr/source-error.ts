/**
 * Mistakes in expressions with their place: the message, line and column, the source line and a mark under the column.
 *
 *     unknown name evt.Mta (1:1)
 *      | evt.Mta.http_path == '/'
 *      | ^
 */
import { GatewayError } from '../../core/errors.ts';

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** The whole source line, tabs as single spaces so that the mark stays under its column. */
  readonly text: string;
}

/** What goes wrong while an expression runs. The expression then counts as not matched. */
export class ExpressionError extends GatewayError {
  readonly line: number;
  readonly column: number;

  constructor(source: string, at: number, message: string) {
    super('EXPRESSION_RAISED', messageAt(source, at, message));
    const place = placeOf(source, at);
    this.name = 'ExpressionError';
    this.line = place.line;
    this.column = place.column;
  }
}

/** An expression that cannot be compiled: code EXPRESSION_INVALID. */
export function invalidExpression(source: string, at: number, message: string, remedy?: string): GatewayError {
  return new GatewayError('EXPRESSION_INVALID', messageAt(source, at, message), remedy === undefined ? {} : { remedy });
}

export function placeOf(source: string, at: number): Place {
  const offset = Math.min(Math.max(at, 0), source.length);
  const start = offset === 0 ? 0 : source.lastIndexOf('\n', offset - 1) + 1;
  const end = source.indexOf('\n', offset);
  let line = 1;
  for (let index = source.indexOf('\n'); index !== -1 && index < offset; index = source.indexOf('\n', index + 1))
    line++;
  const text = source.slice(start, end === -1 ? source.length : end).replaceAll(/[\t\r]/g, ' ');
  return { line, column: characters(source.slice(start, offset)) + 1, text };
}

function messageAt(source: string, at: number, message: string): string {
  const { line, column, text } = placeOf(source, at);
  return `${message} (${line}:${column})\n | ${text}\n | ${'.'.repeat(column - 1)}^`;
}

/** Code points, without making a list of them. */
function characters(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0xdc00 || unit > 0xdfff) count++;
  }
  return count;
}

/** The candidate nearest to `name` by edit distance, when it is near enough to be what was meant. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(left: string, right: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      let best = Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) best = Math.min(best, (before[column - 2] ?? best) + 1);
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
