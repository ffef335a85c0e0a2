import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Hub } from '../../../detectors/hub/hub.ts';
import { withLock } from '../../../detectors/hub/lock.ts';
import { installedNames, install, openHub, remove, snapshot, stateOf, temporaryFolder, upgrade } from './open-hub.ts';
import { suitePath } from '../../support/suites.ts';
import { fault, type HubServer, serveFolder } from './server.ts';
import { SmallHub } from './small-hub.ts';

interface World {
  readonly small: SmallHub;
  readonly server: HubServer;
  readonly hub: Hub;
  /** Where the hub, the items and their data are. */
  readonly folder: string;
  readonly path: (...segments: string[]) => string;
}

/** A hub of a few items behind a server: collection a/all holds a/one, a/two, a parser, and a/inner, which holds a/three. */
async function world(t: Test): Promise<World> {
  const folder = temporaryFolder(t);
  const small = new SmallHub(join(folder, 'remote'));
  for (const name of ['a/one', 'a/two', 'a/three', 'a/alone']) small.scenario(name);
  small.publish('parsers', 'a/logs', 'name: a/logs\n');
  small.collection('a/inner', { scenarios: ['a/three'] });
  small.collection('a/all', { parsers: ['a/logs'], scenarios: ['a/one', 'a/two'], collections: ['a/inner'] });
  const server = await serveFolder(small.folder);
  const { hub, close } = openHub({ source: server.url, folder: join(folder, 'local') });
  t.teardown(async () => {
    await close();
    await server.close();
  });
  await hub.update();
  return {
    small,
    server,
    hub,
    folder: join(folder, 'local'),
    path: (...segments) => join(folder, 'local', ...segments),
  };
}

const everything = [
  'parsers:a/logs',
  'scenarios:a/one',
  'scenarios:a/three',
  'scenarios:a/two',
  'collections:a/all',
  'collections:a/inner',
];

t.test('the public hub over HTTP: collections come with all they need and go with it', async (t) => {
  const remote = suitePath(t, 'hub');
  const lists = suitePath(t, 'sec-lists');
  if (remote === null || lists === null) return;
  const folder = temporaryFolder(t);
  const [server, dataServer] = await Promise.all([serveFolder(remote), serveFolder(lists)]);
  const { hub, close } = openHub({ source: server.url, data: dataServer.url, folder });
  t.teardown(() => Promise.all([close(), server.close(), dataServer.close()]));
  const update = await hub.update();
  t.match(update, { changed: true, added: 0, location: server.url });

  const sshd = await hub.apply(install('collections:crowdsecurity/sshd'));
  t.equal(sshd.plan.changes.length, 10);
  t.equal(
    readlinkSync(join(folder, 'items/parsers/s01-parse/sshd-logs.yaml')),
    '../../../hub/parsers/s01-parse/crowdsecurity/sshd-logs.yaml',
  );
  t.equal(
    readFileSync(join(folder, 'items/scenarios/ssh-bf.yaml'), 'utf8'),
    readFileSync(join(remote, 'scenarios/crowdsecurity/ssh-bf.yaml'), 'utf8'),
  );

  const http = await hub.apply(install('collections:crowdsecurity/base-http-scenarios'));
  t.equal(http.data.filter(({ kind }) => kind === 'fetched').length, http.data.length, 'every list is there');
  t.ok(http.data.length > 8);
  t.equal(
    readFileSync(join(folder, 'items/data/backdoors.txt'), 'utf8'),
    readFileSync(join(lists, 'web/backdoors.txt'), 'utf8'),
  );

  const linux = await hub.apply(install('collections:crowdsecurity/linux'));
  t.notOk(
    linux.plan.changes.some((change) => change.kind !== 'remove' && change.item.name === 'crowdsecurity/sshd'),
    'sshd was there',
  );
  t.same(
    linux.data
      .filter(({ kind }) => kind === 'failed')
      .map(({ destFile }) => destFile)
      .sort(),
    ['GeoLite2-ASN.mmdb', 'GeoLite2-City.mmdb'],
  );
  t.ok((await stateOf(hub, 'collections:crowdsecurity/linux')).upToDate);

  await t.rejects(hub.apply(remove(['collections:crowdsecurity/sshd'])), {
    code: 'HUB_REFUSED',
    message: /is part of crowdsecurity\/linux/,
  });
  await hub.apply(remove(['collections:crowdsecurity/linux']));
  t.notOk(
    (await installedNames(hub)).some((name) => name.includes('ssh')),
    'what only linux needed is gone',
  );
  t.ok((await installedNames(hub)).includes('collections:crowdsecurity/base-http-scenarios'));
  await hub.apply(remove(await installedNames(hub).then((names) => names)));
  t.same(await installedNames(hub), []);
});

