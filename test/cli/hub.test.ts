import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../detectors/hub/open-hub.ts';
import { fault, type HubServer, serveFolder } from '../detectors/hub/server.ts';
import { SmallHub } from '../detectors/hub/small-hub.ts';
import { suitePath } from '../support/suites.ts';
import { type HubRan, hubCommands, runHub } from './hub-run.ts';

interface World {
  readonly small: SmallHub;
  readonly server: HubServer;
  readonly cwd: string;
  /** One command line after `portcullis hub`. */
  readonly hub: (line: string, columns?: number) => Promise<HubRan>;
}

async function world(t: Test): Promise<World> {
  const folder = temporaryFolder(t);
  const small = new SmallHub(join(folder, 'remote'));
  for (const name of ['a/one', 'a/two']) small.scenario(name);
  small.publish('parsers', 'a/both', 'name: a/both\n');
  small.scenario('a/both');
  small.collection('a/all', { scenarios: ['a/one', 'a/two'] });
  const server = await serveFolder(small.folder);
  t.teardown(() => server.close());
  const cwd = join(folder, 'here');
  const env = { PORTCULLIS_HUB_SOURCE: server.url };
  return {
    small,
    server,
    cwd: folder,
    hub: (line, columns) =>
      runHub(line.split(' '), {
        cwd,
        env: { ...env, PORTCULLIS_DATA_DIR: cwd },
        ...(columns === undefined ? {} : { columns }),
      }),
  };
}

t.test('from nothing to an installed collection and back', async (t) => {
  const { hub, cwd } = await world(t);
  t.match(await hub('list'), { status: 0, stdout: /Nothing is installed\.\n.*hub search/ });
  t.match(
    await hub('search two'),
    { status: 0, stdout: /scenarios {2}a\/two {2}0\.1 .*about a\/two/ },
    'the index comes by itself',
  );
  const dry = await hub('install a/all --dry-run');
  t.match(dry, {
    status: 0,
    stdout: /install .*collections .*a\/all .*0\.1\n\n! Nothing was changed\. Without --dry-run: 3 items installed/,
  });
  t.match(await hub('list'), { stdout: /Nothing is installed/ });
  t.match(await hub('install a/all'), {
    status: 0,
    stdout: /✓ 3 items installed\.\n.*Restart the gateway/,
    stderr: '',
  });
  t.match(await hub('install a/all'), { status: 0, stdout: 'Nothing to do.\n' });
  const list = await hub('list');
  t.match(list.stdout, /scenarios {4}a\/one {2}enabled {2}0\.1 {6}scenarios\/one\.yaml\n/);
  t.match(list.stdout, /3 items installed; in .*\/items\n$/);
  t.match(await hub('list -a --type parsers'), { stdout: /parsers {2}a\/both {2}disabled {2}0\.1/ });
  t.match(await hub('remove a/one'), { status: 1, error: { code: 'HUB_REFUSED', message: /part of a\/all/ } });
  t.match(await hub('remove a/all --dry-run'), { status: 0, stdout: /3 items removed/ });
  t.match(await hub('remove a/all'), { status: 0, stdout: /✓ 3 items removed\.\n/ });
  t.match(await hub('list'), { stdout: /Nothing is installed/ });
  t.ok(existsSync(join(cwd, 'here', 'hub', 'scenarios', 'a', 'one.yaml')), 'the files stay until they are purged');
});

