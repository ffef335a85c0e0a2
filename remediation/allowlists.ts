/**
 * The allowlist: addresses and ranges that nothing may refuse, whatever a scenario or a decision says. Entries of the
 * settings are fixed; those of the store come and go. A few hundred entries are usual, so plain maps by prefix length do.
 */
import {
  addressBits,
  formatRange,
  masked,
  parseRange,
  rangeContains,
  type IpAddress,
  type IpRange,
} from '../core/ip.ts';

export interface AllowlistItem {
  /** An address or a range. */
  readonly value: string;
  readonly comment: string;
  /** Epoch milliseconds, or null for ever. */
  readonly until: number | null;
}

export interface Allowlist {
  /** False when the value is neither address nor range, or the list is full. An entry of the same value is replaced. */
  add(item: AllowlistItem): boolean;
  /** True when there was one. Entries of the settings stay. */
  remove(value: string): boolean;
  /** Whether a live entry covers this address. */
  covers(address: IpAddress, now: number): boolean;
  /** The live entry that covers this address, the most specific first, or null. */
  find(address: IpAddress, now: number): AllowlistItem | null;
  /** The live entry that covers this network, lies inside it, or is it: CrowdSec's rule for ranges. Not for the request path. */
  findOverlap(range: IpRange, now: number): AllowlistItem | null;
  /** Marks every entry that is not fixed; `dropStale` takes out those that were not added again since. */
  markStale(): void;
  dropStale(): void;
  /** Takes out what has expired; returns how many. */
  sweep(now: number): number;
  readonly size: number;
  items(): Iterable<AllowlistItem>;
}

interface Held {
  readonly item: AllowlistItem;
  readonly range: IpRange;
  readonly fixed: boolean;
  stale: boolean;
}

/** One prefix length of one version. */
interface Level {
  readonly version: 4 | 6;
  readonly prefix: number;
  readonly entries: Map<number | string, Held>;
}

/** `fixed` are the settings' own entries; `maxItems` bounds all. */
export function createAllowlist(fixed: readonly AllowlistItem[] = [], maxItems = 100_000): Allowlist {
  /** Longest prefixes first. */
  let levels: Level[] = [];
  let size = 0;

  const put = (item: AllowlistItem, isFixed: boolean): boolean => {
    const range = parseRange(item.value.trim());
    if (range === null) return false;
    const { version } = range.address;
    let level = levels.find((level) => level.version === version && level.prefix === range.prefix);
    const key = keyOf(range.address, range.prefix);
    const before = level?.entries.get(key);
    if (before === undefined && size >= maxItems) return false;
    if (level === undefined) {
      level = { version, prefix: range.prefix, entries: new Map() };
      levels = [...levels, level].sort((left, right) => right.prefix - left.prefix);
    }
    if (before === undefined) size++;
    else if (before.fixed && !isFixed) return true;
    level.entries.set(key, { item, range, fixed: isFixed, stale: false });
    return true;
  };

  const drop = (level: Level, key: number | string): void => {
    level.entries.delete(key);
    size--;
    if (level.entries.size === 0) levels = levels.filter((other) => other !== level);
  };

  const dropWhere = (leaves: (held: Held) => boolean): number => {
    const before = size;
    for (const level of levels) {
      for (const [key, held] of level.entries) if (!held.fixed && leaves(held)) drop(level, key);
    }
    return before - size;
  };

  const findHeld = (address: IpAddress, now: number): Held | null => {
    for (const level of levels) {
      if (level.version !== address.version) continue;
      const held = level.entries.get(keyOf(address, level.prefix));
      if (held !== undefined && isLive(held, now)) return held;
    }
    return null;
  };

  for (const item of fixed) put(item, true);

  return {
    add: (item) => put(item, false),
    remove(value) {
      const range = parseRange(value.trim());
      if (range === null) return false;
      const wanted = formatRange(range);
      return dropWhere((held) => formatRange(held.range) === wanted) > 0;
    },
    covers: (address, now) => size > 0 && findHeld(address, now) !== null,
    find: (address, now) => findHeld(address, now)?.item ?? null,
    findOverlap(range, now) {
      for (const level of levels) {
        for (const held of level.entries.values()) {
          if (isLive(held, now) && overlaps(held.range, range)) return held.item;
        }
      }
      return null;
    },
    markStale() {
      for (const level of levels) for (const held of level.entries.values()) held.stale = true;
    },
    dropStale: () => void dropWhere((held) => held.stale),
    sweep: (now) => dropWhere((held) => !isLive(held, now)),
    get size() {
      return size;
    },
    *items() {
      for (const level of levels) for (const held of level.entries.values()) yield held.item;
    },
  };
}

/** Whether one of two networks lies inside the other. */
export function overlaps(left: IpRange, right: IpRange): boolean {
  return left.prefix <= right.prefix ? rangeContains(left, right.address) : rangeContains(right, left.address);
}

function isLive(held: Held, now: number): boolean {
  return held.item.until === null || held.item.until > now;
}

function keyOf(address: IpAddress, prefix: number): number | string {
  const w0 = masked(address.w0, prefix);
  if (addressBits(address) === 32) return w0;
  return `${w0},${masked(address.w1, prefix - 32)},${masked(address.w2, prefix - 64)},${masked(address.w3, prefix - 96)}`;
}
