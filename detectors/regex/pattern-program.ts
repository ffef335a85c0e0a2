/**
 * Patterns as programs for a Thompson machine: every way through the syntax tree, with counted repeats unrolled. After RE2's and
 * Go's.
 */
import type { CharSet } from './char-set.ts';
import { patternError } from './pattern-error.ts';
import { isNullable, type PatternNode, type Position } from './syntax.ts';

/** Instructions, counted repeats unrolled. */
const maxProgram = 50_000;

export type Instruction =
  | { readonly op: 'char'; readonly set: CharSet }
  | { readonly op: 'position'; readonly at: Position }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'match' };

/** @throws GatewayError PATTERN_INVALID when the program is too large. `written` is for the message. */
export function programOf(root: PatternNode, written: string): readonly Instruction[] {
  return new ProgramWriter(written).write(root);
}

class ProgramWriter {
  readonly #program: Instruction[] = [];
  readonly #written: string;

  constructor(written: string) {
    this.#written = written;
  }

  write(root: PatternNode): readonly Instruction[] {
    this.#node(root);
    this.#add({ op: 'match' });
    return this.#program;
  }

  #add<T extends Instruction>(instruction: T): T {
    if (this.#program.push(instruction) > maxProgram) {
      throw patternError(this.#written, null, 'it is too large once its counted repeats are unrolled');
    }
    return instruction;
  }

  get #here(): number {
    return this.#program.length;
  }

  #node(node: PatternNode): void {
    switch (node.kind) {
      case 'empty':
        return;
      case 'char':
        this.#add({ op: 'char', set: node.set });
        return;
      case 'position':
        this.#add({ op: 'position', at: node.at });
        return;
      case 'capture':
        this.#add({ op: 'save', slot: node.index * 2 });
        this.#node(node.body);
        this.#add({ op: 'save', slot: node.index * 2 + 1 });
        return;
      case 'sequence':
        for (const part of node.parts) this.#node(part);
        return;
      case 'choice':
        return this.#choice(node.branches);
      case 'repeat':
        return this.#repeat(node.body, node.min, node.max, node.greedy);
      default:
        node satisfies never;
    }
  }

  #choice(branches: readonly PatternNode[]): void {
    const leaving: { to: number }[] = [];
    for (const [index, branch] of branches.entries()) {
      if (index === branches.length - 1) {
        this.#node(branch);
        break;
      }
      const split = this.#split();
      split.first = this.#here;
      this.#node(branch);
      leaving.push(this.#add({ op: 'jump', to: 0 }));
      split.second = this.#here;
    }
    for (const jump of leaving) jump.to = this.#here;
  }

  #repeat(body: PatternNode, min: number, max: number, greedy: boolean): void {
    if (max === Infinity) {
      for (let count = 1; count < min; count++) this.#node(body);
      if (min > 0) return this.#plus(body, greedy);
      if (!isNullable(body)) return this.#star(body, greedy);
      // RE2 and Go: with a body that can match nothing, `x*` is `(x+)?`, or the order of preference would be wrong.
      const split = this.#split();
      this.#aim(split, greedy, this.#here);
      this.#plus(body, greedy);
      this.#aim(split, !greedy, this.#here);
      return;
    }
    for (let count = 0; count < min; count++) this.#node(body);
    const splits: SplitInstruction[] = [];
    for (let count = min; count < max; count++) {
      const split = this.#split();
      this.#aim(split, greedy, this.#here);
      splits.push(split);
      this.#node(body);
    }
    for (const split of splits) this.#aim(split, !greedy, this.#here);
  }

  #plus(body: PatternNode, greedy: boolean): void {
    const start = this.#here;
    this.#node(body);
    const split = this.#split();
    this.#aim(split, greedy, start);
    this.#aim(split, !greedy, this.#here);
  }

  #star(body: PatternNode, greedy: boolean): void {
    const start = this.#here;
    const split = this.#split();
    this.#aim(split, greedy, this.#here);
    this.#node(body);
    this.#add({ op: 'jump', to: start });
    this.#aim(split, !greedy, this.#here);
  }

  #split(): SplitInstruction {
    return this.#add({ op: 'split', first: 0, second: 0 });
  }

  #aim(split: SplitInstruction, first: boolean, to: number): void {
    if (first) split.first = to;
    else split.second = to;
  }
}

type SplitInstruction = Extract<Instruction, { op: 'split' }>;
