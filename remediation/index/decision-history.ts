/**
 * `DecisionHistory`: how often each value was decided about, for `GetDecisionsCount` and its kin in profiles. Expressions
 * never wait, so the counts are kept in memory: read from the store at start, then fed with every decision that is
 * published or followed. Bounded: the values decided about longest ago are forgotten first.
 */
import type { Clock } from '../../core/clock.ts';
import { formatRange, parseIp, rangeOf } from '../../core/ip.ts';
import type { DecisionCounts } from '../../detectors/expr/dependencies.ts';
import { isOwn, uuidTag, type Decision } from '../decision.ts';

export interface DecisionHistory extends DecisionCounts {
  /** Counts from the store as of `asOf`, epoch milliseconds: decisions made before that are not counted again. */
  seed(counts: readonly { readonly value: string; readonly count: number }[], asOf: number): void;
  /** A decision was made, here or elsewhere. Told twice it counts once. Only our own (`isOwn`) count as offences. */
  record(decision: Decision): void;
  /** A decision was lifted: it counts as one that was, no longer as one that is. */
  lift(decision: Decision): void;
  /** Values that are remembered. */
  readonly size: number;
}

export interface DecisionHistoryOptions {
  readonly clock: Clock;
  /** Clients behind one IPv6 prefix of this length are one offender, as in our decisions. 128 tells addresses apart. */
  readonly ipv6Prefix?: number;
  readonly maxValues?: number;
  /** A value whose decisions are no offences: the address that self-tests speak for. */
  readonly exempt?: string;
}

interface Offence {
  readonly tag: number;
  readonly at: number;
  until: number;
  readonly counts: boolean;
}

interface Offender {
  /** Decisions known as a number only, from the store. */
  earlier: number;
  /** Newest last, at most `recentKept`. */
  recent: Offence[];
}

/** Single decisions remembered of one value; older ones stay as a number. */
const recentKept = 32;

export function createDecisionHistory(options: DecisionHistoryOptions): DecisionHistory {
  const { clock, ipv6Prefix = 64, maxValues = 200_000, exempt = '' } = options;
  /** Least recently offended first. */
  const offenders = new Map<string, Offender>();
  let seededAt = Number.NEGATIVE_INFINITY;

  /** A profile asks with the alert's address, the decision may be about its prefix: both are one key. */
  const keyOf = (value: string): string => {
    if (!value.includes(':')) return value;
    const address = parseIp(value);
    if (address === null) return value;
    return address.version === 4 ? address.text : formatRange(rangeOf(address, ipv6Prefix));
  };
  const find = (value: string): Offender | undefined => offenders.get(keyOf(value));
  const touch = (key: string): Offender => {
    const offender = offenders.get(key) ?? { earlier: 0, recent: [] };
    offenders.delete(key);
    offenders.set(key, offender);
    if (offenders.size > maxValues) forgetOldest();
    return offender;
  };
  /** Some at once: the first of a map from which many were deleted is a long way to go each time. */
  const forgetOldest = (): void => {
    let surplus = offenders.size - maxValues + Math.floor(maxValues / 16);
    for (const key of offenders.keys()) {
      if (surplus-- <= 0) return;
      offenders.delete(key);
    }
  };
  const active = (value: string): Offence[] => {
    const now = clock.now();
    return find(value)?.recent.filter(({ until }) => until > now) ?? [];
  };

  return {
    seed(counts, asOf) {
      seededAt = asOf;
      // The store answers newest first; the newest must be the last to be forgotten.
      for (const { value, count } of counts.slice(0, maxValues).toReversed()) {
        if (value !== exempt) touch(keyOf(value)).earlier += count;
      }
    },
    record(decision) {
      if (!isOwn(decision) || decision.value === exempt) return;
      const tag = uuidTag(decision.uuid);
      const offender = touch(keyOf(decision.value));
      if (offender.recent.some((offence) => offence.tag === tag)) return;
      const counts = decision.createdAt > seededAt;
      offender.recent.push({ tag, at: decision.createdAt, until: decision.until, counts });
      if (offender.recent.length <= recentKept) return;
      const oldest = offender.recent.shift();
      if (oldest?.counts) offender.earlier++;
    },
    lift(decision) {
      const tag = uuidTag(decision.uuid);
      for (const offence of find(decision.value)?.recent ?? []) {
        if (offence.tag === tag) offence.until = Math.min(offence.until, clock.now());
      }
    },
    total(value) {
      const offender = find(value);
      return offender === undefined ? 0 : offender.earlier + offender.recent.filter(({ counts }) => counts).length;
    },
    since: (value, sinceMs) => find(value)?.recent.filter(({ at }) => at >= sinceMs).length ?? 0,
    active: (value) => active(value).length,
    activeTimeLeftMs: (value) =>
      active(value).reduce((longest, { until }) => Math.max(longest, until - clock.now()), 0),
    get size() {
      return offenders.size;
    },
  };
}
