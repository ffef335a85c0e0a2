/**
 * Which filters can be true for an event at all. The clauses that each filter needs (`filter-clauses.ts`) are sorted into
 * tables by the fields that they look at; an event looks up its few fields, finds one set of bits for each table, and what is
 * left in all of them is a candidate. Never leaves out a filter that would be true; the filter itself still decides.
 */
import type { Event, StringMap } from '../event.ts';
import type { Expression } from '../expr/compile.ts';
import type { DataFiles } from '../expr/data-files.ts';
import { type Atom, type Clause, clausesOf, selectivity, splitPath, type StringMapPath } from './filter-clauses.ts';
import { nothingRead, type Reading, TextReader } from './text-reader.ts';

export interface FilterIndex {
  /** Positions of the filters that may be true, ascending. The array is reused by the next call. */
  candidates(event: Event): readonly number[];
}

/**
 * The index of `filters`, by position. `writtenPaths` are the fields that filters write, which the index then does not trust.
 * The lists of `files` are read now: an index made before a list changes does not see the change.
 */
export function createFilterIndex(
  filters: readonly Pick<Expression, 'ast'>[],
  writtenPaths: ReadonlySet<string>,
  files: DataFiles,
): FilterIndex {
  return createClauseIndex(filters.map(({ ast }) => clausesOf(ast, files, writtenPaths)));
}

/** The index of filters whose clauses are given, by position; a filter without any is always a candidate. */
export function createClauseIndex(filters: readonly (readonly Clause[])[]): FilterIndex {
  const builder = new IndexBuilder(filters.length);
  for (const [position, clauses] of filters.entries()) builder.add(position, clauses);
  return new BitIndex(builder);
}

/** A set of filter positions, 32 to a word. */
type Bits = Uint32Array;

/** The clauses that look at the same fields in the same way; at most one of each filter. */
interface Table {
  readonly lookups: readonly Lookup[];
  /** Filters that need nothing here. */
  readonly free: Bits;
}

/** The atoms of one table about one field. */
interface Lookup {
  readonly field: number;
  readonly kind: Atom['kind'];
  /** By value for `equals`, by literal for `contains`: the filters whose clause then holds. */
  readonly hits: Map<string, Bits>;
}

/** Gathers clauses into tables. */
class IndexBuilder {
  readonly size: number;
  readonly words: number;
  readonly fields: string[] = [];
  readonly tables: Table[] = [];
  /** The literals looked for in each field, by its number. */
  readonly literals: string[][] = [];
  /** The lower-case values that each field is compared with, by its number. */
  readonly folded: Set<string>[] = [];
  private readonly byKey = new Map<string, Table>();

  constructor(size: number) {
    this.size = size;
    this.words = Math.ceil(size / 32);
  }

  add(position: number, clauses: readonly Clause[]): void {
    const chosen = new Map<string, Clause>();
    for (const clause of clauses) {
      const key = tableKey(clause);
      const rival = chosen.get(key);
      if (rival === undefined || selectivity(clause) > selectivity(rival)) chosen.set(key, clause);
    }
    for (const [key, clause] of chosen) this.place(position, this.byKey.get(key) ?? this.table(key, clause), clause);
  }

  private place(position: number, table: Table, clause: Clause): void {
    clear(table.free, position);
    for (const atom of clause) {
      const field = this.field(atom.path);
      const lookup = table.lookups.find((each) => each.field === field && each.kind === atom.kind);
      if (lookup === undefined) continue;
      let bits = lookup.hits.get(atom.value);
      if (bits === undefined) {
        bits = new Uint32Array(this.words);
        lookup.hits.set(atom.value, bits);
      }
      set(bits, position);
      if (atom.kind === 'folded') this.folded[field]?.add(atom.value);
      const literals = this.literals[field];
      if (atom.kind === 'contains' && !literals?.includes(atom.value)) literals?.push(atom.value);
    }
  }

