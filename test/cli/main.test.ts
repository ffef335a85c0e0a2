import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { commands } from '../../cli/commands.ts';
import { run } from './run.ts';

const nowhere = ['--socket', '/nonexistent/admin.sock'];

t.test('help', async (t) => {
  await t.test('lists every verb', async (t) => {
    const { status, stdout } = await run(['help']);
    t.equal(status, 0);
    for (const { name } of commands) t.match(stdout, `  ${name} `, name);
    t.equal((await run(['--help'])).stdout, stdout);
    const bare = await run([]);
    t.equal(bare.stdout, stdout);
    t.equal(bare.status, 64, 'a script that forgot the verb must notice');
  });

  await t.test('every verb explains itself, with examples that name real verbs and options', async (t) => {
    for (const command of commands) {
      const { status, stdout } = await run([...command.name.split(' '), '--help']);
      t.equal(status, 0, command.name);
      t.match(stdout, `portcullis ${command.name}`);
      for (const name of Object.keys(command.options)) t.match(stdout, `--${name}`);
      for (const [line] of command.examples) {
        t.match(line, `portcullis ${command.name}`);
        for (const [, option = ''] of line.matchAll(/ --([a-z0-9-]+)/g)) {
          t.ok(Object.hasOwn(command.options, option) || ['json', 'config'].includes(option), `${line}: --${option}`);
        }
      }
    }
    t.equal(commands.length, readdirSync(join(import.meta.dirname, '../../cli/commands')).length);
  });

  await t.test('a family shows its verbs', async (t) => {
    const { status, stdout } = await run(['decisions']);
    t.equal(status, 64);
    t.match(stdout, /decisions list[^]*decisions add[^]*decisions delete/);
    t.equal((await run(['decisions', '--help'])).status, 0);
    t.match((await run(['help', 'decisions', 'add'])).stdout, /--duration/);
  });

  await t.test('short options are one letter and mean one thing within a verb', async (t) => {
    for (const { name, options } of commands) {
      const shorts = Object.values(options).flatMap(({ short }) => short ?? []);
      t.equal(new Set([...shorts, 'o', 'c', 'h']).size, shorts.length + 3, name);
    }
  });
});

t.test('what is not understood is answered with what was probably meant', async (t) => {
  const cases: [string[], RegExp][] = [
    [['decisons', 'list'], /Did you mean decisions/],
    [['decisions', 'lst'], /Did you mean decisions list/],
    [['selftset'], /Did you mean selftest/],
    [['frobnicate'], /there is no verb "frobnicate"/],
    [['decisions', 'list', '--iip', '1'], /no option --iip\. Did you mean --ip/],
    [['decisions', 'add', '--ip'], /--ip/],
    [['decisions', 'list', 'extra'], /"extra" is one word too many/],
    [['decisions', 'list', '-o', 'xml', ...nowhere], /"xml" is no output format/],
    [['decisions', 'add', ...nowhere], /nothing says whom/],
    [['decisions', 'add', '--ip', '192.0.2.7', '--range', '192.0.2.0/24', ...nowhere], /cannot be given together/],
    [['decisions', 'delete', '--all', '--ip', '192.0.2.7', ...nowhere], /cannot be given together/],
    [['alerts', 'inspect'], /no alert was named/],
    [['why'], /neither a request id nor an address/],
    [['decisions', 'import', ...nowhere], /nothing says what to import/],
    [['decisions', 'import', '-i', 'x', '--format', 'xml', ...nowhere], /"xml" is no format/],
    [['decisions', 'list', '--limit', 'many', ...nowhere], /no number of rows/],
    [['alerts', 'delete', '--all', '--ip', '192.0.2.7', ...nowhere], /cannot be given together/],
    [['allowlists', 'add', '192.0.2.7', ...nowhere], /the allowlist must be named first/],
    [['allowlists', 'add', 'office', ...nowhere], /no address, range or host name/],
    [['allowlists', 'delete', '192.0.2.7', ...nowhere], /is no allowlist/],
    [['machines', 'add', ...nowhere], /needs a name/],
    [['machines', 'add', 'web-1', ...nowhere], /nothing says which password/],
    [['machines', 'add', 'web-1', '-a', '-p', 'x', ...nowhere], /only one password/],
    [['machines', 'delete', ...nowhere], /no machine was named/],
    [['machines', 'inspect', '-H', 'web-1', ...nowhere], /--hub cannot be used here/],
    [['metrics', '-u', 'http://127.0.0.1:6060/metrics', ...nowhere], /--url cannot be used here/],
    [['metrics', 'show', 'weather', ...nowhere], /no metrics called "weather"/],
    [['simulation', 'enable', ...nowhere], /no scenario was named/],
    [['simulation', 'disable', '-g', 'x', ...nowhere], /about all scenarios/],
    [['notifications', 'reinject', '42', '-a', '[]', ...nowhere], /no JSON object/],
    [['lapi', 'register'], /nothing says where/],
    [['lapi', 'register', '-u', 'ftp://x'], /no address of a Local API/],
    [['version', '--color', 'maybe'], /says nothing about colours/],
    [['\u001b[31mred'], /there is no verb "\\x1b\[31mred"/],
  ];
  for (const [argv, message] of cases) {
    const { status, stdout, stderr } = await run(argv);
    t.equal(status, 64, argv.join(' '));
    t.equal(stdout, '', argv.join(' '));
    t.match(stderr, message, argv.join(' '));
    t.match(stderr, '→', 'with a remedy');
  }
  t.equal(cases.length, 34);
});

