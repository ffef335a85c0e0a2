/**
 * Every allowlist entry that covers an address or network, or lies inside it: the answer to "why is this allowed", for which the
 * first that fits (what enforcement asks) is not enough. Built for one request from the store's lists.
 */
import { setImmediate } from 'node:timers/promises';
import { formatRange, parseRange, rangeContains, rangeOf, type IpRange } from '../../core/ip.ts';
import type { AllowlistItem } from '../allowed/allowlists.ts';

export interface AllowlistLookup {
  /** In no certain order. */
  find(range: IpRange): AllowlistItem[];
}

interface Level {
  readonly version: 4 | 6;
  readonly prefix: number;
  readonly networks: Map<string, { readonly range: IpRange; readonly items: AllowlistItem[] }>;
}

/** Entries that are read before others get their turn. */
const slice = 5_000;

/** Entries that are neither address nor network (host names) are left out: what they stand for is in the index. */
export async function createAllowlistLookup(items: Iterable<AllowlistItem>, now: number): Promise<AllowlistLookup> {
  const levels = new Map<string, Level>();
  let read = 0;
  for (const item of items) {
    if (++read % slice === 0) await setImmediate();
    const range = item.until === null || item.until > now ? parseRange(item.value.trim()) : null;
    if (range !== null) put(levels, range, item);
  }
  return {
    find(range) {
      const found: AllowlistItem[] = [];
      for (const level of levels.values()) {
        if (level.version !== range.address.version) continue;
        if (level.prefix <= range.prefix) {
          found.push(...(level.networks.get(keyOf(range, level.prefix))?.items ?? []));
        } else {
          for (const inner of level.networks.values()) {
            if (rangeContains(range, inner.range.address)) found.push(...inner.items);
          }
        }
      }
      return found;
    },
  };
}

function put(levels: Map<string, Level>, range: IpRange, item: AllowlistItem): void {
  const { version } = range.address;
  const name = `${version}/${range.prefix}`;
  let level = levels.get(name);
  if (level === undefined) {
    level = { version, prefix: range.prefix, networks: new Map() };
    levels.set(name, level);
  }
  const key = keyOf(range, range.prefix);
  const network = level.networks.get(key);
  if (network === undefined) level.networks.set(key, { range, items: [item] });
  else network.items.push(item);
}

function keyOf({ address }: IpRange, prefix: number): string {
  return formatRange(rangeOf(address, prefix));
}
