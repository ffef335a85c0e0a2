/** Names as people write them, documents as they are, and sources. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import * as z from 'zod';
import { findItem, readItemType } from '../../../detectors/hub/find-items.ts';
import { readHubIndex } from '../../../detectors/hub/hub-index.ts';
import { dataLocation, readHubSource } from '../../../detectors/hub/hub-source.ts';
import { readItemDocument } from '../../../detectors/hub/item-document.ts';
import type { ItemType } from '../../../detectors/hub/item-type.ts';
import { type LocalState, readLocalState } from '../../../detectors/hub/local-state.ts';
import { hubOptions } from '../../../detectors/hub/options.ts';
import { suitePath } from '../../support/suites.ts';
import { hubFolders } from './open-hub.ts';

const item = (path: string) => ({ path, version: '0.1', versions: { '0.1': { digest: 'a'.repeat(64) } } });

function state(): Promise<LocalState> {
  const index = readHubIndex(
    JSON.stringify({
      parsers: { 'a/two-of-a-name': item('parsers/s00-raw/a/two-of-a-name.yaml') },
      scenarios: { 'a/only': item('scenarios/a/only.yaml'), 'a/two-of-a-name': item('scenarios/a/two-of-a-name.yaml') },
    }),
  );
  return readLocalState(index, hubFolders('/nonexistent'));
}

t.test('items are found by name, with a type where it is needed', async (t) => {
  const known = await state();
  const options = { type: null, installedFirst: false };
  const cases: [string, ItemType | null, string][] = [
    ['a/only', null, 'scenarios:a/only'],
    ['scenarios:a/only', null, 'scenarios:a/only'],
    ['scenario:a/only', null, 'scenarios:a/only'],
    ['scenarios/a/only', null, 'scenarios:a/only'],
    ['a/two-of-a-name', 'parsers', 'parsers:a/two-of-a-name'],
    ['parsers:a/two-of-a-name', 'parsers', 'parsers:a/two-of-a-name'],
  ];
  for (const [word, type, expected] of cases) {
    const found = findItem(known, word, { ...options, type });
    t.equal(`${found.type}:${found.name}`, expected, word);
  }
  t.equal(cases.length, 6);
  const several = () => findItem(known, 'a/two-of-a-name', options);
  t.throws(several, {
    code: 'USAGE',
    message: /several items: parsers:a\/two-of-a-name, scenarios:/,
    remedy: /--type/,
  });
  t.throws(() => findItem(known, 'only', options), { code: 'NOT_FOUND', message: /Did you mean a\/only\?/ });
  t.throws(() => findItem(known, 'a/onyl', options), { message: /Did you mean a\/only\?/ });
  t.throws(() => findItem(known, 'x/qwertyuiop', options), { code: 'NOT_FOUND', message: /"x\/qwertyuiop"\.$/ });
  t.throws(() => findItem(known, 'parsers:a/only', { ...options, type: 'scenarios' }), { code: 'USAGE' });
  t.equal(readItemType('collection'), 'collections');
  t.throws(() => readItemType('recipes'), { code: 'USAGE', remedy: /parsers, postoverflows/ });
});

t.test('documents of the public hub name their data and their members', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const index = readHubIndex(readFileSync(`${hub}/.index.json`, 'utf8'));
  let [collections, data] = [0, 0];
  for (const [type, items] of index.items) {
    for (const { path, dependencies } of items.values()) {
      const document = readItemDocument(readFileSync(`${hub}/${path}`, 'utf8'), type);
      t.same(
        document.dependencies.map((one) => `${one.type}:${one.name}`),
        dependencies.map((one) => `${one.type}:${one.name}`),
        path,
      );
      if (type === 'collections') collections++;
      data += document.data.length;
    }
  }
  t.ok(collections > 100 && data > 80, `${collections} collections, ${data} data files`);
});

t.test('any text is read without an error', async (t) => {
  const bomb = `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]\n`).join('')}`;
  for (const text of [
    '',
    '\0',
    '{{{',
    '- a\n- b',
    'data: 7',
    'data:\n  - 7\n  - {source_url: [], dest_file: x}',
    bomb,
    '['.repeat(50_000),
    'name: [x]\n',
  ]) {
    t.same(readItemDocument(text, 'collections'), { name: '', dependencies: [], data: [] }, text.slice(0, 20));
  }
  const two = readItemDocument(
    'name: ""\ndata: []\n---\nname: b\ndata:\n  - {source_url: u, dest_file: d}\n',
    'scenarios',
  );
  t.same(two, { name: 'b', dependencies: [], data: [{ url: 'u', destFile: 'd' }] });
});

t.test('sources are addresses or folders', async (t) => {
  const context = { branch: 'v1.7', cwd: '/work' };
  const cases: [string, string, string][] = [
    ['https://hub.example/{branch}', 'https://hub.example/v1.7', 'https://hub.example/v1.7/a/b.yaml'],
    ['https://hub.example/x/', 'https://hub.example/x', 'https://hub.example/x/a/b.yaml'],
    ['http://127.0.0.1:8080/.index.json', 'http://127.0.0.1:8080', 'http://127.0.0.1:8080/a/b.yaml'],
    ['/srv/hub', '/srv/hub', '/srv/hub/a/b.yaml'],
    ['/srv/hub/.index.json', '/srv/hub', '/srv/hub/a/b.yaml'],
    ['hub', '/work/hub', '/work/hub/a/b.yaml'],
    ['.', '/work', '/work/a/b.yaml'],
    ['/', '/', '/a/b.yaml'],
  ];
  for (const [text, location, file] of cases) {
    const source = readHubSource(text, context);
    t.equal(source.location, location, text);
    t.equal(source.locate('a/b.yaml'), file, text);
    t.equal(readHubSource(source.location, { branch: '', cwd: '/' }).location, location, 'as it is remembered');
  }
  t.equal(cases.length, 8);
  for (const text of ['', 'ftp://x', 'https://', 'https://u:p@hub.example', 'https://hub.example/?a=b', 'a\0b']) {
    t.throws(() => readHubSource(text, context), { code: 'USAGE' }, text);
  }
  const mirror = readHubSource('/srv/lists', context);
  t.equal(dataLocation('https://hub-data.crowdsec.net/web/x.txt', mirror), '/srv/lists/web/x.txt');
  t.equal(dataLocation('https://elsewhere.example/web/x.txt', mirror), 'https://elsewhere.example/web/x.txt');
  t.equal(dataLocation('https://hub-data.crowdsec.net/web/x.txt', null), 'https://hub-data.crowdsec.net/web/x.txt');
});

t.test('settings: the public hub unless told otherwise', async (t) => {
  t.same(hubOptions.parse(undefined), {
    source: 'https://cdn-hub.crowdsec.net/crowdsecurity/{branch}',
    branch: 'master',
    dataSource: null,
    timeout: 30_000,
  });
  for (const wrong of [{ source: 'ftp://x' }, { branch: '../x' }, { source: 'https://u:secret@h' }, { url: 'x' }]) {
    const result = hubOptions.safeParse(wrong);
    t.equal(result.success, false, JSON.stringify(wrong));
    t.notMatch(result.error ? z.prettifyError(result.error) : '', 'secret');
  }
});