  private table(key: string, clause: Clause): Table {
    const lookups = new Map<string, Lookup>();
    for (const { kind, path } of clause)
      lookups.set(`${kind} ${path}`, {
        field: this.field(path),
        kind,
        hits: new Map(),
      });
    const free = new Uint32Array(this.words);
    for (let position = 0; position < this.size; position++) set(free, position);
    const table = { lookups: [...lookups.values()], free };
    this.byKey.set(key, table);
    this.tables.push(table);
    return table;
  }

  private field(path: string): number {
    const known = this.fields.indexOf(path);
    if (known !== -1) return known;
    this.literals.push([]);
    this.folded.push(new Set());
    return this.fields.push(path) - 1;
  }
}

/** The kinds and fields of a clause, as one text: clauses of one text share a table. */
function tableKey(clause: Clause): string {
  return [...new Set(clause.map(({ kind, path }) => `${kind} ${path}`))].sort().join('\n');
}

/** A field of the event. */
interface Field {
  readonly map: StringMapPath;
  readonly key: string;
  /** Null for fields of which only the exact value is asked. */
  readonly reader: TextReader | null;
  /** The event that `value` is of, by number. */
  turn: number;
  value: string;
  /** What was read in the value; null until it is asked for. */
  reading: Reading | null;
}

/** A lookup with its bits by the literal's number, so that no text is hashed twice. */
interface Step {
  readonly field: Field;
  readonly kind: Atom['kind'];
  /** By value or folded value. */
  readonly byValue: ReadonlyMap<string, Bits>;
  /** By the number of the literal. */
  readonly byWord: readonly (Bits | undefined)[];
  /** All filters that this lookup can let through. */
  readonly all: Bits;
}

/** A table about one field's exact values: what each value leaves. */
interface ValueTable {
  readonly field: Field;
  readonly left: ReadonlyMap<string, Bits>;
  /** What any other value leaves. */
  readonly otherwise: Bits;
}

/** Any other table. */
interface MixedTable {
  readonly steps: readonly Step[];
  readonly free: Bits;
}

class BitIndex implements FilterIndex {
  private readonly fields: readonly Field[];
  private readonly valueTables: readonly ValueTable[];
  private readonly mixedTables: readonly MixedTable[];
  private readonly everything: Bits;
  private readonly left: Bits;
  private readonly scratch: Bits;
  private readonly positions: number[] = [];
  private turn = 0;

  constructor({ size, words, fields, literals, folded, tables }: IndexBuilder) {
    this.fields = fields.map((path, index) => fieldOf(path, literals[index] ?? [], folded[index] ?? new Set()));
    const isValueTable = ({ lookups }: Table): boolean => lookups.length === 1 && lookups[0]?.kind === 'equals';
    // Tables that concern most filters come first: what they leave makes others needless.
    const ordered = tables.toSorted((one, other) => countBits(one.free) - countBits(other.free));
    this.valueTables = ordered.filter(isValueTable).map((table) => this.valueTable(table));
    const mixed = ordered.filter((table) => !isValueTable(table));
    this.mixedTables = mixed.map(({ lookups, free }) => ({
      steps: lookups.map((lookup) => this.step(lookup, words)),
      free,
    }));
    this.left = new Uint32Array(words);
    this.scratch = new Uint32Array(words);
    this.everything = new Uint32Array(words);
    for (let position = 0; position < size; position++) set(this.everything, position);
  }

  /** Exact values first: they cost least and leave few filters, and texts are read only for tables that still matter. */
  candidates(event: Event): readonly number[] {
    const { left, scratch } = this;
    this.turn++;
    copyBits(left, this.everything);
    for (const { field, left: byValue, otherwise } of this.valueTables) {
      if (hasOthers(left, otherwise)) keepBits(left, byValue.get(this.valueOf(field, event)) ?? otherwise);
    }
    for (const { steps, free } of this.mixedTables) {
      if (!hasOthers(left, free)) continue;
      copyBits(scratch, free);
      for (const step of steps) addHits(scratch, step, this.valueOf(step.field, event));
      keepBits(left, scratch);
    }
    return this.listed(left);
  }