t.test('without a gateway every verb that needs one says so', async (t) => {
  const needing: string[][] = [
    ['decisions', 'list'],
    ['decisions', 'add', '--ip', '192.0.2.7'],
    ['decisions', 'delete', '--all'],
    ['allowlists', 'list'],
    ['allowlists', 'create', 'office'],
    ['allowlists', 'add', 'office', '192.0.2.7'],
    ['allowlists', 'remove', 'office', '192.0.2.7'],
    ['allowlists', 'inspect', 'office'],
    ['allowlists', 'check', '192.0.2.7'],
    ['allowlists', 'delete', 'office'],
    ['alerts', 'delete', '--all'],
    ['alerts', 'flush'],
    ['bouncers', 'list'],
    ['bouncers', 'add', 'edge'],
    ['bouncers', 'delete', 'edge'],
    ['bouncers', 'inspect', 'edge'],
    ['bouncers', 'prune', '--force'],
    ['machines', 'list'],
    ['machines', 'add', 'web-1', '--auto'],
    ['machines', 'validate', 'web-1'],
    ['machines', 'inspect', 'web-1'],
    ['machines', 'delete', 'web-1'],
    ['machines', 'prune', '--force'],
    ['lapi', 'status'],
    ['metrics'],
    ['metrics', 'show', 'alerts'],
    ['simulation', 'status'],
    ['simulation', 'enable', '--global'],
    ['notifications', 'list'],
    ['notifications', 'inspect', 'slack'],
    ['notifications', 'test', 'slack'],
    ['notifications', 'reinject', '42'],
    ['alerts', 'list'],
    ['alerts', 'inspect', 'abcdef12'],
    ['why', '192.0.2.7'],
    ['explain', '/'],
    ['status'],
    ['selftest'],
  ];
  for (const argv of needing) {
    const { status, stdout, stderr } = await run([...argv, ...nowhere]);
    t.equal(status, 69, argv.join(' '));
    t.equal(stdout, '');
    t.match(stderr, /no gateway answers on \/nonexistent\/admin\.sock[^]*npm start/, argv.join(' '));
  }
  const doctor = await run(['doctor', ...nowhere]);
  t.equal(doctor.status, 69);
  t.match(doctor.stdout, /✗ running/);
  const json = await run(['status', '--json', ...nowhere]);
  t.match(JSON.parse(json.stderr), { code: 'GATEWAY_ABSENT', remedy: String });
});

