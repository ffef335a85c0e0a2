import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { isSafePath } from '../../../detectors/hub/data-files.ts';
import type { Applied, Hub } from '../../../detectors/hub/hub.ts';
import { hastyClock, install, openHub, remove, temporaryFolder, upgrade } from './open-hub.ts';
import { fault, type HubServer, serveFolder } from './server.ts';
import { SmallHub } from './small-hub.ts';

const day = 24 * 3_600_000;

interface World {
  readonly hub: Hub;
  readonly small: SmallHub;
  readonly server: HubServer;
  /** What `data` is, on the server. */
  readonly remote: string;
  readonly data: string;
  /** Installs one scenario that needs these files. */
  readonly needing: (entries: readonly (readonly [url: string, destFile: string])[]) => Promise<Applied>;
  readonly later: (ms: number) => void;
}

async function world(t: Test): Promise<World> {
  const folder = temporaryFolder(t);
  const remote = join(folder, 'lists');
  mkdirSync(remote);
  writeFileSync(join(remote, 'bad.txt'), 'one\ntwo\n');
  writeFileSync(join(remote, 'good.txt'), 'three\n');
  const server = await serveFolder(remote);
  const small = new SmallHub(join(folder, 'remote'));
  let ahead = 0;
  const clock = hastyClock(() => Date.now() + ahead);
  const { hub, close } = openHub({ source: small.folder, folder: join(folder, 'local'), clock, timeoutMs: 5_000 });
  t.teardown(async () => {
    await close();
    await server.close();
  });
  let count = 0;
  return {
    hub,
    small,
    server,
    remote,
    data: join(folder, 'local', 'items', 'data'),
    later: (ms) => {
      ahead += ms;
    },
    async needing(entries) {
      const name = `a/needing-${count++}`;
      const lists = entries.map(
        ([url, file]) =>
          `  - source_url: ${JSON.stringify(url)}\n    dest_file: ${JSON.stringify(file)}\n    type: string\n`,
      );
      small.scenario(name, `data:\n${lists.join('')}`);
      await hub.update();
      return hub.apply(install(`scenarios:${name}`));
    },
  };
}

const outcomes = ({ data }: Applied): string[] => data.map(({ destFile, kind }) => `${destFile} ${kind}`);

t.test('data files come with the item that needs them, under the name that it reads', async (t) => {
  const { needing, server, data } = await world(t);
  const applied = await needing([
    [`${server.url}/bad.txt`, 'bad.txt'],
    [`${server.url}/good.txt`, 'below/it/fine.txt'],
  ]);
  t.same(outcomes(applied), ['bad.txt fetched', 'below/it/fine.txt fetched']);
  t.equal(readFileSync(join(data, 'bad.txt'), 'utf8'), 'one\ntwo\n');
  t.equal(readFileSync(join(data, 'below/it/fine.txt'), 'utf8'), 'three\n');
});

