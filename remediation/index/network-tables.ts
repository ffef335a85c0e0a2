/**
 * The packed tables of the decision index: IPv4 addresses on their own, because there may be millions; IPv6 addresses and
 * the ranges of both versions together, each key with its prefix length. A lookup asks once for every prefix length that
 * may cover the address, longest first.
 */
import { addressBits, formatRange, masked, rangeOf, type IpAddress, type IpRange } from '../../core/ip.ts';
import type { KeyedHash } from '../../core/keyed-hash.ts';
import { PackedTable, tagMask, type PackedKey } from './packed-table.ts';

const version6 = 256;

export class NetworkTables {
  foundClass = 0;
  foundUntil = 0;
  foundTag = 0;
  /** Prefix length of what `severest` found. */
  foundPrefix = 0;
  /** See `PackedTable.leftOthers`: of the last `add` or `remove`. */
  leftOthers = false;

  readonly #hash: KeyedHash;
  readonly #addresses4: PackedTable;
  readonly #networks: PackedTable;
  readonly #ranks: Uint8Array;
  readonly #key: PackedKey = { hash: 0, k0: 0, k1: 0, k2: 0, k3: 0, k4: 0 };
  /** IPv6 entries per prefix length, and the lengths in use, longest first. */
  readonly #perLength6 = new Uint32Array(129);
  #lengths6: readonly number[] = [];
  /**
   * For each /16 of IPv4 the prefix lengths of the ranges that it lies in or holds, one bit each: most addresses need not
   * ask for most lengths. Bits are set by `add` and cleared only when no range is left; one too many costs one question.
   */
  #gate4: Int32Array | null = null;
  #ranges4 = 0;
  #sweepShard = 0;

