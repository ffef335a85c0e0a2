/**
 * `DecisionIndex`: every decision and allowlist entry in local memory, for the synchronous question that the request path
 * asks of each request (step 3). Filled by `publish.ts` and `follow.ts`; the store behind them may be away.
 *
 * Of all that covers a subject the severest decision wins (ban, captcha, throttle, other words); of equals the most specific
 * (address, longest prefix, custom scope, AS, country), then the one that lasts longest. The allowlist wins over all.
 */
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { parseRange, type IpAddress, type IpRange } from '../../core/ip.ts';
import type { Log } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { Scope } from '../../detectors/alert.ts';
import {
  type AllowedNames,
  type AllowedNamesOptions,
  createAllowedNames,
  isHostName,
} from '../allowed/allowed-names.ts';
import { createAllowlist, type Allowlist, type AllowlistItem } from '../allowed/allowlists.ts';
import { createDecisionClasses } from './decision-classes.ts';
import { isKnownRemediation, severityOf, uuidTag, type Decision } from '../decision.ts';
import { createKeyedHash } from '../../core/keyed-hash.ts';
import { createNamedDecisions, type NamedDecisions } from './named-decisions.ts';
import { NetworkTables, networkText } from './network-tables.ts';
import { normalScope } from '../normal-scope.ts';

/** A decision as the index knows it. `type` is the word as it was given: `enforcedAs` says what to do. */
export interface IndexedDecision {
  readonly type: string;
  readonly origin: string;
  readonly scenario: string;
  readonly scope: Scope;
  readonly value: string;
  /** Epoch milliseconds. Rounded up to a whole second for addresses and ranges. */
  readonly until: number;
  /** `uuidTag` of its uuid: the store's decisions about `value` tell which one it is. */
  readonly uuidTag: number;
}

/** Who asks. Country, AS and custom values are asked for only when there are decisions about such. */
export interface Subject {
  readonly address: IpAddress;
  /** Upper-case ISO country, "" when unknown. */
  readonly country?: () => string;
  /** AS number without `AS`, "" when unknown. */
  readonly asn?: () => string;
  /** The subject's value in a scope of the operator's own, "" when it has none. */
  readonly custom?: (scope: string) => string;
}

/** Entries per scope, those included that have expired and were not swept yet. */
export interface IndexSize {
  readonly ip: number;
  readonly range: number;
  readonly country: number;
  readonly as: number;
  readonly custom: number;
  readonly total: number;
  readonly allowlist: number;
}

/**
 * Decisions about one value that have all else in common are one entry, that of the one that lasts longest, and a value has
 * 32 entries at most. The index does not know the rest: whoever watches it looks up what has to be restored.
 */
export interface IndexWatcher {
  added(decision: Decision): void;
  removed(decision: Decision): void;
  /** After either: others about its value may be in force that the index does not have, or has no longer. */
  uncovered(decision: Decision): void;
}

export interface DecisionIndex {
  /** The decision to enforce, or null. Synchronous, a fraction of a microsecond. */
  lookup(subject: Subject, now: number): IndexedDecision | null;
  /** Simulated and expired decisions are not kept; one with an unreadable value is logged and not kept. */
  add(decision: Decision): void;
  remove(decision: Decision): void;
  /** Adds it unless it is held already: for what is looked up and may be older than what the index was told. */
  restore(decision: Decision): void;
  /** Tells of changes from now on; there is one watcher at most. */
  watch(watcher: IndexWatcher | null): void;
  isAllowed(address: IpAddress, now?: number): boolean;
  /** The allowlist entry that covers or overlaps a network, or null. Not for the request path. */
  allowedRange(range: IpRange, now?: number): AllowlistItem | null;
  allow(item: AllowlistItem): void;
  /** The same value on another list goes on to be allowed. */
  disallow(list: string, value: string): void;
  /** Every entry of a list. */
  disallowList(list: string): void;
  readonly size: IndexSize;
  /** Bytes of typed arrays. */
  memoryBytes(): number;
  /** Frees expired entries, looking at about `budget` slots, and goes on from there next time. Returns how many. */
  sweep(now: number, budget: number): number;
  /**
   * Before a change stream is opened anew: marks all that is held. What is added from then on is renewed, and
   * `dropStale` takes out the rest when the stream turns out to begin with a snapshot. Both work in slices: run the
   * generator to its end, letting others run between its steps.
   */
  markStale(): Iterable<void>;
  dropStale(): Iterable<void>;
}

export interface DecisionIndexOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Entries of the settings' allowlist; they cannot be removed. */
  readonly allowlist?: readonly AllowlistItem[];
  /** For entries that are host names. Without it they allow nobody. */
  readonly resolveName?: AllowedNamesOptions['resolve'];
}

/** Custom scopes that may have decisions at once, and words that are warned of. */
const maxScopes = 64;
const farthestSecond = 0xffffffff;
/** The few that are not packed are swept all at once, but seldom. */
const namedSweepMs = 10_000;
const sweepPeriodMs = 200;
const sweepSlots = 4_000;

