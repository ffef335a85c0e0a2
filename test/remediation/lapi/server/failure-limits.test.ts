import t from 'tap';
import { createFailureLimits } from '../../../../remediation/lapi/server/failure-limits.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

t.test('a handful at once, then one at a time', async (t) => {
  const clock = createManualClock();
  const limits = createFailureLimits({ burst: 3, everyMs: 1_000 }, clock);
  const fail = () => limits.failed('a');
  t.strictSame([fail(), fail(), fail(), fail()], [true, true, true, false]);
  t.equal(limits.isLimited('a'), true);
  t.equal(limits.isLimited('b'), false);
  clock.advance(1_000);
  t.equal(limits.isLimited('a'), false);
  t.strictSame([fail(), fail()], [true, false]);
  clock.advance(3_000);
  t.strictSame([fail(), fail(), fail(), fail()], [true, true, true, false], 'all is forgiven');
});

t.test('one that goes on while it is limited is not limited for longer', async (t) => {
  const clock = createManualClock();
  const limits = createFailureLimits({ burst: 1, everyMs: 1_000 }, clock);
  t.equal(limits.failed('a'), true);
  for (let attempt = 0; attempt < 9; attempt++) {
    clock.advance(100);
    t.equal(limits.failed('a'), false);
  }
  clock.advance(100);
  t.equal(limits.failed('a'), true);
});

t.test('the table is bounded; whoever failed longest ago is forgotten', async (t) => {
  const limits = createFailureLimits({ burst: 1, everyMs: 1_000, maxSources: 100 }, createManualClock());
  for (let source = 0; source < 1_000; source++) limits.failed(String(source));
  t.ok(limits.size >= 50 && limits.size <= 100, `${limits.size} of 100`);
  t.equal(limits.isLimited('999'), true);
  t.equal(limits.isLimited('0'), false);
});
