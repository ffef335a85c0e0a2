/**
 * `PackedTable`: decisions about addresses or networks in twelve bytes of typed array each, because ten million JavaScript
 * objects would cost gigabytes. A hash splits the entries into shards; within a shard they lie in the order of their hash,
 * each at or shortly after the slot that its hash points to (linear probing, ordered), so that a shard can be 90 % full and
 * a miss still ends after a few slots. A shard grows by one page of 64 slots, which moves a few thousand entries at most:
 * no pause grows with the table. Several entries may have the same key; they lie beside each other.
 *
 * A slot is `[remainder << 12 | stale << 11 | class, until, folded << 31 | tag, ...key]`, 32-bit words each. `until` is
 * epoch seconds and 0 marks a free slot. `folded` says that decisions without an entry of their own rely on this one. When the hash is a bijection of the key (IPv4) shard and remainder determine the key, and no
 * key words are kept.
 * The arrays are signed because V8 keeps a signed 32-bit number in a field without allocating.
 *
 * Longer than other files because all of it relies on one layout, which no other file needs to know.
 */

/** Class numbers are below this. */
export const classLimit = 2048;
const classMask = classLimit - 1;
const staleBit = classLimit;
/** What `foundTag` has of a tag: tags are 31 bits. */
export const tagMask = 0x7fffffff;
const foldedBit = 0x80000000 | 0;
const remainderShift = 12;
const remainderSpan = 2 ** 20;
const remainderMask = remainderSpan - 1;

const slotBits = 6;
const pageSlots = 1 << slotBits;
const slotMask = pageSlots - 1;
const pageBits = 8;
const pagesPerSlab = 1 << pageBits;
const pageMask = pagesPerSlab - 1;

/** Slots behind the last home, for entries that were pushed on. More than one key can have entries, or growing might not help. */
const tailSlots = 40;
export const entriesPerKey = 32;
const fullness = 0.9;
const shrinkBelow = 0.5;
/** Entries of one hash do not move apart however a shard grows; more than fit behind the last home are not taken. */
const maxGrowths = 16;
/** No entry is needed. All bits, so that the folded bit on top changes nothing. */
const superfluous = -1;

/** What is asked for: its hash, from which shard and remainder are cut, and its words. All are signed 32-bit numbers. */
export interface PackedKey {
  hash: number;
  k0: number;
  k1: number;
  k2: number;
  k3: number;
  k4: number;
}

/** Told of each entry that leaves the table other than by `remove`. `network` is the entry's last key word. */
export type Released = (classId: number, network: number) => void;

export class PackedTable {
  /** The answer of the last `severest` that returned true; see `tagMask`. */
  foundClass = 0;
  foundUntil = 0;
  foundTag = 0;
  /** Whether the last `add` or `remove` took out an entry that others relied on: they may be live and have none. */
  leftOthers = false;

  #entries = 0;
  readonly #width: number;
  readonly #shardShift: number;
  readonly #remainderShift: number;
  readonly #slabs: Int32Array[] = [];
  readonly #freePages: number[] = [];
  #pagesMade = 0;
  readonly #counts: Uint32Array;
  readonly #pages: Uint32Array;
  /** The page numbers of shard s are `#directory[s * #stride ...]`. */
  #directory: Uint32Array;
  #stride = 4;
  #scratch = new Int32Array(0);
  readonly #released: Released;

  /** `keyWords` is 0 for a bijective hash, else 5; `shardBits` is 12 for a bijective hash and at most 12 otherwise. */
  constructor(keyWords: 0 | 5, shardBits: number, released: Released) {
    this.#width = 3 + keyWords;
    this.#shardShift = 32 - shardBits;
    this.#remainderShift = Math.max(0, this.#shardShift - 20);
    this.#released = released;
    const shards = 1 << shardBits;
    this.#counts = new Uint32Array(shards);
    this.#pages = new Uint32Array(shards);
    this.#directory = new Uint32Array(shards * this.#stride);
  }

