import t from 'tap';
import { GatewayError } from '../../../../core/errors.ts';
import { lapiOptions } from '../../../../remediation/lapi/options.ts';
import { startLapiHousekeeping } from '../../../../remediation/lapi/server/housekeeping.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { machineOf } from '../../callers/callers.ts';
import { settle } from '../../support.ts';
import { openWorld } from './world.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 0, 31);

async function setup(t: Parameters<typeof openWorld>[0], autoDelete: object) {
  const clock = createManualClock(start);
  const world = await openWorld(t, { clock });
  const old = start - 10 * day;
  await world.addBouncer('asks', 'k1', { createdAt: old, lastPull: start - 1_000 });
  await world.addBouncer('silent', 'k2', { createdAt: old, lastPull: start - 3 * day });
  await world.addBouncer('never', 'k3', { createdAt: old });
  await world.addBouncer('new', 'k4', { createdAt: start });
  await world.addBouncer('cert', '', { createdAt: old, authType: 'tls', keyHash: '' });
  for (const machine of [
    machineOf('beats', { createdAt: old, updatedAt: old, lastHeartbeat: start - 1_000 }),
    machineOf('reports', { createdAt: old, updatedAt: old, lastPush: start - 1_000 }),
    machineOf('silent', { createdAt: old, updatedAt: old, lastHeartbeat: start - 3 * day }),
    machineOf('cert', { createdAt: old, updatedAt: old, authType: 'tls' }),
  ]) {
    await world.store.apply([{ kind: 'machine-added', machine }]);
  }
  const housekeeping = startLapiHousekeeping(lapiOptions.parse({ autoDelete }), world.deps);
  t.teardown(() => housekeeping.close());
  return {
    world,
    clock,
    housekeeping,
    bouncers: async () => (await world.store.bouncers()).map(({ name }) => name),
    machines: async () => (await world.store.machines()).map(({ id }) => id),
  };
}

t.test('who has been silent for too long is forgotten, each kind by its own measure', async (t) => {
  const { world, clock, bouncers, machines } = await setup(t, { bouncers: { apiKey: '2d' }, agents: { cert: '5d' } });
  clock.advance(60_000);
  await settle(50);
  t.strictSame(await bouncers(), ['asks', 'cert', 'new']);
  t.strictSame(await machines(), ['beats', 'reports', 'silent']);
  t.equal((await world.ask('GET', '/v1/decisions', { key: 'k2' })).status, 403, 'its key is nobody’s');
});

t.test('the other kinds', async (t) => {
  const { housekeeping, bouncers, machines } = await setup(t, { bouncers: { cert: '2d' }, agents: { password: '2d' } });
  await housekeeping.sweep();
  t.strictSame(await bouncers(), ['asks', 'never', 'new', 'silent']);
  t.strictSame(await machines(), ['beats', 'cert', 'reports']);
});

t.test('nobody by default', async (t) => {
  const { housekeeping, bouncers, machines } = await setup(t, {});
  await housekeeping.sweep();
  t.equal((await bouncers()).length, 5);
  t.equal((await machines()).length, 4);
});

t.test('a store that is away is told, and tried again', async (t) => {
  const { world, housekeeping, bouncers } = await setup(t, { bouncers: { apiKey: '2d' } });
  const apply = world.store.apply.bind(world.store);
  world.store.apply = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'away'));
  await housekeeping.sweep();
  t.ok(world.lines.some(({ msg }) => String(msg).includes('cannot be deleted')));
  t.equal((await bouncers()).length, 5);
  world.store.apply = apply;
  await housekeeping.sweep();
  t.equal((await bouncers()).length, 3);
});