  private valueOf(field: Field, event: Event): string {
    if (field.turn === this.turn) return field.value;
    field.turn = this.turn;
    field.reading = null;
    return (field.value = mapOf(event, field.map)[field.key] ?? '');
  }

  private listed(bits: Bits): readonly number[] {
    const { positions } = this;
    positions.length = 0;
    for (let word = 0; word < bits.length; word++) {
      let rest = bits[word] as number;
      while (rest !== 0) {
        const lowest = rest & -rest;
        positions.push(word * 32 + 31 - Math.clz32(lowest));
        rest ^= lowest;
      }
    }
    return positions;
  }

  private valueTable({ lookups, free }: Table): ValueTable {
    const lookup = lookups[0] as Lookup;
    const left = new Map<string, Bits>();
    for (const [value, hits] of lookup.hits) {
      const bits = free.slice();
      addBits(bits, hits);
      left.set(value, bits);
    }
    return { field: this.fields[lookup.field] as Field, left, otherwise: free };
  }

  private step({ field: number, kind, hits }: Lookup, words: number): Step {
    const field = this.fields[number] as Field;
    const all = new Uint32Array(words);
    for (const bits of hits.values()) addBits(all, bits);
    const byWord = kind === 'contains' ? (field.reader?.words.map((word) => hits.get(word)) ?? []) : [];
    return { field, kind, byValue: hits, byWord, all };
  }
}

function fieldOf(path: string, words: readonly string[], folded: ReadonlySet<string>): Field {
  const reader = words.length === 0 && folded.size === 0 ? null : new TextReader(words, folded);
  return { ...splitPath(path), reader, turn: 0, value: '', reading: null };
}

function mapOf(event: Event, map: StringMapPath): StringMap {
  switch (map) {
    case 'evt.Meta':
      return event.Meta;
    case 'evt.Parsed':
      return event.Parsed;
    case 'evt.Enriched':
      return event.Enriched;
    case 'evt.Line.Labels':
      return event.Line.Labels;
    default:
      return map satisfies never;
  }
}

function readingOf(field: Field): Reading {
  return (field.reading ??= field.reader === null ? nothingRead : field.reader.read(field.value));
}

function addHits(bits: Bits, { field, kind, byValue, byWord, all }: Step, value: string): void {
  if (kind === 'equals') {
    const hits = byValue.get(value);
    if (hits !== undefined) addBits(bits, hits);
    return;
  }
  const reading = readingOf(field);
  if (reading.opaque) addBits(bits, all);
  else if (kind === 'folded') {
    const hits = byValue.get(reading.folded);
    if (hits !== undefined) addBits(bits, hits);
  } else {
    for (const word of reading.found) {
      const hits = byWord[word];
      if (hits !== undefined) addBits(bits, hits);
    }
  }
}

/** Whether bits are set besides those of `free`. */
function hasOthers(bits: Bits, free: Bits): boolean {
  for (let word = 0; word < bits.length; word++)
    if (((bits[word] as number) & ~(free[word] as number)) !== 0) return true;
  return false;
}

function countBits(bits: Bits): number {
  let count = 0;
  for (let rest of bits) for (; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** `TypedArray.set` costs more than a loop over the few words there are. */
function copyBits(bits: Bits, from: Bits): void {
  for (let word = 0; word < bits.length; word++) bits[word] = from[word] as number;
}

function addBits(bits: Bits, more: Bits): void {
  for (let word = 0; word < bits.length; word++) bits[word] = (bits[word] as number) | (more[word] as number);
}

function keepBits(bits: Bits, kept: Bits): void {
  for (let word = 0; word < bits.length; word++) bits[word] = (bits[word] as number) & (kept[word] as number);
}

function set(bits: Bits, position: number): void {
  bits[position >>> 5] = (bits[position >>> 5] as number) | (1 << (position & 31));
}

function clear(bits: Bits, position: number): void {
  bits[position >>> 5] = (bits[position >>> 5] as number) & ~(1 << (position & 31));
}
