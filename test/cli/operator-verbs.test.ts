/** Verbs about bouncers, machines, alerts and notifications, against the routes without a gateway around them. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { GatewayError } from '../../core/errors.ts';
import type { Alert } from '../../detectors/alert.ts';
import { createControlServer } from '../../gateway/admin/control-server.ts';
import type { AdminDependencies } from '../../gateway/admin/dependencies.ts';
import type { AlertModel } from '../../gateway/admin/models.ts';
import type { BouncerModel, LapiModel, MachineModel, NotificationModel } from '../../gateway/admin/operator-models.ts';
import { newBouncer } from '../../remediation/bouncer.ts';
import type { Machine } from '../../remediation/machine.ts';
import { alert, createWorld, decision, type World } from '../gateway/admin/world.ts';
import { type Ran, run, type RunOptions } from './run.ts';

interface Opened extends World {
  readonly cli: (line: readonly string[], options?: RunOptions) => Promise<Ran>;
}

async function open(t: Test, more: Partial<AdminDependencies> = {}): Promise<Opened> {
  const world = await createWorld(t, { faults: [] });
  const server = createControlServer({ socketPath: world.socketPath }, { ...world.deps, ...more });
  await server.listen();
  t.teardown(() => server.close());
  return { ...world, cli: (line, options) => run([...line, '--socket', world.socketPath], options) };
}

const hour = 3_600_000;

function machine(id: string, more: Partial<Machine> = {}): Machine {
  return {
    id,
    passwordHash: '',
    authType: 'password',
    validated: true,
    createdAt: Date.UTC(2026, 0, 1),
    updatedAt: Date.UTC(2026, 0, 1),
    ip: '192.0.2.7',
    version: 'v1.7.0',
    scenarios: ['a/b'],
    lastPush: null,
    lastHeartbeat: null,
    os: 'debian/12',
    ...more,
  };
}

t.test('bouncers: what cscli prints, the key alone for scripts, its copies with it', async (t) => {
  const { cli, store, deps } = await open(t);
  t.match(await cli(['bouncers', 'list', '-o', 'json']), { stdout: '[]\n' });
  const raw = await cli(['bouncers', 'add', 'edge', '-o', 'raw']);
  t.match(raw.stdout, /^[\w-]{43}$/, 'no line end');
  t.match((await cli(['bouncers', 'add', 'short', '-l', '16', '-o', 'raw'])).stdout, /^[\w-]{22}$/);
  t.match(await cli(['bouncers', 'add', 'tiny', '-l', '4']), { status: 64, stderr: /length/ });
  t.match(await cli(['bouncers', 'add', 'odd', '-l', 'x']), { status: 64, stderr: /no number of bytes/ });
  const [parent] = await store.bouncers();
  const now = deps.clock.now();
  const seen = { ip: '192.0.2.1', type: 'test', version: 'v1', lastPull: now - 2 * hour };
  await store.apply([
    {
      kind: 'bouncer-added',
      bouncer: { ...newBouncer('edge@192.0.2.1', parent?.keyHash ?? '', now), autoCreated: true, ...seen },
    },
    {
      kind: 'bouncer-added',
      bouncer: { ...newBouncer('cert@192.0.2.2', '', now), autoCreated: true, authType: 'tls' },
    },
    {
      kind: 'usage-reported',
      report: {
        side: 'bouncer',
        from: 'edge@192.0.2.1',
        receivedAt: now,
        body: JSON.stringify({
          os: { name: 'debian', version: '12' },
          feature_flags: ['x', 7],
          metrics: [
            {
              items: [{ name: 'dropped', value: 12, unit: 'byte', labels: { origin: 'CAPI\u001b[31m' } }, { name: 1 }],
            },
          ],
        }),
      },
    },
  ]);
  const csv = (await cli(['bouncers', 'list', '-o', 'raw'])).stdout.split('\n');
  t.equal(csv[0], 'name,ip,revoked,last_pull,type,version,auth_type');
  t.match(
    csv.find((line) => line.startsWith('edge@')),
    /^edge@192\.0\.2\.1,192\.0\.2\.1,validated,\d{4}.*Z,test,v1,api-key$/,
  );
  t.match(
    csv.find((line) => line.startsWith('cert@')),
    /^cert@192\.0\.2\.2,,validated,,,,tls$/,
  );
  t.match((await cli(['bouncers', 'list'])).stdout, /NAME +IP +ASKED/);
  const inspected = (await cli(['bouncers', 'inspect', 'edge@192.0.2.1'])).stdout;
  t.match(inspected, /asked last[^]*2h ago[^]*Last report[^]*debian\/12[^]*dropped +12 +byte +origin=CAPI\\x1b/);
  t.match(JSON.parse((await cli(['bouncers', 'inspect', 'edge@192.0.2.1', '--json'])).stdout) as BouncerModel, {
    name: 'edge@192.0.2.1',
    auto_created: true,
    usage: { metrics: [{ name: 'dropped', value: 12 }], feature_flags: ['x'] },
  });
  t.same(JSON.parse((await cli(['metrics', 'show', 'bouncers', '--json'])).stdout), {
    bouncers: { 'edge@192.0.2.1': { 'CAPI\u001b[31m': { dropped: { byte: 12 } } } },
  });
  t.match(await cli(['bouncers', 'inspect', 'none']), { status: 1, stderr: /no bouncer called none/ });
  t.match(await cli(['bouncers', 'delete', 'none', '--ignore-missing']), { status: 0, stdout: /no bouncer called/ });
  t.match((await cli(['bouncers', 'delete', 'edge', '-o', 'raw'])).stdout, 'edge\nedge@192.0.2.1\n');
  t.same(
    (await store.bouncers()).map(({ name }) => name),
    ['cert@192.0.2.2', 'short'],
  );
});

t.test('prune asks first, and takes only who has not asked for long', async (t) => {
  const { cli, store, deps } = await open(t);
  const now = deps.clock.now();
  const asked = (name: string, agoMs: number | null, createdAgoMs: number) => ({
    kind: 'bouncer-added' as const,
    bouncer: { ...newBouncer(name, 'ab', now - createdAgoMs), lastPull: agoMs === null ? null : now - agoMs },
  });
  await store.apply([
    asked('busy', 1_000, hour),
    asked('idle', 2 * hour, 3 * hour),
    asked('new', null, 1_000),
    asked('never', null, 2 * hour),
  ]);
  const line = ['bouncers', 'prune'];
  t.match(await cli(line), { status: 64, stderr: /idle\n[^]*never\n[^]*Delete 2 bouncers for good\?[^]*--force/ });
  t.match(await cli(line, { stdin: 'no\n' }), { status: 1, stderr: /Nothing has changed/ });
  t.equal((await store.bouncers()).length, 4);
  t.match(await cli(line, { stdin: 'yes\n' }), { status: 0, stdout: 'Deleted 2 bouncers.\n' });
  t.match(await cli([...line, '-d', '1ms', '--force', '-o', 'json']), { stdout: /"busy"[^]*"new"/ });
  t.match(await cli([...line, '--force', '-o', 'json']), { stdout: '{\n  "deleted": []\n}\n' });
});

t.test('machines: credentials shown once or written for their owner alone', async (t) => {
  const lapi = async (): Promise<LapiModel> => ({
    serving: { addresses: ['http://10.0.0.1:8080/'], bouncers: 0, machines: 0, pending_machines: 0 },
    upstreams: [],
  });
  const { cli, store } = await open(t, { lapi });
  const folder = mkdtempSync(join(tmpdir(), 'machines-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  t.match(await cli(['machines', 'list', '-o', 'json']), { stdout: '[]\n' });
  const added = await cli(['machines', 'add', 'web-1', '--auto']);
  t.match(
    added.stdout,
    /url: http:\/\/10\.0\.0\.1:8080\/\n +login: web-1\n +password: [A-Za-z0-9]{64}\n[^]*not shown again/,
  );
  t.match(await cli(['machines', 'add', 'web-1', '--auto']), { status: 1, stderr: /called web-1 already[^]*--force/ });
  const path = join(folder, 'local_api_credentials.yaml');
  const file = ['machines', 'add', 'web-2', '-p', 'a: "b', '-u', 'http://other/', '-f', path];
  t.match(await cli(file), { status: 0, stdout: /Its credentials are in/ });
  t.same(parse(readFileSync(path, 'utf8')), { url: 'http://other/', login: 'web-2', password: 'a: "b' });
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.match(await cli(['machines', 'add', 'web-3', '-i', '-o', 'raw'], { stdin: 'typed\n' }), {
    stdout: 'url: http://10.0.0.1:8080/\nlogin: web-3\npassword: typed\n',
    stderr: 'Password: ',
  });
  t.match(await cli(['machines', 'add', 'web-4', '-i'], { stdin: '' }), { status: 64, stderr: /no password/ });
  const made = JSON.parse((await cli(['machines', 'add', '--auto', '--json'])).stdout) as MachineModel & {
    password: string;
  };
  t.match(made, { machineId: /^[A-Za-z0-9]{48}$/, isValidated: true, password: /^[A-Za-z0-9]{64}$/ });
  const kept = await store.machines();
  t.equal(kept.length, 4);
  for (const one of kept) t.match(one.passwordHash, /^\$scrypt\$/);
  t.notMatch(JSON.stringify(kept), made.password);
  t.match(await cli(['machines', 'add', 'a b', '--auto']), { status: 64, stderr: /letters, digits/ });
});

t.test('machines: list, inspect, validate, delete, prune', async (t) => {
  const { cli, store, deps } = await open(t);
  const now = deps.clock.now();
  await store.apply([
    { kind: 'machine-added', machine: machine('busy', { lastHeartbeat: now - 1_000, createdAt: now }) },
    { kind: 'machine-added', machine: machine('idle', { lastHeartbeat: now - hour, createdAt: now }) },
    {
      kind: 'machine-added',
      machine: machine('waits', { validated: false, createdAt: now - hour, lastHeartbeat: null }),
    },
  ]);
  const csv = (await cli(['machines', 'list', '-o', 'raw'])).stdout.split('\n');
  t.equal(csv[0], 'machine_id,ip_address,updated_at,validated,version,auth_type,last_heartbeat,os');
  t.match(csv[1], /^busy,192\.0\.2\.7,2026-01-01T00:00:00\.000Z,true,v1\.7\.0,password,\d{4}.*Z,debian\/12$/);
  t.match((await cli(['machines', 'list'])).stdout, /waits +192\.0\.2\.7 +pending +never/);
  t.match((await cli(['machines', 'inspect', 'busy'])).stdout, /Scenarios \(1\)\n {2}a\/b/);
  t.match(await cli(['machines', 'prune', '--not-validated-only', '--force', '-o', 'raw']), { stdout: 'waits\n' });
  await store.apply([{ kind: 'machine-added', machine: machine('waits', { validated: false }) }]);
  t.match(await cli(['machines', 'validate', 'waits', 'none']), {
    status: 1,
    stdout: /waits may report/,
    stderr: /none/,
  });
  t.match(await store.machines(), [{ id: 'busy' }, { id: 'idle' }, { id: 'waits', validated: true }]);
  t.match(await cli(['machines', 'prune', '--force', '-o', 'raw']), { stdout: 'idle\nwaits\n' });
  t.match(await cli(['machines', 'delete', '-m', 'busy', '-o', 'json']), { stdout: /"busy"/ });
  t.match(await cli(['machines', 'delete', 'busy']), { status: 1, stderr: /no machine called busy/ });
  t.match(await cli(['machines', 'delete', 'busy', '--ignore-missing']), { status: 0 });
});

t.test('alerts: filters, pages, deletion with what followed, flush of what is idle', async (t) => {
  const { cli, publisher, deps } = await open(t);
  const now = deps.clock.now();
  const at = (value: string, agoMs: number, more: Partial<Alert> = {}): Alert =>
    alert({ createdAt: now - agoMs, source: { ...alert().source, value, ip: value }, ...more });
  const old = at('192.0.2.1', 10 * 24 * hour);
  const kept = at('192.0.2.2', 9 * 24 * hour);
  const recent = at('192.0.2.3', hour, { machineId: 'web-1', kind: 'waf' });
  const list = at('192.0.2.4', 1_000, { source: { ...alert().source, scope: 'lists:feed', value: '', ip: '' } });
  for (const one of [old, recent, list]) publisher.publish({ alert: one, decisions: [], matched: [] });
  publisher.publish({
    alert: kept,
    decisions: [decision({ alertUuid: kept.uuid, type: 'captcha', origin: 'CAPI' })],
    matched: [],
  });
  await deps.publisher.settle();
  const values = async (...line: string[]): Promise<string[]> =>
    (JSON.parse((await cli(['alerts', 'list', ...line, '--json'])).stdout) as AlertModel[]).map(
      ({ source }) => source.value,
    );
  t.same((await values()).toSorted(), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
  t.same((await values('-a')).length, 4);
  t.same((await values('-a', '-l', '0')).length, 4);
  t.same((await values('-l', '1')).length, 1);
  t.same(await values('--since', '2h'), ['192.0.2.3']);
  t.same((await values('--until', '2h')).toSorted(), ['192.0.2.1', '192.0.2.2']);
  t.same(await values('--type', 'captcha'), ['192.0.2.2']);
  t.same(await values('--type', 'ban'), []);
  t.same(await values('--origin', 'CAPI'), ['192.0.2.2']);
  t.same(
    await values('--range', '192.0.2.2/31', '--contained'),
    (await values()).filter((one) => /[23]$/.test(one)),
  );
  t.same(await values('--range', '192.0.2.2/31'), []);
  const csv = (await cli(['alerts', 'list', '-m', '--ip', '192.0.2.3', '-o', 'raw'])).stdout;
  t.match(
    csv,
    /^id,scope,value,reason,country,as,decisions,created_at,kind,machine\n\d+,Ip,192\.0\.2\.3,.*,waf,web-1\n$/,
  );
  t.match((await cli(['alerts', 'list', '-m'])).stdout, /MACHINE\n[^]*web-1/);
  t.match(await cli(['alerts', 'flush', '--max-age', '7d']), { stdout: 'Deleted 1 alert.\n' });
  t.same((await values()).toSorted(), ['192.0.2.2', '192.0.2.3'], 'what is in force keeps its alert');
  t.match(await cli(['alerts', 'flush', '--max-items', '0', '--max-age', '30d', '-o', 'raw']), { stdout: '2\n' });
  t.match(await cli(['alerts', 'flush', '--max-items', 'x']), { status: 64 });
  t.match(await cli(['alerts', 'delete']), { status: 64, stderr: /nothing says which alerts/ });
  t.match(await cli(['alerts', 'delete', '-r', '192.0.2.0/24', '--contained']), {
    stdout: 'Deleted 1 alert, lifted 1 decision.\n',
  });
  t.equal(deps.index.size.total, 0);
  t.match(await cli(['alerts', 'delete', '--all', '-o', 'json']), { stdout: /"deleted": 0/ });
});

t.test('decisions: those of communities only on demand, those inside a range', async (t) => {
  const activeDecisions = () => [{ origin: 'CAPI', scenario: 'x', type: 'ban', count: 2 }];
  const { cli, publisher, deps } = await open(t, { activeDecisions });
  const made = [
    decision({ value: '192.0.2.1', origin: 'CAPI' }),
    decision({ value: '192.0.2.2', origin: 'lists' }),
    decision({ value: '192.0.2.3', createdAt: deps.clock.now() - 5 * hour }),
    decision({ value: '198.51.100.1', simulated: true }),
    decision({ scope: 'Range', value: '192.0.0.0/16' }),
  ];
  publisher.write(made.map((one) => ({ kind: 'decision-added', decision: one })));
  await deps.publisher.settle();
  const values = async (...line: string[]): Promise<string[]> => {
    const rows = (await cli(['decisions', 'list', ...line, '-o', 'raw'])).stdout.trim().split('\n').slice(1);
    return rows.map((row) => row.split(',')[2]?.replace(/^[^:]*:/, '') ?? '').toSorted();
  };
  t.same(await values(), ['192.0.0.0/16', '192.0.2.3', '198.51.100.1']);
  t.same((await values('-a')).length, 5);
  t.same(await values('--origin', 'lists'), ['192.0.2.2']);
  t.same(await values('--no-simu'), ['192.0.0.0/16', '192.0.2.3']);
  t.same(await values('--since', '1h'), ['192.0.0.0/16', '198.51.100.1']);
  t.same(await values('--until', '1h'), ['192.0.2.3']);
  t.same(await values('-a', '--range', '192.0.2.0/24'), ['192.0.0.0/16']);
  t.same(await values('-a', '--range', '192.0.2.0/24', '--contained'), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
  t.match((await cli(['decisions', 'list'])).stdout, /2 decisions of communities and lists not shown: -a shows them/);
  const alerts = JSON.parse((await cli(['decisions', 'list', '-a', '--json'])).stdout) as AlertModel[];
  t.equal(alerts.flatMap(({ decisions }) => decisions).length, 5, 'those without an alert stand in one of their own');
  t.match(await cli(['decisions', 'delete', '-r', '192.0.2.0/24', '--contained']), { stdout: /Lifted 3 decisions/ });
  t.match(await cli(['decisions', 'delete', '--id', '999999']), { status: 1, stderr: /no decision 999999/ });
});

t.test('notifications: listed, tried out, asked for anew', async (t) => {
  const told: [string, string, boolean, number][] = [];
  const status: NotificationModel = {
    name: 'slack',
    type: 'slack',
    profiles: ['default'],
    waiting: 1,
    sent: 2,
    failed: 3,
    last_error: 'no\u001b[31m',
  };
  const notifications: AdminDependencies['notifications'] = {
    status: () => [status],
    async test(name, { scenario, remediation }, decisions) {
      told.push([name, scenario, remediation, decisions.length]);
      if (scenario === 'bad') throw new GatewayError('GATEWAY_REFUSED', 'slack answered 404');
    },
    reinject(one, decisions) {
      told.push(['reinject', one.scenario, one.remediation, decisions.length]);
      return ['slack'];
    },
  };
  const { cli, publisher, deps } = await open(t, { notifications });
  const raised = alert({ remediation: false });
  publisher.publish({ alert: raised, decisions: [decision({ alertUuid: raised.uuid })], matched: [] });
  await deps.publisher.settle();
  t.match((await cli(['notifications', 'list'])).stdout, /slack +slack +default +2 +1 +3 +no\\x1b/);
  t.match((await cli(['notifications', 'list', '-o', 'raw'])).stdout, 'Name,Type,Profile name\nslack,slack,default\n');
  t.match(JSON.parse((await cli(['notifications', 'inspect', 'slack', '--json'])).stdout), { sent: 2 });
  t.match(await cli(['notifications', 'inspect', 'mail']), { status: 1, stderr: /no notification is called mail/ });
  t.match(await cli(['notifications', 'test', 'slack']), { status: 0, stdout: /Sent a test alert with slack/ });
  t.match(await cli(['notifications', 'test', 'slack', '-a', '{"scenario":"bad"}']), {
    status: 1,
    stderr: /answered 404/,
  });
  t.match(await cli(['notifications', 'test', 'slack', '-a', '{"colour":"red"}']), { status: 64, stderr: /colour/ });
  t.match(await cli(['notifications', 'test', 'mail']), { status: 1, stderr: /no notification is called mail/ });
  t.match(await cli(['notifications', 'reinject', raised.uuid, '-r']), { stdout: 'Handed to slack.\n' });
  t.match(told, [
    ['slack', 'portcullis/notification-test', true, 1],
    ['slack', 'bad', true, 1],
    ['reinject', raised.scenario, true, 1],
  ]);
  const without = await open(t);
  t.match(await without.cli(['notifications', 'list']), { stdout: 'Nobody is notified of anything.\n' });
  t.match(await without.cli(['notifications', 'test', 'slack']), { status: 1, stderr: /nobody is notified/ });
});

t.test('flags as Go writes them, and those that only cscli itself has', async (t) => {
  const { cli, publisher, deps } = await open(t);
  publisher.write([{ kind: 'decision-added', decision: decision({ origin: 'CAPI' }) }]);
  await deps.publisher.settle();
  t.match(await cli(['--debug', 'decisions', 'list', '--all=true', '-o', 'raw']), { stdout: /CAPI/ });
  t.notMatch((await cli(['decisions', 'list', '--all=false', '-o', 'raw'])).stdout, 'CAPI');
  t.match((await cli(['decisions', 'list', '-a', '--color', 'yes'])).stdout, '\u001b[');
  t.notMatch((await cli(['decisions', 'list', '-a', '--color', 'no'], { columns: 100 })).stdout, '\u001b[');
});
