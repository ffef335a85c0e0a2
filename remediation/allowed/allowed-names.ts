/**
 * Host names on allowlists: somebody's office behind a dynamic address, a monitor whose addresses move. Each name stands for
 * the addresses that the DNS gives it, asked for anew when they expire. While the DNS is away the last known addresses stay;
 * a name that exists no longer keeps them for a few more questions, so that a short mistake of its owner locks nobody out.
 */
import type { DatedAddress } from '../../core/dated-addresses.ts';
import type { Log } from '../../core/log.ts';
import { parseIp } from '../../core/ip.ts';
import { messageOf } from '../../core/errors.ts';
import type { Allowlist, AllowlistItem } from './allowlists.ts';

export interface AllowedNames {
  /** An entry whose value is a name. Its addresses are allowed as soon as they are known; false when there is no room. */
  watch(item: AllowlistItem): boolean;
  /** As `watch`, for entries of the settings: a snapshot of the store does not name them, and nothing removes them. */
  watchAlways(item: AllowlistItem): boolean;
  /** True when it was watched. */
  forget(list: string, name: string): boolean;
  forgetList(list: string): void;
  /** Asks for what is due and lets go of entries that have expired. Call it often; it returns at once. */
  tend(now: number): void;
  /** As those of `Allowlist`, each to be called before that. */
  markStale(): void;
  dropStale(): void;
  readonly size: number;
}

export interface AllowedNamesOptions {
  readonly allowlist: Pick<Allowlist, 'add' | 'remove'>;
  /** Addresses of a name with what is left of their life; empty when it has none. Rejects when the DNS does not answer. */
  readonly resolve: (name: string) => Promise<readonly DatedAddress[]>;
  readonly log: Log;
  readonly maxNames?: number;
}

/** Between two questions about a name, whatever its owner says. */
const shortestMs = 30_000;
const longestMs = 3_600_000;
/** Of one name. */
const mostAddresses = 64;
/** At a time. */
const mostQuestions = 8;
/** Answers "no such name" in a row that are believed. */
const believedAbsences = 3;

interface Watched {
  item: AllowlistItem;
  addresses: ReadonlySet<string>;
  dueAt: number;
  asking: boolean;
  absences: number;
  failures: number;
  stale: boolean;
  gone: boolean;
  readonly fixed: boolean;
}

/** RFC 1123, with a dot in it: a single label is more likely a slip of the pen. */
const hostName = /^(?=.{4,253}\.?$)(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))+\.?$/;

export function isHostName(text: string): boolean {
  return hostName.test(text) && !/^[\d.]+$/.test(text);
}

export function createAllowedNames(options: AllowedNamesOptions): AllowedNames {
  const { allowlist, resolve, log, maxNames = 1_000 } = options;
  const watched = new Map<string, Watched>();
  let questions = 0;

  /** Under a list of its own, so that the same address on the list itself is another entry. */
  const entryFor = ({ item }: Watched, value: string): AllowlistItem => ({
    ...item,
    list: `${item.list} (${item.value})`,
    value,
  });

  const hold = (one: Watched, addresses: ReadonlySet<string>): void => {
    for (const address of one.addresses) {
      if (!addresses.has(address)) allowlist.remove(entryFor(one, address).list, address);
    }
    // Those that stay are added again: a change of the comment or the end reaches them.
    for (const address of addresses) allowlist.add(entryFor(one, address));
    one.addresses = addresses;
  };

  const letGo = (key: string, one: Watched): void => {
    one.gone = true;
    hold(one, new Set());
    watched.delete(key);
  };

  const answered = (one: Watched, found: readonly DatedAddress[], now: number): void => {
    const { list, value } = one.item;
    one.failures = 0;
    const addresses = new Set(found.slice(0, mostAddresses).flatMap(({ address }) => parseIp(address)?.text ?? []));
    one.absences = addresses.size === 0 ? one.absences + 1 : 0;
    const ttlMs = Math.min(...found.map(({ ttlSeconds }) => ttlSeconds * 1_000), longestMs);
    one.dueAt = now + Math.max(shortestMs, addresses.size === 0 ? shortestMs : ttlMs);
    if (addresses.size === 0 && one.absences < believedAbsences) return;
    const changed = addresses.size !== one.addresses.size || [...addresses].some((each) => !one.addresses.has(each));
    if (changed)
      log.info({ list, name: value, addresses: [...addresses] }, 'a name of an allowlist has other addresses');
    hold(one, addresses);
  };

  const failed = (one: Watched, thrown: unknown, now: number): void => {
    one.failures++;
    one.dueAt = now + Math.min(longestMs, shortestMs * 2 ** Math.min(6, one.failures - 1));
    const { list, value } = one.item;
    if (one.failures > 1) return;
    const detail = { list, name: value, known: one.addresses.size, cause: messageOf(thrown) };
    log.warn(detail, 'a name of an allowlist cannot be resolved; its last known addresses stay allowed');
  };

  const ask = (one: Watched, now: number): void => {
    one.asking = true;
    questions++;
    const settle = async (): Promise<void> => {
      try {
        const found = await resolve(one.item.value);
        if (!one.gone) answered(one, found, now);
      } catch (thrown) {
        if (!one.gone) failed(one, thrown, now);
      } finally {
        one.asking = false;
        questions--;
      }
    };
    void settle();
  };

  const watch = (item: AllowlistItem, fixed: boolean): boolean => {
    const key = keyOf(item.list, item.value);
    const known = watched.get(key);
    if (known === undefined) {
      if (watched.size >= maxNames) return false;
      const fresh = { addresses: new Set<string>(), dueAt: 0, asking: false, absences: 0, failures: 0 };
      watched.set(key, { ...fresh, item, stale: false, gone: false, fixed });
      return true;
    }
    if (known.fixed) return true;
    known.item = item;
    known.stale = false;
    hold(known, known.addresses);
    return true;
  };

  return {
    watch: (item) => watch(item, false),
    watchAlways: (item) => watch(item, true),
    forget(list, name) {
      const key = keyOf(list, name);
      const one = watched.get(key);
      if (one === undefined || one.fixed) return false;
      letGo(key, one);
      return true;
    },
    forgetList(list) {
      for (const [key, one] of watched) if (one.item.list === list && !one.fixed) letGo(key, one);
    },
    tend(now) {
      for (const [key, one] of watched) {
        if (one.item.until !== null && one.item.until <= now) letGo(key, one);
        else if (one.dueAt <= now && !one.asking && questions < mostQuestions) ask(one, now);
      }
    },
    markStale() {
      for (const one of watched.values()) one.stale = !one.fixed;
    },
    dropStale() {
      for (const [key, one] of watched) {
        if (one.stale) letGo(key, one);
        // Its addresses were marked with all others, and nothing of the snapshot names them.
        else hold(one, one.addresses);
      }
    },
    get size() {
      return watched.size;
    },
  };
}

function keyOf(list: string, name: string): string {
  return `${list}\n${name.toLowerCase()}`;
}
