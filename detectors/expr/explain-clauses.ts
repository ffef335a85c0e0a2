/**
 * Takes a condition apart at its top-level `and` and `or` and evaluates each clause for itself, to say which one decided and
 * what it saw.
 */
import { messageOf } from '../../core/errors.ts';
import type { Event } from '../event.ts';
import type { Expression, ExpressionCompiler } from './compile.ts';
import { splitClauses } from './split-clauses.ts';

/** One condition of a filter, or several joined. */
export interface ClauseExplanation {
  readonly text: string;
  readonly outcome: 'true' | 'false' | 'error' | 'unreached';
  /** The error's message, or "". */
  readonly message: string;
  /** How `parts` are joined; null when there are none. */
  readonly joined: 'and' | 'or' | null;
  readonly parts: readonly ClauseExplanation[];
  /** What an undivided clause that is false read, as far as it are fields of the event: path and value. */
  readonly values: readonly (readonly [path: string, value: string])[];
}

/** A clause with the closures of its parts. */
export interface Clause {
  readonly expression: Expression;
  readonly joined: 'and' | 'or' | null;
  readonly parts: readonly Clause[];
}

/** Filters nest two or three deep; what is deeper is shown as it stands. */
const deepest = 4;

/** Characters of a value that are shown. */
const longestValue = 200;

export function clausesOf(expression: Expression, compiler: ExpressionCompiler, depth = 0): Clause {
  const { source } = expression;
  const split = depth < deepest ? splitClauses(source) : null;
  if (split === null) return { expression, joined: null, parts: [] };
  try {
    // The whole has been accepted where it stands, so what it may call its parts may call.
    const parts = split.parts.map((part) =>
      clausesOf(compiler.compile(part, 'bool', { mayWait: true }), compiler, depth + 1),
    );
    return { expression, joined: split.joined, parts };
  } catch {
    // A part that cannot stand alone (a variable declared before it): the whole is shown instead.
    return { expression, joined: null, parts: [] };
  }
}

export function explainClauses(clause: Clause, event: Event): ClauseExplanation {
  const text = clause.expression.source.trim();
  const { outcome, message } = evaluate(clause.expression, event);
  const parts: ClauseExplanation[] = [];
  let decided = false;
  for (const part of clause.parts) {
    if (decided) {
      parts.push(unreached(part));
      continue;
    }
    const explained = explainClauses(part, event);
    parts.push(explained);
    decided = explained.outcome === 'error' || explained.outcome === (clause.joined === 'and' ? 'false' : 'true');
  }
  const values = outcome === 'false' && clause.joined === null ? valuesOf(clause.expression, event) : [];
  return { text, outcome, message, joined: clause.joined, parts, values };
}

/** The first clause that decided against it; null when nothing did. */
export function decidingClause(clause: ClauseExplanation): ClauseExplanation | null {
  if (clause.outcome === 'true' || clause.outcome === 'unreached') return null;
  if (clause.joined !== 'and') return clause;
  for (const part of clause.parts) {
    const found = decidingClause(part);
    if (found !== null) return found;
  }
  return clause;
}

function unreached(clause: Clause): ClauseExplanation {
  const text = clause.expression.source.trim();
  return { text, outcome: 'unreached', message: '', joined: null, parts: [], values: [] };
}

function evaluate(expression: Expression, event: Event): Pick<ClauseExplanation, 'outcome' | 'message'> {
  try {
    return { outcome: expression.evaluate({ evt: event }) === true ? 'true' : 'false', message: '' };
  } catch (error) {
    return { outcome: 'error', message: messageOf(error) };
  }
}

function valuesOf({ reads }: Expression, event: Event): ClauseExplanation['values'] {
  return [...reads].flatMap((path) => {
    const value = valueAt(path, event);
    return value === null ? [] : [[path, value.slice(0, longestValue)] as const];
  });
}

/** The text or number at a path of plain members; null for anything else. */
function valueAt(path: string, event: Event): string | null {
  const [root, ...members] = path.split('.');
  if (root !== 'evt') return null;
  let value: unknown = event;
  for (const member of members) {
    if (typeof value !== 'object' || value === null) return null;
    value = Object.entries(value).find(([name]) => name === member)?.[1];
  }
  if (value === undefined) return '';
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}
