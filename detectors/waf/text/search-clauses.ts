/**
 * A formula of required literals as the search index asks it: a list of clauses. A text whose characters alone do not satisfy
 * the formula, and which satisfies it all the same, satisfies one of them. What is too long to ask is left out of a clause, so
 * that it holds for more texts than the formula.
 */
import { type LiteralFormula } from '../../regex/required-literals.ts';
import { allConditions, type CharCondition, charConditionOf } from './char-condition.ts';

export interface SearchClause {
  /** The text holds one of these; lower case, found in either. */
  readonly literals: readonly string[];
  readonly when: CharCondition;
  /** And one of each of these. */
  readonly also: readonly (readonly string[])[];
}

/** Further lists of one clause. */
const mostFurther = 3;

const always: CharCondition = { kind: 'always' };

export function clausesOf(formula: LiteralFormula): readonly SearchClause[] {
  switch (formula.kind) {
    case 'always':
    case 'never':
    case 'character':
      return [];
    case 'literal':
      return [{ literals: [formula.text], when: always, also: [] }];
    case 'any':
      return merged(formula.parts.flatMap(clausesOf));
    case 'all':
      return merged(clausesOfAll(formula.parts));
    default:
      return formula satisfies never;
  }
}

function clausesOfAll(parts: readonly LiteralFormula[]): readonly SearchClause[] {
  const mandatory = parts.filter((part) => charConditionOf(part, 'absent').kind === 'never');
  const found = mandatory.map(clausesOf);
  const [first, ...rest] = found;
  if (first === undefined) return parts.flatMap((part) => narrowed(clausesOf(part), part, parts, []));
  const best = rest.reduce(moreTelling, first);
  const chosen = mandatory[found.indexOf(best)];
  const further = mandatory.flatMap((part) => (part === chosen ? [] : listsOf(part)));
  return chosen === undefined ? [] : narrowed(best, chosen, parts, further);
}

/** The clauses of one part, for texts that may satisfy the others too. */
function narrowed(
  clauses: readonly SearchClause[],
  own: LiteralFormula,
  parts: readonly LiteralFormula[],
  further: readonly (readonly string[])[],
): readonly SearchClause[] {
  const others = parts.filter((part) => part !== own).map((part) => charConditionOf(part, 'possible'));
  return clauses.map(({ literals, when, also }) => ({
    literals,
    when: allConditions([when, ...others]),
    also: [...also, ...further].slice(0, mostFurther),
  }));
}

/** The literals of a part that is nothing else. */
function listsOf(part: LiteralFormula): readonly (readonly string[])[] {
  if (part.kind === 'literal') return [[part.text]];
  if (part.kind !== 'any') return [];
  const literals = part.parts.flatMap((one) => (one.kind === 'literal' ? [one.text] : []));
  return literals.length === part.parts.length ? [literals] : [];
}

function moreTelling(a: readonly SearchClause[], b: readonly SearchClause[]): readonly SearchClause[] {
  const [lengthA, lengthB] = [shortestIn(a), shortestIn(b)];
  if (lengthA !== lengthB) return lengthA > lengthB ? a : b;
  return countIn(b) < countIn(a) ? b : a;
}

function shortestIn(clauses: readonly SearchClause[]): number {
  let least = Infinity;
  for (const { literals } of clauses) for (const literal of literals) least = Math.min(least, literal.length);
  return least;
}

function countIn(clauses: readonly SearchClause[]): number {
  return clauses.reduce((total, { literals }) => total + literals.length, 0);
}

/** Clauses that differ in their literals only are one. */
function merged(clauses: readonly SearchClause[]): readonly SearchClause[] {
  const byRest = new Map<string, { readonly literals: Set<string>; readonly clause: SearchClause }>();
  for (const clause of clauses) {
    const key = JSON.stringify([clause.when, clause.also]);
    const same = byRest.get(key);
    if (same === undefined) byRest.set(key, { literals: new Set(clause.literals), clause });
    else for (const literal of clause.literals) same.literals.add(literal);
  }
  return Array.from(byRest.values(), ({ literals, clause }) => ({ ...clause, literals: [...literals] }));
}
