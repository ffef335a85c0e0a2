/**
 * `MirrorTable`: the decisions of one Local API in about fifty bytes each, because a community blocklist as JavaScript
 * objects would cost hundreds of megabytes, twice over while a new list is compared with the old one. Rows lie in pages that
 * never move, texts of values beside them, and a hash index in 256 parts that grow each on their own: no step takes long,
 * however large the table is. Of two decisions with the same scope, type and value the table holds one.
 *
 * A row is four words, `[class, hash, place of the text, its capacity << 16 | its length]`, and two times; its class says
 * scope, type, origin and scenario. Longer than other files because all of it relies on one layout.
 */
import type { MirroredDecision, MirroredKey } from './mirrored-decision.ts';

/** A decision of the table with the time when it was first seen in this form, in epoch milliseconds. */
export interface MirroredRow extends MirroredDecision {
  readonly createdAt: number;
}

/** How many decisions the table holds of one origin. */
export interface OriginCount {
  readonly origin: string;
  readonly ipv4: number;
  readonly ipv6: number;
  /** Of other scopes. */
  readonly other: number;
}

const pageBits = 10;
const pageRows = 1 << pageBits;
const rowWords = 4;
const free = 0xffffffff;
const textPageBytes = 65_536;
/** One gigabyte of values. */
const maxTextPages = 16_384;
const shardBits = 8;
const smallestShard = 8;
/** Different combinations of scope, type, origin and scenario; what goes beyond loses the name of its scenario. */
const maxClasses = 50_000;
/** Different pairs of scope and type; what goes beyond is not taken. */
const maxPairs = 1_000;

interface RowClass extends Omit<MirroredDecision, 'value' | 'until'> {
  readonly pair: number;
  ipv4: number;
  ipv6: number;
  other: number;
}

interface Page {
  readonly words: Uint32Array;
  /** Until, and first seen. */
  readonly times: Float64Array;
}

export class MirrorTable {
  readonly #maxRows: number;
  readonly #seed: number;
  readonly #pages: Page[] = [];
  #rows = 0;
  readonly #freeRows: number[] = [];
  #size = 0;
  readonly #textPages: Buffer[] = [];
  #textUsed = textPageBytes;
  /** Row + 1; 0 is an empty slot. */
  readonly #shards: Uint32Array[];
  readonly #counts = new Uint32Array(1 << shardBits);
  readonly #classes: (RowClass | null)[] = [];
  readonly #freeClasses: number[] = [];
  /** By pair, origin and scenario: texts that are not joined need not be made for each decision. */
  readonly #classIds: Map<string, Map<string, number>>[] = [];
  #classCount = 0;
  /** By scope and type. */
  readonly #pairIds = new Map<string, Map<string, number>>();
  readonly #probe = Buffer.allocUnsafe(8_192);
  #swept = 0;

  /** `seed` keeps those who choose values from choosing places. */
  constructor(maxRows: number, seed: number) {
    this.#maxRows = maxRows;
    this.#seed = seed;
    this.#shards = Array.from({ length: 1 << shardBits }, () => new Uint32Array(smallestShard));
  }

  get size(): number {
    return this.#size;
  }

  /** The row of this decision, or -1. Rows stay what they are until they are removed. */
  find(key: MirroredKey): number {
    const pair = this.#pairIds.get(key.scope)?.get(key.type);
    if (pair === undefined) return -1;
    const length = this.#write(key.value);
    return this.#lookup(pair, length, this.#hash(pair, length));
  }

  untilOf(row: number): number {
    return this.#page(row).times[(row & (pageRows - 1)) * 2] as number;
  }

  createdAtOf(row: number): number {
    return this.#page(row).times[(row & (pageRows - 1)) * 2 + 1] as number;
  }

  setTimes(row: number, until: number, createdAt: number): void {
    const at = (row & (pageRows - 1)) * 2;
    const { times } = this.#page(row);
    times[at] = until;
    times[at + 1] = createdAt;
  }

  /** Whether origin and scenario of a row are these. */
  isSame(row: number, { origin, scenario }: Pick<MirroredDecision, 'origin' | 'scenario'>): boolean {
    const rowClass = this.#classOf(row);
    return rowClass.origin === origin && rowClass.scenario === scenario;
  }

  /** Puts a decision in the place of the one with its key. False when the table is full. */
  put(decision: MirroredDecision, createdAt: number): boolean {
    return this.#put(decision, createdAt, false);
  }

  /** As `put`, unless the one with its key lasts as long or longer. */
  putLongest(decision: MirroredDecision, createdAt: number): boolean {
    return this.#put(decision, createdAt, true);
  }

  #put(decision: MirroredDecision, createdAt: number, isLongestKept: boolean): boolean {
    const pair = this.#pairOf(decision);
    if (pair === -1) return false;
    const length = this.#write(decision.value);
    const hash = this.#hash(pair, length);
    let row = this.#lookup(pair, length, hash);
    if (row !== -1) {
      if (isLongestKept && this.untilOf(row) >= decision.until) return true;
      this.#leaveClass(row);
    } else {
      if (this.#size >= this.#maxRows || this.#textPages.length > maxTextPages) return false;
      row = this.#takeRow(length);
      this.#page(row).words[wordOf(row) + 1] = hash;
      this.#link(row, hash);
      this.#size++;
    }
    this.#enterClass(row, decision, pair);
    this.setTimes(row, decision.until, createdAt);
    return true;
  }

