/** Two gateways with one Redis are one Local API: keys, machines, alerts, and the place of a bouncer that asks either. */
import t, { type Test } from 'tap';
import { unknownMs } from '../../../remediation/callers/remembered-list.ts';
import { agentAlert, manualAlert } from '../../real/lapi/samples.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { startNodeOrigin } from '../../support/servers/node-origin.ts';
import { type Control, controlOf, createVisitor } from '../visitors.ts';
import { addBouncer, addMachine, askLapi, createBouncer, lapiUrlOf, logIn, type Machine } from './lapi-client.ts';
import { eventually } from '../../support/eventually.ts';
import { seeded } from '../../support/seeded.ts';

t.setTimeout(180_000);

interface Replica {
  readonly control: Control;
  readonly url: string;
  readonly statusFor: (address: string) => Promise<number>;
}

/** Tokens are good at both when both sign them with the same secret. */
const secret = 'two-gateways-'.repeat(5);

async function startReplica(t: Test, redis: RedisServer): Promise<Replica> {
  const origin = await startNodeOrigin(t);
  const { gateway, port } = await startTestGateway(t, {
    origin: origin.origin,
    lapi: { listen: '127.0.0.1:0', secret },
    store: { type: 'redis', redis: { url: redis.url } },
  });
  const control = controlOf(gateway.controlSocket);
  return {
    control,
    url: await lapiUrlOf(control),
    statusFor: async (address) => (await createVisitor(t, port, address).ask('/')).status,
  };
}

async function startBoth(t: Test): Promise<readonly [Replica, Replica]> {
  const redis = await startRedis(t);
  return [await startReplica(t, redis), await startReplica(t, redis)];
}

const askWithKey = async ({ url }: Replica, key: string): Promise<number> =>
  (await askLapi(url, 'GET', '/v1/decisions', { 'x-api-key': key })).status;

/** Lets the other forget that it asked the store for a stranger a moment ago. */
async function memoryTime(): Promise<void> {
  const from = performance.now();
  await eventually(
    () => performance.now() - from,
    (passed) => passed > unknownMs,
  );
}

t.test(
  'a key or machine that one of them adds is good at the other as soon as it may ask the store again',
  async (t) => {
    const [a, b] = await startBoth(t);
    // Both have read the list once, so that the other has to notice that it changed.
    t.same([await askWithKey(a, 'none'), await askWithKey(b, 'none')], [403, 403]);
    const key = await addBouncer(a.control, 'edge');
    t.equal(await askWithKey(a, key), 200, 'at once where it was added');
    await addMachine(a.control, 'web-1');
    await memoryTime();
    t.equal(await askWithKey(b, key), 200, 'after its memory time at the other');
    const machine = await logIn(b.url, 'web-1');
    const [id] = await machine.post([agentAlert('45.1.0.1', Date.now())]);
    const there = await logIn(a.url, 'web-1');
    t.equal((await there.ask('GET', `/v1/alerts/${id}`)).status, 200, 'an alert has one number at both');

    await a.control.ask('DELETE', '/v1/bouncers', { name: 'edge' });
    t.equal(await askWithKey(a, key), 403, 'at once where it was deleted');
  },
);

t.test('an alert posted to one bans at the other, and deleting it there pardons at both', async (t) => {
  const [a, b] = await startBoth(t);
  await addMachine(a.control, 'web-1');
  await memoryTime();
  const [atA, atB] = [await logIn(a.url, 'web-1'), await logIn(b.url, 'web-1')];
  const [profiled, manual] = ['45.2.0.1', '45.2.0.2'];
  await atA.post([agentAlert(profiled, Date.now()), manualAlert([{ value: manual }], Date.now())]);
  for (const address of [profiled, manual]) {
    t.equal(await a.statusFor(address), 403);
    await eventually(
      () => b.statusFor(address),
      (status) => status === 403,
    );
  }
  const deleted = await atB.ask('DELETE', `/v1/alerts?ip=${manual}`);
  t.same(JSON.parse(deleted.text), { nbDeleted: '1' });
  t.equal(await b.statusFor(manual), 200);
  await eventually(
    () => a.statusFor(manual),
    (status) => status === 200,
  );
  t.equal(await a.statusFor(profiled), 403);
});

/** The values that are refused, as one that starts anew is told. */
async function truthOf({ url }: Replica, key: string): Promise<string[]> {
  const fresh = createBouncer(url, key);
  await fresh.poll(true);
  return [...fresh.held].toSorted();
}

/** Adds and lifts by chance, at either of them; the values in force afterwards. */
async function change(machines: readonly Machine[], random: () => number, inForce: Set<string>): Promise<void> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  for (let step = 0; step < 12; step++) {
    const machine = pick(machines);
    const value = `45.3.0.${Math.floor(random() * 60)}`;
    if (random() < 0.6) {
      const duration = `${1 + Math.floor(random() * 9)}h`;
      await machine.post([manualAlert([{ value, duration }], Date.now())]);
      inForce.add(value);
    } else {
      const { status, text } = await machine.ask('DELETE', `/v1/decisions?ip=${value}`);
      if (status !== 200) throw new Error(`nothing was deleted: ${status} ${text}`);
      inForce.delete(value);
    }
  }
}

t.test('a bouncer that asks the two in turn misses nothing', async (t) => {
  const both = await startBoth(t);
  const [a, b] = both;
  const key = await addBouncer(a.control, 'in-turn');
  const otherKey = await addBouncer(a.control, 'afresh');
  await addMachine(a.control, 'web-1');
  await memoryTime();
  const machines = [await logIn(a.url, 'web-1'), await logIn(b.url, 'web-1')];
  const inForce = new Set<string>();
  const random = seeded(4);
  const bouncer = createBouncer(a.url, key);
  await bouncer.poll(true);
  for (let round = 0; round < 12; round++) {
    const over = new AbortController();
    const changing = change(machines, random, inForce).finally(() => over.abort());
    for (let turn = 0; !over.signal.aborted; turn++) await bouncer.poll(false, both[turn % 2]?.url);
    await changing;
    const wanted = Array.from(inForce, (value) => `Ip:${value}`).toSorted();
    for (const replica of both) {
      await eventually(
        () => truthOf(replica, otherKey),
        (found) => found.join() === wanted.join(),
      );
    }
    // Quiet: from here one question at each has to be enough.
    for (const { url } of both) await bouncer.poll(false, url);
    t.same([...bouncer.held].toSorted(), wanted, `round ${round}: ${wanted.length} in force`);
  }
});
