/** Two whole gateways that share decisions through one real Redis, and what becomes of them when it goes away. */
import t, { type Test } from 'tap';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type NodeOrigin, startNodeOrigin } from '../support/servers/node-origin.ts';
import { askAll, type Control, controlOf, createVisitor, type Visitor } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

t.setTimeout(120_000);

const secrets = ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd'];
const attack = (visitor: Visitor) =>
  askAll(
    visitor,
    secrets.map((target) => ({ target })),
  );

interface Replica {
  readonly tested: TestGateway;
  readonly control: Control;
  visitor(address: string): Visitor;
}

async function startReplica(t: Test, origin: NodeOrigin, redis: RedisServer): Promise<Replica> {
  const tested = await startTestGateway(t, {
    origin: origin.origin,
    admin: { listen: '127.0.0.1:0' },
    store: { type: 'redis', redis: { url: redis.url } },
  });
  return {
    tested,
    control: controlOf(tested.gateway.controlSocket),
    visitor: (address) => createVisitor(t, tested.port, address),
  };
}

async function health(replica: Replica): Promise<{ status: string; notes: string[]; decisionsAgeSeconds: number }> {
  const answer = await fetch(`${replica.tested.gateway.adminUrl}/health`);
  return (await answer.json()) as { status: string; notes: string[]; decisionsAgeSeconds: number };
}

