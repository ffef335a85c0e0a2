/**
 * A formula of required literals in the form that the search index asks: literals are numbers of groups, and a text
 * satisfies a group when it holds one of its literals.
 */
import { type LiteralFormula, triggersOf } from '../../regex/required-literals.ts';

export type LiteralNeed =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'all'; readonly parts: readonly LiteralNeed[] }
  | { readonly kind: 'any'; readonly parts: readonly LiteralNeed[] };

const always: LiteralNeed = { kind: 'always' };
const never: LiteralNeed = { kind: 'never' };

/** Literals in groups: an alternative of a thousand words is one question. */
export class LiteralGroups {
  readonly literals: string[] = [];
  /** By number of literal: the groups that it is in. */
  readonly groupsOf: number[][] = [];
  readonly #numberOf = new Map<string, number>();
  readonly #groupOf = new Map<string, number>();

  /** How many groups there are. */
  get size(): number {
    return this.#groupOf.size;
  }

  /** The group of exactly these literals. They are lower case. */
  group(literals: readonly string[]): number {
    const key = JSON.stringify([...new Set(literals)].sort());
    const known = this.#groupOf.get(key);
    if (known !== undefined) return known;
    const group = this.#groupOf.size;
    this.#groupOf.set(key, group);
    for (const literal of new Set(literals)) this.groupsOf[this.#number(literal)]?.push(group);
    return group;
  }

  /** The need of a formula, whose required characters count as there. */
  needOf(formula: LiteralFormula): LiteralNeed {
    switch (formula.kind) {
      case 'always':
      case 'character':
        return always;
      case 'never':
        return never;
      case 'literal':
        return { kind: 'group', group: this.group([formula.text]) };
      case 'all':
        return joined(
          'all',
          formula.parts.map((part) => this.needOf(part)),
        );
      case 'any': {
        const { literals, others } = alternatives(formula.parts);
        const needs = others.map((part) => this.needOf(part));
        if (literals.length > 0) needs.push({ kind: 'group', group: this.group(literals) });
        return joined('any', needs);
      }
      default:
        return formula satisfies never;
    }
  }

  /**
   * Groups of which a text satisfies at least one when it satisfies the formula, unless its characters alone do. Empty when
   * no literal is needed.
   */
  triggersOf(formula: LiteralFormula): ReadonlySet<number> {
    const groups = new Set<number>();
    this.#collect(formula, groups);
    const telling = triggersOf(formula);
    if (telling === null) return groups;
    const triggers = new Set<number>();
    for (const literal of telling) {
      for (const group of this.groupsOf[this.#number(literal)] ?? []) if (groups.has(group)) triggers.add(group);
    }
    return triggers;
  }

  /** Every group of the formula. */
  #collect(formula: LiteralFormula, groups: Set<number>): void {
    if (formula.kind === 'literal') groups.add(this.group([formula.text]));
    if (formula.kind === 'all') for (const part of formula.parts) this.#collect(part, groups);
    if (formula.kind !== 'any') return;
    const { literals, others } = alternatives(formula.parts);
    if (literals.length > 0) groups.add(this.group(literals));
    for (const part of others) this.#collect(part, groups);
  }

  #number(literal: string): number {
    const known = this.#numberOf.get(literal);
    if (known !== undefined) return known;
    const number = this.literals.push(literal) - 1;
    this.#numberOf.set(literal, number);
    this.groupsOf.push([]);
    return number;
  }
}

/** True when the need is satisfied; `seen[group] === round` for the groups that a text satisfies. */
export function needHolds(need: LiteralNeed, seen: Uint32Array, round: number): boolean {
  switch (need.kind) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'group':
      return seen[need.group] === round;
    case 'all':
      for (const part of need.parts) if (!needHolds(part, seen, round)) return false;
      return true;
    case 'any':
      for (const part of need.parts) if (needHolds(part, seen, round)) return true;
      return false;
    default:
      return need satisfies never;
  }
}

function alternatives(parts: readonly LiteralFormula[]): {
  readonly literals: readonly string[];
  readonly others: readonly LiteralFormula[];
} {
  return {
    literals: parts.flatMap((part) => (part.kind === 'literal' ? [part.text] : [])),
    others: parts.filter((part) => part.kind !== 'literal'),
  };
}

function joined(kind: 'all' | 'any', parts: readonly LiteralNeed[]): LiteralNeed {
  const neutral = kind === 'all' ? 'always' : 'never';
  const decisive = kind === 'all' ? never : always;
  if (parts.some((part) => part.kind === decisive.kind)) return decisive;
  const telling = parts.filter((part) => part.kind !== neutral);
  if (telling.length === 0) return kind === 'all' ? always : never;
  return telling.length === 1 ? (telling[0] ?? always) : { kind, parts: telling };
}
