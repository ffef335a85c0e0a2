/**
 * Which nodes of a stage may match an event. With a whole hub installed most filters ask for one `program`, so the nodes are
 * found by what their filters compare; nodes whose filter cannot hold are not evaluated, which nobody can tell: they fail
 * either way. A node that changes what others compare has the rest looked up anew.
 */
import { type Clause, clausesOf, splitPath } from '../documents/filter-clauses.ts';
import { createClauseIndex, type FilterIndex } from '../documents/filter-index.ts';
import type { Event } from '../event.ts';
import type { DataFiles } from '../expr/data-files.ts';
import type { CompiledParser } from './compile-parser.ts';

/** Positions of nodes, ascending; -1 when there is no other. One walk at a time. */
export interface StageIndex {
  first(event: Event): number;
  /** The next after `position`; `entered` says whether that node's filter held. */
  next(event: Event, position: number, entered: boolean): number;
}

/** Looking up costs as much as this many filters. */
const leastNodes = 6;

export function createStageIndex(parsers: readonly CompiledParser[], files: DataFiles): StageIndex {
  if (parsers.length < leastNodes) return everyNode(parsers.length);
  const clauses = cheapClauses(
    parsers.map(({ node }) => (node.filter === null ? [] : clausesOf(node.filter.ast, files, new Set()))),
  );
  if (clauses.every((needed) => needed.length === 0)) return everyNode(parsers.length);
  const compared = new Set(clauses.flat(2).map(({ path }) => path));
  return new ClauseStageIndex(createClauseIndex(clauses), parsers, compared);
}

function everyNode(count: number): StageIndex {
  return {
    first: () => (count === 0 ? -1 : 0),
    next: (_event, position) => (position + 1 < count ? position + 1 : -1),
  };
}

/**
 * Without the clauses that search a field of which nobody compares the whole value: such a field is long (the message), and
 * searching it costs more than the few filters that would be left out.
 */
function cheapClauses(filters: readonly (readonly Clause[])[]): readonly (readonly Clause[])[] {
  const atoms = filters.flat(2);
  const compared = new Set(atoms.filter(({ kind }) => kind !== 'contains').map(({ path }) => path));
  return filters.map((clauses) => clauses.filter((clause) => clause.every(({ path }) => compared.has(path))));
}

class ClauseStageIndex implements StageIndex {
  private readonly index: FilterIndex;
  /** By position: whether the node changes what filters compare, when it is entered and already by its filter. */
  private readonly changes: readonly boolean[];
  private readonly filterChanges: readonly boolean[];
  private candidates: readonly number[] = [];
  private cursor = 0;

  constructor(index: FilterIndex, parsers: readonly CompiledParser[], compared: ReadonlySet<string>) {
    this.index = index;
    this.changes = parsers.map(({ writes }) => touches(writes, compared));
    this.filterChanges = parsers.map(({ node }) => node.filter !== null && touches(node.filter.writes, compared));
  }

  first(event: Event): number {
    this.candidates = this.index.candidates(event);
    this.cursor = 0;
    return this.candidates[0] ?? -1;
  }

  next(event: Event, position: number, entered: boolean): number {
    const changed = entered ? this.changes[position] : this.filterChanges[position];
    if (changed === true) {
      this.candidates = this.index.candidates(event);
      this.cursor = 0;
      while ((this.candidates[this.cursor] ?? position + 1) <= position) this.cursor++;
    } else this.cursor++;
    return this.candidates[this.cursor] ?? -1;
  }
}

/** Whether one of the paths written may be one of those compared. */
function touches(written: ReadonlySet<string>, compared: ReadonlySet<string>): boolean {
  for (const path of compared) {
    const { map } = splitPath(path);
    if (written.has(path) || written.has(map) || written.has(`${map}.*`) || written.has('evt')) return true;
  }
  return false;
}