const metric = async (replica: Replica, name: string): Promise<number> => {
  const text = await (await fetch(`${replica.tested.gateway.adminUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? Number.NaN);
};

/** Through the index, not through requests of the client: nothing that it does brings the news about. */
const knows = (replica: Replica, count: number): Promise<number> =>
  eventually(
    () => metric(replica, 'portcullis_indexed_decisions\\{scope="Ip"\\}'),
    (found) => found === count,
  );

t.test('what one gateway decides the other enforces, and lifting it lifts it in both', async (t) => {
  const redis = await startRedis(t);
  const origin = await startNodeOrigin(t);
  const a = await startReplica(t, origin, redis);
  const b = await startReplica(t, origin, redis);
  const address = '198.51.100.60';

  t.same(
    (await attack(a.visitor(address))).map(({ status }) => status),
    [200, 200, 200, 200, 403],
  );
  await knows(b, 1);
  const seen = origin.requests.length;
  t.equal((await b.visitor(address).ask('/')).status, 403, 'the very first request at the other gateway');
  t.equal(origin.requests.length, seen, 'does not reach the origin');
  t.equal((await b.visitor('198.51.100.61').ask('/')).status, 200);
  t.match(await b.control.decisions({ ip: address }), [
    { scenario: 'portcullis/http-sensitive-files', type: 'ban', origin: 'crowdsec' },
  ]);
  t.equal((await b.control.alerts({ ip: address })).length, 1, 'the alert is shared');

  t.equal(await b.control.lift({ ip: address }), 1);
  t.equal((await b.visitor(address).ask('/')).status, 200, 'lifted where it was said at once');
  await knows(a, 0);
  t.equal((await a.visitor(address).ask('/')).status, 200, 'and at the other');
});

t.test('the allowlist of one gateway is the allowlist of both, and wins over a ban', async (t) => {
  const redis = await startRedis(t);
  const origin = await startNodeOrigin(t);
  const a = await startReplica(t, origin, redis);
  const b = await startReplica(t, origin, redis);
  const address = '198.51.100.62';
  await a.control.ban('Ip', address);
  await knows(b, 1);
  t.equal((await b.visitor(address).ask('/')).status, 403);
  await a.control.allow('198.51.100.62', 'office');
  t.equal((await a.visitor(address).ask('/')).status, 200);
  await eventually(
    () => metric(b, 'portcullis_allowlist_entries'),
    (count) => count === 1,
  );
  t.equal((await b.visitor(address).ask('/')).status, 200);
  await b.control.disallow('198.51.100.62');
  await b.control.ban('Ip', address);
  t.equal((await b.visitor(address).ask('/')).status, 403, 'nothing protects it any more');
});

t.test('without Redis both go on enforcing and deciding, say so, and catch up when it is back', async (t) => {
  const redis = await startRedis(t, { args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const origin = await startNodeOrigin(t);
  const a = await startReplica(t, origin, redis);
  const b = await startReplica(t, origin, redis);
  const [known, later, visitor] = ['198.51.100.63', '198.51.100.64', '203.0.113.60'];
  await attack(a.visitor(known));
  await knows(b, 1);

  await redis.kill();
  for (const replica of [a, b]) {
    const told = await eventually(
      () => health(replica),
      ({ status }) => status === 'degraded',
    );
    t.match(told.notes.join(), /the store does not answer[^]*the last known decisions are enforced/);
    t.type(told.decisionsAgeSeconds, 'number');
    const first = await metric(replica, 'portcullis_decisions_age_seconds');
    const second = await eventually(
      () => metric(replica, 'portcullis_decisions_age_seconds'),
      (age) => age > first,
    );
    t.ok(first > 0 && second > first, 'the age grows');
    t.equal(await metric(replica, 'portcullis_store_up'), 0);
    t.equal((await replica.visitor(known).ask('/')).status, 403, 'enforced all the same');
    const pages = await askAll(
      replica.visitor(visitor),
      Array.from({ length: 40 }, () => ({ target: '/' })),
    );
    t.same(new Set(pages.map(({ status }) => status)), new Set([200]), 'nobody is banned for the outage');
  }
  t.same(
    (await attack(b.visitor(later))).map(({ status }) => status),
    [200, 200, 200, 200, 403],
    'an attack is still noticed',
  );
  t.equal((await a.visitor(later).ask('/')).status, 200, 'of which the other cannot hear now');

  await redis.restart();
  await eventually(
    async () => (await a.visitor(later).ask('/')).status,
    (status) => status === 403,
  );
  t.equal((await a.control.decisions({ ip: later })).length, 1, 'what was decided meanwhile is stored and shared');
  for (const replica of [a, b]) {
    const told = await eventually(
      () => health(replica),
      ({ status }) => status === 'ok',
    );
    t.equal(told.decisionsAgeSeconds, 0);
    t.equal((await replica.visitor(known).ask('/')).status, 403);
    t.equal((await replica.visitor(visitor).ask('/')).status, 200);
  }
});

t.test('a gateway that starts reads every decision before it answers', async (t) => {
  const redis = await startRedis(t);
  const origin = await startNodeOrigin(t);
  const a = await startReplica(t, origin, redis);
  const address = '198.51.100.65';
  await attack(a.visitor(address));
  await a.control.ban('Range', '198.51.100.128/25');
  await a.tested.gateway.stop();
  const again = await startReplica(t, origin, redis);
  t.equal(again.tested.gateway.decisions, 2);
  const seen = origin.requests.length;
  t.equal((await again.visitor(address).ask('/')).status, 403);
  t.equal((await again.visitor('198.51.100.200').ask('/')).status, 403);
  t.equal(origin.requests.length, seen);
  t.equal((await again.visitor('198.51.100.66').ask('/')).status, 200);
});

t.test('a Redis that hangs keeps no request waiting', async (t) => {
  const redis = await startRedis(t);
  const origin = await startNodeOrigin(t);
  const a = await startReplica(t, origin, redis);
  redis.pause();
  // Were one of these to wait for the store, none of them would be answered before it is let go on.
  const statuses = (await attack(a.visitor('198.51.100.67'))).map(({ status }) => status);
  redis.resume();
  t.same(statuses, [200, 200, 200, 200, 403]);
  const stored = await eventually(
    () => a.control.decisions({ ip: '198.51.100.67' }),
    (found) => found.length === 1,
  );
  t.equal(stored.length, 1, 'stored when it is');
});