t.test('a file is asked for again after a week, and replaced when there is a newer one', async (t) => {
  const { needing, hub, server, data, remote, later } = await world(t);
  await needing([[`${server.url}/bad.txt`, 'bad.txt']]);
  t.same(outcomes(await hub.apply(upgrade())), ['bad.txt fresh']);
  later(6 * day);
  t.same(outcomes(await hub.apply(upgrade())), ['bad.txt fresh']);
  t.equal(server.requests.length, 1);
  later(2 * day);
  t.same(outcomes(await hub.apply(upgrade())), ['bad.txt unchanged']);
  t.match(server.requests.at(-1)?.headers, { 'if-none-match': /^"/, 'if-modified-since': / GMT$/ });
  t.same(outcomes(await hub.apply(upgrade())), ['bad.txt fresh'], 'another week begins with the look');
  later(8 * day);
  writeFileSync(join(remote, 'bad.txt'), 'newer\n');
  t.same(outcomes(await hub.apply(upgrade())), ['bad.txt fetched']);
  t.equal(readFileSync(join(data, 'bad.txt'), 'utf8'), 'newer\n');
  t.same(outcomes(await hub.apply(upgrade(null, true))), ['bad.txt fetched'], 'force fetches all');
});

t.test('a file of which nothing is recorded is compared by its time', async (t) => {
  const { needing, hub, server, data, remote } = await world(t);
  await needing([[`${server.url}/bad.txt`, 'bad.txt']]);
  rmSync(join(data, '.hub-data.json'));
  const old = new Date(Date.now() - 30 * day);
  utimesSync(join(data, 'bad.txt'), old, old);
  utimesSync(join(remote, 'bad.txt'), new Date(old.getTime() - day), new Date(old.getTime() - day));
  t.same(outcomes(await hub.apply(upgrade())), ['bad.txt unchanged']);
  t.ok(Date.now() - statSync(join(data, 'bad.txt')).mtimeMs < day);
  utimesSync(join(data, 'bad.txt'), old, old);
  utimesSync(join(remote, 'bad.txt'), new Date(), new Date());
  t.same(outcomes(await hub.apply(upgrade())), ['bad.txt fetched']);
});

t.test('an address that changes is followed at once', async (t) => {
  const { needing, hub, small, server, data } = await world(t);
  await needing([[`${server.url}/bad.txt`, 'list.txt']]);
  small.scenario('a/needing-0', `data:\n  - source_url: ${server.url}/good.txt\n    dest_file: list.txt\n`);
  await hub.update();
  t.same(outcomes(await hub.apply(upgrade())), ['list.txt fetched']);
  t.equal(readFileSync(join(data, 'list.txt'), 'utf8'), 'three\n');
});

t.test('a name that leads out of the folder is refused, and so is what is no web address', async (t) => {
  const { needing, server, data, hub } = await world(t);
  const good = `${server.url}/bad.txt`;
  mkdirSync(data, { recursive: true });
  mkdirSync(join(data, '..', '..', 'outside'));
  symlinkSync(join(data, '..', '..', 'outside'), join(data, 'way-out'));
  const cases: (readonly [url: string, destFile: string])[] = [
    [good, '../escaped.txt'],
    [good, 'a/../../escaped.txt'],
    [good, '/tmp/escaped.txt'],
    [good, '..'],
    [good, '.hub-data.json'],
    [good, 'a//b'],
    [good, 'a\\b'],
    [good, 'c:evil'],
    [good, 'a/.hidden/b'],
    [good, 'way-out/escaped.txt'],
    [good, `${'d/'.repeat(9)}deep`],
    ['file:///etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd2'],
    ['ftp://127.0.0.1/x', 'ftp'],
    ['http://', 'none'],
  ];
  const applied = await needing(cases);
  t.equal(applied.data.length, cases.length);
  for (const [index, outcome] of applied.data.entries()) {
    t.match(
      outcome,
      { kind: 'failed', problem: /leads out of the data folder|is no web address/ },
      cases[index]?.join(' ') ?? '',
    );
  }
  t.equal(server.requests.length, 0, 'none was asked for');
  t.notOk(existsSync(join(data, '..', '..', 'outside', 'escaped.txt')));
  t.ok(
    (await hub.state('stored')).items.get('scenarios')?.get('a/needing-0')?.installed,
    'the item is installed all the same',
  );
  t.equal(cases.length, 15);
});

t.test('a safe name stays below its folder, whatever it is', async (t) => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', 'a', '/', '\\', '\0', '%2e%2e', 'c:'),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const name = parts.join('/');
      return !isSafePath(name) || join('/data', name).startsWith('/data/');
    }),
    { seed: 3, numRuns: 3_000 },
  );
  t.ok(isSafePath('GeoLite2-City.mmdb'));
  t.ok(isSafePath('web/bad.txt'));
});

t.test('an item is installed without a data file that cannot be had; a copy that is there stays', async (t) => {
  const { needing, hub, server, data, later } = await world(t);
  server.faults.set('bad.txt', fault.truncated());
  const applied = await needing([
    [`${server.url}/bad.txt`, 'bad.txt'],
    [`${server.url}/good.txt`, 'good.txt'],
  ]);
  t.match(applied.data, [{ kind: 'failed', kept: false, problem: /the connection broke/ }, { kind: 'fetched' }]);
  t.notOk(existsSync(join(data, 'bad.txt')), 'half a file is none');
  server.faults.clear();
  t.same(outcomes(await hub.apply(upgrade())), ['bad.txt fetched', 'good.txt fresh'], 'the next upgrade fetches it');
  later(8 * day);
  server.faults.set('bad.txt', fault.status(500));
  t.match((await hub.apply(upgrade())).data, [{ kind: 'failed', kept: true }, { kind: 'unchanged' }]);
  t.equal(readFileSync(join(data, 'bad.txt'), 'utf8'), 'one\ntwo\n');
});

t.test('of two items that name one file, the first counts', async (t) => {
  const { needing, server, data } = await world(t);
  const applied = await needing([
    [`${server.url}/bad.txt`, 'list.txt'],
    [`${server.url}/good.txt`, 'list.txt'],
  ]);
  t.same(outcomes(applied), ['list.txt fetched']);
  t.equal(readFileSync(join(data, 'list.txt'), 'utf8'), 'one\ntwo\n');
});

t.test('local items get their data with an upgrade; removing fetches nothing', async (t) => {
  const { needing, hub, server, data } = await world(t);
  await needing([]);
  const mine = join(data, '..', 'scenarios', 'mine.yaml');
  writeFileSync(mine, `name: me/mine\ndata:\n  - source_url: ${server.url}/good.txt\n    dest_file: mine.txt\n`);
  t.same(outcomes(await hub.apply(upgrade())), ['mine.txt fetched']);
  t.same((await hub.apply(remove(['scenarios:a/needing-0']))).data, []);
});
