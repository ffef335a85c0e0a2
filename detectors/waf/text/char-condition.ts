/**
 * What a text must hold, as far as kinds of characters can tell: a formula of `char-classes.ts`, simplified when it is made,
 * because it is asked for many operators at once.
 */
import type { LiteralFormula } from '../../regex/required-literals.ts';
import { rangesOf } from '../../regex/char-set.ts';
import {
  allClasses,
  type CharClasses,
  classesOf,
  foldCase,
  hasWordCharacter,
  noClasses,
  overlap,
} from './char-classes.ts';

export type CharCondition =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  /** A character of one of these classes. */
  | { readonly kind: 'one-of'; readonly classes: CharClasses }
  | { readonly kind: 'all'; readonly parts: readonly CharCondition[] }
  | { readonly kind: 'any'; readonly parts: readonly CharCondition[] };

/** Alternatives of one condition that are asked one by one. */
const mostAlternatives = 8;

const always: CharCondition = { kind: 'always' };
const never: CharCondition = { kind: 'never' };

/** What of the formula can be told before the text is searched for literals. */
export type LiteralsAre =
  /** A literal may be in any text that has its kinds of characters: holds for every text for which the formula holds. */
  | 'possible'
  /** As if the text held none: holds only where the formula holds whatever the search would find. */
  | 'absent';

export function charConditionOf(formula: LiteralFormula, literals: LiteralsAre): CharCondition {
  switch (formula.kind) {
    case 'always':
      return always;
    case 'never':
      return never;
    case 'literal':
      return literals === 'absent' ? never : spelling(formula.text);
    case 'character':
      return { kind: 'one-of', classes: classesOf(rangesOf(formula.set)) };
    case 'all':
      return allConditions(formula.parts.map((part) => charConditionOf(part, literals)));
    case 'any':
      return anyOf(formula.parts.map((part) => charConditionOf(part, literals)));
    default:
      return formula satisfies never;
  }
}

/** True when a text with these classes may satisfy the condition. */
export function conditionHolds(condition: CharCondition, low: number, high: number): boolean {
  switch (condition.kind) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'one-of':
      return overlap(condition.classes, low, high);
    case 'all':
      for (const part of condition.parts) if (!conditionHolds(part, low, high)) return false;
      return true;
    case 'any':
      for (const part of condition.parts) if (conditionHolds(part, low, high)) return true;
      return false;
    default:
      return condition satisfies never;
  }
}

/** A condition with what is quickly asked of it first: classes of which a text must have one, and others. */
export class CharQuestion {
  readonly always: boolean;
  /** A text must have one of these, and one of those. */
  readonly first: CharClasses;
  readonly second: CharClasses;
  /** What is asked then; null when that was all. */
  readonly rest: CharCondition | null;

  constructor(condition: CharCondition) {
    this.always = condition.kind === 'always';
    const parts = condition.kind === 'all' ? condition.parts : [condition];
    const bounds = parts.map(mostTelling).sort((a, b) => commonness(a) - commonness(b));
    const [first = allClasses, second = allClasses] = bounds;
    this.first = first;
    this.second = second;
    const isAll = parts.length <= 2 && parts.every((part) => part.kind === 'one-of');
    this.rest = isAll || condition.kind === 'always' || condition.kind === 'never' ? null : condition;
  }

  /** As `conditionHolds`. */
  holds(low: number, high: number): boolean {
    if (this.always) return true;
    if (!overlap(this.first, low, high) || !overlap(this.second, low, high)) return false;
    return this.rest === null || conditionHolds(this.rest, low, high);
  }
}

/** The kinds of all characters of a literal, which is found in either case. */
function spelling(literal: string): CharCondition {
  const parts = new Set<CharCondition>();
  for (let at = 0; at < literal.length; at++) parts.add(ofCharacter[literal.charCodeAt(at)] ?? always);
  const [only = always] = parts;
  return parts.size === 1 ? only : { kind: 'all', parts: [...parts] };
}

/** By character: one of its kind, which is the same object for all of a kind. */
const ofCharacter: readonly CharCondition[] = conditionsOfCharacters();

function conditionsOfCharacters(): CharCondition[] {
  const known = new Map<string, CharCondition>();
  return Array.from({ length: 256 }, (_, code) => {
    const { low, high } = classesOf([[code, code]]);
    const condition: CharCondition = { kind: 'one-of', classes: { low, high: foldCase(high) } };
    const key = keyOf(condition);
    const same = known.get(key) ?? condition;
    known.set(key, same);
    return same;
  });
}

