/**
 * Which rules a value could match at all. Most rules look at nothing but values of the request, with an operator that the
 * search index knows; for each text this says, as bits, which of them it or what transformations make of it could match. A
 * phase begins with the bits of the values that are there; a rule whose bit is missing is asleep and not touched. The bits stay
 * with the text: a value that comes again costs nothing, and an operator that has said no is not asked again.
 *
 * Where a value comes from is its place: all arguments, a header, a scalar. Each place has a tree of the transformations that
 * rules about it apply, so that a text is transformed and searched only as far as those rules want it.
 */
import type { Text } from '../text/text.ts';
import type { TextPool } from '../text/text-pool.ts';
import type { TransformationChain, WakeBit } from './compiled-rule.ts';
import { type Bits, emptyBits } from './bits.ts';
import { addToTree, newTree, settle, type WakeNode, wakeIn } from './wake-tree.ts';

/** Of texts that wake no rule. Shared: it has no word to write to. */
const none: Bits = [];

interface IndexedRule {
  readonly operator: number;
  readonly chain: TransformationChain;
  readonly bit: WakeBit;
  /** As numbers. */
  readonly places: readonly number[];
}

interface Place {
  readonly tree: WakeNode;
  rules: number;
  /** Its bit in what a text remembers; neither: it remembers nothing of this place. */
  low: number;
  high: number;
}

export class WakeIndex {
  readonly #places: (Place | undefined)[] = [];
  /** No rule, in as many words as there are: to be copied. */
  #blank: Bits = [];
  #pool: TextPool | null = null;

  add({ operator, chain, bit, places }: IndexedRule): void {
    if (this.#blank.length <= bit.word) this.#blank = emptyBits(bit.word + 1);
    for (const number of new Set(places)) {
      const place = (this.#places[number] ??= { tree: newTree(), rules: 0, low: 0, high: 0 });
      place.rules++;
      addToTree(place.tree, operator, chain, bit);
    }
  }

  /** All rules are known. */
  finish(pool: TextPool): void {
    this.#pool = pool;
    const places = this.#places.flatMap((place) => place ?? []).toSorted((one, other) => other.rules - one.rules);
    for (const [index, place] of places.entries()) {
      settle(place.tree);
      if (index < 32) place.low = 1 << index;
      else if (index < 64) place.high = 1 << (index - 32);
    }
  }

  /** The bits of the rules that a value of that place may match, and of some others. */
  of(text: Text, number: number): Bits {
    const place = this.#places[number];
    if (place === undefined) return none;
    if (((text.wakePlaces & place.low) | (text.wakePlacesHigh & place.high)) !== 0) return text.wake ?? none;
    return this.#extend(text, place);
  }

  /** The rule with that bit was tried on this value and did not match. */
  ruleOut(text: Text, { word, mask }: WakeBit): void {
    const bits = text.wake;
    if (bits !== null && bits !== none) bits[word] = (bits[word] ?? 0) & ~mask;
  }

  #extend(text: Text, { tree, low, high }: Place): Bits {
    const pool = this.#pool;
    if (pool === null) return none;
    const known = text.wake === null || text.wake === none ? null : text.wake;
    const bits = known ?? this.#blank.slice();
    const found = wakeIn(tree, text, pool, bits);
    text.wake = known !== null || found ? bits : none;
    text.wakePlaces |= low;
    text.wakePlacesHigh |= high;
    return text.wake;
  }
}

/** True when the value may match the rule with that bit. The bits of the value are there: its phase began with them. */
export function isAwake(text: Text, { word, mask }: WakeBit): boolean {
  const bits = text.wake;
  return bits === null || ((bits[word] ?? 0) & mask) !== 0;
}
