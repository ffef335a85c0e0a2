/**
 * The cheap question before the regular expression: can this text match at all? It looks for at most two of the literals
 * that every match holds, the most telling ones.
 */
import { type LiteralFormula, requiredLiterals, triggersOf } from '../regex/required-literals.ts';
import type { PatternNode } from '../regex/syntax.ts';

/** False: no match is possible. */
export type LiteralFilter = (text: string) => boolean;

/** Alternatives above this number cost more than they spare. */
const maxAlternatives = 4;
/** A second literal is worth its look from this length on, in UTF-16 units. */
const tellingLength = 5;

/** Null when the pattern requires no literal, or too many to choose from. */
export function literalFilterOf(root: PatternNode): LiteralFilter | null {
  const formula = requiredLiterals(root, { shortest: 2, foldCase: false });
  const clauses = clausesOf(formula).sort((a, b) => shortestOf(b) - shortestOf(a) || a.length - b.length);
  const [first, second] = clauses;
  if (first === undefined) return null;
  const has = filterFor(first);
  if (second === undefined || shortestOf(second) < tellingLength) return has;
  const alsoHas = filterFor(second);
  return (text) => has(text) && alsoHas(text);
}

/** Sets of literals of each of which one must be there. */
function clausesOf(formula: LiteralFormula): (readonly string[])[] {
  if (formula.kind === 'all') return formula.parts.flatMap(clausesOf);
  const literals = triggersOf(formula);
  return literals === null || literals.size > maxAlternatives ? [] : [[...literals]];
}

function shortestOf(literals: readonly string[]): number {
  return literals.reduce((least, literal) => Math.min(least, literal.length), Infinity);
}

function filterFor(literals: readonly string[]): LiteralFilter {
  const [only] = literals;
  if (literals.length === 1 && only !== undefined) return (text) => text.includes(only);
  return (text) => {
    for (const literal of literals) if (text.includes(literal)) return true;
    return false;
  };
}