/** All of the conditions as one. */
export function allConditions(parts: readonly CharCondition[]): CharCondition {
  const flat = parts.flatMap((part) => (part.kind === 'all' ? part.parts : [part]));
  if (flat.some((part) => part.kind === 'never')) return never;
  const kept = strongest(distinct(flat.filter((part) => part.kind !== 'always')));
  if (kept.length === 0) return always;
  return kept.length === 1 ? (kept[0] ?? always) : { kind: 'all', parts: kept };
}

function anyOf(parts: readonly CharCondition[]): CharCondition {
  const flat = parts.flatMap((part) => (part.kind === 'any' ? part.parts : [part]));
  if (flat.some((part) => part.kind === 'always')) return always;
  const single = flat.flatMap((part) => (part.kind === 'one-of' ? [part.classes] : []));
  const several = weakest(distinct(flat.filter((part) => part.kind === 'all')));
  // Many alternatives take too long to ask: the most telling part of each says nearly as much.
  const merged = several.length > mostAlternatives ? several.map(mostTelling) : [];
  const union = unionOf([...single, ...merged]);
  const parted: CharCondition[] = isNothing(union) ? [] : [{ kind: 'one-of', classes: union }];
  const kept = weakest(merged.length === 0 ? [...parted, ...several] : parted);
  if (kept.length === 0) return never;
  return kept.length === 1 ? (kept[0] ?? never) : { kind: 'any', parts: kept };
}

function unionOf(classes: readonly CharClasses[]): CharClasses {
  return classes.reduce((all, one) => ({ low: all.low | one.low, high: all.high | one.high }), noClasses);
}

function isNothing({ low, high }: CharClasses): boolean {
  return (low | high) === 0;
}

/** The classes of which a text must have one for the condition to hold, those that the fewest texts have. */
function mostTelling(condition: CharCondition): CharClasses {
  switch (condition.kind) {
    case 'always':
      return allClasses;
    case 'never':
      return noClasses;
    case 'one-of':
      return condition.classes;
    case 'any':
      return unionOf(condition.parts.map(mostTelling));
    case 'all':
      return condition.parts
        .map(mostTelling)
        .reduce((best, one) => (commonness(one) < commonness(best) ? one : best), allClasses);
    default:
      return condition satisfies never;
  }
}

/** Punctuation is rarer than letters and digits. */
function commonness({ low, high }: CharClasses): number {
  return bitCount(low) + bitCount(high) + (hasWordCharacter(high) ? 64 : 0);
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function distinct(parts: readonly CharCondition[]): readonly CharCondition[] {
  const objects = new Set(parts);
  if (objects.size < 2) return [...objects];
  return [...new Map([...objects].map((part) => [keyOf(part), part])).values()];
}

function keyOf(condition: CharCondition): string {
  if (condition.kind === 'one-of') return `${condition.classes.low},${condition.classes.high}`;
  if (condition.kind !== 'all' && condition.kind !== 'any') return condition.kind;
  return `${condition.kind}(${condition.parts.map(keyOf).join(' ')})`;
}

/** Of conditions that must all hold, those that no other implies. */
function strongest(parts: readonly CharCondition[]): readonly CharCondition[] {
  return parts.filter((part, index) => !parts.some((other, at) => at !== index && implies(other, part, at < index)));
}

/** Of conditions one of which must hold, those that imply no other. */
function weakest(parts: readonly CharCondition[]): readonly CharCondition[] {
  return parts.filter((part, index) => !parts.some((other, at) => at !== index && implies(part, other, at < index)));
}

/** True when `a` cannot hold without `b`. Of two that are the same, the one that goes first is kept: `earlier`. */
function implies(a: CharCondition, b: CharCondition, earlier: boolean): boolean {
  const forward = entails(a, b);
  return forward && (earlier || !entails(b, a));
}

/** May say no where the answer is yes. */
function entails(a: CharCondition, b: CharCondition): boolean {
  if (b.kind === 'all') return b.parts.every((part) => entails(a, part));
  if (a.kind === 'all') return a.parts.some((part) => entails(part, b));
  if (a.kind !== 'one-of' || b.kind !== 'one-of') return false;
  return (a.classes.low & ~b.classes.low) === 0 && (a.classes.high & ~b.classes.high) === 0;
}