t.test('changes by hand show, and what to do about them', async (t) => {
  const { hub, cwd, small } = await world(t);
  await hub('install a/all');
  appendFileSync(join(cwd, 'here', 'hub', 'scenarios', 'a', 'one.yaml'), '# \u001b[31mmine\n');
  const list = await hub('list');
  t.match(list.stdout, /a\/one {2}enabled, tainted {2}\? → 0\.1/);
  t.match(list.stdout, /a\/all {2}enabled, tainted/);
  t.match(list.stdout, /2 tainted/);
  const diff = await hub('inspect --diff a/one');
  t.match(diff.stdout, /changed by hand; the latest is 0\.1/);
  t.match(diff.stdout, /^\+# \\x1b\[31mmine$/m);
  t.match(
    (await hub('inspect a/all')).stdout,
    /✗ scenarios:a\/one \?\n {4}✓ scenarios:a\/two 0\.1\n! scenarios:a\/one was changed by hand/,
  );
  small.scenario('a/one');
  small.scenario('a/two');
  t.match(await hub('update'), {
    status: 0,
    stdout: /5 items in the hub at .*: 2 updated\.\n.*3 installed items have a newer version/,
  });
  const upgraded = await hub('upgrade');
  t.match(upgraded, { status: 0, stdout: /upgrade .*a\/two {2}0\.1 → 0\.2\n\n! scenarios:a\/one was changed by hand/ });
  t.match(await hub('upgrade a/one'), { status: 1, stdout: /--force overwrites it\nNothing to do\.\n$/ });
  t.match(await hub('upgrade a/one --force'), { status: 0, stdout: /a\/one {2}\? → 0\.2\n\n✓ 1 item upgraded\./ });
});

t.test('names that mean several items, or none', async (t) => {
  const { hub } = await world(t);
  t.match(await hub('install a/both'), { error: { code: 'USAGE', message: /parsers:a\/both, scenarios:a\/both/ } });
  t.match(await hub('install a/both --type parsers'), { status: 0, stdout: /install {2}parsers {2}a\/both/ });
  t.match(await hub('remove a/both'), { status: 0 }, 'only one of them is installed');
  t.match(await hub('install scenarios:a/both'), { status: 0, stdout: /scenarios {2}a\/both/ });
  t.match(await hub('install a/oen'), { error: { code: 'NOT_FOUND', message: /Did you mean a\/one/ } });
  t.match(await hub('list --type recipes'), { error: { code: 'USAGE', message: /no type of items/ } });
  t.match(await hub('remove'), { error: { code: 'USAGE', message: /no item was named/ } });
  t.match(await hub('remove --all a/one'), { error: { code: 'USAGE', message: /cannot be given together/ } });
  t.match(await hub('upgrade a/one'), { error: { code: 'HUB_REFUSED', remedy: /hub install scenarios:a\/one/ } });
});

t.test('a hub that fails or lies changes nothing, and is named', async (t) => {
  const { hub, server, cwd } = await world(t);
  await hub('update');
  server.faults.set('scenarios/a/two.yaml', fault.body('something else'));
  t.match(await hub('install a/all'), {
    status: 1,
    stdout: '',
    error: { code: 'HUB_DIGEST_MISMATCH', message: /scenarios:a\/two/ },
  });
  t.match(await hub('list'), { stdout: /Nothing is installed/ });
  t.same(readdirSync(join(cwd, 'here', 'hub')).sort(), ['.index.json', '.lock', '.source.json']);
  server.faults.set('.index.json', fault.status(404));
  t.match(await hub('update'), {
    error: { code: 'HUB_UNREACHABLE', message: /\.index\.json: answered 404/, remedy: /--from/ },
  });
});

t.test('--from takes another hub: for a look, or to install from', async (t) => {
  const { hub, cwd } = await world(t);
  const other = new SmallHub(join(cwd, 'other'));
  other.scenario('b/other');
  t.match(await hub(`search other --from ${other.folder}`), { stdout: /b\/other/ });
  t.match(await hub('search other'), { stdout: /No item has/ }, 'looking keeps nothing');
  t.match(await hub(`install b/other --from ${other.folder} --dry-run`), { status: 0, stdout: /b\/other/ });
  t.match(await hub('search other'), { stdout: /No item has/ });
  t.match(await hub(`install b/other --from ${other.folder}`), { status: 0, stdout: /1 item installed/ });
  t.match(await hub('search other'), { stdout: /b\/other .*enabled/ });
  t.match(await hub(`list --from ${join(cwd, 'nowhere')}`), { error: { code: 'HUB_UNREACHABLE' } });
});

t.test('JSON and CSV for programs', async (t) => {
  const { hub } = await world(t);
  const change = JSON.parse((await hub('install a/all --json')).stdout);
  t.same(change.changes[0], { change: 'install', type: 'scenarios', name: 'a/one', from: null, to: '0.1' });
  t.match(change, { dry_run: false, data: [], notes: [] });
  const list = JSON.parse((await hub('list --json')).stdout);
  t.same(Object.keys(list), [
    'parsers',
    'postoverflows',
    'scenarios',
    'contexts',
    'appsec-configs',
    'appsec-rules',
    'collections',
  ]);
  t.match(list.scenarios[0], {
    name: 'a/one',
    local_version: '0.1',
    local_path: /\/items\/scenarios\/one\.yaml$/,
    description: 'about a/one',
    utd_version: '0.1',
    status: 'enabled',
  });
  t.same(Object.keys(JSON.parse((await hub('list --json --type collections')).stdout)), ['collections']);
  t.match(JSON.parse((await hub('inspect a/all --json')).stdout), {
    type: 'collections',
    name: 'a/all',
    scenarios: ['a/one', 'a/two'],
    installed: true,
    tainted: false,
    up_to_date: true,
    belongs_to_collections: [],
  });
  t.match(JSON.parse((await hub('inspect a/one --json')).stdout), { belongs_to_collections: ['a/all'] });
  t.equal(
    (await hub('list -o raw --type collections')).stdout,
    'name,status,version,description,type\na/all,enabled,0.1,about a/all,collections\n',
  );
  t.match(JSON.parse((await hub('update --json')).stdout), { items: 5, changed: false, faults: [] });
  t.match((await hub('remove a/all -o raw')).stdout, /^change,type,name,from,to\nremove,collections,a\/all,0\.1,\n/);
});

t.test('on a terminal the fetched file is shown while it comes, and gone afterwards', async (t) => {
  const { hub } = await world(t);
  const ran = await hub('install a/all', 60);
  t.match(ran.stderr, /\r\x1b\[2Kfetching \.index\.json {2}[\d.]+ k?B of/);
  t.match(ran.stderr, /\r\x1b\[2K$/);
  for (const line of ran.stdout.split('\n')) t.ok(line.replaceAll(/\x1b\[\d+m/g, '').length <= 60, line);
});

t.test('what a hub says cannot drive the terminal', async (t) => {
  const { hub, small } = await world(t);
  const one = small.index.scenarios?.['a/one'];
  if (one !== undefined) one.description = 'evil \u001b]0;title\u0007 \u202e text';
  small.index.scenarios = {
    ...small.index.scenarios,
    '\u001b[2J/x': { path: '', version: '', versions: {}, author: '', description: '' },
  };
  small.write();
  for (const line of ['update', 'search evil', 'list -a', 'inspect a/one']) {
    t.notMatch((await hub(line)).stdout, /[\x00-\x09\x0b-\x1f\u202e]/, line);
  }
});

t.test('the public hub from a folder, as people would use it', async (t) => {
  const remote = suitePath(t, 'hub');
  const lists = suitePath(t, 'sec-lists');
  if (remote === null || lists === null) return;
  const cwd = temporaryFolder(t);
  const hub = (line: string) => runHub(line.split(' '), { cwd, env: { PORTCULLIS_HUB_DATA_SOURCE: lists } });
  t.match(await hub(`update --from ${remote}`), { status: 0, stdout: /1\d{3} items in the hub/ });
  const ran = await hub('install crowdsecurity/linux crowdsecurity/base-http-scenarios');
  t.match(ran, { status: 0, stdout: /data file GeoLite2-City\.mmdb is missing/ });
  t.match(ran.stdout, /items installed, \d+ data files fetched/);
  t.match(await hub('search nginx'), { stdout: /^TYPE .*\ncollections {2}crowdsecurity\/nginx / });
  t.match(await hub('inspect crowdsecurity/linux'), {
    stdout: /collections:crowdsecurity\/sshd 0\.\d+\n {6}✓ parsers:/,
  });
  t.match(await hub('remove --all --purge'), { status: 0, stdout: /items removed for good/ });
});

t.test('every verb has help with examples', async (t) => {
  t.equal(hubCommands.length, 7);
  for (const { name, examples, summary } of hubCommands) {
    t.match(name, /^hub [a-z]+$/);
    t.ok(examples.length > 0 && summary.length > 10);
    for (const [line] of examples) t.match(line, `portcullis ${name}`);
  }
});
