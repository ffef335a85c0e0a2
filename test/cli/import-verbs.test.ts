import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createControlServer } from '../../gateway/admin/control-server.ts';
import type { AlertModel, ImportModel } from '../../gateway/admin/models.ts';
import { GatewayError } from '../../core/errors.ts';
import { createWorld, type World } from '../gateway/admin/world.ts';
import { type Ran, run, type RunOptions } from './run.ts';

interface Opened extends World {
  readonly cli: (line: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly file: (name: string, text: string) => string;
}

async function open(t: Test): Promise<Opened> {
  const world = await createWorld(t, { faults: [] });
  const server = createControlServer({ socketPath: world.socketPath }, world.deps);
  await server.listen();
  t.teardown(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), 'import-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return {
    ...world,
    cli: (line, options) => run([...line, '--socket', world.socketPath], options),
    file(name, text) {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
  };
}

async function listed(cli: Opened['cli']): Promise<AlertModel[]> {
  const { stdout } = await cli(['decisions', 'list', '--limit', '0', '-a', '-o', 'json']);
  return JSON.parse(stdout) as AlertModel[];
}

t.test('plain values: addresses and ranges in force at once, under one alert', async (t) => {
  const { cli, file, deps } = await open(t);
  const path = file('feed.txt', '# feed\n192.0.2.1\n198.51.100.0/24\n2001:DB8:0:0::1\nno address\n192.0.2.1/33\n');
  const imported = await cli(['decisions', 'import', '-i', path, '-d', '2h', '-R', 'a feed', '-t', 'captcha']);
  t.match(imported, {
    status: 1,
    stdout: 'Imported 3 decisions, enforced from now on.\n',
    stderr:
      'line 5: "no address" is not an IP address\nline 6: "192.0.2.1/33" is not a range\n2 lines not understood.\n',
  });
  t.equal(deps.index.size.total, 3);
  const [alert, ...others] = await listed(cli);
  t.same(others, []);
  t.match(alert, { scenario: 'import feed.txt: 3 decisions', events_count: 3, kind: 'cscli' });
  t.same(
    alert?.decisions.map(({ scope, value, type, origin, scenario }) => [scope, value, type, origin, scenario]),
    [
      ['Ip', '2001:db8::1', 'captcha', 'cscli-import', 'a feed'],
      ['Range', '198.51.100.0/24', 'captcha', 'cscli-import', 'a feed'],
      ['Ip', '192.0.2.1', 'captcha', 'cscli-import', 'a feed'],
    ],
  );
});

t.test('CSV and JSON say more about each entry', async (t) => {
  const { cli, file } = await open(t);
  const csv = file(
    'list.csv',
    'duration,scope,value,reason,type\n24h,ip,192.0.2.1,,\n,as,AS64496,x,throttle\n1x,ip,192.0.2.2,,\n,country,ch,,tar pit\n',
  );
  const first = await cli(['decisions', 'import', '-i', csv, '-o', 'json']);
  t.equal(first.status, 1);
  t.match(JSON.parse(first.stdout) as ImportModel, {
    imported: 2,
    malformed: 2,
    allowlisted: 0,
    faults: [
      { line: 4, message: '"1x" is not a duration' },
      { line: 5, message: /no type/ },
    ],
    alert_ids: [Number],
  });
  const json = file('list.json', '[{"value":"203.0.113.1","origin":"my-list","duration":"30m"},\n{"scope":"ip"}]');
  const second = await cli(['decisions', 'import', '--input', json, '-o', 'raw']);
  t.match(second, { status: 1, stdout: '1\n', stderr: 'line 2: there is no value\n1 line not understood.\n' });
  const found = (await listed(cli)).flatMap(({ decisions }) => decisions);
  t.match(
    found.map(({ scope, value, type, origin, duration }) => `${scope} ${value} ${type} ${origin} ${duration}`),
    [
      /^Ip 203\.0\.113\.1 ban my-list (30m0s|29m5\ds)$/,
      /^AS 64496 throttle cscli-import (4h0m0s|3h59m5\ds)$/,
      /^Ip 192\.0\.2\.1 ban cscli-import (24h0m0s|23h59m5\ds)$/,
    ],
  );
});

t.test('what an allowlist covers is left out, and counted', async (t) => {
  const { cli } = await open(t);
  await cli(['allowlists', 'create', 'office']);
  await cli(['allowlists', 'add', 'office', '192.0.2.0/28']);
  const imported = await cli(['decisions', 'import', '-i', '-'], { stdin: '192.0.2.1\n192.0.2.16\n192.0.0.0/16\n' });
  t.match(imported, { status: 0, stdout: /^Imported 1 decision, .*\n2 entries left out/ });
});

t.test('more than a slice, an alert for each batch', async (t) => {
  const { cli, deps } = await open(t);
  const count = 5_001;
  const lines = Array.from({ length: count }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  const imported = await cli(['decisions', 'import', '-i', '-', '-b', '2000', '-o', 'json'], {
    stdin: lines.join('\n'),
  });
  const result = JSON.parse(imported.stdout) as ImportModel;
  t.match(result, { imported: count, malformed: 0, faults: [] });
  t.equal(result.alert_ids.length, 3);
  t.equal(deps.index.size.total, count);
  const alerts = JSON.parse((await cli(['alerts', 'list', '--json'])).stdout) as AlertModel[];
  t.same(
    alerts.map(({ events_count }) => events_count),
    [1_001, 2_000, 2_000],
  );
  t.match(await cli(['alerts', 'delete', '--id', String(result.alert_ids[0])]), {
    stdout: 'Deleted 1 alert, lifted 2000 decisions.\n',
  });
  t.equal(deps.index.size.total, count - 2_000);
});

t.test('nothing to import, and what cannot be read', async (t) => {
  const { cli, file } = await open(t);
  t.match(await cli(['decisions', 'import', '-i', '-'], { stdin: '# nothing\n' }), {
    status: 0,
    stdout: 'Nothing was imported.\n',
  });
  t.match(await cli(['alerts', 'list']), { stdout: 'No alerts.\n' }, 'no alert stands for nothing');
  t.match(await cli(['decisions', 'import', '-i', '/nonexistent/list']), { status: 64, stderr: /cannot be read/ });
  t.match(await cli(['decisions', 'import', '-i', '-']), { status: 64, stderr: /no standard input/ });
  const none = await cli(['decisions', 'import', '-i', file('none.csv', 'scope,type\nip,ban\n')]);
  t.match(none, { status: 1, stderr: /line 1: the header names no column "value"/ });
  t.match(await cli(['decisions', 'import', '-i', '-', '-d', 'long'], { stdin: '192.0.2.1' }), {
    status: 64,
    stderr: /"long" is not a duration/,
  });
});

t.test('a store that is away ends the import, and says so', async (t) => {
  const world = await createWorld(t, { faults: [] });
  const away = new GatewayError('STORE_UNAVAILABLE', 'the store does not answer', { remedy: 'Wait.' });
  let commits = 0;
  const publisher = {
    ...world.deps.publisher,
    commit: () => (++commits > 2 ? Promise.reject(away) : Promise.resolve()),
  };
  const server = createControlServer({ socketPath: world.socketPath }, { ...world.deps, publisher });
  await server.listen();
  t.teardown(() => server.close());
  const lines = Array.from({ length: 200_000 }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  const line = ['decisions', 'import', '-i', '-', '--socket', world.socketPath];
  t.match(await run(line, { stdin: lines.join('\n') }), { status: 69, stderr: /does not answer/ });
  t.ok(commits < 50, `${commits} slices were tried`);
});

t.test('lines that are no import are refused', async (t) => {
  const { socketPath } = await open(t);
  const { createControlClient } = await import('../../cli/control-client.ts');
  const client = createControlClient(socketPath);
  const path = '/v1/decisions/import';
  async function* lines(...texts: string[]): AsyncGenerator<string> {
    yield* texts;
  }
  await t.rejects(client.send(path, {}, lines('{')), { code: 'USAGE', message: /no JSON list/ });
  await t.rejects(client.send(path, {}, lines('{}')), { code: 'USAGE', message: /no JSON list/ });
  await t.rejects(client.send(path, { duration: 'x' }, lines('[]')), { code: 'USAGE', message: /duration/ });
  await t.rejects(client.send(path, {}, lines('x'.repeat(9_000_000))), { code: 'USAGE', message: /longer/ });
  const rows = [1, [], ['1', 'a'], [1, 2], [1, '192.0.2.1', 3], [2, '192.0.2.1'], [3, '192.0.2.2', null, null, '1h']];
  t.match(await client.send(path, {}, lines(JSON.stringify(rows))), { imported: 2, malformed: 5 });
  const failing = async function* (): AsyncGenerator<string> {
    yield '[[1,"192.0.2.9"]]';
    throw new Error('the list ended early');
  };
  await t.rejects(client.send(path, {}, failing()), { message: 'the list ended early' });
  await t.rejects(client.ask('POST', path, { body: {} }), { code: 'USAGE' });
});
