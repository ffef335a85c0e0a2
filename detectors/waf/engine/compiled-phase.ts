/** The rules of one phase, and which of them the values of a request wake. */
import { type Bits, emptyBits, setBit } from './bits.ts';
import type { CompiledRule, WakeBit } from './compiled-rule.ts';
import { entriesOf, type Selection } from './selection.ts';
import type { TransactionState } from './transaction-state.ts';
import { scalarCount, scalarText } from './variables.ts';
import type { WakeIndex } from './wake-index.ts';

/** What asking for the bits of a text costs besides its characters, in characters. */
const workPerText = 8;

/** One scalar or selection, and the bits of the rules that look at it. */
interface Waker {
  /** Number of the scalar, or of the selection behind all scalars. */
  readonly number: number;
  /** The same of its family: where the wake index knows its values from. */
  readonly place: number;
  /** Null: it is a scalar. */
  readonly selection: Selection | null;
  readonly rules: Bits;
  /** The words of `rules` that are not 0, by number: most wakers have few. */
  readonly words: number[];
}

export class CompiledPhase {
  /** In the order in which they are run; the position of a rule is its bit. */
  readonly rules: CompiledRule[] = [];
  readonly #index: WakeIndex;
  /** The phase's first word among the words of all phases. */
  readonly #firstWord: number;
  /** Rules that are always run. */
  readonly #always: Bits;
  readonly #wakers: Waker[] = [];
  /** Reused: a phase is run to its end before the next transaction's begins. */
  readonly #awake: Bits;

  /** `size`: how many rules there will be. */
  constructor(index: WakeIndex, firstWord: number, size: number) {
    const words = Math.ceil(size / 32);
    this.#index = index;
    this.#firstWord = firstWord;
    this.#always = emptyBits(words);
    this.#awake = emptyBits(words);
  }

  get words(): number {
    return this.#always.length;
  }

  /** The bit of the rule that is added next, as the wake index has it. */
  nextBit(): WakeBit {
    const position = this.rules.length;
    return { word: this.#firstWord + (position >>> 5), mask: 1 << (position & 31) };
  }

  add(rule: CompiledRule): void {
    const position = this.rules.push(rule) - 1;
    const { sleep, operator, chain, targets } = rule;
    if (sleep === null || operator === null) {
      setBit(this.#always, position);
      return;
    }
    const places: number[] = [];
    for (const target of targets) {
      if (target.kind !== 'scalar' && target.kind !== 'selection') continue;
      const selection = target.kind === 'selection' ? target.selection : null;
      const waker = this.#waker(target.kind === 'scalar' ? target.number : -1, selection);
      setBit(waker.rules, position);
      if (!waker.words.includes(position >>> 5)) waker.words.push(position >>> 5);
      places.push(waker.place);
    }
    this.#index.add({ operator: operator.number, chain, bit: sleep, places });
  }

  /** The bits of the rules to run, good until the next call; not all of them when the time budget is used up. */
  wake(state: TransactionState): Bits {
    const { budget } = state;
    const awake = this.#awake;
    for (let word = 0; word < awake.length; word++) awake[word] = this.#always[word] ?? 0;
    for (const waker of this.#wakers) {
      const { place, selection } = waker;
      if (selection === null) {
        const text = scalarText(place, state);
        if (budget.charge(workPerText + text.value.length)) return awake;
        this.#add(this.#index.of(text, place), waker);
        continue;
      }
      for (const { text } of entriesOf(selection, state)) {
        if (budget.charge(workPerText + text.value.length)) return awake;
        this.#add(this.#index.of(text, place), waker);
      }
    }
    return awake;
  }

  #add(found: Bits, { rules, words }: Waker): void {
    if (found.length === 0) return;
    const awake = this.#awake;
    const first = this.#firstWord;
    for (const word of words) {
      awake[word] = (awake[word] ?? 0) | ((found[first + word] ?? 0) & (rules[word] ?? 0));
    }
  }

  #waker(scalar: number, selection: Selection | null): Waker {
    const number = selection === null ? scalar : scalarCount + selection.number;
    const known = this.#wakers.find((waker) => waker.number === number);
    if (known !== undefined) return known;
    const place = selection === null ? scalar : scalarCount + selection.family;
    const waker: Waker = { number, place, selection, rules: emptyBits(this.#always.length), words: [] };
    this.#wakers.push(waker);
    return waker;
  }
}
