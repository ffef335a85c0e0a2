/**
 * The cheap question before the regular expression: can this text match at all? It looks for one or two texts that every
 * match holds. Patterns of logs are mostly such text, so a plain walk finds them; case stays as it is written.
 */
import type { PatternNode } from '../regex/syntax.ts';

/** False: no match is possible. */
export type LiteralFilter = (text: string) => boolean;

/** Of these, every match holds one. */
type Clause = readonly string[];

/** More alternatives cost more than they spare. */
const maxAlternatives = 4;
/** A second look is worth its while for a text of this length, in UTF-16 units. */
const tellingLength = 5;

/** Null when the pattern requires no text, or none that is worth to be looked for. */
export function literalFilterOf(root: PatternNode): LiteralFilter | null {
  const clauses = clausesOf(root)
    .filter(isTelling)
    .sort((a, b) => shortestOf(b) - shortestOf(a) || a.length - b.length);
  const [first, second] = clauses;
  if (first === undefined) return null;
  const has = filterFor(first);
  if (second === undefined || shortestOf(second) < tellingLength) return has;
  const alsoHas = filterFor(second);
  return (text) => has(text) && alsoHas(text);
}

function clausesOf(node: PatternNode): Clause[] {
  const reader = new ClauseReader();
  reader.read(node);
  reader.endRun();
  return reader.clauses;
}

class ClauseReader {
  readonly clauses: Clause[] = [];
  /** Text that stands without a gap up to here. */
  #run = '';

  read(node: PatternNode): void {
    switch (node.kind) {
      case 'empty':
      case 'position':
        return;
      case 'char':
        return this.#char(node.set);
      case 'capture':
        return this.read(node.body);
      case 'sequence':
        for (const part of node.parts) this.read(part);
        return;
      case 'choice':
        this.endRun();
        return this.#choice(node.branches);
      case 'repeat':
        this.endRun();
        if (node.min > 0) this.clauses.push(...clausesOf(node.body));
        return;
      default:
        return node satisfies never;
    }
  }

  endRun(): void {
    if (this.#run !== '') this.clauses.push([this.#run]);
    this.#run = '';
  }

  #char(set: readonly number[]): void {
    const [low = 0, high] = set;
    if (set.length === 2 && low === high) this.#run += String.fromCodePoint(low);
    else this.endRun();
  }

  /** The most telling clause of each branch, all in one. */
  #choice(branches: readonly PatternNode[]): void {
    if (branches.length > maxAlternatives) return;
    const union: string[] = [];
    for (const branch of branches) {
      const [best] = clausesOf(branch).sort((a, b) => shortestOf(b) - shortestOf(a));
      if (best === undefined) return;
      union.push(...best);
    }
    this.clauses.push(union);
  }
}

/** A single letter, digit or space is in nearly every line. */
function isTelling(clause: Clause): boolean {
  return clause.length <= maxAlternatives && clause.every((text) => text.length > 1 || !/[\w ]/.test(text));
}

function shortestOf(clause: Clause): number {
  return clause.reduce((least, text) => Math.min(least, text.length), Infinity);
}

function filterFor(clause: Clause): LiteralFilter {
  const [only] = clause;
  if (clause.length === 1 && only !== undefined) return (text) => text.includes(only);
  return (text) => {
    for (const literal of clause) if (text.includes(literal)) return true;
    return false;
  };
}
