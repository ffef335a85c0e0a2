/**
 * `LazyAutomaton`: whether a pattern of bytes occurs in a long text, at a few nanoseconds for each character whatever the text is. V8's
 * linear engine, which it falls back to where its backtracking one would take too long, takes some microseconds. States are
 * made when a text first leads to them, and kept for the next one; a text that leads to too many is left to V8. After RE2's
 * `dfa.cc`.
 */
import { type CharSet, setHas, wordChars } from './char-set.ts';
import { type Instruction, programOf } from './pattern-program.ts';
import type { PatternNode, Position } from './syntax.ts';

/** What stands before or behind a place, as far as assertions want to know. */
const edge = 0;
const wordCharacter = 1;
const lineEnd = 2;
const otherCharacter = 3;

/** Transitions that one text may make us work out: so many, and one more for each so many characters. */
const freeTransitions = 128;
const charactersPerTransition = 16;
/** Bytes of a state besides its lists, about. */
const stateBytes = 128;

interface State {
  /** Where the program is: behind the characters that were read, in order. */
  readonly places: Int32Array;
  /** The kind of the last character. */
  readonly before: number;
  /** By class of the next character, the end of the text last. */
  readonly next: (State | null | undefined)[];
}

/** In place of a state: the pattern has occurred. */
const matched: State = { places: new Int32Array(0), before: edge, next: [] };

/** What is known of where a pattern occurs. */
export interface MatchPlace {
  /** Every match begins here or later. */
  readonly from: number;
  /** The one that ends first does so here or one character before; -1: there is none. */
  readonly end: number;
}

const nowhere: MatchPlace = { from: 0, end: -1 };

/** What the automata of a rule set may keep together, in bytes. */
export class AutomatonMemory {
  readonly #limit: number;
  readonly #members: LazyAutomaton[] = [];
  #bytes = 0;

  constructor(limit: number = 16 * 1024 ** 2) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  join(member: LazyAutomaton): void {
    this.#members.push(member);
  }

  /** When it is too much, all begin anew: those that are needed are soon back. */
  take(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#limit) return;
    this.#bytes = bytes;
    for (const member of this.#members) member.forget();
  }
}

export class LazyAutomaton {
  readonly #program: readonly Instruction[];
  readonly #classes: CharClassMap;
  readonly #memory: AutomatonMemory;
  /** The class that stands for the end of the text. */
  readonly #end: number;
  readonly #states = new Map<number, State[]>();
  /** Where a match that begins here gets to, by the kind before and the class behind; null: it is over already. */
  readonly #begins: (Int32Array | null | undefined)[] = [];
  #start: State | null = null;
  #tied: boolean | null = null;
  /** By place of the program: the round in which it was last visited, or entered as a target. */
  readonly #visited: Uint32Array;
  readonly #entered: Uint32Array;
  #round = 0;
  readonly #targets: number[] = [];
  readonly #pending: number[] = [];

  /** @throws GatewayError PATTERN_INVALID when the program is too large. `written` is for the message. */
  constructor(root: PatternNode, written: string, memory: AutomatonMemory) {
    this.#program = programOf(root, written);
    this.#classes = new CharClassMap(this.#program);
    this.#end = this.#classes.count;
    this.#visited = new Uint32Array(this.#program.length + 1);
    this.#entered = new Uint32Array(this.#program.length + 1);
    this.#memory = memory;
    memory.join(this);
  }

  /** Null: this text makes too many states; ask somebody else. */
  test(text: string): boolean | null {
    const place = this.find(text);
    return place === null ? null : place.end !== -1;
  }

