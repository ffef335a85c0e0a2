/**
 * Hundreds of filters at the price of those that the kind of event concerns. Filters mostly begin by asking for one kind
 * (`evt.Meta.service`, `evt.Meta.log_type`); an event's values there leave few of them, and for those alone an index of their
 * literals is made when the first such event arrives. What does not ask for a kind is in every one.
 */
import type { Clause } from '../documents/filter-clauses.ts';
import { clausesOf } from '../documents/filter-clauses.ts';
import { createFilterIndex, type FilterIndex } from '../documents/filter-index.ts';
import type { Event } from '../event.ts';
import type { Expression } from '../expr/compile.ts';
import type { DataFiles } from '../expr/data-files.ts';

type Filter = Pick<Expression, 'ast'>;

/** Fewer filters are looked up at once: their sets of bits are two words. */
const fewFilters = 64;

/** Most fields that tell kinds apart, and the share of the filters that must ask for one. */
const mostFields = 3;
const leastShare = 1 / 8;

/** Most indexes made, and most kinds told apart: a parser may copy into such a field what an attacker writes. */
const mostIndexes = 256;
const mostKinds = 65_536;

/** The name of the index that serves when there are too many. */
const allOfThem = '*';

/** A field that tells kinds apart. */
interface KindField {
  readonly map: 'Meta' | 'Parsed' | 'Enriched';
  readonly key: string;
  /** Number of each value that some filter asks for, from 1; all others are 0. */
  readonly numbers: ReadonlyMap<string, number>;
  /** By filter: the values one of which it needs, or null when it does not ask. */
  readonly needed: readonly (ReadonlySet<string> | null)[];
}

/** The index of some of the filters. */
interface Part {
  readonly index: FilterIndex;
  /** Positions among all filters, ascending. */
  readonly positions: readonly number[];
}

/** An index of `filters`, by position; arguments as for `createFilterIndex`. */
export function createKindIndex(
  filters: readonly Filter[],
  writtenPaths: ReadonlySet<string>,
  files: DataFiles,
): FilterIndex {
  const create = (some: readonly Filter[]): FilterIndex => createFilterIndex(some, writtenPaths, files);
  if (filters.length <= fewFilters) return create(filters);
  const fields = kindFields(filters.map(({ ast }) => clausesOf(ast, files, writtenPaths)));
  return fields.length === 0 ? create(filters) : new KindIndex(filters, fields, create);
}

class KindIndex implements FilterIndex {
  private readonly filters: readonly Filter[];
  private readonly fields: readonly KindField[];
  private readonly create: (filters: readonly Filter[]) => FilterIndex;
  /** By the number of the kind. */
  private readonly kinds = new Map<number, Part>();
  /** By the positions of its filters: kinds that concern the same filters share an index. */
  private readonly parts = new Map<string, Part>();
  private readonly found: number[] = [];

  constructor(
    filters: readonly Filter[],
    fields: readonly KindField[],
    create: (filters: readonly Filter[]) => FilterIndex,
  ) {
    this.filters = filters;
    this.fields = fields;
    this.create = create;
  }

  candidates(event: Event): readonly number[] {
    let kind = 0;
    for (const { map, key, numbers } of this.fields) {
      kind = kind * (numbers.size + 1) + (numbers.get(event[map][key] ?? '') ?? 0);
    }
    const { index, positions } = this.kinds.get(kind) ?? this.partFor(kind, event);
    const { found } = this;
    found.length = 0;
    for (const position of index.candidates(event)) found.push(positions[position] as number);
    return found;
  }

  private partFor(kind: number, event: Event): Part {
    const concerned = this.filters.flatMap((_, position) => (this.concerns(position, event) ? [position] : []));
    const own = concerned.join();
    const full = this.parts.size >= mostIndexes && !this.parts.has(own);
    const name = full ? allOfThem : own;
    const part = this.parts.get(name) ?? this.makePart(full ? [...this.filters.keys()] : concerned);
    this.parts.set(name, part);
    this.kinds.set(kind, part);
    return part;
  }

  private makePart(positions: readonly number[]): Part {
    return { index: this.create(positions.map((position) => this.filters[position] as Filter)), positions };
  }

  private concerns(position: number, event: Event): boolean {
    return this.fields.every(({ map, key, needed }) => needed[position]?.has(event[map][key] ?? '') ?? true);
  }
}

/** The fields for which most filters ask exact values. */
function kindFields(clauses: readonly (readonly Clause[])[]): readonly KindField[] {
  const asking = new Map<string, (ReadonlySet<string> | null)[]>();
  for (const [position, needs] of clauses.entries()) {
    for (const clause of needs) {
      const path = soleField(clause);
      if (path === null) continue;
      const needed = asking.get(path) ?? clauses.map(() => null);
      asking.set(path, needed);
      needed[position] ??= new Set(clause.map(({ value }) => value));
    }
  }
  const askers = (needed: readonly (ReadonlySet<string> | null)[]): number =>
    needed.filter((each) => each !== null).length;
  const chosen: KindField[] = [];
  let kinds = 1;
  for (const [path, needed] of [...asking].sort(([, left], [, right]) => askers(right) - askers(left))) {
    const [, map = '', ...key] = path.split('.');
    const values = [...new Set(needed.flatMap((each) => (each === null ? [] : [...each])))];
    kinds *= values.length + 1;
    if (chosen.length === mostFields || askers(needed) < clauses.length * leastShare || kinds > mostKinds) break;
    const numbers = new Map(values.map((value, index) => [value, index + 1]));
    chosen.push({ map: map as KindField['map'], key: key.join('.'), numbers, needed });
  }
  return chosen;
}

/** The field whose exact value the clause asks for, when it asks for nothing else. */
function soleField(clause: Clause): string | null {
  const path = clause[0]?.path ?? null;
  return clause.every((atom) => atom.kind === 'equals' && atom.path === path) ? path : null;
}
