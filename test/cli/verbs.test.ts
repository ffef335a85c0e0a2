import t, { type Test } from 'tap';
import { createControlServer } from '../../gateway/admin/control-server.ts';
import type { AdminDependencies } from '../../gateway/admin/dependencies.ts';
import { createWafCounters } from '../../gateway/waf/waf-counters.ts';
import { GatewayError } from '../../core/errors.ts';
import type { AlertModel } from '../../gateway/admin/models.ts';
import { alert, createWorld, decision, refusal, type World } from '../gateway/admin/world.ts';
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

/** Bytes that a terminal obeys. */
const obeyed = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

t.test('decisions: add, list, delete', async (t) => {
  const { cli } = await open(t);
  t.match(await cli(['decisions', 'list']), { status: 0, stdout: 'No decisions.\n' });
  t.match(await cli(['decisions', 'list', '--json']), { status: 0, stdout: '[]\n' });
  const added = await cli([
    'decisions',
    'add',
    '-i',
    '203.0.113.9',
    '-d',
    '2h',
    '-R',
    'because, "really"',
    '-t',
    'captcha',
  ]);
  t.match(added, { status: 0, stdout: /^Added: captcha on 203\.0\.113\.9 for 2h/ });
  t.match((await cli(['decisions', 'list'])).stdout, /203\.0\.113\.9 +captcha +because, "really" +cscli +(2h|1h 59m)/);
  const raw = await cli(['decisions', 'list', '-o', 'raw']);
  const [header, row] = raw.stdout.split('\n');
  t.equal(header, 'id,source,ip,reason,action,country,as,events_count,expiration,simulated,alert_id');
  t.match(row, /^\d+,cscli,Ip:203\.0\.113\.9,"because, ""really""",captcha,,,1,(2h0m0s|1h59m5\ds),false,\d+$/);
  const [alert] = JSON.parse((await cli(['decisions', 'list', '--json'])).stdout) as AlertModel[];
  t.match(alert, { kind: 'cscli', scenario: 'because, "really"', source: { scope: 'Ip', ip: '203.0.113.9' } });
  const [only] = alert?.decisions ?? [];
  t.match(only, {
    id: Number,
    value: '203.0.113.9',
    scope: 'Ip',
    type: 'captcha',
    scenario: 'because, "really"',
    duration: String,
    alert_id: alert?.id,
  });
  const lifted = await cli(['decisions', 'delete', '--id', String(only?.id)]);
  t.match(lifted, { status: 0, stdout: /^Lifted 1 decision\.\n  captcha on 203\.0\.113\.9/ });
  t.match(await cli(['decisions', 'delete', '--ip', '203.0.113.9']), { status: 0, stdout: 'Nothing to lift.\n' });
  t.match((await cli(['decisions', 'list', '--history'])).stdout, /lifted/);
  t.match(await cli(['decisions', 'add', '--ip', '203.0.113.300']), { status: 64, stderr: /is not an IP address/ });
  t.match(await cli(['decisions', 'delete']), { status: 64, stderr: /--all/ });
  t.match(await cli(['decisions', 'add', '--ip', '10.0.0.1']), { status: 0, stderr: /^warning: .*trusted proxy/ });
});

t.test('a list may be longer than a page', async (t) => {
  const { cli, publisher, deps } = await open(t);
  const made = Array.from({ length: 250 }, (_, index) => decision({ value: `198.51.100.${index}` }));
  publisher.write(made.map((decision) => ({ kind: 'decision-added', decision })));
  await deps.publisher.settle();
  const first = await cli(['decisions', 'list']);
  t.equal(first.stdout.split('\n').filter((line) => line.includes('198.51.100.')).length, 100);
  t.match(first.stdout, /--limit 0 shows all/);
  t.equal((JSON.parse((await cli(['decisions', 'list', '--limit', '0', '--json'])).stdout) as unknown[]).length, 250);
});

