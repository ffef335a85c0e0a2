/**
 * What the rules about one place do to its values, as a tree: a node is the text after some steps of transformation, and
 * chains that begin alike share their beginning. Most texts are calm, since they hold no character that a step could change: for
 * them everything behind a node is one question.
 */
import type { Text } from '../text/text.ts';
import type { TextPool } from '../text/text-pool.ts';
import type { TextStep } from '../text/text-step.ts';
import type { Bits } from './bits.ts';
import type { TransformationChain, WakeBit } from './compiled-rule.ts';

/** Operators that are asked one by one, and the longest text that they are asked about. */
const mostAsked = 8;
const longestAsked = 256;

/** Operators that are tried on one text, and the rules that try them. */
interface Group {
  readonly operators: number[];
  /** By operator number. */
  readonly rules: (readonly WakeBit[] | undefined)[];
  /** The operators as bits: numbers of words and, at the same places, the words. */
  readonly words: number[];
  readonly masks: number[];
}

export interface WakeNode {
  /** What makes this text of the parent's; null at the root. */
  readonly step: TextStep | null;
  readonly children: WakeNode[];
  readonly group: Group;
  calm: Calm;
}

/** What becomes of a text that the steps behind a node leave as it is. */
interface Calm {
  /** Of a text without these characters that can be said. */
  readonly low: number;
  readonly high: number;
  /** The operators of the node and of all nodes behind it that then have the same text. */
  readonly group: Group;
  /** Nodes on whose way there is a step that can change every text. */
  readonly restless: readonly WakeNode[];
}

export function newTree(): WakeNode {
  return newNode(null);
}

export function addToTree(
  root: WakeNode,
  operator: number,
  { steps, multiMatch }: TransformationChain,
  bit: WakeBit,
): void {
  let node = root;
  for (const step of steps.steps) {
    if (multiMatch) addToGroup(node.group, operator, [bit]);
    node = childOf(node, step);
  }
  addToGroup(node.group, operator, [bit]);
}

/** All rules have their places: works out what calm texts need, from the leaves on. */
export function settle(node: WakeNode): void {
  let low = 0;
  let high = 0;
  const group = newGroup();
  merge(group, node.group);
  const restless: WakeNode[] = [];
  for (const child of node.children) {
    settle(child);
    const step = child.step as TextStep;
    if (step.always) {
      restless.push(child);
      continue;
    }
    low |= step.classes.low | child.calm.low;
    high |= step.classes.high | child.calm.high;
    merge(group, child.calm.group);
    restless.push(...child.calm.restless);
  }
  node.calm = { low, high, group, restless };
}

/** Adds the bits of the rules that the text may match. True when there are any. */
export function wakeIn(node: WakeNode, text: Text, pool: TextPool, found: Bits): boolean {
  const { calm } = node;
  const isCalm = ((text.low & calm.low) | (text.high & calm.high)) === 0;
  const children = isCalm ? calm.restless : node.children;
  let any = collect(isCalm ? calm.group : node.group, text, found);
  for (const child of children) {
    if (wakeIn(child, pool.transform(text, child.step as TextStep), pool, found)) any = true;
  }
  return any;
}

function collect(group: Group, text: Text, found: Bits): boolean {
  const { operators } = group;
  if (operators.length === 0) return false;
  if (operators.length > mostAsked || text.isSearched || text.value.length > longestAsked) {
    return collectFound(group, text.candidates, found);
  }
  // To search the text for all operators takes longer than to ask these few what they need.
  let any = false;
  for (const operator of operators) {
    if (!text.couldMatch(operator)) continue;
    any = true;
    wake(group.rules[operator], found);
  }
  return any;
}

function collectFound({ words, masks, rules }: Group, candidates: Uint32Array, found: Bits): boolean {
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

function newNode(step: TextStep | null): WakeNode {
  return { step, children: [], group: newGroup(), calm: { low: 0, high: 0, group: newGroup(), restless: [] } };
}

function newGroup(): Group {
  return { operators: [], rules: [], words: [], masks: [] };
}

function merge(group: Group, { operators, rules }: Group): void {
  for (const operator of operators) addToGroup(group, operator, rules[operator] ?? []);
}

function addToGroup(group: Group, operator: number, bits: readonly WakeBit[]): void {
  const known = group.rules[operator];
  group.rules[operator] = known === undefined ? bits : [...known, ...bits];
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

function childOf(node: WakeNode, step: TextStep): WakeNode {
  const known = node.children.find((child) => child.step === step);
  if (known !== undefined) return known;
  const child = newNode(step);
  node.children.push(child);
  return child;
}