export function createDecisionIndex(options: DecisionIndexOptions): DecisionIndex {
  return new PackedDecisionIndex(options);
}

/**
 * Keeps the index free of expired entries: ten million are gone through in ten minutes, in steps of a fraction of a
 * millisecond. Cancel the timer to stop.
 */
export function startSweeper(index: Pick<DecisionIndex, 'sweep'>, clock: Clock): TimerHandle {
  return clock.every(sweepPeriodMs, () => void index.sweep(clock.now(), sweepSlots));
}

const noNames: AllowedNamesOptions['resolve'] = () => Promise.resolve([]);

class PackedDecisionIndex implements DecisionIndex {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #allowlist: Allowlist;
  readonly #names: AllowedNames;
  readonly #classes;
  readonly #networks: NetworkTables;
  readonly #countries = createNamedDecisions();
  readonly #systems = createNamedDecisions();
  readonly #customs = new Map<string, NamedDecisions>();
  readonly #warned = new Set<string>();
  #sweptNamedAt = Number.NEGATIVE_INFINITY;
  #watcher: IndexWatcher | null = null;

  constructor({ clock, random, log, allowlist = [], resolveName = noNames }: DecisionIndexOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#allowlist = createAllowlist(allowlist);
    this.#names = createAllowedNames({ allowlist: this.#allowlist, resolve: resolveName, log });
    for (const item of allowlist) if (isHostName(item.value)) this.#names.watchAlways(item);
    this.#classes = createDecisionClasses(() =>
      log.warn({}, 'too many different scenarios and lists: some decisions are shown without their name'),
    );
    this.#networks = new NetworkTables(createKeyedHash(random), this.#classes.ranks, (id) => this.#classes.release(id));
  }

  lookup(subject: Subject, now: number): IndexedDecision | null {
    const { address } = subject;
    if (this.#allowlist.covers(address, now)) return null;
    const found = this.#networks.severest(address, Math.floor(now / 1000)) ? this.#foundNetwork(address) : null;
    if (this.#customs.size === 0 && this.#systems.size === 0 && this.#countries.size === 0) return found;
    return this.#severestNamed(subject, now, found);
  }

  add(decision: Decision): void {
    this.#watcher?.added(decision);
    if (this.#put(decision)) this.#watcher?.uncovered(decision);
  }

  remove(decision: Decision): void {
    this.#watcher?.removed(decision);
    if (this.#takeOut(decision)) this.#watcher?.uncovered(decision);
  }

  restore(decision: Decision): void {
    if (!this.#holds(decision)) this.#put(decision);
  }

  watch(watcher: IndexWatcher | null): void {
    this.#watcher = watcher;
  }

  isAllowed(address: IpAddress, now = this.#clock.now()): boolean {
    return this.#allowlist.covers(address, now);
  }

  allowedRange(range: IpRange, now = this.#clock.now()): AllowlistItem | null {
    return this.#allowlist.findOverlap(range, now);
  }

  allow(item: AllowlistItem): void {
    if (isHostName(item.value) ? this.#names.watch(item) : this.#allowlist.add(item)) return;
    this.#log.error(
      { list: item.list, value: item.value.slice(0, 100) },
      'an allowlist entry is no address, range or host name, or there are too many',
    );
  }

  disallow(list: string, value: string): void {
    if (!this.#names.forget(list, value)) this.#allowlist.remove(list, value);
  }

  disallowList(list: string): void {
    this.#names.forgetList(list);
    this.#allowlist.removeList(list);
  }

  get size(): IndexSize {
    let custom = 0;
    for (const named of this.#customs.values()) custom += named.size;
    const counts = {
      ip: this.#networks.addresses,
      range: this.#networks.ranges,
      country: this.#countries.size,
      as: this.#systems.size,
      custom,
    };
    const total = counts.ip + counts.range + counts.country + counts.as + custom;
    return { ...counts, total, allowlist: this.#allowlist.size };
  }

  memoryBytes(): number {
    return this.#networks.memoryBytes();
  }

  sweep(now: number, budget: number): number {
    this.#names.tend(now);
    let removed = this.#networks.sweep(Math.floor(now / 1000), budget);
    if (Math.abs(now - this.#sweptNamedAt) < namedSweepMs) return removed;
    this.#sweptNamedAt = now;
    removed += this.#countries.sweep(now) + this.#systems.sweep(now);
    for (const [scope, decisions] of this.#customs) {
      removed += decisions.sweep(now);
      if (decisions.size === 0) this.#customs.delete(scope);
    }
    this.#allowlist.sweep(now);
    return removed;
  }

  *markStale(): Generator<void> {
    this.#names.markStale();
    this.#allowlist.markStale();
    for (const named of this.#everyNamed()) named.markStale();
    yield* this.#networks.markStale();
  }

  *dropStale(): Generator<void> {
    this.#names.dropStale();
    this.#allowlist.dropStale();
    for (const named of this.#everyNamed()) named.dropStale();
    yield* this.#networks.dropStale(Math.floor(this.#clock.now() / 1000));
  }

  /** True when it took the place of what others relied on. */
  #put(decision: Decision): boolean {
    // It may have been enforced before it was written anew.
    if (decision.simulated || decision.until <= this.#clock.now()) return this.#takeOut(decision);
    if (!isKnownRemediation(decision.type)) {
      this.#warnOnce(`type ${decision.type}`, { type: decision.type }, 'unknown remediation: it is enforced as a ban');
    }
    const scope = normalScope(decision.scope);
    if (scope !== 'Ip' && scope !== 'Range') {
      return this.#namedFor(scope)?.add({ ...decision, scope, value: canonical(scope, decision.value) }) ?? false;
    }
    const range = parseRange(decision.value);
    if (range === null) {
      const detail = { code: 'DECISION_INVALID', value: decision.value.slice(0, 100), origin: decision.origin };
      this.#warnOnce('value', detail, 'a decision has no valid address or range and is not enforced');
      return false;
    }
    const { type, origin, scenario } = decision;
    const id = this.#classes.acquire({ type, origin, scenario, scope });
    const until = Math.min(Math.ceil(decision.until / 1000), farthestSecond);
    if (!this.#networks.add(range, id, until, uuidTag(decision.uuid))) this.#classes.release(id);
    return this.#networks.leftOthers;
  }

  /** True when others relied on it. */
  #takeOut(decision: Decision): boolean {
    const scope = normalScope(decision.scope);
    if (scope !== 'Ip' && scope !== 'Range') {
      const named = this.#namedFor(scope, false);
      const leftOthers = named?.remove({ ...decision, value: canonical(scope, decision.value) }) ?? false;
      if (named?.size === 0) this.#customs.delete(scope);
      return leftOthers;
    }
    const range = parseRange(decision.value);
    if (range === null) return false;
    if (this.#networks.remove(range, uuidTag(decision.uuid))) this.#classes.release(this.#networks.foundClass);
    return this.#networks.leftOthers;
  }

  #holds(decision: Decision): boolean {
    const scope = normalScope(decision.scope);
    if (scope !== 'Ip' && scope !== 'Range') {
      return this.#namedFor(scope, false)?.has({ ...decision, value: canonical(scope, decision.value) }) ?? false;
    }
    const range = parseRange(decision.value);
    return range !== null && this.#networks.has(range, uuidTag(decision.uuid));
  }

  #foundNetwork(address: IpAddress): IndexedDecision {
    const { foundClass, foundUntil, foundTag, foundPrefix } = this.#networks;
    const { type, origin, scenario, scope } = this.#classes.describe(foundClass);
    const value = networkText(address, foundPrefix, scope);
    return { type, origin, scenario, scope, value, until: foundUntil * 1000, uuidTag: foundTag };
  }

  #severestNamed(subject: Subject, now: number, found: IndexedDecision | null): IndexedDecision | null {
    let best = found;
    const consider = (decisions: NamedDecisions, value: string): void => {
      const decision = value === '' ? null : decisions.severest(value, now);
      if (decision === null || (best !== null && severityOf(decision.type) <= severityOf(best.type))) return;
      best = indexed(decision);
    };
    for (const [scope, decisions] of this.#customs) consider(decisions, subject.custom?.(scope) ?? '');
    if (this.#systems.size > 0) consider(this.#systems, subject.asn?.() ?? '');
    if (this.#countries.size > 0) consider(this.#countries, subject.country?.() ?? '');
    return best;
  }

  #namedFor(scope: string, make = true): NamedDecisions | null {
    if (scope === 'Country') return this.#countries;
    if (scope === 'AS') return this.#systems;
    const known = this.#customs.get(scope);
    if (known !== undefined || !make) return known ?? null;
    if (this.#customs.size >= maxScopes) {
      this.#warnOnce('scopes', { scope }, 'too many custom scopes: decisions about further ones are not enforced');
      return null;
    }
    const made = createNamedDecisions();
    this.#customs.set(scope, made);
    return made;
  }

  #everyNamed(): NamedDecisions[] {
    return [this.#countries, this.#systems, ...this.#customs.values()];
  }

  #warnOnce(subject: string, detail: object, message: string): void {
    if (this.#warned.has(subject) || this.#warned.size >= maxScopes) return;
    this.#warned.add(subject);
    this.#log.warn(detail, message);
  }
}

function indexed(decision: Decision): IndexedDecision {
  const { type, origin, scenario, scope, value, until } = decision;
  return { type, origin, scenario, scope, value, until, uuidTag: uuidTag(decision.uuid) };
}

function canonical(scope: Scope, value: string): string {
  if (scope === 'Country') return value.toUpperCase();
  return scope === 'AS' ? value.replace(/^as/i, '') : value;
}