t.test('every item of the public hub can be installed', async (t) => {
  const remote = suitePath(t, 'hub');
  if (remote === null) return;
  const { hub, close } = openHub({ source: remote, data: remote, folder: temporaryFolder(t) });
  t.teardown(close);
  const { index } = await hub.update();
  const names = [...index.items].flatMap(([type, items]) => [...items.keys()].map((name) => `${type}:${name}`));
  const { plan } = await hub.apply(install(...names));
  t.equal(plan.changes.length, names.length);
  t.equal((await installedNames(hub)).length, names.length);
});

t.test('nothing is installed unless every file is the one that the index describes', async (t) => {
  const { hub, server, folder } = await world(t);
  const before = snapshot(folder);
  const cases: [string, Parameters<typeof server.faults.set>[1], string, RegExp][] = [
    ['another text', fault.body('name: evil\n'), 'HUB_DIGEST_MISMATCH', /scenarios:a\/three is not the one/],
    ['an empty text', fault.body(''), 'HUB_DIGEST_MISMATCH', /a\/three/],
    ['a broken body', fault.truncated(), 'HUB_UNREACHABLE', /three\.yaml: the connection broke/],
    ['an error', fault.status(500), 'HUB_UNREACHABLE', /three\.yaml: answered 500/],
    ['nothing', fault.status(404), 'HUB_UNREACHABLE', /answered 404/],
    ['a flood', fault.flood(), 'HUB_UNREACHABLE', /larger than/],
    ['a loop', fault.redirect('/scenarios/a/three.yaml'), 'HUB_UNREACHABLE', /redirects/],
  ];
  for (const [what, wrong, code, message] of cases) {
    server.faults.set('scenarios/a/three.yaml', wrong);
    await t.rejects(hub.apply(install('collections:a/all')), { code, message }, what);
    t.same(snapshot(folder), before, `${what}: all is as before`);
  }
  t.equal(cases.length, 7);
  server.faults.clear();
  await hub.apply(install('collections:a/all'));
  t.same(await installedNames(hub), everything);
});

t.test('an index is only kept when it can be used', async (t) => {
  const { hub, server, path } = await world(t);
  const before = readFileSync(path('hub/.index.json'), 'utf8');
  for (const wrong of [fault.body('<html>'), fault.body('{}'), fault.truncated(), fault.status(502), fault.flood()]) {
    server.faults.set('.index.json', wrong);
    await t.rejects(hub.update(), { code: /HUB_(?:INDEX_INVALID|UNREACHABLE)/ });
    t.equal(readFileSync(path('hub/.index.json'), 'utf8'), before);
  }
});

t.test('an update says what is new', async (t) => {
  const { hub, small } = await world(t);
  t.match(await hub.update(), { changed: false, added: 0, updated: 0, removed: 0 });
  small.scenario('a/new');
  small.scenario('a/one');
  small.withdraw('scenarios', 'a/alone');
  t.match(await hub.update(), { changed: true, added: 1, updated: 1, removed: 1 });
});

t.test('without an index a change is refused, and what is installed can still be listed', async (t) => {
  const { hub, close } = openHub({ source: '/nonexistent', folder: temporaryFolder(t) });
  t.teardown(close);
  t.equal(await hub.hasIndex(), false);
  await t.rejects(hub.apply(install('scenarios:a/one')), { code: 'HUB_INDEX_INVALID', remedy: /hub update/ });
  await t.rejects(hub.update(), { code: 'HUB_UNREACHABLE', message: /\.index\.json: is not there/ });
  t.equal((await hub.state('none')).items.get('scenarios')?.size, 0);
});

