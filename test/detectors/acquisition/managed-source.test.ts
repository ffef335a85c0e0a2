import t from 'tap';
import { createManagedSource, retryDelay, type SourceRun } from '../../../detectors/acquisition/managed-source.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createTestSink, silentRuntime } from './support.ts';
import { eventually } from '../../support/eventually.ts';

t.test('pauses double up to a minute, with some chance in them', async (t) => {
  t.same(
    [1, 2, 3, 6, 7, 50, 5_000].map((failures) => retryDelay(failures, 1)),
    [1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000],
  );
  t.equal(retryDelay(1, 0), 500);
});

t.test('a source that fails is tried again, shows when, and recovers', async (t) => {
  const clock = createManualClock();
  let attempts = 0;
  let running: SourceRun | null = null;
  const source = createManagedSource(
    {
      kind: 'file',
      name: 'test',
      async run(run) {
        if (++attempts <= 3) throw new Error(`failure ${attempts}`);
        running = run;
        run.meter.running();
        await new Promise((resolve) => run.signal.addEventListener('abort', resolve));
      },
    },
    { ...silentRuntime, clock, random: { ...silentRuntime.random, fraction: () => 1 } },
  );
  t.match(source.status(), { state: 'waiting', lines: 0 });
  source.start(createTestSink());
  for (const [attempt, pause] of [
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
  ] as const) {
    await eventually(() => source.status().lastError === `failure ${attempt}`);
    t.match(source.status(), { state: 'failed', retryAt: clock.now() + pause });
    clock.advance(pause - 1);
    t.equal(attempts, attempt);
    clock.advance(1);
  }
  await eventually(() => running !== null);
  t.match(source.status(), { state: 'running', retryAt: null, lastError: 'failure 3' });
  await source.close();
  await source.close();
  t.equal(attempts, 4);
});

t.test('closing ends the pause, and what has ended stays so', async (t) => {
  const clock = createManualClock();
  const runtime = { ...silentRuntime, clock };
  const failing = createManagedSource({ kind: 'x', name: 'x', run: () => Promise.reject(new Error('no')) }, runtime);
  failing.start(createTestSink());
  await eventually(() => failing.status().state === 'failed');
  await failing.close();
  const ending = createManagedSource({ kind: 'x', name: 'x', run: () => Promise.resolve() }, runtime);
  ending.start(createTestSink());
  await eventually(() => ending.status().state === 'ended');
  await ending.close();
  t.equal(ending.status().state, 'ended');
});