t.test('bouncers: a key is shown once, and is nowhere afterwards', async (t) => {
  const { cli } = await open(t);
  t.match(await cli(['bouncers', 'list']), { stdout: /no bouncers/ });
  const added = await cli(['bouncers', 'add', 'nginx-edge']);
  const key = /^ {3}(\S{43})$/m.exec(added.stdout)?.[1] ?? '';
  t.match(added.stdout, /The key of nginx-edge:[^]*not shown again/);
  t.not(key, '');
  t.match(
    (await cli(['bouncers', 'add', 'cloud', '--key', 'abcdefghijklmnop', '-o', 'raw'])).stdout,
    'abcdefghijklmnop',
  );
  t.match(await cli(['bouncers', 'add', 'cloud']), {
    status: 1,
    stderr: /called cloud already[^]*bouncers delete cloud/,
  });
  t.match(await cli(['bouncers', 'add', 'spaced', '--key', 'a b']), { stderr: /no spaces/ });
  t.match(await cli(['bouncers', 'add', 'a b']), { stderr: /letters, digits/ });
  const list = await cli(['bouncers', 'list', '-o', 'json']);
  t.same(
    JSON.parse(list.stdout).map((bouncer: { name: string }) => Object.keys(bouncer).join()),
    ['name,created_at,ip_address,type,version,last_pull,auth_type,auto_created,revoked'].flatMap((keys) => [
      keys,
      keys,
    ]),
  );
  t.match(await cli(['bouncers', 'delete', 'cloud']), { status: 0, stdout: /refused from now on/ });
  t.match(await cli(['bouncers', 'delete', 'cloud']), { status: 1, stderr: /no bouncer called cloud/ });
});