  read(row: number): MirroredRow {
    const { scope, type, origin, scenario } = this.#classOf(row);
    const until = this.untilOf(row);
    return { scope, type, value: this.#valueOf(row), origin, scenario, until, createdAt: this.createdAtOf(row) };
  }

  remove(row: number): void {
    this.#unlink(row);
    this.#leaveClass(row);
    this.#page(row).words[wordOf(row)] = free;
    this.#freeRows.push(row);
    this.#size--;
  }

  /** Rows are below this; those in use are the ones for which `isUsed` holds. */
  get rowLimit(): number {
    return this.#rows;
  }

  isUsed(row: number): boolean {
    return this.#page(row).words[wordOf(row)] !== free;
  }

  /** Takes out what has expired, looking at `budget` rows, and goes on from there next time. Returns how many. */
  sweep(now: number, budget: number): number {
    const before = this.#size;
    for (let looked = Math.min(budget, this.#rows); looked > 0; looked--) {
      const row = this.#swept % this.#rows;
      this.#swept = row + 1;
      if (this.isUsed(row) && this.untilOf(row) <= now) this.remove(row);
    }
    return before - this.#size;
  }

  countsByOrigin(): readonly OriginCount[] {
    const counts = new Map<string, { origin: string; ipv4: number; ipv6: number; other: number }>();
    for (const rowClass of this.#classes) {
      if (rowClass === null) continue;
      const { origin, ipv4, ipv6, other } = rowClass;
      const sum = counts.get(origin) ?? { origin, ipv4: 0, ipv6: 0, other: 0 };
      counts.set(origin, { origin, ipv4: sum.ipv4 + ipv4, ipv6: sum.ipv6 + ipv6, other: sum.other + other });
    }
    return [...counts.values()];
  }

  /** Bytes of typed arrays. */
  memoryBytes(): number {
    let bytes = this.#pages.length * pageRows * (rowWords * 4 + 16) + this.#textPages.length * textPageBytes;
    for (const shard of this.#shards) bytes += shard.byteLength;
    return bytes;
  }

  #page(row: number): Page {
    return this.#pages[row >>> pageBits] as Page;
  }

  /** The value's bytes go into the probe; returns how many. */
  #write(value: string): number {
    return this.#probe.write(value, 'utf8');
  }

  #hash(pair: number, length: number): number {
    let hash = this.#seed ^ pair;
    const probe = this.#probe;
    for (let index = 0; index < length; index++) hash = Math.imul(hash ^ (probe[index] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  #lookup(pair: number, length: number, hash: number): number {
    const shard = this.#shards[hash >>> (32 - shardBits)] as Uint32Array;
    const mask = shard.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = shard[slot] as number;
      if (found === 0) return -1;
      const row = found - 1;
      if (this.#page(row).words[wordOf(row) + 1] !== hash) continue;
      if (this.#classOf(row).pair === pair && this.#hasProbed(row, length)) return row;
    }
  }

  #hasProbed(row: number, length: number): boolean {
    const { words } = this.#page(row);
    const at = wordOf(row);
    if (((words[at + 3] as number) & 0xffff) !== length) return false;
    const place = words[at + 2] as number;
    const text = this.#textPages[place >>> 16] as Buffer;
    const start = place & 0xffff;
    return text.compare(this.#probe, 0, length, start, start + length) === 0;
  }

  #valueOf(row: number): string {
    const { words } = this.#page(row);
    const at = wordOf(row);
    const place = words[at + 2] as number;
    const start = place & 0xffff;
    return (this.#textPages[place >>> 16] as Buffer).toString(
      'utf8',
      start,
      start + ((words[at + 3] as number) & 0xffff),
    );
  }

  /** A row whose text is what the probe holds. Freed rows come first, with the room for text that they have. */
  #takeRow(length: number): number {
    const row = this.#freeRows.pop() ?? this.#newRow();
    const { words } = this.#page(row);
    const at = wordOf(row);
    let capacity = (words[at + 3] as number) >>> 16;
    if (capacity === 0 || capacity < length) {
      // Powers of two: what is left behind when a row needs more room is less than what it gets.
      capacity = Math.max(16, 2 ** Math.ceil(Math.log2(length || 1)));
      if (this.#textUsed + capacity > textPageBytes) {
        this.#textPages.push(Buffer.allocUnsafeSlow(textPageBytes));
        this.#textUsed = 0;
      }
      words[at + 2] = ((this.#textPages.length - 1) << 16) | this.#textUsed;
      this.#textUsed += capacity;
    }
    words[at + 3] = (capacity << 16) | length;
    const place = words[at + 2] as number;
    this.#probe.copy(this.#textPages[place >>> 16] as Buffer, place & 0xffff, 0, length);
    return row;
  }

  #newRow(): number {
    const row = this.#rows++;
    if (row >>> pageBits === this.#pages.length) {
      this.#pages.push({ words: new Uint32Array(pageRows * rowWords), times: new Float64Array(pageRows * 2) });
    }
    return row;
  }

  #link(row: number, hash: number): void {
    const index = hash >>> (32 - shardBits);
    const count = (this.#counts[index] as number) + 1;
    this.#counts[index] = count;
    let shard = this.#shards[index] as Uint32Array;
    if (count * 4 > shard.length * 3) {
      const old = shard;
      shard = new Uint32Array(old.length * 2);
      this.#shards[index] = shard;
      for (const found of old) if (found !== 0) insert(shard, found, this.#hashOf(found - 1));
    }
    insert(shard, row + 1, hash);
  }

  /** Linear probing without marks: what follows a hole and may not lie behind it moves into it. */
  #unlink(row: number): void {
    const hash = this.#hashOf(row);
    const index = hash >>> (32 - shardBits);
    const shard = this.#shards[index] as Uint32Array;
    const mask = shard.length - 1;
    let hole = hash & mask;
    while (shard[hole] !== row + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; shard[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hashOf((shard[slot] as number) - 1) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      shard[hole] = shard[slot] as number;
      hole = slot;
    }
    shard[hole] = 0;
    this.#counts[index] = (this.#counts[index] as number) - 1;
  }

  #hashOf(row: number): number {
    return this.#page(row).words[wordOf(row) + 1] as number;
  }

  #pairOf({ scope, type }: MirroredKey): number {
    const known = this.#pairIds.get(scope)?.get(type);
    if (known !== undefined) return known;
    const pair = this.#classIds.length;
    if (pair >= maxPairs) return -1;
    this.#classIds.push(new Map());
    const types = this.#pairIds.get(scope) ?? new Map<string, number>();
    this.#pairIds.set(scope, types.set(type, pair));
    return pair;
  }

  #classOf(row: number): RowClass {
    return this.#classes[this.#page(row).words[wordOf(row)] as number] as RowClass;
  }

