/**
 * RE2's matching, step by step, for the few patterns in which JavaScript would remember other groups or end elsewhere (see
 * `needsReplay`). V8 has found by then that there is a match, and where it starts at the earliest; this finds its end and
 * its groups. A Thompson machine after RE2's and Go's: every position is read once and a state is entered once per position,
 * so the time is bounded by text length × program length whatever the pattern.
 */
import { setHas } from './char-set.ts';
import { type Instruction, programOf } from './pattern-program.ts';
import type { PatternNode, Position, Subject } from './syntax.ts';

/** Where a match and its groups lie: two offsets for each group, whole match first, -1 for a group that took no part. */
export type MatchSlots = Int32Array;

export class ReplayMatcher {
  readonly #program: readonly Instruction[];
  readonly #slotCount: number;
  readonly #wide: boolean;

  /** @throws GatewayError PATTERN_INVALID when the program is too large. `written` is for the message. */
  constructor(root: PatternNode, groupCount: number, subject: Subject, written: string) {
    this.#program = programOf(root, written);
    this.#slotCount = groupCount * 2;
    this.#wide = subject === 'text';
  }

  /** The leftmost match that starts at `from` or after it, as RE2 chooses it. */
  find(text: string, from: number): MatchSlots | null {
    const length = this.#program.length;
    let current = new ThreadList(length, this.#slotCount);
    let next = new ThreadList(length, this.#slotCount);
    const seed = new Int32Array(this.#slotCount).fill(-1);
    let found: MatchSlots | null = null;
    for (let at = this.#wide && isInsidePair(text, from) ? from + 1 : from; at <= text.length; ) {
      if (found === null) {
        seed[0] = at;
        this.#enter(current, 0, text, at, seed);
      }
      if (current.size === 0 && found !== null) break;
      const point = at < text.length ? this.#pointAt(text, at) : -1;
      const after = at + (point > 0xffff ? 2 : 1);
      for (let index = 0; index < current.size; index++) {
        const state = current.states[index] ?? 0;
        const instruction = this.#program[state];
        if (instruction?.op === 'match') {
          found = current.slotsOf(state).slice();
          found[1] = at;
          break;
        }
        if (instruction?.op === 'char' && point !== -1 && setHas(instruction.set, point)) {
          this.#enter(next, state + 1, text, after, current.slotsOf(state));
        }
      }
      current.clear();
      [current, next] = [next, current];
      at = after;
    }
    return found;
  }

  #pointAt(text: string, at: number): number {
    return this.#wide ? (text.codePointAt(at) ?? 0) : text.charCodeAt(at);
  }

  /** Adds every state reachable from `start` without reading a character, in order of preference. */
  #enter(list: ThreadList, start: number, text: string, at: number, seed: Int32Array): void {
    const slots = list.scratch;
    slots.set(seed);
    // A negative entry restores a slot after the branch that changed it: ~slot, then the old value below it.
    const pending: number[] = [start];
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      if (state < 0) {
        slots[~state] = pending.pop() ?? -1;
        continue;
      }
      if (!list.visit(state)) continue;
      const instruction = this.#program[state];
      if (instruction === undefined) continue;
      switch (instruction.op) {
        case 'jump':
          pending.push(instruction.to);
          break;
        case 'split':
          pending.push(instruction.second, instruction.first);
          break;
        case 'save':
          pending.push(slots[instruction.slot] ?? -1, ~instruction.slot, state + 1);
          slots[instruction.slot] = at;
          break;
        case 'position':
          if (holdsAt(instruction.at, text, at)) pending.push(state + 1);
          break;
        case 'char':
        case 'match':
          list.keep(state, slots);
          break;
        default:
          instruction satisfies never;
      }
    }
  }
}

/** The states alive at one position, in order of preference, each with its groups. */
class ThreadList {
  readonly states: Uint32Array;
  readonly scratch: Int32Array;
  readonly #slots: Int32Array;
  readonly #slotCount: number;
  readonly #visited: Uint32Array;
  #round = 1;
  size = 0;

  constructor(length: number, slotCount: number) {
    this.states = new Uint32Array(length);
    this.scratch = new Int32Array(slotCount);
    this.#slots = new Int32Array(length * slotCount);
    this.#slotCount = slotCount;
    this.#visited = new Uint32Array(length);
  }

  visit(state: number): boolean {
    if (this.#visited[state] === this.#round) return false;
    this.#visited[state] = this.#round;
    return true;
  }

  keep(state: number, slots: Int32Array): void {
    this.states[this.size++] = state;
    this.#slots.set(slots, state * this.#slotCount);
  }

  slotsOf(state: number): Int32Array {
    return this.#slots.subarray(state * this.#slotCount, (state + 1) * this.#slotCount);
  }

  clear(): void {
    this.size = 0;
    this.#round++;
  }
}

function isInsidePair(text: string, at: number): boolean {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

function holdsAt(position: Position, text: string, at: number): boolean {
  switch (position) {
    case 'text-start':
      return at === 0;
    case 'text-end':
      return at === text.length;
    case 'line-start':
      return at === 0 || text.charCodeAt(at - 1) === 10;
    case 'line-end':
      return at === text.length || text.charCodeAt(at) === 10;
    case 'word-edge':
      return isWord(text, at - 1) !== isWord(text, at);
    case 'not-word-edge':
      return isWord(text, at - 1) === isWord(text, at);
    default:
      return position satisfies never;
  }
}

function isWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}
