/**
 * The allowlists: addresses and ranges that nothing may refuse, whatever a scenario or a decision says. A network that stands
 * on two lists is allowed until both let go of it. Entries of the settings are fixed; those of the store come and go. A few
 * hundred entries are usual, so plain maps by prefix length do.
 */
import { addressBits, masked, parseRange, rangeContains, type IpAddress, type IpRange } from '../../core/ip.ts';

/** Name of the list that the settings' entries stand on. */
export const settingsAllowlist = 'portcullis-settings';

export interface AllowlistItem {
  /** Name of the allowlist that it stands on. */
  readonly list: string;
  /** An address or a range. */
  readonly value: string;
  readonly comment: string;
  /** Epoch milliseconds, or null for ever. */
  readonly until: number | null;
}

export interface Allowlist {
  /** False when the value is neither address nor range, or all is full. An entry of the same list and value is replaced. */
  add(item: AllowlistItem): boolean;
  /** True when there was one. Entries of the settings stay. */
  remove(list: string, value: string): boolean;
  /** Every entry of a list; returns how many. */
  removeList(list: string): number;
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

/** One prefix length of one version: for each network an entry of each list that it stands on. */
interface Level {
  readonly version: 4 | 6;
  readonly prefix: number;
  readonly networks: Map<number | string, Held[]>;
}

/** `fixed` are the settings' own entries; `maxItems` bounds all. */
export function createAllowlist(fixed: readonly AllowlistItem[] = [], maxItems = 100_000): Allowlist {
  /** Longest prefixes first. */
  let levels: Level[] = [];
  let size = 0;

  const levelOf = ({ address, prefix }: IpRange): Level | undefined =>
    levels.find((level) => level.version === address.version && level.prefix === prefix);

  const put = (item: AllowlistItem, isFixed: boolean): boolean => {
    const range = parseRange(item.value.trim());
    if (range === null) return false;
    const { version } = range.address;
    let level = levelOf(range);
    const key = keyOf(range.address, range.prefix);
    const entries = level?.networks.get(key) ?? [];
    const at = entries.findIndex((held) => held.item.list === item.list);
    if (at < 0 && size >= maxItems) return false;
    if (entries[at]?.fixed === true && !isFixed) return true;
    if (level === undefined) {
      level = { version, prefix: range.prefix, networks: new Map() };
      levels = [...levels, level].sort((left, right) => right.prefix - left.prefix);
    }
    const held = { item, range, fixed: isFixed, stale: false };
    if (at < 0) size++;
    level.networks.set(key, at < 0 ? [...entries, held] : entries.with(at, held));
    return true;
  };

  const dropFrom = (level: Level, key: number | string, leaves: (held: Held) => boolean): number => {
    const entries = level.networks.get(key) ?? [];
    const left = entries.filter((held) => held.fixed || !leaves(held));
    const dropped = entries.length - left.length;
    if (dropped === 0) return 0;
    size -= dropped;
    if (left.length > 0) level.networks.set(key, left);
    else level.networks.delete(key);
    if (level.networks.size === 0) levels = levels.filter((other) => other !== level);
    return dropped;
  };

  const dropWhere = (leaves: (held: Held) => boolean): number => {
    let dropped = 0;
    for (const level of levels) for (const key of level.networks.keys()) dropped += dropFrom(level, key, leaves);
    return dropped;
  };

  const findHeld = (address: IpAddress, now: number): Held | null => {
    for (const level of levels) {
      if (level.version !== address.version) continue;
      const held = level.networks.get(keyOf(address, level.prefix))?.find((one) => isLive(one, now));
      if (held !== undefined) return held;
    }
    return null;
  };

  for (const item of fixed) put(item, true);

  return {
    add: (item) => put(item, false),
    remove(list, value) {
      const range = parseRange(value.trim());
      const level = range && levelOf(range);
      if (!range || !level) return false;
      return dropFrom(level, keyOf(range.address, range.prefix), ({ item }) => item.list === list) > 0;
    },
    removeList: (list) => dropWhere(({ item }) => item.list === list),
    covers: (address, now) => size > 0 && findHeld(address, now) !== null,
    find: (address, now) => findHeld(address, now)?.item ?? null,
    findOverlap(range, now) {
      for (const held of everyHeld(levels)) if (isLive(held, now) && overlaps(held.range, range)) return held.item;
      return null;
    },
    markStale() {
      for (const held of everyHeld(levels)) held.stale = true;
    },
    dropStale: () => void dropWhere((held) => held.stale),
    sweep: (now) => dropWhere((held) => !isLive(held, now)),
    get size() {
      return size;
    },
    *items() {
      for (const { item } of everyHeld(levels)) yield item;
    },
  };
}

function* everyHeld(levels: readonly Level[]): Generator<Held> {
  for (const level of levels) for (const entries of level.networks.values()) yield* entries;
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
