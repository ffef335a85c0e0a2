import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { systemClock } from '../../core/clock.ts';
import { createManualClock } from '../support/manual-clock.ts';

t.test('the wall clock is near the real one and monotonic time never runs backwards', async (t) => {
  t.ok(Math.abs(systemClock.now() - new Date().getTime()) < 60_000);
  let last = systemClock.monotonic();
  for (let index = 0; index < 1000; index++) {
    const next = systemClock.monotonic();
    if (next < last) t.fail(`${next} after ${last}`);
    last = next;
  }
  t.pass('1000 readings');
});

t.test('a timer fires once, a period again and again, and neither after it was cancelled', async (t) => {
  await new Promise<void>((resolve) => {
    let times = 0;
    const never = systemClock.after(0, () => t.fail('cancelled'));
    never.cancel();
    systemClock.after(0, () => times++);
    const period = systemClock.every(1, () => {
      if (++times < 4) return;
      period.cancel();
      resolve();
    });
    // Timers do not keep the process alive, so something else must.
    const alive = setInterval(() => undefined, 1000);
    t.teardown(() => clearInterval(alive));
  });
  t.pass('fired');
});

t.test('sleep ends early, without an error, when it is aborted', async (t) => {
  const abort = new AbortController();
  const asleep = systemClock.sleep(3_600_000, abort.signal);
  abort.abort();
  await asleep;
  await systemClock.sleep(3_600_000, AbortSignal.abort());
  await systemClock.sleep(0);
  t.pass('awake');
});

t.test('pending timers do not keep the process alive', async (t) => {
  const clock = join(import.meta.dirname, '..', '..', 'core', 'clock.ts');
  const program = `import { systemClock } from ${JSON.stringify(clock)};
    systemClock.after(3_600_000, () => {});
    systemClock.every(3_600_000, () => {});
    console.log('done');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 60_000,
  });
  t.equal(stdout, 'done\n');
});

t.test('the manual clock fires what falls due, in order, while it is moved', async (t) => {
  const clock = createManualClock(1000);
  const fired: string[] = [];
  clock.after(20, () => fired.push(`late ${clock.now()}`));
  clock.after(10, () => {
    fired.push(`early ${clock.now()}`);
    clock.after(5, () => fired.push(`nested ${clock.now()}`));
  });
  const period = clock.every(8, () => fired.push(`period ${clock.now()}`));
  clock.advance(16);
  t.same(fired, ['period 1008', 'early 1010', 'nested 1015', 'period 1016']);
  period.cancel();
  clock.advance(100);
  t.same(fired.slice(4), ['late 1020']);
  t.equal(clock.now(), 1116);
  t.equal(clock.monotonic(), 116);
  const asleep = clock.sleep(10);
  clock.advance(10);
  await asleep;
});