  /** Entries, expired ones that were not swept yet included. */
  get size(): number {
    return this.#entries;
  }

  get shards(): number {
    return this.#counts.length;
  }

  /** Slots that a visit of this shard looks at. */
  shardSlots(shard: number): number {
    return (this.#pages[shard] ?? 0) << slotBits;
  }

  memoryBytes(): number {
    let bytes = this.#directory.byteLength + this.#counts.byteLength * 2 + this.#scratch.byteLength;
    for (const slab of this.#slabs) bytes += slab.byteLength;
    return bytes;
  }

  /**
   * Finds the entry of this key that is live at `nowSeconds` and whose class has the highest of `ranks`; of equals the one
   * that lasts longest. True when there is one: `foundClass`, `foundUntil` and `foundTag` tell which.
   */
  severest(key: PackedKey, nowSeconds: number, ranks: Uint8Array): boolean {
    const { hash } = key;
    const shard = hash >>> this.#shardShift;
    const capacity = (this.#pages[shard] as number) << slotBits;
    if (capacity === 0) return false;
    const remainder = (hash >>> this.#remainderShift) & remainderMask;
    const width = this.#width;
    const row = shard * this.#stride;
    let best = -1;
    let longest = 0;
    let position = this.#home(remainder, capacity);
    while (position < capacity) {
      const page = this.#directory[row + (position >>> slotBits)] as number;
      const slab = this.#slabs[page >>> pageBits] as Int32Array;
      const end = (((page & pageMask) + 1) << slotBits) * width;
      for (let at = end - (pageSlots - (position & slotMask)) * width; at < end; at += width) {
        const until = (slab[at + 1] as number) >>> 0;
        const head = slab[at] as number;
        if (until === 0 || head >>> remainderShift > remainder) return best !== -1;
        if (head >>> remainderShift !== remainder || until <= nowSeconds) continue;
        if (width > 3 && !sameKey(slab, at, key)) continue;
        const rank = ranks[head & classMask] as number;
        if (rank < best || (rank === best && until <= longest)) continue;
        best = rank;
        longest = until;
        this.foundClass = head & classMask;
        this.foundUntil = until;
        this.foundTag = slab[at + 2] as number;
      }
      position = (position | slotMask) + 1;
    }
    return best !== -1;
  }

  /**
   * Puts an entry in. One with the same tag, or a shorter one of the same class, gives way to it; a longer one of the same
   * class stays instead, unless it is stale and may soon be gone. With 32 entries of this key already, the weakest of all
   * gives way. What stays is marked: others rely on it. Entries that give way are reported as released. True when the entry
   * is now in the table as given.
   */
  add(key: PackedKey, classId: number, until: number, tag: number, ranks: Uint8Array): boolean {
    const shard = key.hash >>> this.#shardShift;
    const remainder = (key.hash >>> this.#remainderShift) & remainderMask;
    const twin = this.#withTag(shard, remainder, key, tag);
    if (twin !== -1 && this.#isRenewed(shard, twin, classId, until)) return true;
    const folded = this.#replaceTwin(shard, twin, classId, until);
    const marked = this.#makeWay(shard, remainder, key, classId, until, ranks);
    if (marked === superfluous) return false;
    const word = tag | folded | marked;
    const count = (this.#counts[shard] as number) + 1;
    while (count > fullness * (this.shardSlots(shard) - tailSlots)) this.#resize(shard, this.#grown(shard));
    const pages = this.#pages[shard] as number;
    for (let grown = 0; !this.#insert(shard, remainder, key, classId, until, word); grown++) {
      if (grown === maxGrowths) {
        this.#resize(shard, pages);
        return false;
      }
      this.#resize(shard, this.#grown(shard));
    }
    this.#counts[shard] = count;
    this.#entries++;
    return true;
  }

  has(key: PackedKey, tag: number): boolean {
    const remainder = (key.hash >>> this.#remainderShift) & remainderMask;
    return this.#withTag(key.hash >>> this.#shardShift, remainder, key, tag) !== -1;
  }

  /** Takes out the entry of this key with this tag. True when there was one; its class is in `foundClass`. */
  remove(key: PackedKey, tag: number): boolean {
    const shard = key.hash >>> this.#shardShift;
    const position = this.#withTag(shard, (key.hash >>> this.#remainderShift) & remainderMask, key, tag);
    this.leftOthers = false;
    if (position === -1) return false;
    const slab = this.#slabOf(shard, position);
    const at = this.#wordOf(shard, position);
    this.foundClass = (slab[at] as number) & classMask;
    this.leftOthers = ((slab[at + 2] as number) & foldedBit) !== 0;
    this.#takeOut(shard, position);
    return true;
  }

  /** Frees what has expired in one shard and, when `dropStale`, what `markStale` marked and no `add` renewed. */
  sweepShard(shard: number, nowSeconds: number, dropStale: boolean): number {
    const capacity = this.shardSlots(shard);
    const width = this.#width;
    let leaving = 0;
    for (let position = 0; position < capacity; position++) {
      const slab = this.#slabOf(shard, position);
      const at = this.#wordOf(shard, position);
      const until = (slab[at + 1] as number) >>> 0;
      if (until === 0) continue;
      const head = slab[at] as number;
      if (until > nowSeconds && !(dropStale && (head & staleBit) !== 0)) continue;
      this.#released(head & classMask, width > 3 ? (slab[at + width - 1] as number) : 0);
      // Marked rather than shifted out: one pass over the shard then closes all holes together.
      slab[at + 1] = 0;
      leaving++;
    }
    if (leaving === 0) return 0;
    const left = (this.#counts[shard] as number) - leaving;
    this.#counts[shard] = left;
    this.#entries -= leaving;
    this.#resize(shard, this.#shrunk(shard, left));
    return leaving;
  }

  /** Marks every entry of one shard; `add` takes the mark off what it is given again. */
  markStale(shard: number): void {
    const capacity = this.shardSlots(shard);
    for (let position = 0; position < capacity; position++) {
      const at = this.#wordOf(shard, position);
      const slab = this.#slabOf(shard, position);
      if (slab[at + 1] !== 0) slab[at] = (slab[at] as number) | staleBit;
    }
  }

  #home(remainder: number, capacity: number): number {
    return Math.floor((remainder * (capacity - tailSlots)) / remainderSpan);
  }

  #slabOf(shard: number, position: number): Int32Array {
    const page = this.#directory[shard * this.#stride + (position >>> slotBits)] as number;
    return this.#slabs[page >>> pageBits] as Int32Array;
  }

  #wordOf(shard: number, position: number): number {
    const page = this.#directory[shard * this.#stride + (position >>> slotBits)] as number;
    return (((page & pageMask) << slotBits) | (position & slotMask)) * this.#width;
  }

  /** The first slot with this remainder, or -1. */
  #first(shard: number, remainder: number): number {
    const capacity = this.shardSlots(shard);
    return capacity === 0 ? -1 : this.#next(shard, remainder, this.#home(remainder, capacity) - 1);
  }

  #next(shard: number, remainder: number, after: number): number {
    const position = this.#findAfter(shard, remainder - 1, after + 1);
    return position < this.shardSlots(shard) && this.#remainderAt(shard, position) === remainder ? position : -1;
  }

  /** The entry of this key with this tag, or -1. */
  #withTag(shard: number, remainder: number, key: PackedKey, tag: number): number {
    let position = this.#first(shard, remainder);
    for (; position !== -1; position = this.#next(shard, remainder, position)) {
      const slab = this.#slabOf(shard, position);
      const at = this.#wordOf(shard, position);
      if (((slab[at + 2] as number) & tagMask) === tag && (this.#width === 3 || sameKey(slab, at, key))) break;
    }
    return position;
  }

  /** Whether the entry says the same already, as when the change stream tells of what was added here; then nothing moves. */
  #isRenewed(shard: number, position: number, classId: number, until: number): boolean {
    const slab = this.#slabOf(shard, position);
    const at = this.#wordOf(shard, position);
    const head = slab[at] as number;
    // Beside a stale one others of its class may stand, which it then has to replace.
    if ((head & classMask) !== classId || (head & staleBit) !== 0 || (slab[at + 1] as number) >>> 0 !== until)
      return false;
    this.leftOthers = false;
    // One reference was taken with the new entry and one was held by the old.
    this.#released(classId, this.#width > 3 ? (slab[at + this.#width - 1] as number) : 0);
    return true;
  }

  /** Takes out what the decision was before. Returns the folded bit when those that relied on it may rely on the new entry. */
  #replaceTwin(shard: number, position: number, classId: number, until: number): number {
    this.leftOthers = false;
    if (position === -1) return 0;
    const slab = this.#slabOf(shard, position);
    const at = this.#wordOf(shard, position);
    const folded = (slab[at + 2] as number) & foldedBit;
    const covers = ((slab[at] as number) & classMask) === classId && (slab[at + 1] as number) >>> 0 <= until;
    this.#release(shard, position);
    if (covers) return folded;
    this.leftOthers = folded !== 0;
    return 0;
  }

  /**
   * Takes out what the new entry makes superfluous, and the weakest of too many. Returns the folded bit when there was
   * such, or `superfluous` when the new entry is it.
   */
  #makeWay(
    shard: number,
    remainder: number,
    key: PackedKey,
    classId: number,
    until: number,
    ranks: Uint8Array,
  ): number {
    let same = 0;
    let weakest = -1;
    let weakestRank = Infinity;
    let weakestUntil = Infinity;
    let position = this.#first(shard, remainder);
    while (position !== -1) {
      const slab = this.#slabOf(shard, position);
      const at = this.#wordOf(shard, position);
      const head = slab[at] as number;
      const lasts = (slab[at + 1] as number) >>> 0;
      if (this.#width === 3 || sameKey(slab, at, key)) {
        if ((head & classMask) === classId && lasts < until) {
          this.#release(shard, position);
          return this.#makeWay(shard, remainder, key, classId, until, ranks) | foldedBit;
        }
        if ((head & classMask) === classId && (head & staleBit) === 0) {
          slab[at + 2] = (slab[at + 2] as number) | foldedBit;
          return superfluous;
        }
        same++;
        const rank = ranks[head & classMask] as number;
        if (rank < weakestRank || (rank === weakestRank && lasts < weakestUntil)) {
          weakest = position;
          weakestRank = rank;
          weakestUntil = lasts;
        }
      }
      position = this.#next(shard, remainder, position);
    }
    if (same < entriesPerKey) return 0;
    this.#markAll(shard, remainder, key);
    const rank = ranks[classId] as number;
    if (rank < weakestRank || (rank === weakestRank && until <= weakestUntil)) return superfluous;
    this.#release(shard, weakest);
    return foldedBit;
  }

  /** One of them gave way to all of them: whichever is removed, there is room for it again. */
  #markAll(shard: number, remainder: number, key: PackedKey): void {
    let position = this.#first(shard, remainder);
    for (; position !== -1; position = this.#next(shard, remainder, position)) {
      const slab = this.#slabOf(shard, position);
      const at = this.#wordOf(shard, position);
      if (this.#width === 3 || sameKey(slab, at, key)) slab[at + 2] = (slab[at + 2] as number) | foldedBit;
    }
  }

  #release(shard: number, position: number): void {
    const slab = this.#slabOf(shard, position);
    const at = this.#wordOf(shard, position);
    this.#released((slab[at] as number) & classMask, this.#width > 3 ? (slab[at + this.#width - 1] as number) : 0);
    this.#takeOut(shard, position);
  }

  /** Closes the hole by moving back what was pushed on. */
  #takeOut(shard: number, position: number): void {
    const capacity = this.shardSlots(shard);
    let hole = position;
    for (let next = hole + 1; next < capacity; next++) {
      const slab = this.#slabOf(shard, next);
      const at = this.#wordOf(shard, next);
      if (slab[at + 1] === 0 || this.#home((slab[at] as number) >>> remainderShift, capacity) === next) break;
      this.#copySlot(shard, next, hole);
      hole = next;
    }
    this.#slabOf(shard, hole)[this.#wordOf(shard, hole) + 1] = 0;
    const left = (this.#counts[shard] as number) - 1;
    this.#counts[shard] = left;
    this.#entries--;
    const wanted = this.#shrunk(shard, left);
    if (wanted < (this.#pages[shard] as number)) this.#resize(shard, wanted);
  }

  /** False when there is no free slot behind the place where the entry belongs. */
  #insert(shard: number, remainder: number, key: PackedKey, classId: number, until: number, tag: number): boolean {
    const place = this.#findAfter(shard, remainder, this.#home(remainder, this.shardSlots(shard)));
    const free = this.#findAfter(shard, remainderSpan, place);
    if (free >= this.shardSlots(shard)) return false;
    this.#pushOn(shard, place, free);
    const slab = this.#slabOf(shard, place);
    const at = this.#wordOf(shard, place);
    slab[at] = (remainder << remainderShift) | classId;
    slab[at + 1] = until;
    slab[at + 2] = tag;
    if (this.#width > 3) writeKey(slab, at, key);
    return true;
  }

  /** The first slot from `position` on that is free or holds a greater remainder; the capacity when there is none. */
  #findAfter(shard: number, remainder: number, position: number): number {
    const capacity = this.shardSlots(shard);
    const width = this.#width;
    const row = shard * this.#stride;
    let from = position;
    while (from < capacity) {
      const page = this.#directory[row + (from >>> slotBits)] as number;
      const slab = this.#slabs[page >>> pageBits] as Int32Array;
      const start = ((page & pageMask) << slotBits) * width;
      for (let slot = from & slotMask, at = start + slot * width; slot < pageSlots; slot++, at += width) {
        if (slab[at + 1] === 0 || (slab[at] as number) >>> remainderShift > remainder) return (from & ~slotMask) | slot;
      }
      from = (from | slotMask) + 1;
    }
    return capacity;
  }

  /** Moves the slots from `place` to before `free` on by one, a page at a time from the last. */
  #pushOn(shard: number, place: number, free: number): void {
    const width = this.#width;
    let open = free;
    while (open > place) {
      const first = Math.max(place, open & ~slotMask);
      if (first === open) {
        this.#copySlot(shard, open - 1, open);
        open--;
        continue;
      }
      const at = this.#wordOf(shard, first);
      this.#slabOf(shard, first).copyWithin(at + width, at, at + (open - first) * width);
      open = first;
    }
  }

  /** Infinity for a free slot. */
  #remainderAt(shard: number, position: number): number {
    const slab = this.#slabOf(shard, position);
    const at = this.#wordOf(shard, position);
    return slab[at + 1] === 0 ? Infinity : (slab[at] as number) >>> remainderShift;
  }

  #copySlot(shard: number, from: number, to: number): void {
    const source = this.#slabOf(shard, from);
    const target = this.#slabOf(shard, to);
    const read = this.#wordOf(shard, from);
    const write = this.#wordOf(shard, to);
    for (let word = 0; word < this.#width; word++) target[write + word] = source[read + word] as number;
  }

  /** One page more, or 3 % where that is more: small steps keep the table full. */
  #grown(shard: number): number {
    const pages = this.#pages[shard] as number;
    return pages + 1 + (pages >>> 6);
  }

