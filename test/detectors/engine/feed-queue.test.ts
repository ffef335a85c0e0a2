import t from 'tap';
import type { Log } from '../../../core/log.ts';
import { createLog } from '../../../core/log.ts';
import type { Alert } from '../../../detectors/alert.ts';
import type { Engine, EngineResult } from '../../../detectors/engine/engine.ts';
import { createFeedQueue, type FeedQueue } from '../../../detectors/engine/feed-queue.ts';
import { FieldMap, type Line } from '../../../detectors/event.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const line = (Raw: string): Line => ({
  Raw,
  Src: 'test',
  Time: 0,
  Labels: new FieldMap(),
  Process: true,
  Module: 'file',
});

const nothing: EngineResult = { outcome: 'poured', overflows: [] };

interface Fixture {
  readonly queue: FeedQueue;
  readonly clock: ManualClock;
  readonly seen: string[];
  readonly alerts: Alert[];
}

function fixture(feed: Engine['feed'] | null, maxLines = 10, log: Log = createLog('silent')): Fixture {
  const clock = createManualClock();
  const seen: string[] = [];
  const alerts: Alert[] = [];
  const engine: Pick<Engine, 'feed'> = {
    feed(line, mode, observer) {
      seen.push(line.Raw);
      return feed === null ? nothing : feed(line, mode, observer);
    },
  };
  const queue = createFeedQueue(
    { maxLines, maxCharacters: 100 },
    { clock, log, engine, onAlerts: (found) => alerts.push(...found) },
  );
  return { queue, clock, seen, alerts };
}

const alertOf = (scenario: string): EngineResult => ({
  outcome: 'poured',
  overflows: [
    { overflow: {} as never, event: null, whitelisted: false, alerts: [{ scenario } as Alert] },
    { overflow: {} as never, event: null, whitelisted: true, alerts: [] },
  ],
});

t.test('lines are processed in order, not in the call that brings them', async (t) => {
  const { queue, clock, seen } = fixture(null);
  for (const raw of ['a', 'b', 'c']) t.equal(queue.push(line(raw), 0), true);
  t.same(seen, []);
  t.match(queue.counters, { taken: 3, queued: 3, queuedCharacters: 3 });
  clock.advance(1);
  t.same(seen, ['a', 'b', 'c']);
  t.match(queue.counters, { taken: 3, queued: 0, queuedCharacters: 0, refused: 0 });
});

t.test('a full queue takes nothing, and wakes whoever waits once half of it is free', async (t) => {
  const { queue, clock, seen } = fixture(null, 4);
  for (const raw of ['a', 'b', 'c', 'd']) queue.push(line(raw), 0);
  t.equal(queue.push(line('e'), 0), false);
  t.equal(queue.counters.refused, 1);
  let woken = false;
  const waits = queue.drained().then(() => (woken = true));
  await Promise.resolve();
  t.equal(woken, false);
  clock.advance(1);
  await waits;
  t.equal(queue.push(line('e'), 0), true);
  clock.advance(1);
  t.same(seen, ['a', 'b', 'c', 'd', 'e']);
  await queue.drained();
});

t.test('long lines fill it too', async (t) => {
  const { queue } = fixture(null);
  t.equal(queue.push(line('x'.repeat(100)), 0), true);
  t.equal(queue.push(line('y'), 0), false);
});

t.test('alerts are handed on, those of whitelisted overflows are not', async (t) => {
  const { queue, clock, alerts } = fixture((line) => alertOf(line.Raw));
  queue.push(line('one'), 1);
  clock.advance(1);
  t.same(alerts, [{ scenario: 'one' }]);
});

t.test('a line that waits for a name holds up no other, and close waits for it', async (t) => {
  const late = Promise.withResolvers<EngineResult>();
  const { queue, clock, seen, alerts } = fixture((line) => (line.Raw === 'slow' ? late.promise : alertOf(line.Raw)));
  queue.push(line('slow'), 0);
  queue.push(line('quick'), 0);
  clock.advance(1);
  t.same(seen, ['slow', 'quick']);
  t.same(alerts, [{ scenario: 'quick' }]);
  queue.push(line('last'), 0);
  const closed = queue.close();
  late.resolve(alertOf('slow'));
  await closed;
  t.same(alerts, [{ scenario: 'quick' }, { scenario: 'last' }, { scenario: 'slow' }]);
  t.equal(queue.push(line('after'), 0), false);
  await queue.close();
});

t.test('a line that makes the engine throw is counted, and logged once in a while', async (t) => {
  const logged: string[] = [];
  const log = createLog('info', { write: (text) => void logged.push(text) });
  const { queue, clock } = fixture(
    (line) => {
      if (line.Raw.startsWith('bad')) throw new Error('broken');
      return nothing;
    },
    10,
    log,
  );
  for (const raw of ['bad', 'good', 'bad2']) queue.push(line(raw), 0);
  clock.advance(1);
  t.equal(queue.counters.failed, 2);
  t.equal(logged.length, 1);
  clock.advance(61_000);
  queue.push(line('bad3'), 0);
  clock.advance(1);
  t.equal(logged.length, 2);
});
