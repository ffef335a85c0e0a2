/** The detector against a plain model: one list of events for each client, gone through anew for every event. */
import * as fc from 'fast-check';
import t from 'tap';
import { createManualClock } from '../../support/manual-clock.ts';
import { accessEvent, detectorOf } from './support.ts';

interface Step {
  readonly client: string;
  readonly page: string;
  /** Milliseconds since the event before; may be negative in a replay. */
  readonly wait: number;
}

interface Parameters {
  readonly capacity: number;
  readonly leakMs: number;
  readonly cacheSize: number;
  readonly distinct: boolean;
  readonly cancel: boolean;
  readonly blackholeMs: number;
}

interface Outcome {
  readonly client: string;
  readonly count: number;
  readonly pages: readonly string[];
  readonly startAt: number;
  readonly stopAt: number;
}

const start = Date.UTC(2026, 0, 1);
const cancelPage = '/cancel';

/** What should happen, by going through each client's events since its bucket began. */
function model(steps: readonly (Step & { at: number })[], parameters: Parameters): readonly (Outcome | null)[] {
  const { capacity, leakMs, cacheSize, distinct, cancel, blackholeMs } = parameters;
  const lives = new Map<string, { counted: { page: string; at: number }[]; seen: string[] }>();
  const silentUntil = new Map<string, number>();
  return steps.map(({ client, page, at }) => {
    let life = lives.get(client) ?? { counted: [], seen: [] };
    const last = life.counted.at(-1);
    if (last !== undefined && at > last.at + (capacity + 1) * leakMs) life = { counted: [], seen: [] };
    lives.set(client, life);
    if (distinct && life.seen.includes(page)) return null;
    life.seen.push(page);
    if (cancel && page === cancelPage) {
      lives.delete(client);
      return null;
    }
    life.counted.push({ page, at });
    if (level(life.counted, leakMs) <= capacity * leakMs) return null;
    lives.delete(client);
    if ((silentUntil.get(client) ?? Number.NEGATIVE_INFINITY) > at) return null;
    if (blackholeMs > 0) silentUntil.set(client, at + blackholeMs);
    const kept = cacheSize > 0 && cacheSize <= capacity ? cacheSize : capacity;
    const pages = life.counted.slice(-(kept + 1)).map((each) => each.page);
    return { client, count: life.counted.length, pages, startAt: life.counted[0]?.at ?? 0, stopAt: at };
  });
}

/** How full the bucket is after these events, in milliseconds of leaking. */
function level(counted: readonly { at: number }[], leakMs: number): number {
  let filled = 0;
  for (const [index, { at }] of counted.entries()) {
    const before = counted[index - 1]?.at ?? at;
    filled = Math.max(0, filled - Math.max(0, at - before)) + leakMs;
  }
  return filled;
}

function yamlOf(parameters: Parameters): string {
  return [
    'type: leaky\nname: our/model\ndescription: d\nfilter: "true"\ngroupby: evt.Meta.source_ip',
    `capacity: ${parameters.capacity}\nleakspeed: ${parameters.leakMs}ms\ncache_size: ${parameters.cacheSize}`,
    parameters.distinct ? 'distinct: evt.Meta.http_path' : '',
    parameters.cancel ? `cancel_on: evt.Meta.http_path == '${cancelPage}'` : '',
    `blackhole: ${parameters.blackholeMs}ms\n`,
  ].join('\n');
}

function outcomes(
  steps: readonly (Step & { at: number })[],
  parameters: Parameters,
  replayed: boolean,
): (Outcome | null)[] {
  const clock = createManualClock(start);
  const detector = detectorOf(yamlOf(parameters), clock);
  const found = steps.map(({ client, page, at }) => {
    if (!replayed) clock.advance(at - clock.now());
    const event = accessEvent({
      ip: client,
      target: page,
      ...(replayed && { replayedAt: new Date(at).toISOString() }),
    });
    const [alert] = detector.pour(event);
    if (alert === undefined) return null;
    const pages = alert.events.map(({ meta }) => meta.find(({ key }) => key === 'http_path')?.value ?? '');
    return {
      client: alert.source.value,
      count: alert.eventsCount,
      pages,
      startAt: alert.startAt,
      stopAt: alert.stopAt,
    };
  });
  detector.close();
  return found;
}

const parameters = fc.record({
  capacity: fc.integer({ min: 1, max: 5 }),
  leakMs: fc.integer({ min: 50, max: 2_000 }),
  cacheSize: fc.integer({ min: 0, max: 6 }),
  distinct: fc.boolean(),
  cancel: fc.constantFrom(true, false, false),
  blackholeMs: fc.constantFrom(0, 0, 500, 5_000),
});

function history(wait: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const step = fc.record({
    client: fc.constantFrom('192.0.2.1', '192.0.2.1', '192.0.2.2'),
    page: fc.constantFrom('/a', '/b', '/c', '/d', '/e', '/f', '/g', cancelPage),
    wait,
  });
  return fc.array(step, { minLength: 1, maxLength: 60 });
}

for (const [mode, wait] of [
  ['live', fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 150 }) }, fc.nat({ max: 12_000 }))],
  ['replayed', fc.oneof({ weight: 8, arbitrary: fc.integer({ min: -400, max: 500 }) }, fc.nat({ max: 12_000 }))],
] as const) {
  t.test(`${mode} buckets do what the plain model does`, async (t) => {
    let alerts = 0;
    fc.assert(
      fc.property(history(wait), parameters, (waits, chosen) => {
        let at = start;
        const steps = waits.map((step) => ({ ...step, at: (at += step.wait) }));
        const expected = model(steps, chosen);
        const found = outcomes(steps, chosen, mode === 'replayed');
        alerts += found.filter((outcome) => outcome !== null).length;
        if (JSON.stringify(found) !== JSON.stringify(expected)) {
          throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
        }
      }),
      { seed: 20_260_106, numRuns: 500 },
    );
    t.ok(alerts > 200, `${alerts} alerts`);
  });
}
