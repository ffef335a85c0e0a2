/**
 * A syntax tree to the source of a flagless JavaScript pattern that V8's linear engine accepts: no `i`, `u` or `v` flag,
 * no look-ahead, and no counted repeat whose count, multiplied with those around it, is above 16. Larger counts are unrolled.
 *
 * The pattern matches the same texts as RE2, from the same start. Where JavaScript would end elsewhere or remember other
 * groups, `needsReplay` says so and `compile-pattern.ts` asks `replay-match.ts` for them.
 */
import { type CharSet, charSetOf, clip, complementOf, highestCodePoint, highestOf } from './char-set.ts';
import { patternError } from './pattern-error.ts';
import { contains, hasFixedWidth, isCapture, isEmptyAnywhere, readsNothing, withoutImplied } from './pattern-shape.ts';
import { isNullable, type PatternNode, type Position, type RepeatNode, type Subject } from './syntax.ts';
import { pairClasses, unit, unitClass } from './unit-class.ts';

/** V8's limit on the product of nested counts, `kMaxReplicationFactor` in its experimental compiler. */
const maxReplication = 16;
/** Of the emitted source, in UTF-16 units. The Core Rule Set's longest is 57 KB; V8's compiler fails near 200 KB. */
const maxEmitted = 131_072;
/** Of the emitted groups: V8's compiler is recursive and ends the process when it runs out of memory for itself. */
const maxEmittedDepth = 400;

const surrogates: CharSet = [0xd800, 0xdfff];
const anyPair = '[\\ud800-\\udbff][\\udc00-\\udfff]';

export interface EmittedPattern {
  readonly source: string;
  /** True when the source has no groups because a group would have had to be written twice. */
  readonly withoutGroups: boolean;
}

/** @throws GatewayError PATTERN_INVALID when the unrolled pattern is too large. `written` is for the message. */
export function emitPattern(root: PatternNode, subject: Subject, written: string, groups: boolean): EmittedPattern {
  const lean = withoutImplied(root, new Set());
  const emitter = new Emitter(subject, written, groups);
  const source = emitter.root(lean);
  if (!emitter.copiedGroup) return { source, withoutGroups: !groups };
  return { source: new Emitter(subject, written, false).root(lean), withoutGroups: true };
}

class Emitter {
  readonly #subject: Subject;
  readonly #written: string;
  readonly #groups: boolean;
  #depth = 0;
  /** A group was written twice, so that the numbers after it are wrong. */
  copiedGroup = false;

  constructor(subject: Subject, written: string, groups: boolean) {
    this.#subject = subject;
    this.#written = written;
    this.#groups = groups;
  }

  root(node: PatternNode): string {
    const source = this.#bounded(this.#leading(node));
    return source === '' ? '(?:)' : source;
  }

  /**
   * The node, anchored where it begins with a loop over every character (of a text or a line): a match further on would
   * also be one from the start, and searching on from each position costs quadratic time.
   */
  #leading(node: PatternNode): string {
    if (node.kind === 'choice') return node.branches.map((branch) => this.#leading(branch)).join('|');
    if (node.kind === 'capture') return this.#captured(this.#leading(node.body));
    if (node.kind === 'sequence') {
      const [first, ...rest] = node.parts;
      if (first === undefined) return '';
      const anchored = first.kind === 'choice' ? this.#part(first, maxReplication) : this.#leading(first);
      return anchored + this.#sequence(rest, maxReplication);
    }
    return this.#loopAnchor(node) + this.#emit(node, maxReplication);
  }

  #loopAnchor(node: PatternNode): string {
    if (node.kind !== 'repeat' || node.max !== Infinity || node.body.kind !== 'char') return '';
    const missing = complementOf(node.body.set, highestOf(this.#subject));
    if (missing.length === 0) return '^';
    return missing.length === 2 && missing[0] === 10 && missing[1] === 10 ? '(?m:^)' : '';
  }

  /** `budget` is what remains of V8's replication limit inside the counted repeats around the node. */
  #emit(node: PatternNode, budget: number): string {
    switch (node.kind) {
      case 'empty':
        return '';
      case 'char':
        return this.#single(node.set);
      case 'position':
        return positionSources[node.at];
      case 'capture':
        return this.#captured(this.#nested(node.body, budget));
      case 'sequence':
        return this.#sequence(node.parts, budget);
      case 'choice':
        return this.#choice(node.branches, budget);
      case 'repeat':
        return this.#repeat(node, budget);
      default:
        return node satisfies never;
    }
  }

