/**
 * Which rules a value could match at all. Most rules look at nothing but values of the request, with an operator that the
 * search index knows; for each text this says, as bits, which of them it or what transformations make of it could match. A
 * phase begins with the bits of the values that are there; a rule whose bit is missing is asleep and not touched. The bits stay
 * with the text: a value that comes again costs nothing, and an operator that has said no is not asked again.
 *
 * A text is transformed only as far as rules about its place want it: what they want is its aspects. Chains of transformations
 * that are used about the same places are one aspect, and a text remembers which of them its bits cover.
 */
import type { Text } from '../text/text.ts';
import type { TextPool } from '../text/text-pool.ts';
import type { TextStep } from '../text/text-step.ts';
import type { TransformationChain, WakeBit } from './compiled-rule.ts';

/** Words of bits. Plain arrays: V8 allocates them faster than typed ones, and they hold 32 bits as well. */
export type Bits = number[];

/** Of texts that wake no rule. Shared: it has no word to write to. */
const none: Bits = [];
/** Aspects are bits of one number; chains beyond share the last. */
const mostAspects = 31;
/** Operators that are asked one by one, and the longest text that they are asked about. */
const mostAsked = 8;
const longestAsked = 256;

/** The rules of one aspect that try their operators on the same text. */
interface Group {
  readonly aspect: number;
  /** By operator number. */
  readonly rules: (WakeBit[] | undefined)[];
  /** The operators that have rules. */
  readonly operators: number[];
  /** The same as bits: numbers of words and, at the same places, the words. */
  readonly words: number[];
  readonly masks: number[];
}

/** A text after some steps: chains that begin alike share their beginning. */
interface Node {
  /** What makes this text of the parent's; null at the root. */
  readonly step: TextStep | null;
  readonly children: Node[];
  readonly groups: Group[];
  /** Aspects of its groups and those of its children. */
  aspects: number;
  calm: Calm;
}

/** What becomes of a text that the steps behind a node leave as it is, as far as that can be told from its characters. */
interface Calm {
  /** A text without these is left as it is. */
  readonly low: number;
  readonly high: number;
  /** The groups of the node and of all nodes behind it that then have the same text. */
  readonly groups: readonly Group[];
  /** Nodes that every text changes on its way to. */
  readonly restless: readonly Node[];
}

interface IndexedRule {
  readonly operator: number;
  readonly chain: TransformationChain;
  readonly bit: WakeBit;
  /** Where the values come from that the rule looks at, as numbers. */
  readonly places: readonly number[];
}

export class WakeIndex {
  readonly #root: Node = newNode(null);
  readonly #rules: IndexedRule[] = [];
  /** By place: the aspects that rules want of its values. */
  readonly #wanted: number[] = [];
  /** No rule, in as many words as there are: to be copied. */
  #blank: Bits = [];
  #pool: TextPool | null = null;

  add(rule: IndexedRule): void {
    this.#rules.push(rule);
  }

