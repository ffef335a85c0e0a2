/**
 * What becomes of buckets that overflew: `overflow_filter` and the silence of the scenario may discard them, the others become
 * alerts. Done once all scenarios have seen the event, since their filters may add to its Meta.
 * Specification: CrowdSec `pkg/leakybucket/overflow_filter.go`, `blackhole.go`.
 */
import type { Runtime } from '../../core/runtime.ts';
import type { Expression } from '../expr/compile.ts';
import type { Bucket } from './bucket.ts';
import { leakyView } from './conditions.ts';
import type { KeptEvent } from './kept-event.ts';
import { alertsOf, type Overflow, type OverflowDeps } from './overflow.ts';
import { runtimeAlert } from './overflow-event.ts';
import { countError, type Runner } from './runner.ts';

/** A bucket that overflew and is removed from its shelf. */
export interface PendingOverflow {
  readonly runner: Runner;
  readonly bucket: Bucket<KeptEvent>;
  readonly key: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export type SettleOverflows = (pending: readonly PendingOverflow[]) => readonly Overflow[];

export function createSettleOverflows(deps: OverflowDeps): SettleOverflows {
  return (pending) => {
    const overflows: Overflow[] = [];
    for (const each of pending) {
      const { counters } = each.runner;
      const overflow = settled(each, deps);
      if (overflow === null) counters.discarded++;
      else {
        counters.overflows++;
        overflows.push(overflow);
      }
    }
    return overflows;
  };
}

/** `overflow_filter` is asked first and needs the alerts; without one, the silence spares making them. */
function settled(pending: PendingOverflow, deps: OverflowDeps): Overflow | null {
  const { runner, key, at } = pending;
  const { overflowFilter } = runner.scenario;
  if (overflowFilter === null) return runner.blackhole?.swallows(key, at) === true ? null : overflowOf(pending, deps);
  const overflow = overflowOf(pending, deps);
  if (overflow === null || !passes(pending, overflowFilter, overflow, deps)) return null;
  return runner.blackhole?.swallows(key, at) === true ? null : overflow;
}

function overflowOf({ runner, bucket, key, at }: PendingOverflow, deps: OverflowDeps): Overflow | null {
  const { scenario } = runner;
  const alerts = alertsOf(scenario, bucket, at, deps);
  return alerts.length === 0 ? null : { scenario: scenario.spec, key, at, alerts };
}

/** False discards the overflow; an error keeps it. */
function passes(
  { runner, bucket, key }: PendingOverflow,
  overflowFilter: Expression,
  overflow: Overflow,
  deps: Pick<Runtime, 'clock' | 'log'>,
): boolean {
  const { scenario } = runner;
  const queue = { Queue: bucket.queue.map((kept) => kept.toEvent()), L: scenario.shape.kept };
  const leaky = leakyView(scenario, bucket, key, queue);
  try {
    return overflowFilter.evaluate({ queue, leaky, signal: runtimeAlert(overflow) }) !== false;
  } catch (error) {
    countError(runner, error, deps);
    return true;
  }
}