  #shrunk(shard: number, count: number): number {
    const pages = this.#pages[shard] as number;
    if (count === 0) return 0;
    if (count >= shrinkBelow * ((pages << slotBits) - tailSlots)) return pages;
    return Math.min(pages, Math.ceil((count / 0.8 + tailSlots) / pageSlots));
  }

  /** Lays the entries of one shard out anew over `pages` pages, or more when some would not find a place. */
  #resize(shard: number, pages: number): void {
    const words = this.#gather(shard);
    for (let wanted = pages; ; wanted++) {
      this.#setPages(shard, wanted);
      if (this.#scatter(shard, words)) return;
    }
  }

  /** Copies the used slots of a shard, in order, into the scratch space; returns how many words they are. */
  #gather(shard: number): number {
    const width = this.#width;
    const capacity = this.shardSlots(shard);
    if (this.#scratch.length < capacity * width) this.#scratch = new Int32Array(capacity * width * 2);
    const scratch = this.#scratch;
    let words = 0;
    for (let position = 0; position < capacity; position++) {
      const slab = this.#slabOf(shard, position);
      const at = this.#wordOf(shard, position);
      if (slab[at + 1] === 0) continue;
      for (let word = 0; word < width; word++) scratch[words++] = slab[at + word] as number;
    }
    return words;
  }

  #scatter(shard: number, words: number): boolean {
    const width = this.#width;
    const scratch = this.#scratch;
    const capacity = this.shardSlots(shard);
    for (let position = 0; position < capacity; position += pageSlots) {
      const at = this.#wordOf(shard, position);
      this.#slabOf(shard, position).fill(0, at, at + pageSlots * width);
    }
    let next = 0;
    for (let read = 0; read < words; read += width) {
      const place = Math.max(next, this.#home((scratch[read] as number) >>> remainderShift, capacity));
      if (place >= capacity) return false;
      const slab = this.#slabOf(shard, place);
      const at = this.#wordOf(shard, place);
      for (let word = 0; word < width; word++) slab[at + word] = scratch[read + word] as number;
      next = place + 1;
    }
    return true;
  }

  #setPages(shard: number, wanted: number): void {
    let pages = this.#pages[shard] as number;
    while (wanted > this.#stride) this.#widenDirectory();
    const row = shard * this.#stride;
    for (; pages < wanted; pages++) this.#directory[row + pages] = this.#takePage();
    for (; pages > wanted; pages--) this.#freePages.push(this.#directory[row + pages - 1] as number);
    this.#pages[shard] = wanted;
  }

  #widenDirectory(): void {
    const narrow = this.#directory;
    const stride = this.#stride;
    const wide = new Uint32Array(narrow.length * 2);
    for (let shard = 0; shard < this.shards; shard++) {
      wide.set(narrow.subarray(shard * stride, (shard + 1) * stride), shard * stride * 2);
    }
    this.#directory = wide;
    this.#stride = stride * 2;
  }

  #takePage(): number {
    const free = this.#freePages.pop();
    if (free !== undefined) return free;
    if ((this.#pagesMade & pageMask) === 0) this.#slabs.push(new Int32Array(pagesPerSlab * pageSlots * this.#width));
    return this.#pagesMade++;
  }
}

function sameKey(slab: Int32Array, at: number, key: PackedKey): boolean {
  return (
    slab[at + 3] === key.k0 &&
    slab[at + 4] === key.k1 &&
    slab[at + 5] === key.k2 &&
    slab[at + 6] === key.k3 &&
    slab[at + 7] === key.k4
  );
}

function writeKey(slab: Int32Array, at: number, key: PackedKey): void {
  slab[at + 3] = key.k0;
  slab[at + 4] = key.k1;
  slab[at + 5] = key.k2;
  slab[at + 6] = key.k3;
  slab[at + 7] = key.k4;
}