  #enterClass(row: number, decision: MirroredDecision, pair: number): void {
    const { scope, type, origin } = decision;
    const ids = this.#classIds[pair] as Map<string, Map<string, number>>;
    let id = ids.get(origin)?.get(decision.scenario);
    if (id === undefined) {
      const scenario = this.#classCount >= maxClasses ? '' : decision.scenario;
      id = ids.get(origin)?.get(scenario) ?? this.#newClass({ scope, type, origin, scenario, pair });
    }
    this.#page(row).words[wordOf(row)] = id;
    (this.#classes[id] as RowClass)[this.#familyOf(row, scope)]++;
  }

  #newClass(what: Omit<RowClass, 'ipv4' | 'ipv6' | 'other'>): number {
    const { pair, origin, scenario } = what;
    const id = this.#freeClasses.pop() ?? this.#classes.length;
    this.#classes[id] = { ...what, ipv4: 0, ipv6: 0, other: 0 };
    this.#classCount++;
    const ids = this.#classIds[pair] as Map<string, Map<string, number>>;
    const scenarios = ids.get(origin) ?? new Map<string, number>();
    ids.set(origin, scenarios.set(scenario, id));
    return id;
  }

  #leaveClass(row: number): void {
    const rowClass = this.#classOf(row);
    rowClass[this.#familyOf(row, rowClass.scope)]--;
    if (rowClass.ipv4 + rowClass.ipv6 + rowClass.other > 0) return;
    const id = this.#page(row).words[wordOf(row)] as number;
    const ids = this.#classIds[rowClass.pair] as Map<string, Map<string, number>>;
    const scenarios = ids.get(rowClass.origin);
    scenarios?.delete(rowClass.scenario);
    if (scenarios?.size === 0) ids.delete(rowClass.origin);
    this.#classes[id] = null;
    this.#classCount--;
    this.#freeClasses.push(id);
  }

  #familyOf(row: number, scope: string): 'ipv4' | 'ipv6' | 'other' {
    if (scope !== 'Ip' && scope !== 'Range') return 'other';
    const { words } = this.#page(row);
    const at = wordOf(row);
    const place = words[at + 2] as number;
    const start = place & 0xffff;
    const end = start + ((words[at + 3] as number) & 0xffff);
    const text = this.#textPages[place >>> 16] as Buffer;
    // No address of version 6 has its first colon later than after four digits, and none of version 4 has one.
    for (let index = start; index < end && index < start + 5; index++) if (text[index] === 0x3a) return 'ipv6';
    return 'ipv4';
  }
}

function wordOf(row: number): number {
  return (row & (pageRows - 1)) * rowWords;
}

function insert(shard: Uint32Array, found: number, hash: number): void {
  const mask = shard.length - 1;
  let slot = hash & mask;
  while (shard[slot] !== 0) slot = (slot + 1) & mask;
  shard[slot] = found;
}