  #sequence(parts: readonly PatternNode[], budget: number): string {
    let source = '';
    for (const part of parts) source = this.#bounded(source + this.#part(part, budget));
    return source;
  }

  #choice(branches: readonly PatternNode[], budget: number): string {
    let source = '';
    for (const [index, branch] of branches.entries()) {
      source = this.#bounded(`${source}${index === 0 ? '' : '|'}${this.#emit(branch, budget)}`);
    }
    return source;
  }

  /** The node as a part of a sequence: a choice needs its own group. */
  #part(node: PatternNode, budget: number): string {
    return node.kind === 'choice' ? `(?:${this.#nested(node, budget)})` : this.#emit(node, budget);
  }

  #captured(body: string): string {
    return this.#groups ? `(${body})` : `(?:${body})`;
  }

  #nested(node: PatternNode, budget: number): string {
    this.#deeper(1);
    const source = this.#emit(node, budget);
    this.#depth--;
    return source;
  }

  #deeper(levels: number): void {
    this.#depth += levels;
    if (this.#depth > maxEmittedDepth) throw this.#tooLarge();
  }

  /**
   * Rounds that may match nothing and are still required are written apart from the loop: nested, `(?:(?:a|\b)+)+`, each level
   * would take V8's compiler twice as long as the one within. Where a greedy loop can always match nothing, they are not required at all.
   */
  #repeat(node: RepeatNode, budget: number): string {
    const { min, max, greedy, body } = node;
    if (max === 0) return this.#groups && contains(body, isCapture) ? `(?:${this.#nested(body, 1)}){0}` : '';
    if (min === 1 && max === 1) return this.#part(body, budget);
    if (body.kind === 'char' && max === Infinity && this.#isAnyPlane(body.set))
      return this.#anyLoop(node, body.set, budget);
    if (readsNothing(body)) return min > 0 ? this.#part(body, budget) : `${this.#operand(body, budget)}?`;
    const lazy = greedy ? '' : '?';
    const emptyRounds = min > 0 && isNullable(body);
    if (emptyRounds && greedy && isEmptyAnywhere(body)) return this.#repeat({ ...node, min: 0 }, budget);
    const counted = Math.max(1, max === Infinity ? min : max);
    if (counted <= budget && !emptyRounds) {
      const inner = this.#operand(body, Math.floor(budget / counted));
      return `${inner}${quantifier(min, max)}${lazy}`;
    }
    if (contains(body, isCapture)) this.copiedGroup ||= this.#groups;
    const inner = this.#operand(body, 1);
    if (max === Infinity) return `${this.#times(inner, min, budget)}${inner}*${lazy}`;
    if (min === max) return this.#times(inner, min, budget);
    if (hasFixedWidth(body)) return this.#byCount(inner, min, max, budget, lazy);
    return this.#times(inner, min, budget) + this.#optional(inner, max - min, budget, lazy);
  }

  /** `inner` exactly `count` times. */
  #times(inner: string, count: number, budget: number): string {
    this.#checkLength((inner.length + 4) * Math.ceil(count / budget));
    if (budget === 1 || count === 1) return inner.repeat(count);
    const rest = count % budget;
    return `${inner}{${budget}}`.repeat(Math.floor(count / budget)) + (rest === 0 ? '' : `${inner}{${rest}}`);
  }

  /**
   * Between `min` and `max` times something whose rounds all have the same length. Then only the number of rounds matters
   * and each number is written once: `(?:x{16}…|x{0,15})`. Writing `x{0,16}x{0,16}` would match the same in many ways, and
   * a failing match would try them all.
   */
  #byCount(inner: string, min: number, max: number, budget: number, lazy: string): string {
    if (min >= budget) {
      const whole = min - (min % budget);
      return this.#times(inner, whole, budget) + this.#byCount(inner, min - whole, max - whole, budget, lazy);
    }
    if (max <= budget) return max === 0 ? '' : `${inner}${quantifier(min, max)}${lazy}`;
    this.#deeper(1);
    const many = this.#times(inner, budget, budget) + this.#byCount(inner, 0, max - budget, budget, lazy);
    this.#depth--;
    const few = budget === 1 ? '' : `${inner}${quantifier(min, budget - 1)}${lazy}`;
    return this.#bounded(lazy === '' ? `(?:${many}|${few})` : `(?:${few}|${many})`);
  }

  /** Up to `count` times, as RE2 itself unrolls it: `(?:x(?:x(?:x)?)?)?`. */
  #optional(inner: string, count: number, budget: number, lazy: string): string {
    const chained = Math.max(0, count - budget);
    this.#checkLength((inner.length + 6) * chained);
    this.#deeper(chained);
    this.#depth -= chained;
    const innermost = `${inner}${quantifier(0, Math.min(count, budget))}${lazy}`;
    return `(?:${inner}`.repeat(chained) + innermost + `)?${lazy}`.repeat(chained);
  }

  /** The node as what a quantifier applies to. */
  #operand(node: PatternNode, budget: number): string {
    if (node.kind === 'char') return this.#single(node.set);
    if (node.kind === 'capture') return this.#emit(node, budget);
    return `(?:${this.#nested(node, budget)})`;
  }

  /** One character. In text a character beyond U+FFFF is a pair of units, and half a pair is no character. */
  #single(set: CharSet): string {
    const only = set[0] ?? 0;
    if (set.length === 2 && set[1] === only && only < 0x80) return unit(only);
    if (this.#subject === 'bytes') return unitClass(set, 0xff);
    const plain = charSetOf([...clip(set, 0, 0xd7ff), ...clip(set, 0xe000, 0xffff)]);
    const astral = clip(set, 0x10000, highestCodePoint);
    if (astral.length === 0) return unitClass(plain, 0xffff);
    const pairs = this.#isAnyPlane(set) ? [anyPair] : pairClasses(astral);
    const branches = plain.length === 0 ? pairs : [unitClass(plain, 0xffff), ...pairs];
    return `(?:${branches.join('|')})`;
  }

  #isAnyPlane(set: CharSet): boolean {
    return this.#subject === 'text' && set.at(-1) === highestCodePoint && (set.at(-2) ?? 0) <= 0x10000;
  }

  /**
   * An unbounded loop over a set that holds every character beyond U+FFFF. After the first `min` characters it runs over
   * units: it may stop inside a pair, but nothing that follows can start there, except `\B` (looked at again).
   */
  #anyLoop(node: RepeatNode, set: CharSet, budget: number): string {
    const single = this.#single(set);
    const units = unitClass(charSetOf([...clip(set, 0, 0xffff), ...surrogates]), 0xffff);
    const lazy = node.greedy ? '' : '?';
    return `${this.#times(single, node.min, budget)}${units}*${lazy}`;
  }

  #checkLength(length: number): void {
    if (length > maxEmitted) throw this.#tooLarge();
  }

  #bounded(source: string): string {
    this.#checkLength(source.length);
    return source;
  }

  #tooLarge(): Error {
    return patternError(
      this.#written,
      null,
      'it is too large once its counted repeats are unrolled',
      'Use smaller counts, or * and +, or nest groups less deeply.',
    );
  }
}

/**
 * Two of them hold at places where RE2's do not, and `compile-pattern.ts` looks again there: JavaScript's multi-line `$` also
 * before `\r`, U+2028 and U+2029, and `\B` inside a surrogate pair.
 */
const positionSources: Readonly<Record<Position, string>> = {
  'text-start': '^',
  'text-end': '$',
  'line-start': '(?:^|(?<=\\n))',
  'line-end': '(?m:$)',
  'word-edge': '\\b',
  'not-word-edge': '\\B',
};

function quantifier(min: number, max: number): string {
  if (max === Infinity) {
    if (min < 2) return min === 0 ? '*' : '+';
    return `{${min},}`;
  }
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}
