/** The verbs of operators against a whole gateway: what they switch counts at once, and nothing they show is a secret. */
import { readFileSync, statSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { list } from 'tar';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import type { AlertModel } from '../../gateway/admin/models.ts';
import type { LapiModel, MachineModel, SimulationModel } from '../../gateway/admin/operator-models.ts';
import { type Ran, run, type RunOptions } from '../cli/run.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { askAll, createVisitor } from './visitors.ts';

interface Opened {
  readonly cli: (line: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly json: <Answer>(...line: string[]) => Promise<Answer>;
  readonly folder: string;
  readonly port: number;
  readonly lapiUrl: string;
}

async function open(t: Test, settings: Record<string, unknown> = {}): Promise<Opened> {
  const origin = await startNodeOrigin(t);
  const { gateway, port, folder } = await startTestGateway(t, { origin: origin.origin, ...settings });
  const config = join(folder, 'portcullis.yaml');
  const cli: Opened['cli'] = (line, options) =>
    run([...line, '--socket', gateway.controlSocket, '--config', config], { cwd: folder, ...options });
  return {
    cli,
    folder,
    port,
    lapiUrl: gateway.facts.lapiUrls[0] ?? '',
    async json<Answer>(...line: string[]) {
      const { status, stdout, stderr } = await cli([...line, '-o', 'json']);
      if (status !== 0) t.fail(`${line.join(' ')}: ${stderr}`);
      return JSON.parse(stdout) as Answer;
    },
  };
}

const secrets = ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd', '/'];
const scenario = 'portcullis/http-sensitive-files';

t.test('a scenario that simulates refuses nobody, from its next alert on', async (t) => {
  const { cli, json, port, folder } = await open(t);
  const attack = async (address: string): Promise<number[]> => {
    const visitor = createVisitor(t, port, address);
    const answers = await askAll(
      visitor,
      secrets.map((target) => ({ target })),
    );
    return answers.map(({ status }) => status);
  };
  t.match(await json<SimulationModel>('simulation', 'status'), { simulation: false, exclusions: [], simulated: [] });
  t.match(await cli(['simulation', 'enable', 'portcullis/http-nonsense']), { status: 1, stderr: /no scenario in use/ });
  t.match((await cli(['simulation', 'enable', scenario])).stdout, /disabled\n\nIn simulation\n {2}portcullis/);
  t.same(await attack('198.51.100.1'), [200, 200, 200, 200, 200, 200]);
  t.match(await json<AlertModel[]>('alerts', 'list'), [{ simulated: true, decisions: [{ simulated: true }] }]);
  t.match((await cli(['decisions', 'list', '--no-simu'])).stdout, 'No decisions.');
  t.match((await cli(['decisions', 'list'])).stdout, /\(simul\) ban/);
  t.same(parse(readFileSync(join(folder, 'simulation.yaml'), 'utf8')), { simulation: false, exclusions: [scenario] });
  t.match((await cli(['simulation', 'disable', scenario, '-o', 'raw'])).stdout, 'scenario\n');
  t.same(await attack('198.51.100.2'), [200, 200, 200, 200, 403, 403]);
  const all = await json<SimulationModel>('simulation', 'enable', '--global');
  t.ok(all.simulation && all.simulated.length > 3);
  t.match((await cli(['simulation', 'disable', scenario])).stdout, /enabled\n\nNot in simulation/);
  t.same((await json<SimulationModel>('simulation', 'disable', '-g')).simulated, []);
});

t.test('metrics of what happened', async (t) => {
  const { cli, json, port } = await open(t, { lapi: { listen: '127.0.0.1:0' } });
  t.match(await cli(['metrics', 'show', 'alerts']), { status: 0, stdout: /Alerts\nnothing yet/ });
  const visitor = createVisitor(t, port, '198.51.100.3');
  await askAll(
    visitor,
    secrets.map((target) => ({ target })),
  );
  const { stdout } = await cli(['metrics']);
  t.match(stdout, /Requests\nOUTCOME +REQUESTS\n[^]*passed +4\n/);
  t.match(stdout, /Scenarios\nSCENARIO +POURED +OVERFLOWS\n[^]*portcullis\/http-sensitive-files +5 +1/);
  t.match(await json('metrics', 'show', 'decisions', 'alerts', 'scenarios'), {
    scenarios: { [scenario]: { pour: 5, overflow: 1 } },
    decisions: { [scenario]: { crowdsec: { ban: 1 } } },
    alerts: { [scenario]: 1 },
  });
  t.match(
    (await cli(['metrics', '-o', 'raw'])).stdout,
    /^section,name,metric,value\n[^]*alerts,portcullis\/http-sensi.*,Count,1/,
  );
  t.match((await cli(['metrics', 'list'])).stdout, /lapi-decisions +answers to live questions/);
});

t.test('an agent registers, is agreed to, logs in, and is sent away', async (t) => {
  const { cli, json, lapiUrl, folder } = await open(t, { lapi: { listen: '127.0.0.1:0' } });
  t.match(await json<LapiModel>('lapi', 'status'), { serving: { addresses: [lapiUrl], machines: 0 }, upstreams: [] });
  const file = join(folder, 'credentials.yaml');
  t.match(await cli(['lapi', 'register', '--url', lapiUrl, '--machine', 'edge-1', '-f', file]), {
    status: 0,
    stdout: /Somebody there must agree: cscli machines validate edge-1/,
  });
  const login = async (): Promise<number> => {
    const { url, login: machine_id, password } = parse(readFileSync(file, 'utf8')) as Record<string, string>;
    const answer = await fetch(new URL('v1/watchers/login', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'crowdsec/v1.7.0' },
      body: JSON.stringify({ machine_id, password, scenarios: ['a/b'] }),
    });
    return answer.status;
  };
  t.equal(await login(), 401);
  t.match(await json<MachineModel[]>('machines', 'list'), [{ machineId: 'edge-1', isValidated: false }]);
  t.match((await cli(['lapi', 'status'])).stdout, /machines +1, 1 to be agreed to/);
  t.match(await cli(['machines', 'validate', 'edge-1']), { status: 0, stdout: /may report from now on/ });
  t.equal(await login(), 200);
  t.match((await cli(['machines', 'inspect', 'edge-1'])).stdout, /state +validated/);
  t.match(await cli(['lapi', 'register', '--url', lapiUrl, '--machine', 'edge-1', '-f', file]), { status: 64 });
  t.match(await cli(['lapi', 'register', '--url', lapiUrl, '--machine', 'edge-1', '-f', file, '--force']), {
    status: 1,
    stderr: /answered 403: user 'edge-1': user already exist/,
  });
  t.match(await cli(['machines', 'delete', 'edge-1']), { status: 0 });
  t.equal(await login(), 401);
  t.match(await cli(['machines', 'add', 'edge-1', '--auto', '-f', file]), { status: 64, stderr: /exists already/ });
  t.match(await cli(['machines', 'add', 'edge-1', '--auto', '-f', file, '--force']), { status: 0 });
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(await login(), 200, 'a machine that is added may log in at once');
  t.match(await cli(['lapi', 'register', '--url', 'http://127.0.0.1:1']), { status: 69, stderr: /does not answer/ });
});

t.test('a bouncer whose key is taken away is refused, wherever it asks from', async (t) => {
  const { cli, lapiUrl } = await open(t, { lapi: { listen: '127.0.0.1:0' } });
  const key = (await cli(['bouncers', 'add', 'edge', '-o', 'raw'])).stdout;
  const ask = async (): Promise<number> => {
    const headers = { 'x-api-key': key, 'user-agent': 'test/v1' };
    return (await fetch(new URL('v1/decisions?ip=192.0.2.1', lapiUrl), { headers })).status;
  };
  t.equal(await ask(), 200);
  t.match((await cli(['bouncers', 'prune', '-d', '1h', '--force'])).stdout, 'No bouncers to prune.');
  t.match(await cli(['bouncers', 'delete', 'edge']), { status: 0 });
  t.equal(await ask(), 403);
});

t.test('no secret of the settings is in a support dump, nor shown', async (t) => {
  const password = 'hunter2 "quoted" & söcret';
  const key = 'upstream-key-0123456789abcdef';
  const token = 'registration-token-0123456789abcdef';
  const { cli, folder } = await open(t, {
    store: { type: 'memory', redis: { url: 'redis://someone:pass%20word@redis.example', password } },
    lapi: { listen: '127.0.0.1:0', autoRegistration: { enabled: true, token, allowedRanges: ['192.0.2.0/24'] } },
    bouncer: { lapis: [{ name: 'other', url: 'http://127.0.0.1:1', key }] },
  });
  mkdirSync(join(folder, 'out'));
  const path = join(folder, 'out', 'dump.tar.gz');
  const dumped = await cli(['support', 'dump', '-f', path, '-o', 'json']);
  t.equal(dumped.status, 0, dumped.stderr);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const texts = new Map<string, string>();
  await list({
    file: path,
    onReadEntry(entry) {
      let text = '';
      entry.on('data', (chunk: Buffer) => (text += chunk.toString()));
      entry.on('end', () => texts.set(entry.path.replace(/^[^/]*\//, ''), text));
    },
  });
  for (const name of [
    'version.txt',
    'settings.yaml',
    'status.json',
    'doctor.json',
    'metrics.json',
    'bouncers-list.json',
    'log.txt',
  ])
    t.ok((texts.get(name) ?? '').length > 2, name);
  const shown = [...texts, ['shown', (await cli(['config', 'show'])).stdout] as const];
  const parts = [password, JSON.stringify(password).slice(1, -1), 'hunter2', 'pass%20word', 'pass word', key, token];
  for (const [name, text] of shown) for (const part of parts) t.notOk(text.includes(part), `${name}: ${part}`);
  t.match(texts.get('settings.yaml'), '[redacted]');
  const log = (texts.get('log.txt') ?? '').trimEnd().split('\n');
  const lines = log.map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string });
  t.ok(
    lines.every(({ level, msg }) => level !== '' && msg !== ''),
    'the last lines of the log, as they were written',
  );
  t.equal((await cli(['config', 'show', '--key', 'store.redis.password'])).stdout, '[redacted]\n');
  t.equal((await cli(['config', 'show', '--key', 'store.type'])).stdout, 'memory\n');
  t.match(await cli(['config', 'show', '--key', 'store.kind']), { status: 1, stderr: /no setting store\.kind/ });
});

t.test('a support dump without a gateway says what is missing', async (t) => {
  const folder = t.testdir();
  writeFileSync(
    join(folder, 'portcullis.yaml'),
    'origin: http://127.0.0.1:1\nstore: {redis: {password: hunter2}}\nmdoe: x\n',
  );
  const dumped = await run(['support', 'dump', '-f', 'x.tar.gz', '--socket', '/nonexistent/s'], { cwd: folder });
  t.equal(dumped.status, 0, dumped.stderr);
  t.match(dumped.stdout, /not in it: settings: SETTINGS_INVALID[^]*not in it: status: GATEWAY_ABSENT/);
  t.notMatch(dumped.stdout, 'hunter2');
  t.match(await run(['support', 'dump', '-f', '/nonexistent/x'], { cwd: folder }), {
    status: 64,
    stderr: /cannot be written/,
  });
});