  /** `released` is told the class of each entry that leaves other than by `remove`. */
  constructor(hash: KeyedHash, ranks: Uint8Array, released: (classId: number) => void) {
    this.#hash = hash;
    this.#ranks = ranks;
    this.#addresses4 = new PackedTable(0, 12, released);
    this.#networks = new PackedTable(5, 8, (classId, network) => {
      this.#count(network, -1);
      released(classId);
    });
  }

  /** Entries about single addresses. */
  get addresses(): number {
    return this.#addresses4.size + (this.#perLength6[128] ?? 0);
  }

  /** Entries about ranges. */
  get ranges(): number {
    return this.#networks.size - (this.#perLength6[128] ?? 0);
  }

  memoryBytes(): number {
    return this.#addresses4.memoryBytes() + this.#networks.memoryBytes() + (this.#gate4?.byteLength ?? 0);
  }

  has(range: IpRange, tag: number): boolean {
    return this.#seek(range.address, range.prefix).has(this.#key, tag);
  }

  /** `tag` is a `uuidTag`. False when an entry that lasts longer, or 32 that weigh more, made this one superfluous. */
  add(range: IpRange, classId: number, until: number, tag: number): boolean {
    const table = this.#seek(range.address, range.prefix);
    const added = table.add(this.#key, classId, until, tag, this.#ranks);
    this.leftOthers = table.leftOthers;
    if (added && table === this.#networks) {
      this.#count(this.#key.k4, 1);
      if (range.address.version === 4) this.#openGate(range.address.w0, range.prefix);
    }
    return added;
  }

  /** True when it was there: its class is in `foundClass`. */
  remove(range: IpRange, tag: number): boolean {
    const table = this.#seek(range.address, range.prefix);
    const removed = table.remove(this.#key, tag);
    this.leftOthers = table.leftOthers;
    if (!removed) return false;
    this.foundClass = table.foundClass;
    if (table === this.#networks) this.#count(this.#key.k4, -1);
    return true;
  }

  /** Finds the severest live entry that covers the address, of equals the one with the longest prefix. */
  severest(address: IpAddress, nowSeconds: number): boolean {
    return address.version === 4 ? this.#severest4(address, nowSeconds) : this.#severest6(address, nowSeconds);
  }

  /** Sweeps whole shards, going round, until about `budgetSlots` slots were looked at. Returns how many entries left. */
  sweep(nowSeconds: number, budgetSlots: number): number {
    const shards = this.#addresses4.shards + this.#networks.shards;
    let removed = 0;
    for (let looked = 0, visited = 0; looked < budgetSlots && visited < shards; visited++) {
      const table = this.#sweepShard < this.#addresses4.shards ? this.#addresses4 : this.#networks;
      const shard = table === this.#addresses4 ? this.#sweepShard : this.#sweepShard - this.#addresses4.shards;
      looked += table.shardSlots(shard) + 1;
      removed += table.sweepShard(shard, nowSeconds, false);
      this.#sweepShard = (this.#sweepShard + 1) % shards;
    }
    return removed;
  }

  /** Marks all entries, a slice of shards per step, so that the caller can let others run in between. */
  *markStale(): Generator<void> {
    for (const table of [this.#addresses4, this.#networks]) {
      for (let shard = 0; shard < table.shards; shard++) {
        table.markStale(shard);
        if ((shard & 31) === 31) yield;
      }
    }
  }

  /** Takes out what is still marked, in slices like `markStale`. */
  *dropStale(nowSeconds: number): Generator<void> {
    for (const table of [this.#addresses4, this.#networks]) {
      for (let shard = 0; shard < table.shards; shard++) {
        table.sweepShard(shard, nowSeconds, true);
        if ((shard & 31) === 31) yield;
      }
    }
  }

  #severest4(address: IpAddress, nowSeconds: number): boolean {
    let best = -1;
    this.#key.hash = this.#hash.word(address.w0);
    if (this.#addresses4.severest(this.#key, nowSeconds, this.#ranks)) {
      best = this.#ranks[this.#addresses4.foundClass] as number;
      this.#take(this.#addresses4, 32);
    }
    let lengths = this.#gate4 === null ? 0 : (this.#gate4[address.w0 >>> 16] as number);
    while (lengths !== 0 && best < highestRank) {
      const prefix = 31 - Math.clz32(lengths);
      lengths &= ~(1 << prefix);
      best = this.#ask(address, prefix, nowSeconds, best);
    }
    return best !== -1;
  }

  #severest6(address: IpAddress, nowSeconds: number): boolean {
    let best = -1;
    const lengths = this.#lengths6;
    for (let index = 0; index < lengths.length && best < highestRank; index++) {
      best = this.#ask(address, lengths[index] as number, nowSeconds, best);
    }
    return best !== -1;
  }

  /** Takes the severest entry about this network when its rank is above `best`; returns the best rank so far. */
  #ask(address: IpAddress, prefix: number, nowSeconds: number, best: number): number {
    this.#seekNetwork(address, prefix);
    if (!this.#networks.severest(this.#key, nowSeconds, this.#ranks)) return best;
    const rank = this.#ranks[this.#networks.foundClass] as number;
    if (rank > best) this.#take(this.#networks, prefix);
    return Math.max(rank, best);
  }

  #take(table: PackedTable, prefix: number): void {
    this.foundClass = table.foundClass;
    this.foundUntil = table.foundUntil;
    this.foundTag = table.foundTag & tagMask;
    this.foundPrefix = prefix;
  }

  #seek(address: IpAddress, prefix: number): PackedTable {
    if (address.version === 4 && prefix === 32) {
      this.#key.hash = this.#hash.word(address.w0);
      return this.#addresses4;
    }
    this.#seekNetwork(address, prefix);
    return this.#networks;
  }

  #seekNetwork(address: IpAddress, prefix: number): void {
    const key = this.#key;
    key.k0 = masked(address.w0, prefix) | 0;
    if (address.version === 4) {
      key.k1 = 0;
      key.k2 = 0;
      key.k3 = 0;
      key.k4 = prefix;
    } else {
      key.k1 = masked(address.w1, prefix - 32) | 0;
      key.k2 = masked(address.w2, prefix - 64) | 0;
      key.k3 = masked(address.w3, prefix - 96) | 0;
      key.k4 = version6 | prefix;
    }
    key.hash = this.#hash.network(key.k0, key.k1, key.k2, key.k3, key.k4);
  }

  #count(network: number, change: 1 | -1): void {
    if (network < version6) {
      this.#ranges4 += change;
      if (this.#ranges4 === 0) this.#gate4 = null;
      return;
    }
    const length = network - version6;
    const count = (this.#perLength6[length] ?? 0) + change;
    this.#perLength6[length] = count;
    if (count > 1 || (count === 1 && change === -1)) return;
    const used: number[] = [];
    for (let prefix = 128; prefix >= 0; prefix--) if ((this.#perLength6[prefix] ?? 0) > 0) used.push(prefix);
    this.#lengths6 = used;
  }

  #openGate(word: number, prefix: number): void {
    this.#gate4 ??= new Int32Array(2 ** 16);
    const first = word >>> 16;
    const end = first + 2 ** Math.max(0, 16 - prefix);
    for (let cell = first; cell < end; cell++) this.#gate4[cell] = (this.#gate4[cell] as number) | (1 << prefix);
  }
}

const highestRank = 3;

/** How a network of the tables is spelled: an address alone when a decision about an address named it. */
export function networkText(address: IpAddress, prefix: number, scope: string): string {
  return scope !== 'Range' && prefix === addressBits(address) ? address.text : formatRange(rangeOf(address, prefix));
}
