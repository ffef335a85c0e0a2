/**
 * Which rules a value could match at all. Most rules look at nothing but values of the request, with an operator that the
 * search index knows; for each text this says, as bits, which of them it or what transformations make of it could match. A
 * phase begins with the bits of the values that are there; a rule whose bit is missing is asleep and not touched. The bits stay
 * with the text: a value that comes again costs nothing, and an operator that has said no is not asked again.
 */
import type { Text } from '../text/text.ts';
import type { TextPool } from '../text/text-pool.ts';
import type { TextStep } from '../text/text-step.ts';
import type { TransformationChain, WakeBit } from './compiled-rule.ts';

/** Words of bits. Plain arrays: V8 allocates them faster than typed ones, and they hold 32 bits as well. */
export type Bits = number[];

/** Of texts that wake no rule. Shared: it has no word to write to. */
const none: Bits = [];

/** Texts after some steps: chains that begin alike share their beginning. */
interface Node {
  /** What makes this text of the parent's; null at the root. */
  readonly step: TextStep | null;
  readonly children: Node[];
  /** By operator number: the rules that try the operator on this text. */
  readonly rules: WakeBit[][];
  /** The operators that have such rules, as words of bits. */
  readonly operators: Bits;
}

export class WakeIndex {
  readonly #root: Node = { step: null, children: [], rules: [], operators: [] };
  /** Set once all operators are known. */
  #pool: TextPool | null = null;
  #words = 0;

  add(operator: number, { steps, multiMatch }: TransformationChain, bit: WakeBit): void {
    this.#words = Math.max(this.#words, bit.word + 1);
    let node = this.#root;
    for (const step of steps.steps) {
      if (multiMatch) addRule(node, operator, bit);
      node = childOf(node, step);
    }
    addRule(node, operator, bit);
  }

  open(pool: TextPool): void {
    this.#pool = pool;
  }

  /** The bits of the rules that this value may match; fewer words than there are where the last ones are empty. */
  of(text: Text): Bits {
    return (text.wake ??= this.#compute(text));
  }

  /** The rule with that bit was tried on this value and did not match. */
  ruleOut(text: Text, { word, mask }: WakeBit): void {
    const bits = text.wake;
    if (bits !== null && bits !== none) bits[word] = (bits[word] ?? 0) & ~mask;
  }

  #compute(text: Text): Bits {
    if (this.#pool === null) return none;
    const found: Bits = new Array<number>(this.#words).fill(0);
    return this.#visit(this.#pool, this.#root, text, found) ? found : none;
  }

  /** True when a rule was found. */
  #visit(pool: TextPool, node: Node, text: Text, found: Bits): boolean {
    let any = false;
    const { candidates } = text;
    const { operators } = node;
    for (let word = 0; word < operators.length; word++) {
      let rest = (candidates[word] ?? 0) & (operators[word] ?? 0);
      while (rest !== 0) {
        const lowest = rest & -rest;
        rest ^= lowest;
        any = true;
        for (const bit of node.rules[word * 32 + 31 - Math.clz32(lowest)] ?? []) {
          found[bit.word] = (found[bit.word] ?? 0) | bit.mask;
        }
      }
    }
    for (const child of node.children) {
      const step = child.step as TextStep;
      if (this.#visit(pool, child, pool.transform(text, step), found)) any = true;
    }
    return any;
  }
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

function addRule(node: Node, operator: number, bit: WakeBit): void {
  (node.rules[operator] ??= []).push(bit);
  const word = operator >>> 5;
  while (node.operators.length <= word) node.operators.push(0);
  node.operators[word] = (node.operators[word] ?? 0) | (1 << (operator & 31));
}

function childOf(node: Node, step: TextStep): Node {
  const known = node.children.find((child) => child.step === step);
  if (known !== undefined) return known;
  const child: Node = { step, children: [], rules: [], operators: [] };
  node.children.push(child);
  return child;
}