  /** Null as for `test`. */
  find(text: string): MatchPlace | null {
    const { classOf } = this.#classes;
    let left = freeTransitions + text.length / charactersPerTransition;
    let from = 0;
    let state = (this.#start ??= this.#stateOf([], this.#classes.startKind));
    for (let at = 0; at < text.length; at++) {
      const code = classOf[text.charCodeAt(at) & 0xff] ?? 0;
      let next = state.next[code];
      if (next === undefined) {
        if (--left < 0) return null;
        next = this.#follow(state, code);
      }
      if (next === matched) return { from, end: at };
      if (next === null) return nowhere;
      state = next;
      if (state.places.length === 0) from = at + 1;
    }
    let last = state.next[this.#end];
    if (last === undefined) last = this.#follow(state, this.#end);
    return last === matched ? { from, end: text.length } : nowhere;
  }

  /** Lets go of all states. One that is being read goes on. */
  forget(): void {
    this.#states.clear();
    this.#start = null;
  }

  #follow(state: State, code: number): State | null {
    const next = this.#step(state, code);
    state.next[code] = next;
    return next;
  }

  /** The state behind a character of that class; null: nothing can match any more. */
  #step({ places, before }: State, code: number): State | null {
    const targets = this.#targets;
    targets.length = 0;
    this.#nextRound();
    for (const place of places) if (!this.#enter(place, before, code)) return matched;
    const begun = this.#beginning(before, code);
    if (begun === null) return matched;
    if (code === this.#end) return null;
    for (const target of begun) this.#keep(target);
    const kind = this.#classes.kindOf[code] ?? otherCharacter;
    if (targets.length === 0 && (this.#tied ??= this.#isTied())) return null;
    return this.#stateOf(targets, kind);
  }

  /** Where a match that begins before a character of that class is behind it; null: it needs no character. */
  #beginning(before: number, code: number): Int32Array | null {
    const key = before * (this.#end + 1) + code;
    const known = this.#begins[key];
    if (known !== undefined) return known;
    const kept = this.#targets.splice(0);
    this.#nextRound();
    const found = this.#enter(0, before, code) ? Int32Array.from(this.#targets) : null;
    this.#begins[key] = found;
    this.#nextRound();
    this.#targets.length = 0;
    for (const target of kept) this.#keep(target);
    return found;
  }

  /** The pattern is tied to the text's start: behind a character no match begins. */
  #isTied(): boolean {
    for (const before of new Set(this.#classes.kindOf)) {
      for (let code = 0; code <= this.#end; code++) {
        const begun = this.#beginning(before, code);
        if (begun === null || begun.length > 0) return false;
      }
    }
    return true;
  }

  /** Follows the program from a place over one character of that class. False: it has come to its end before. */
  #enter(place: number, before: number, code: number): boolean {
    const pending = this.#pending;
    const behind = code === this.#end ? edge : (this.#classes.kindOf[code] ?? otherCharacter);
    pending.length = 0;
    pending.push(place);
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (this.#visited[at] === this.#round) continue;
      this.#visited[at] = this.#round;
      const instruction = this.#program[at];
      if (instruction === undefined) continue;
      switch (instruction.op) {
        case 'jump':
          pending.push(instruction.to);
          break;
        case 'split':
          pending.push(instruction.second, instruction.first);
          break;
        case 'save':
          pending.push(at + 1);
          break;
        case 'position':
          if (holds(instruction.at, before, behind)) pending.push(at + 1);
          break;
        case 'char':
          if (code !== this.#end && this.#classes.has(instruction.set, code)) this.#keep(at + 1);
          break;
        case 'match':
          return false;
        default:
          instruction satisfies never;
      }
    }
    return true;
  }

  #keep(target: number): void {
    if (this.#entered[target] === this.#round) return;
    this.#entered[target] = this.#round;
    this.#targets.push(target);
  }

  #nextRound(): void {
    if (this.#round === 0xffff_ffff) {
      this.#visited.fill(0);
      this.#entered.fill(0);
      this.#round = 0;
    }
    this.#round++;
  }

  #stateOf(targets: readonly number[], before: number): State {
    const places = Int32Array.from(targets).sort();
    let hash = before;
    for (const place of places) hash = Math.imul(hash ^ place, 0x01000193);
    let bucket = this.#states.get(hash);
    if (bucket === undefined) this.#states.set(hash, (bucket = []));
    const known = bucket.find((state) => state.before === before && sameAs(state.places, places));
    if (known !== undefined) return known;
    const state: State = { places, before, next: Array.from({ length: this.#end + 1 }, () => undefined) };
    bucket.push(state);
    this.#memory.take(stateBytes + places.byteLength + state.next.length * 8);
    return state;
  }
}

/** Characters that no part of the program tells apart are one class. */
class CharClassMap {
  readonly count: number;
  /** By byte. */
  readonly classOf = new Uint8Array(256);
  /** By class. */
  readonly kindOf: Uint8Array;
  /** What stands before a text. */
  readonly startKind: number;
  readonly #members = new Map<CharSet, Uint8Array>();

  constructor(program: readonly Instruction[]) {
    const positions = new Set<Position>();
    const sets = new Map<string | number, CharSet>();
    for (const instruction of program) {
      if (instruction.op === 'position') positions.add(instruction.at);
      else if (instruction.op === 'char') sets.set(keyOf(instruction.set), instruction.set);
    }
    const kindOf = kindOfByte(positions);
    const classes = new Map<string, number>();
    const first: number[] = [];
    for (let byte = 0; byte < 256; byte++) {
      let signature = String(kindOf(byte));
      for (const set of sets.values()) signature += setHas(set, byte) ? '1' : '0';
      let number = classes.get(signature);
      if (number === undefined) {
        classes.set(signature, (number = classes.size));
        first.push(byte);
      }
      this.classOf[byte] = number;
    }
    this.count = first.length;
    this.kindOf = Uint8Array.from(first, kindOf);
    this.startKind = positions.size === 0 ? otherCharacter : edge;
    const tables = new Map(
      Array.from(sets, ([key, set]) => [key, Uint8Array.from(first, (byte) => (setHas(set, byte) ? 1 : 0))]),
    );
    for (const instruction of program) {
      if (instruction.op !== 'char') continue;
      const table = tables.get(keyOf(instruction.set));
      if (table !== undefined) this.#members.set(instruction.set, table);
    }
  }

  has(set: CharSet, code: number): boolean {
    return this.#members.get(set)?.[code] === 1;
  }
}

/** Equal for equal sets. Most are of one range. */
function keyOf(set: CharSet): string | number {
  return set.length === 2 ? (set[0] ?? 0) * 256 + (set[1] ?? 0) : set.join(' ');
}

/** Kinds that no assertion asks for are not told apart. */
function kindOfByte(positions: ReadonlySet<Position>): (byte: number) => number {
  const words = positions.has('word-edge') || positions.has('not-word-edge');
  const lines = positions.has('line-start') || positions.has('line-end');
  return (byte) => {
    if (words && setHas(wordChars, byte)) return wordCharacter;
    return lines && byte === 10 ? lineEnd : otherCharacter;
  };
}

function holds(position: Position, before: number, behind: number): boolean {
  switch (position) {
    case 'text-start':
      return before === edge;
    case 'text-end':
      return behind === edge;
    case 'line-start':
      return before === edge || before === lineEnd;
    case 'line-end':
      return behind === edge || behind === lineEnd;
    case 'word-edge':
      return (before === wordCharacter) !== (behind === wordCharacter);
    case 'not-word-edge':
      return (before === wordCharacter) === (behind === wordCharacter);
    default:
      return position satisfies never;
  }
}

function sameAs(one: Int32Array, other: Int32Array): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}
