/** The embedded store under a gateway that is killed, and under a file that somebody damaged. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { temporaryFolder } from '../support/servers/process.ts';
import { startChildGateway } from './child-gateway.ts';
import { askAll, createVisitor } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

t.setTimeout(120_000);

const secrets = ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd'];

t.test('killed in the middle of an attack, it comes up with the bans it had told of', async (t) => {
  const origin = await startNodeOrigin(t);
  const store = { type: 'embedded' };
  const first = await startChildGateway(t, { origin: origin.origin, store });
  const attackers = Array.from({ length: 40 }, (_, index) => `198.51.100.${index + 1}`);
  // Each goes on until nobody answers any more.
  const run = async (address: string): Promise<void> => {
    const visitor = createVisitor(t, first.port, address);
    for (let round = 0; ; round++) {
      await askAll(
        visitor,
        secrets.map((target) => ({ target: `/${round}${target}` })),
      );
    }
  };
  const runs = Promise.allSettled(attackers.map(run));
  const stored = await eventually(
    () => first.control.decisions(),
    (found) => found.length >= 10,
  );
  await first.process.stop('SIGKILL');
  await runs;
  t.equal(await first.process.exited, 'SIGKILL');

  const second = await startChildGateway(t, { origin: origin.origin, store }, first.folder);
  const health = (await (await fetch(`${second.adminUrl}/health`)).json()) as { status: string; decisions: number };
  t.equal(health.status, 'ok', 'the store opens');
  t.ok(health.decisions >= stored.length, `${health.decisions} decisions`);
  const seen = origin.requests.length;
  for (const { value } of stored) t.equal((await createVisitor(t, second.port, value).ask('/')).status, 403, value);
  t.equal(origin.requests.length, seen);
  t.equal((await createVisitor(t, second.port, '203.0.113.70').ask('/')).status, 200);
  const ids = new Set((await second.control.decisions({ limit: '1000' })).map(({ id }) => id));
  t.notOk(
    stored.some(({ id }) => !ids.has(id)),
    'what the store had shown is still there',
  );
  t.equal(await second.control.lift({ ip: stored[0]?.value }), 1, 'and can be lifted');
});

t.test('a damaged store is set aside and told of, and the gateway serves', async (t) => {
  const origin = await startNodeOrigin(t);
  const folder = await temporaryFolder(t, 'serve');
  writeFileSync(join(folder, 'store.db'), Buffer.alloc(40_960, 'this is no database '));
  const gateway = await startChildGateway(t, { origin: origin.origin, store: { type: 'embedded' } }, folder);
  t.match(
    readdirSync(folder).filter((name) => name.includes('corrupt')),
    [/^store\.db\.corrupt-/],
  );
  t.match(gateway.process.output(), /STORE_CORRUPT/, 'the log names it');
  const visitor = createVisitor(t, gateway.port, '198.51.100.80');
  t.same(
    (
      await askAll(
        visitor,
        secrets.map((target) => ({ target })),
      )
    ).map(({ status }) => status),
    [200, 200, 200, 200, 403],
  );
  t.equal((await gateway.control.decisions({ ip: '198.51.100.80' })).length, 1, 'the new file takes decisions');
  const status = await gateway.cli('status');
  t.match(status.stdout, /store +embedded: [^\n]*store\.db\.corrupt-/, 'status goes on saying where the old one is');
  const doctor = await gateway.cli('doctor');
  t.match(doctor.stdout, /store\.db\.corrupt-/, 'and so does the doctor');
});