t.test('an upgrade brings new versions and new members, and lets go of old ones', async (t) => {
  const { hub, small } = await world(t);
  await hub.apply(install('collections:a/all'));
  small.scenario('a/one');
  small.scenario('a/four');
  small.collection('a/all', { parsers: ['a/logs'], scenarios: ['a/one', 'a/four'], collections: ['a/inner'] });
  await hub.update();
  t.match(await stateOf(hub, 'collections:a/all'), { upToDate: false, version: '0.1', taintedBy: [] });
  const { plan } = await hub.apply(upgrade());
  t.same(
    plan.changes.map((change) =>
      change.kind === 'remove' ? ['remove', change.state.name] : [change.kind, change.item.name, change.from],
    ),
    [
      ['upgrade', 'a/one', '0.1'],
      ['install', 'a/four', null],
      ['upgrade', 'a/all', '0.1'],
      ['remove', 'a/two'],
    ],
  );
  t.match(await stateOf(hub, 'collections:a/all'), { upToDate: true, version: '0.2', taintedBy: [] });
  t.match(await hub.apply(upgrade()), { plan: { changes: [], notes: [] } }, 'once is enough');
});

t.test('an item that a new version lets go stays when something else needs it', async (t) => {
  const { hub, small } = await world(t);
  small.collection('a/other', { scenarios: ['a/two'] });
  await hub.update();
  await hub.apply(install('collections:a/all', 'collections:a/other'));
  small.collection('a/all', { scenarios: ['a/one'] });
  await hub.update();
  await hub.apply(upgrade(['collections:a/all']));
  t.same(await installedNames(hub), ['scenarios:a/one', 'scenarios:a/two', 'collections:a/all', 'collections:a/other']);
});