t.test('the socket is found through the settings, and mistakes in them are told', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'cli-'));
  t.teardown(() => rmSync(cwd, { recursive: true }));
  t.match((await run(['status'], { cwd })).stderr, `no gateway answers on ${cwd}/data/admin.sock`);
  t.match(
    (await run(['status'], { cwd, env: { PORTCULLIS_DATA_DIR: '/nonexistent/d' } })).stderr,
    '/nonexistent/d/admin.sock',
  );
  writeFileSync(
    join(cwd, 'other.yaml'),
    'sites: [{hosts: [a.example], origin: http://127.0.0.1:1}]\nadmin: {socket: here.sock}\n',
  );
  t.match((await run(['status', '--config', 'other.yaml'], { cwd })).stderr, `${cwd}/here.sock`);
  t.match(
    (await run(['-c', 'other.yaml', 'status'], { cwd })).stderr,
    `${cwd}/here.sock`,
    'common options may stand first',
  );
  writeFileSync(join(cwd, 'portcullis.yaml'), 'orign: http://127.0.0.1:1\n');
  const wrong = await run(['status'], { cwd });
  t.equal(wrong.status, 78);
  t.match(wrong.stderr, /portcullis\.yaml:1.*orign/);
  t.equal((await run(['status', '--config', 'missing.yaml'], { cwd })).status, 78);
});

t.test('validate', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'cli-'));
  t.teardown(() => rmSync(cwd, { recursive: true }));
  const good = await run(['validate'], { cwd });
  t.equal(good.status, 0, good.stderr);
  t.match(good.stdout, /the settings are good, \d+ scenarios[^]*demo/);
  writeFileSync(join(cwd, 'portcullis.yaml'), 'origin: http://127.0.0.1:1\nlisten: nowhere\nmdoe: block\n');
  const bad = await run(['validate'], { cwd });
  t.equal(bad.status, 78);
  t.match(bad.stdout, /portcullis\.yaml:2[^]*portcullis\.yaml:3/);
  const json = await run(['validate', '--json'], { cwd });
  t.match(JSON.parse(json.stdout), { valid: false, faults: [{ message: /listen/ }, { message: /mdoe/ }] });
  writeFileSync(join(cwd, 'portcullis.yaml'), 'origin: http://127.0.0.1:1\ndetection: {folders: [./rules]}\n');
  const missing = await run(['validate'], { cwd });
  t.equal(missing.status, 78);
  t.match(missing.stdout, /rules/);
});

t.test('validate reads the rules of the WAF', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'cli-'));
  t.teardown(() => rmSync(cwd, { recursive: true }));
  const write = (waf: object): void =>
    writeFileSync(join(cwd, 'portcullis.yaml'), JSON.stringify({ origin: 'http://127.0.0.1:1', waf }));
  const own = join(cwd, 'own.conf');
  writeFileSync(own, 'SecRule ARGS "@rx a" "id:1,phase:2,deny"\nSecRule ARG "@rx b" "id:2,phase:2,deny"\n');
  write({ coreRules: { files: ['own.conf', 'missing.conf'] } });
  const bad = await run(['validate'], { cwd });
  t.equal(bad.status, 78);
  t.match(bad.stdout, /2 mistakes[^]*own\.conf:2: .*"ARG".*ARGS[^]*missing\.conf does not exist/);
  writeFileSync(own, 'SecRule ARGS "@rx a" "id:1,phase:2,deny"\n');
  write({ coreRules: { files: ['*.conf'] } });
  const good = await run(['validate'], { cwd });
  t.equal(good.status, 0, good.stdout);
  t.match(good.stdout, /1 rule of your own, \d+ rules of portcullis\/virtual-patches can be used/);
  const json = await run(['validate', '--json'], { cwd });
  t.match(JSON.parse(json.stdout), {
    valid: true,
    rules: [{ layer: 'core-rules', rules: 1 }, { layer: 'virtual-patches' }],
  });
  writeFileSync(own, 'SecRule ARG "@rx a" "id:1"\n');
  write({ coreRules: { files: ['own.conf'], mode: 'off' } });
  t.equal((await run(['validate'], { cwd })).status, 0, 'what no site runs is not read');
  write({ coreRules: { mode: 'off' }, virtualPatches: { configs: ['example/none'] } });
  t.match(await run(['validate'], { cwd }), { status: 78, stdout: /example\/none/ });
});

t.test('version', async (t) => {
  t.match(await run(['version']), { status: 0, stdout: /^Portcullis \d+\.\d+\.\d+ on Node / });
  t.match(await run(['--version', '-o', 'raw']), { status: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
});
