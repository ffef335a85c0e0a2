/**
 * Mistakes in expressions with their place: the message, line and column, the source line and a mark under the column.
 *
 *     unknown name evt.Mta (1:1)
 *      | evt.Mta.http_path == '/'
 *      | ^
 */
import { GatewayError } from '../../core/errors.ts';
import { lineAt, type Place, placeAt } from '../../core/place-at.ts';

/** What goes wrong while an expression runs. The expression then counts as not matched. */
export class ExpressionError extends GatewayError {
  readonly line: number;
  readonly column: number;

  constructor(source: string, at: number, message: string) {
    const place = placeAt(source, at);
    super('EXPRESSION_RAISED', shownIn(source, at, place, message));
    this.name = 'ExpressionError';
    this.line = place.line;
    this.column = place.column;
  }
}

/** An expression that cannot be compiled: code EXPRESSION_INVALID. */
export class InvalidExpression extends GatewayError {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** The same place in UTF-16 units from the expression's start, for who shows it in the file that the expression stands in. */
  readonly offset: number;
  /** The message alone, without its place. */
  readonly reason: string;

  constructor(source: string, at: number, reason: string, remedy?: string) {
    const place = placeAt(source, at);
    super('EXPRESSION_INVALID', shownIn(source, at, place, reason), remedy === undefined ? {} : { remedy });
    this.name = 'InvalidExpression';
    this.line = place.line;
    this.column = place.column;
    this.offset = at;
    this.reason = reason;
  }
}

function shownIn(source: string, at: number, { line, column }: Place, message: string): string {
  return `${message} (${line}:${column})\n | ${lineAt(source, at)}\n | ${'.'.repeat(column - 1)}^`;
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
