/**
 * Conditions that are asked after each pour, and may overflow a bucket that has tokens left: those of conditional scenarios,
 * and the bayesian ones. They see the event, the queue with it, and the bucket.
 * Specification: CrowdSec `pkg/leakybucket/conditional.go`, `bayesian.go`.
 */
import type { Event } from '../event.ts';
import type { Expression, Scope } from '../expr/compile.ts';
import { updated } from './bayesian.ts';
import type { Bucket, BucketMemory } from './bucket.ts';
import type { KeptEvent } from './kept-event.ts';
import type { Bayesian, Scenario } from './scenario.ts';

/** What expressions see of a bucket: Go's `Leaky`. Times in epoch milliseconds, durations in milliseconds. */
export function leakyView(scenario: Scenario, bucket: Bucket<KeptEvent>, key: string, queue: object): object {
  const { spec, shape, simulated } = scenario;
  return {
    Name: spec.name,
    Mapkey: key,
    Capacity: spec.capacity,
    CacheSize: spec.cacheSize,
    Total_count: bucket.count,
    First_ts: bucket.firstAt,
    Last_ts: bucket.lastAt,
    Ovflw_ts: bucket.lastAt,
    Leakspeed: spec.leakMs,
    Duration: shape.lifetimeMs,
    Queue: queue,
    Reprocess: spec.reprocess,
    Simulated: simulated,
  };
}

/** Whether a condition of `scenario` holds now that `event` is in `bucket`. One that raises says no and goes to `onError`. */
export function conditionHolds(
  scenario: Scenario,
  bucket: Bucket<KeptEvent>,
  event: Event,
  key: string,
  onError: (error: unknown) => void,
): boolean {
  const { condition, bayesian } = scenario;
  const memory = (bucket.memory ??= { events: [], fallen: new Set() });
  if (scenario.looksBack) follow(memory, bucket, event);
  const queue = { Queue: memory.events, L: scenario.shape.kept };
  const scope: Scope = { evt: event, queue, leaky: leakyView(scenario, bucket, key, queue) };
  try {
    if (condition?.evaluate(scope) === true) return true;
    return bayesian !== null && isLikely(bayesian, memory, scope);
  } catch (error) {
    onError(error);
    return false;
  }
}

/** The newest event joins those remembered; what the queue gave up goes here too. */
function follow({ events }: BucketMemory, { queue }: Bucket<KeptEvent>, event: Event): void {
  events.push(event);
  if (events.length > queue.length) events.splice(0, events.length - queue.length);
}

function isLikely({ prior, threshold, conditions }: Bayesian, { fallen }: BucketMemory, scope: Scope): boolean {
  let likely = prior;
  for (const [position, { holds, likelihood }] of conditions.entries()) {
    const isTrue = fallen.has(position) || holdsIn(holds, scope);
    if (isTrue && likelihood.guillotine) fallen.add(position);
    likely = updated(likely, likelihood, isTrue);
  }
  return likely > threshold;
}

function holdsIn(expression: Expression, scope: Scope): boolean {
  return expression.evaluate(scope) === true;
}
