/** The detector against a plain model (`model.ts`), for every type of bucket, live and replayed. */
import * as fc from 'fast-check';
import t from 'tap';
import type { Overflow } from '../../../detectors/scenarios/overflow.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { cancelPage, type Outcome, outcomesOf, type Parameters, rarePage, scenarioOf, type Step } from './model.ts';
import { accessEvent, overflowDetectorOf } from './support.ts';

const start = Date.UTC(2026, 0, 1);

/** Longer than any bucket lives. */
const afterwardsMs = 3_600_000;

function outcomeOf({ alerts }: Overflow): Outcome {
  const [alert, ...others] = alerts;
  if (alert === undefined || others.length > 0) throw new Error(`${alerts.length} alerts of one overflow`);
  return {
    client: alert.source.value,
    count: alert.eventsCount,
    pages: alert.events.map(({ meta }) => meta.find(({ key }) => key === 'http_path')?.value ?? ''),
    startAt: alert.startAt,
    stopAt: alert.stopAt,
  };
}

/** What the detector makes of the history. Live, time goes on to `end` when everything is poured. */
function poured(steps: readonly Step[], parameters: Parameters, replayed: boolean, end: number): readonly Outcome[] {
  const clock = createManualClock(start);
  const detector = overflowDetectorOf(scenarioOf(parameters), clock);
  const overflows: Overflow[] = [];
  detector.listen((more) => overflows.push(...more));
  for (const { client, page, at } of steps) {
    if (!replayed) clock.advance(at - clock.now());
    const date = replayed ? { replayedAt: new Date(at).toISOString() } : {};
    overflows.push(...detector.pour(accessEvent({ ip: client, target: page, ...date })));
  }
  if (replayed) overflows.push(...detector.endReplay());
  else clock.advance(end - clock.now());
  detector.close();
  return overflows.map(outcomeOf);
}

const types = ['leaky', 'trigger', 'counter', 'conditional', 'bayesian'] as const;

function parametersOf(type: Parameters['type']): fc.Arbitrary<Parameters> {
  return fc.record({
    type: fc.constant(type),
    capacity: fc.integer({ min: 1, max: 5 }),
    leakMs: fc.integer({ min: 50, max: 2_000 }),
    cacheSize: fc.integer({ min: 0, max: 6 }),
    distinct: fc.boolean(),
    cancel: fc.constantFrom(true, false, false),
    blackholeMs: fc.constantFrom(0, 0, 500, 5_000),
    overflowFilter: fc.constantFrom(true, false, false),
    alike: fc.integer({ min: 2, max: 4 }),
    prior: fc.constantFrom(0.1, 0.4, 0.5),
    threshold: fc.constantFrom(0.5, 0.8, 0.9),
    guillotine: fc.boolean(),
  });
}

function history(wait: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const step = fc.record({
    client: fc.constantFrom('192.0.2.1', '192.0.2.1', '192.0.2.2'),
    page: fc.constantFrom('/a', '/a', '/b', '/c', '/d', '/e', rarePage, rarePage, cancelPage),
    wait,
  });
  return fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }).map((steps) => {
    let at = start;
    return steps.map(({ client, page, wait: waited }) => ({ client, page, at: (at += waited) }));
  });
}

const modes = {
  live: history(fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 150 }) }, fc.nat({ max: 12_000 }))),
  replayed: history(fc.oneof({ weight: 8, arbitrary: fc.integer({ min: -400, max: 500 }) }, fc.nat({ max: 12_000 }))),
} as const;

for (const type of types) {
  for (const [mode, steps] of Object.entries(modes)) {
    t.test(`${mode} ${type} buckets do what the plain model does`, async (t) => {
      let overflows = 0;
      fc.assert(
        fc.property(steps, parametersOf(type), (history, parameters) => {
          const end = (history.at(-1)?.at ?? start) + afterwardsMs;
          const expected = outcomesOf(history, parameters, mode === 'live' ? end : Number.POSITIVE_INFINITY);
          const found = poured(history, parameters, mode === 'replayed', end);
          overflows += found.length;
          if (JSON.stringify(found) !== JSON.stringify(expected)) {
            throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
          }
        }),
        { seed: 20_260_106, numRuns: 400 },
      );
      t.ok(overflows > 200, `${overflows} overflows`);
    });
  }
}