  /** All rules are known. */
  finish(pool: TextPool): void {
    this.#pool = pool;
    this.#blank = emptyBits(this.#rules.reduce((most, { bit }) => Math.max(most, bit.word + 1), 0));
    const aspects = aspectsOf(this.#rules);
    for (const rule of this.#rules) {
      const aspect = aspects.get(rule.chain) ?? 1;
      this.#place(rule, aspect);
      for (const place of rule.places) this.#wanted[place] = (this.#wanted[place] ?? 0) | aspect;
    }
    settle(this.#root);
  }

  /** The bits of the rules that a value of that place may match. */
  of(text: Text, place: number): Bits {
    const missing = (this.#wanted[place] ?? 0) & ~text.wakeAspects;
    return missing === 0 ? (text.wake ?? none) : this.#extend(text, missing);
  }

  /** The rule with that bit was tried on this value and did not match. */
  ruleOut(text: Text, { word, mask }: WakeBit): void {
    const bits = text.wake;
    if (bits !== null && bits !== none) bits[word] = (bits[word] ?? 0) & ~mask;
  }

  #extend(text: Text, aspects: number): Bits {
    const pool = this.#pool;
    if (pool === null) return none;
    let bits = text.wake === null || text.wake === none ? this.#blank.slice() : text.wake;
    const found = visit(pool, this.#root, text, aspects, bits);
    if (!found && (text.wake === null || text.wake === none)) bits = none;
    text.wake = bits;
    text.wakeAspects |= aspects;
    return bits;
  }

  #place({ operator, chain: { steps, multiMatch }, bit }: IndexedRule, aspect: number): void {
    let node = this.#root;
    node.aspects |= aspect;
    for (const step of steps.steps) {
      if (multiMatch) addBit(node.groups, aspect, operator, bit);
      node = childOf(node, step);
      node.aspects |= aspect;
    }
    addBit(node.groups, aspect, operator, bit);
  }
}

/** So many words without a bit. */
export function emptyBits(words: number): Bits {
  return Array.from({ length: words }, () => 0);
}

/** True when the value may match the rule with that bit. The bits of the value are there: its phase began with them. */
export function isAwake(text: Text, { word, mask }: WakeBit): boolean {
  const bits = text.wake;
  return bits === null || ((bits[word] ?? 0) & mask) !== 0;
}

/** The first bit that is set at or behind a position; 32 times the words when there is none. */
export function nextBit(bits: Bits, from: number): number {
  let word = from >>> 5;
  if (word >= bits.length) return bits.length * 32;
  let rest = (bits[word] ?? 0) & (-1 << (from & 31));
  while (rest === 0) {
    word++;
    if (word >= bits.length) return bits.length * 32;
    rest = bits[word] ?? 0;
  }
  return word * 32 + 31 - Math.clz32(rest & -rest);
}

/** Adds the bits of the rules that the text may match, in those aspects. True when there are any. */
function visit(pool: TextPool, node: Node, text: Text, aspects: number, found: Bits): boolean {
  const { calm } = node;
  const isCalm = ((text.low & calm.low) | (text.high & calm.high)) === 0;
  const groups = isCalm ? calm.groups : node.groups;
  const children = isCalm ? calm.restless : node.children;
  let any = false;
  for (const group of groups) {
    if ((group.aspect & aspects) === 0) continue;
    const asksEach = group.operators.length <= mostAsked && !text.isSearched && text.value.length <= longestAsked;
    if (asksEach ? askEach(group, text, found) : collect(group, text.candidates, found)) any = true;
  }
  for (const child of children) {
    if ((child.aspects & aspects) === 0) continue;
    if (visit(pool, child, pool.transform(text, child.step as TextStep), aspects, found)) any = true;
  }
  return any;
}

/** Of few operators each is asked what it needs; to search the text for all of them would take longer. */
function askEach({ operators, rules }: Group, text: Text, found: Bits): boolean {
  let any = false;
  for (const operator of operators) {
    if (!text.couldMatch(operator)) continue;
    any = true;
    wake(rules[operator], found);
  }
  return any;
}

function collect({ words, masks, rules }: Group, candidates: Uint32Array, found: Bits): boolean {
  let any = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? 0;
    let rest = (candidates[word] ?? 0) & (masks[at] ?? 0);
    while (rest !== 0) {
      const lowest = rest & -rest;
      rest ^= lowest;
      any = true;
      wake(rules[word * 32 + 31 - Math.clz32(lowest)], found);
    }
  }
  return any;
}

function wake(bits: readonly WakeBit[] | undefined, found: Bits): void {
  if (bits === undefined) return;
  for (const { word, mask } of bits) found[word] = (found[word] ?? 0) | mask;
}

/** Chains whose rules look at the same places have the same aspect. */
function aspectsOf(rules: readonly IndexedRule[]): ReadonlyMap<TransformationChain, number> {
  const places = new Map<string, Set<number>>();
  for (const { chain, places: own } of rules) {
    const key = keyOf(chain);
    const known = places.get(key) ?? new Set();
    for (const place of own) known.add(place);
    places.set(key, known);
  }
  const numbers = new Map<string, number>();
  const aspects = new Map<TransformationChain, number>();
  for (const { chain } of rules) {
    const signature = [...(places.get(keyOf(chain)) ?? [])].sort((one, other) => one - other).join(' ');
    const number = numbers.get(signature) ?? Math.min(numbers.size, mostAspects - 1);
    numbers.set(signature, number);
    aspects.set(chain, 1 << number);
  }
  return aspects;
}

function keyOf({ steps, multiMatch }: TransformationChain): string {
  return `${steps.steps.map(({ number }) => number).join(' ')}${multiMatch ? ' each' : ''}`;
}

/** All rules have their places: works out what calm texts need, from the leaves on. */
function settle(node: Node): void {
  let low = 0;
  let high = 0;
  const groups: Group[] = [];
  for (const group of node.groups) merge(groups, group);
  const restless: Node[] = [];
  for (const child of node.children) {
    settle(child);
    const step = child.step as TextStep;
    if (step.always) {
      restless.push(child);
      continue;
    }
    low |= step.classes.low | child.calm.low;
    high |= step.classes.high | child.calm.high;
    for (const group of child.calm.groups) merge(groups, group);
    restless.push(...child.calm.restless);
  }
  node.calm = { low, high, groups, restless };
}

function merge(groups: Group[], { aspect, rules }: Group): void {
  for (const [operator, bits] of rules.entries()) {
    for (const bit of bits ?? []) addBit(groups, aspect, operator, bit);
  }
}

function newNode(step: TextStep | null): Node {
  return { step, children: [], groups: [], aspects: 0, calm: { low: 0, high: 0, groups: [], restless: [] } };
}

function addBit(groups: Group[], aspect: number, operator: number, bit: WakeBit): void {
  let group = groups.find((one) => one.aspect === aspect);
  if (group === undefined) groups.push((group = { aspect, rules: [], operators: [], words: [], masks: [] }));
  const known = group.rules[operator];
  group.rules[operator] = known === undefined ? [bit] : [...known, bit];
  if (known !== undefined) return;
  group.operators.push(operator);
  const word = operator >>> 5;
  let at = group.words.indexOf(word);
  if (at === -1) {
    at = group.words.push(word) - 1;
    group.masks.push(0);
  }
  group.masks[at] = (group.masks[at] ?? 0) | (1 << (operator & 31));
}

function childOf(node: Node, step: TextStep): Node {
  const known = node.children.find((child) => child.step === step);
  if (known !== undefined) return known;
  const child = newNode(step);
  node.children.push(child);
  return child;
}