t.test('allowlists: create, add, inspect, check, remove, delete', async (t) => {
  const { cli } = await open(t);
  t.match(await cli(['allowlists', 'list']), { stdout: /There are no allowlists/ });
  t.match(await cli(['allowlists', 'list', '-o', 'json']), { stdout: '[]\n' });
  t.match(await cli(['allowlists', 'add', 'office', '192.0.2.1']), { status: 1, stderr: /allowlists create office/ });
  t.match(await cli(['allowlists', 'create', 'office', '-d', '=1+1']), { status: 0, stdout: /allowlists add office/ });
  t.match(await cli(['allowlists', 'add', 'office', '192.0.2.0/24', '198.51.100.7', '-d', '=2+2', '-e', '7d']), {
    status: 0,
    stdout: /192\.0\.2\.0\/24[^]*198\.51\.100\.7/,
  });
  t.match(await cli(['allowlists', 'add', 'office', '198.51.100.7']), { status: 0, stdout: /on office already/ });
  const list = (await cli(['allowlists', 'list', '-o', 'raw'])).stdout;
  t.match(list, /^name,description,created_at,updated_at,console_managed,size\noffice,'=1\+1,.*,false,2\n$/);
  t.match(
    (await cli(['allowlists', 'inspect', 'office', '-o', 'raw'])).stdout,
    /office,'=1\+1,192\.0\.2\.0\/24,'=2\+2,\d{4}/,
    'no formula for the spreadsheet',
  );
  t.match((await cli(['allowlists', 'inspect', 'office'])).stdout, /VALUE +COMMENT +ENDS +ADDED/);
  t.match(await cli(['allowlists', 'inspect', 'home']), { status: 1, stderr: /no allowlist called home/ });
  t.match(await cli(['allowlists', 'check', '192.0.2.7', '203.0.113.1']), {
    stdout: '192.0.2.7 is allowlisted by 192.0.2.0/24 from office (=2+2)\n203.0.113.1 is not allowlisted\n',
  });
  t.match(await cli(['decisions', 'add', '--ip', '192.0.2.7']), {
    status: 1,
    stderr: /on the allowlist office[^]*--bypass-allowlist/,
  });
  t.match(await cli(['allowlists', 'remove', 'office', '192.0.2.0/24']), { status: 0, stdout: /off office/ });
  t.match(await cli(['allowlists', 'remove', 'office', '192.0.2.0/24']), { status: 1, stderr: /does not stand/ });
  t.match(await cli(['allowlists', 'delete', 'office']), { status: 0, stdout: /office is gone/ });
  t.match(await cli(['allowlists', 'delete', 'office']), { status: 1, stderr: /no allowlist called office/ });
});

t.test('allowlists: those of the settings are shown, and changed there', async (t) => {
  const range = { list: 'portcullis-settings', value: '192.0.2.0/28', comment: 'monitors', until: null };
  const { cli } = await open(t, { settingsAllowlist: [range] });
  t.match((await cli(['allowlists', 'list'])).stdout, /portcullis-settings +remediation\.allowlist of the settings +1/);
  t.match((await cli(['allowlists', 'inspect', 'portcullis-settings', '--json'])).stdout, /"192\.0\.2\.0\/28"/);
  t.match(await cli(['allowlists', 'add', 'portcullis-settings', '192.0.2.1']), { status: 1, stderr: /the settings/ });
});

t.test('allowlists: a whole list, with the lines that are none', async (t) => {
  const { cli } = await open(t);
  await cli(['allowlists', 'create', 'office']);
  const lines = ['# ours', '192.0.2.1', 'nonsense', '192.0.2.0/28', 'vpn.example.org', '192.0.2.1', '192.0.2.300'];
  const imported = await cli(['allowlists', 'import', 'office', '-i', '-'], { stdin: lines.join('\n') });
  t.match(imported, {
    status: 1,
    stdout: 'Added 3 entries to office.\n',
    stderr:
      'line 3: "nonsense" is not an address, a range or a host name\nline 7: "192.0.2.300" is not an address, a range or a host name\n2 lines not understood.\n',
  });
  const many = Array.from({ length: 1_200 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  const more = await cli(['allowlists', 'import', 'office', '-i', '-', '-o', 'raw'], { stdin: many.join('\n') });
  t.match(more, { status: 0, stdout: '1200\n' });
  t.match(await cli(['allowlists', 'import', 'home', '-i', '-'], { stdin: '192.0.2.1' }), {
    status: 1,
    stderr: /home/,
  });
});

t.test('what an attacker wrote never reaches the terminal as it is', async (t) => {
  const { cli, publisher, deps } = await open(t);
  const raised = alert();
  publisher.publish({
    alert: raised,
    decisions: [decision({ alertUuid: raised.uuid, scenario: 'x\u202Egnp.\u001b[2J' })],
    matched: [],
  });
  publisher.write([{ kind: 'refusal', event: refusal() }]);
  await deps.publisher.settle();
  const lines: string[][] = [
    ['decisions', 'list'],
    ['alerts', 'list'],
    ['alerts', 'inspect', raised.uuid],
    ['alerts', 'inspect', raised.uuid, '--details'],
    ['why', '203.0.113.9'],
    ['why', '00000000000000bb'],
    ['explain', '203.0.113.9 - - [20/Nov/2026:23:31:34 +0000] "GET /\\x1b[31m.env HTTP/1.1" 404 1 "-" "\\x9b31m"'],
    ['doctor'],
    ['status'],
  ];
  for (const line of lines) {
    const { status, stdout, stderr } = await cli(line, { env: { NO_COLOR: '1' } });
    t.notMatch(stdout + stderr, obeyed, line.join(' '));
    t.notMatch(stdout, '\u202E', line.join(' '));
    t.ok(status === 0 || line[0] === 'doctor', line.join(' '));
    t.not(stdout, '');
  }
  t.match((await cli(['why', '00000000000000bb'])).stdout, '\\x1b]0;owned\\x07', 'it is written out instead');
});

t.test('why tells how the address was derived, what refused it, and what came before', async (t) => {
  const { cli, publisher, deps } = await open(t);
  const raised = alert();
  const made = decision({ alertUuid: raised.uuid, createdAt: deps.clock.now() - 1_000 });
  publisher.publish({ alert: raised, decisions: [made], matched: [] });
  publisher.write([{ kind: 'refusal', event: refusal() }]);
  await deps.publisher.settle();
  const { stdout } = await cli(['why', '00000000000000bb']);
  t.match(stdout, /derived from +the header x-forwarded-for, sent by 10\.0\.0\.1/);
  t.match(stdout, new RegExp(`id +\\d+ +${made.uuid}`));
  t.match(stdout, /Events \(5, 1 event kept\)/);
  t.match(stdout, /The next request of this client: refused/);
  t.match(await cli(['why', '0123456789abcdef']), { status: 1, stderr: /nothing is stored/ });
  t.match(await cli(['why', 'hello']), { status: 64 });
});

t.test('explain shows a tree of what decided', async (t) => {
  const { cli } = await open(t);
  const { stdout } = await cli(['explain', '/.env', '--all']);
  t.match(stdout, /✓ test\/sensitive-files[^]*number 5 raises an alert and a decision; one is forgotten every 10s/);
  t.match(stdout, /test\/probing\n +✗ all of\n +├─ ✓ evt\.Meta\.service == 'http'\n +└─ ✗ evt\.Meta\.http_status in/);
  t.match((await cli(['explain', '/x', '--status', '404'])).stdout, /1 scenario counts this request:[^]*test\/probing/);
  t.match(await cli(['explain', 'two words']), { status: 64, stderr: /neither an access log line nor a URL/ });
});

t.test('exit statuses say how the gateway is', async (t) => {
  const { cli, pulse } = await open(t);
  t.equal((await cli(['status'])).status, 0);
  pulse.decisionsReady = false;
  t.match(await cli(['status']), { status: 1, stdout: /degraded[^]*still being read/ });
  const doctor = await cli(['doctor', '--json']);
  t.equal(doctor.status, 1, 'the origin does not answer');
  t.match(JSON.parse(doctor.stdout), { ok: false });
  t.match(
    (await cli(['doctor', '--peer', '10.0.0.1', '-H', 'X-Forwarded-For: 203.0.113.9'])).stdout,
    /203\.0\.113\.9, from the header x-forwarded-for/,
  );
});

t.test('colour only where a person looks, and not when it is unwanted', async (t) => {
  const { cli, publisher, deps } = await open(t);
  publisher.write([{ kind: 'decision-added', decision: decision() }]);
  await deps.publisher.settle();
  const line = ['decisions', 'list'];
  t.notMatch((await cli(line)).stdout, '\u001b[');
  t.match((await cli(line, { columns: 120 })).stdout, '\u001b[31mban');
  t.notMatch((await cli(line, { columns: 120, env: { NO_COLOR: '1' } })).stdout, '\u001b[');
  t.match((await cli(line, { env: { FORCE_COLOR: '1' } })).stdout, '\u001b[31mban');
  t.notMatch((await cli([...line, '--json'], { columns: 120 })).stdout, '\u001b[');
});

t.test('tables fit the terminal they are shown in', async (t) => {
  const { cli, publisher, deps } = await open(t);
  publisher.write([
    {
      kind: 'decision-added',
      decision: decision({ scenario: 'a/very-long-scenario-name-that-would-never-fit-in-eighty-columns-of-text' }),
    },
  ]);
  await deps.publisher.settle();
  const { stdout } = await cli(['decisions', 'list'], { columns: 80, env: { NO_COLOR: '1' } });
  for (const row of stdout.trimEnd().split('\n')) t.ok(row.length <= 80, row);
  t.match(stdout, '…');
  t.match((await cli(['decisions', 'list'])).stdout, 'eighty-columns-of-text', 'a pipe gets everything');
});

t.test('the self-test fails plainly when the gateway cannot be reached, and leaves nothing behind', async (t) => {
  const { cli, deps } = await open(t);
  const { status, stderr } = await cli(['selftest']);
  t.equal(status, 1);
  t.match(stderr, /127\.0\.0\.1:9 does not answer/);
  t.equal(deps.index.size.total, 0);
});

t.test('status shows the rules of the WAF', async (t) => {
  const wafCounters = createWafCounters();
  Object.assign(wafCounters.layers.gateway['core-rules'], { requests: 120, refused: 3, observed: 4, exhausted: 1 });
  const { cli } = await open(t, {
    layers: [{ layer: 'core-rules', rules: 638, version: 'OWASP_CRS/4.29.0' }],
    ruleFaults: [new GatewayError('RULES_INVALID', 'own.conf:1: no')],
    wafCounters,
  });
  const shown = await cli(['status']);
  t.match(shown.stdout, /WAF[^]*RULES +MODE +COUNT +VERSION +REQUESTS +REFUSED +OBSERVED/);
  t.match(shown.stdout, /core-rules +off +638 +OWASP_CRS\/4\.29\.0 +120 +3 +4/);
  t.match(shown.stdout, /1 request ran out of waf\.budget[^]*1 fault: doctor names/);
  t.match(JSON.parse((await cli(['status', '--json'])).stdout), { waf: { faults: 1, layers: [{ exhausted: 1 }] } });
  t.notMatch((await (await open(t)).cli(['status'])).stdout, /\bWAF\b/, 'nothing is shown where no rules run');
});