t.test('a file that was changed by hand taints its collections, and only force overwrites it', async (t) => {
  const { hub, small, path } = await world(t);
  await hub.apply(install('collections:a/all'));
  const file = path('hub/scenarios/a/three.yaml');
  appendFileSync(file, '# mine\n');
  t.match(await stateOf(hub, 'scenarios:a/three'), { modified: true, version: null });
  for (const name of ['collections:a/inner', 'collections:a/all']) {
    const { taintedBy, modified } = await stateOf(hub, name);
    t.same([modified, taintedBy], [false, [{ ref: { type: 'scenarios', name: 'a/three' }, reason: 'modified' }]], name);
  }
  small.scenario('a/three');
  small.scenario('a/one');
  await hub.update();
  const { plan } = await hub.apply(upgrade());
  t.same(
    plan.changes.map((change) => change.kind !== 'remove' && change.item.name),
    ['a/one'],
  );
  t.match(plan.notes, [{ level: 'warning', ref: { name: 'a/three' }, text: /changed by hand/ }]);
  t.match(readFileSync(file, 'utf8'), /# mine/);
  t.match((await hub.apply(upgrade(['scenarios:a/three']))).plan.notes, [{ level: 'refused' }]);
  for (const name of ['scenarios:a/three', 'collections:a/all']) {
    await t.rejects(hub.apply(remove([name])), { code: 'HUB_REFUSED', message: /is tainted/, remedy: /--force/ }, name);
  }
  await hub.apply(upgrade(null, true));
  t.notMatch(readFileSync(file, 'utf8'), /# mine/);
  t.match(await stateOf(hub, 'collections:a/all'), { taintedBy: [], upToDate: true });
});

t.test('a member that was taken out stays out until the collection is installed again', async (t) => {
  const { hub } = await world(t);
  await hub.apply(install('collections:a/all'));
  await hub.apply(remove(['scenarios:a/one'], { force: true }));
  t.match(await stateOf(hub, 'collections:a/all'), { taintedBy: [{ ref: { name: 'a/one' }, reason: 'missing' }] });
  t.same((await hub.apply(upgrade())).plan.changes, []);
  await hub.apply(install('collections:a/all'));
  t.match(await stateOf(hub, 'collections:a/all'), { taintedBy: [] });
});

t.test('a lost file is fetched again without force', async (t) => {
  const { hub, path } = await world(t);
  await hub.apply(install('scenarios:a/one'));
  rmSync(path('hub/scenarios/a/one.yaml'));
  t.match(await stateOf(hub, 'scenarios:a/one'), {
    installed: true,
    downloaded: false,
    taintedBy: [{ reason: 'missing' }],
  });
  await hub.apply(upgrade());
  t.match(await stateOf(hub, 'scenarios:a/one'), { upToDate: true, taintedBy: [] });
});

t.test('local items win over those of the hub and are never touched', async (t) => {
  const { hub, path, folder } = await world(t);
  mkdirSync(path('items/scenarios'), { recursive: true });
  writeFileSync(path('items/scenarios/my-one.yaml'), 'name: a/one\ntype: trigger\n');
  writeFileSync(path('elsewhere.yaml'), 'name: me/linked\n');
  symlinkSync(path('elsewhere.yaml'), path('items/scenarios/linked.yaml'));
  symlinkSync('/dev/null', path('items/scenarios/masked.yaml'));
  writeFileSync(path('items/scenarios/.hidden.yaml'), 'name: me/hidden\n');
  writeFileSync(path('items/scenarios/notes.txt'), 'name: me/notes\n');
  writeFileSync(path('items/scenarios/nameless.yaml'), '{{{');
  t.same(await installedNames(hub), ['scenarios:a/one', 'scenarios:me/linked', 'scenarios:nameless.yaml']);
  t.match(await stateOf(hub, 'scenarios:a/one'), { local: true, upToDate: true, taintedBy: [], version: null });

  const { plan } = await hub.apply(install('collections:a/all'));
  t.match(plan.notes, [{ level: 'info', ref: { name: 'a/one' }, text: /local/ }]);
  t.notOk(existsSync(path('items/scenarios/one.yaml')));
  t.match(await stateOf(hub, 'collections:a/all'), { taintedBy: [], upToDate: true });
  t.match((await hub.apply(install('scenarios:a/one'))).plan.notes, [{ level: 'refused' }]);

  const before = snapshot(folder);
  await t.rejects(hub.apply(remove(['scenarios:a/one'], { force: true })), {
    code: 'HUB_REFUSED',
    message: /is local: delete/,
  });
  t.same(snapshot(folder), before);
  await hub.apply(remove(['collections:a/all']));
  t.same(await installedNames(hub), ['scenarios:a/one', 'scenarios:me/linked', 'scenarios:nameless.yaml']);
});

t.test('a file in the place of an item is not overwritten', async (t) => {
  const { hub, path, folder } = await world(t);
  mkdirSync(path('items/scenarios'), { recursive: true });
  writeFileSync(path('items/scenarios/two.yaml'), 'name: me/mine\n');
  const before = snapshot(folder);
  await t.rejects(hub.apply(install('collections:a/all')), {
    code: 'HUB_REFUSED',
    message: /two\.yaml is in its place/,
  });
  t.same(snapshot(folder), before);
});

t.test('an item that the hub no longer has is tainted, is not upgraded, and goes by force', async (t) => {
  const { hub, small } = await world(t);
  await hub.apply(install('scenarios:a/alone'));
  small.withdraw('scenarios', 'a/alone');
  await hub.update();
  t.match(await stateOf(hub, 'scenarios:a/alone'), { installed: true, local: false, index: null, modified: true });
  t.match((await hub.apply(upgrade())).plan.notes, [{ level: 'warning', text: /no longer in the hub/ }]);
  await t.rejects(hub.apply(remove(['scenarios:a/alone'])), { code: 'HUB_REFUSED' });
  await hub.apply(remove(['scenarios:a/alone'], { force: true }));
  t.same(await installedNames(hub), []);
});

t.test('remove keeps what is wanted, purges what is not', async (t) => {
  const { hub, path } = await world(t);
  await hub.apply(install('collections:a/all'));
  await hub.apply(remove(['collections:a/all'], { keepDependencies: true }));
  t.same(
    await installedNames(hub),
    everything.filter((name) => name !== 'collections:a/all'),
  );
  t.ok(existsSync(path('hub/collections/a/all.yaml')));
  await hub.apply(remove(['collections:a/all'], { purge: true }));
  t.notOk(existsSync(path('hub/collections/a/all.yaml')), 'purged though it was not installed');
  await hub.apply(remove(['collections:a/inner'], { purge: true }));
  t.notOk(existsSync(path('hub/scenarios/a/three.yaml')));
  t.match((await hub.apply(remove(['collections:a/inner']))).plan, {
    changes: [],
    notes: [{ level: 'info', text: /not installed/ }],
  });
});

t.test('fetching alone puts nothing to use', async (t) => {
  const { hub } = await world(t);
  await hub.apply({
    verb: 'install',
    items: [{ type: 'collections', name: 'a/all' }],
    force: false,
    downloadOnly: true,
  });
  t.same(await installedNames(hub), []);
  t.match(await stateOf(hub, 'collections:a/all'), { downloaded: true, installed: false, version: '0.1' });
});

t.test('collections that hold each other, or what is not there, are refused whole', async (t) => {
  const { hub, small, folder } = await world(t);
  small.collection('a/left', { scenarios: ['a/one'], collections: ['a/right'] });
  small.collection('a/right', { collections: ['a/left'] });
  small.collection('a/self', { collections: ['a/self'] });
  small.collection('a/void', { scenarios: ['a/one', 'a/nothing'] });
  for (let depth = 0; depth < 80; depth++) small.collection(`a/deep${depth}`, { collections: [`a/deep${depth + 1}`] });
  small.collection('a/deep80', {});
  await hub.update();
  const before = snapshot(folder);
  const cases: [string, RegExp][] = [
    ['collections:a/left', /holds itself: a\/left → a\/right → a\/left/],
    ['collections:a/self', /holds itself: a\/self → a\/self/],
    ['collections:a/void', /a\/void needs scenarios:a\/nothing, which the hub does not have/],
    ['collections:a/deep0', /too many deep/],
  ];
  for (const [name, message] of cases)
    await t.rejects(hub.apply(install(name)), { code: 'HUB_REFUSED', message }, name);
  t.same(snapshot(folder), before);
  await t.rejects(hub.apply(install('scenarios:a/nothing')), { code: 'NOT_FOUND' });
  t.equal(cases.length, 4);
});

t.test('items come from where the index came from', async (t) => {
  const { small, folder, hub } = await world(t);
  const other = new SmallHub(join(folder, '..', 'other'));
  other.scenario('a/one', '# of the other hub\n');
  const { hub: second, close } = openHub({ source: other.folder, folder });
  t.teardown(close);
  await second.update();
  await hub.apply(install('scenarios:a/one'));
  t.match(readFileSync(join(folder, 'items/scenarios/one.yaml'), 'utf8'), /of the other hub/);
  await hub.update();
  t.match(await stateOf(hub, 'scenarios:a/one'), { modified: true }, 'the first hub never had that text');
  t.ok(small.index);
});

t.test('two at once: the second is told', async (t) => {
  const { hub, path } = await world(t);
  await withLock(path('hub'), async () => {
    await t.rejects(hub.apply(install('scenarios:a/one')), { code: 'HUB_REFUSED', message: /another hub command/ });
  });
  await hub.apply(install('scenarios:a/one'));
});

t.test('links stay right when the folder is reached by another name, and after it moved', async (t) => {
  const { hub, folder, server, path } = await world(t);
  await hub.apply(install('scenarios:a/one'));
  const alias = `${folder}-alias`;
  symlinkSync(folder, alias);
  const { hub: same, close } = openHub({ source: server.url, folder: alias });
  t.teardown(close);
  await same.apply(install('collections:a/all'));
  t.same(await installedNames(same), everything);
  t.same(await installedNames(hub), everything);
  t.equal(readlinkSync(path('items/scenarios/two.yaml')), '../../hub/scenarios/a/two.yaml');
});

t.test('folders that cannot be written are named, with what to do', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'items'), 'a file where a folder should be');
  const { hub, close } = openHub({ source: '/nonexistent', folder });
  t.teardown(close);
  const refused = { code: 'HUB_REFUSED', message: /cannot be changed: EEXIST/, remedy: /the user that the gateway/ };
  await t.rejects(hub.apply(install('scenarios:a/one')), refused);
});

t.test('an item larger than items are is not read', async (t) => {
  const { hub, path } = await world(t);
  await hub.apply(install('scenarios:a/one'));
  writeFileSync(path('items/scenarios/huge.yaml'), `name: me/huge\n# ${'x'.repeat(1_048_576)}`);
  const { faults } = await hub.state('stored');
  t.match(faults, [/huge\.yaml is larger than/]);
});
