import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { createMachineDesk } from '../../../remediation/callers/machine-desk.ts';
import type { Machine } from '../../../remediation/machine.ts';
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { machineOf } from './callers.ts';
import { settle } from '../support.ts';

function setup() {
  const clock = createManualClock();
  const machines = new Map<string, Machine>();
  const applied: StoreWrite[] = [];
  const state = { reads: 0, away: false };
  const check = (): void => {
    if (state.away) throw new GatewayError('STORE_UNAVAILABLE', 'away');
  };
  const store = {
    async machines(): Promise<readonly Machine[]> {
      state.reads++;
      check();
      return [...machines.values()];
    },
    async apply(writes: readonly StoreWrite[]): Promise<void> {
      check();
      await settle(1);
      for (const write of writes) {
        applied.push(write);
        if (write.kind === 'machine-added') machines.set(write.machine.id, write.machine);
        if (write.kind === 'machine-deleted') machines.delete(write.id);
        const known = write.kind === 'machine-seen' ? machines.get(write.id) : undefined;
        if (known !== undefined && write.kind === 'machine-seen') machines.set(write.id, { ...known, ...write.seen });
      }
    },
  };
  return { clock, machines, applied, state, desk: createMachineDesk({ store, clock }) };
}

t.test('a machine that registers is known at once, and its name is taken', async (t) => {
  const { desk, machines } = setup();
  t.equal(await desk.find('m1'), null);
  t.equal(await desk.register(machineOf('m1', { ip: '192.0.2.1' })), 'registered');
  t.match(await desk.find('m1'), { ip: '192.0.2.1' });
  t.equal(await desk.register(machineOf('m1', { ip: '192.0.2.2' })), 'exists');
  t.equal(machines.get('m1')?.ip, '192.0.2.1');
});

t.test('of two that register at once under one name the first wins', async (t) => {
  const { desk, machines } = setup();
  const outcomes = await Promise.all(
    ['a', 'b', 'c'].map((ip) => desk.register(machineOf('m1', { ip, validated: false }))),
  );
  t.strictSame(outcomes, ['registered', 'exists', 'exists']);
  t.equal(machines.get('m1')?.ip, 'a');
});

t.test('so many may wait for an operator; validated ones are not counted', async (t) => {
  const { desk, machines } = setup();
  for (let index = 0; index < 1_000; index++) machines.set(`p${index}`, machineOf(`p${index}`, { validated: false }));
  t.equal(await desk.register(machineOf('one more', { validated: false })), 'full');
  t.equal(await desk.register(machineOf('trusted')), 'registered');
});

t.test('the list is read once a minute, and once a second for strangers', async (t) => {
  const { desk, machines, clock, state } = setup();
  machines.set('m1', machineOf('m1'));
  for (let round = 0; round < 50; round++) await desk.find('m1');
  t.equal(state.reads, 1);
  for (let round = 0; round < 50; round++) await desk.find('stranger');
  t.equal(state.reads, 1);
  clock.advance(1_000);
  await desk.find('stranger', () => false);
  t.equal(state.reads, 1, 'not for one that may not ask');
  await desk.find('stranger');
  t.equal(state.reads, 2);
});

t.test('one that waits is found validated within a second, wherever that was done', async (t) => {
  const { desk, machines, clock } = setup();
  machines.set('m1', machineOf('m1', { validated: false }));
  t.equal((await desk.find('m1'))?.validated, false);
  machines.set('m1', machineOf('m1'));
  clock.advance(1_000);
  t.equal((await desk.find('m1'))?.validated, true);
});

t.test('a machine that was removed is a stranger at once, and nothing is written about it', async (t) => {
  const { desk, machines, applied, clock } = setup();
  machines.set('m1', machineOf('m1'));
  await desk.find('m1');
  desk.noticed('m1', { lastHeartbeat: 5 });
  await desk.remove('m1');
  t.equal(await desk.find('m1'), null);
  clock.advance(5_000);
  await settle();
  t.strictSame(
    applied.map(({ kind }) => kind),
    ['machine-deleted'],
  );
});

t.test('what is noticed counts at once and is written once a second', async (t) => {
  const { desk, machines, applied, clock } = setup();
  machines.set('m1', machineOf('m1'));
  await desk.find('m1');
  for (let beat = 1; beat <= 100; beat++) {
    desk.noticed('m1', { lastHeartbeat: beat });
    clock.advance(50);
    await settle(2);
  }
  t.equal((await desk.find('m1'))?.lastHeartbeat, 100);
  desk.changed();
  t.equal((await desk.find('m1'))?.lastHeartbeat, 100, 'also before the store has it');
  await desk.close();
  t.ok(applied.length <= 6, `${applied.length} writes in five seconds`);
  t.equal(machines.get('m1')?.lastHeartbeat, 100);
  desk.noticed('nobody', { lastHeartbeat: 1 });
  t.equal(await desk.find('nobody'), null);
});

t.test('while the store is away known machines are known, and none can register', async (t) => {
  const { desk, machines, clock, state } = setup();
  machines.set('m1', machineOf('m1'));
  await desk.find('m1');
  state.away = true;
  clock.advance(600_000);
  t.ok(await desk.find('m1'));
  await t.rejects(desk.register(machineOf('m2')), { code: 'STORE_UNAVAILABLE' });
  state.away = false;
  t.equal(await desk.register(machineOf('m2')), 'registered', 'its name is free');
});
