/** What counts towards the time that rules may take. */
import t from 'tap';
import { TimeBudget } from '../../../../detectors/waf/engine/time-budget.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

/** More than goes between two looks at the clock. */
const much = 10_000;

t.test('time is used up over all stretches, and what lies between them is free', async (t) => {
  const clock = createManualClock();
  const budget = new TimeBudget(50, clock, null);
  for (const over of [false, false, true]) {
    budget.begin();
    clock.advance(20);
    t.equal(budget.charge(much), over);
    budget.end();
    clock.advance(1_000);
  }
  t.ok(budget.exhausted);
  t.ok(budget.charge(1), 'and stays so');
});

t.test('little work does not look at the clock, much of it does', async (t) => {
  const clock = createManualClock();
  const budget = new TimeBudget(50, clock, null);
  budget.begin();
  clock.advance(60);
  t.notOk(budget.charge(10));
  t.notOk(budget.exhausted);
  let steps = 1;
  while (!budget.charge(100)) steps++;
  t.ok(steps < 100, `${steps} steps`);
});

t.test('a thread that others kept waiting is not out of time', async (t) => {
  const clock = createManualClock();
  let cpu = 1_000;
  const budget = new TimeBudget(50, clock, () => cpu);
  budget.begin();
  budget.charge(much);
  clock.advance(500);
  cpu += 40;
  t.notOk(budget.charge(much));
  budget.end();
  clock.advance(500);
  cpu += 500;
  budget.begin();
  t.notOk(budget.charge(much), 'other work of the thread between stretches does not count');
  clock.advance(5);
  cpu += 5;
  t.notOk(budget.charge(much));
  clock.advance(20);
  cpu += 20;
  t.ok(budget.charge(much));
});
