import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compareVersions, indexItems, readHubIndex, resolveIndexItem } from '../../../detectors/hub/hub-index.ts';
import { suitePath } from '../../support/suites.ts';

const digest = 'a'.repeat(64);
const item = (path: string, rest: object = {}) => ({ path, version: '0.1', versions: { '0.1': { digest } }, ...rest });
const read = (index: object) => readHubIndex(JSON.stringify(index));

t.test('the public index is read whole', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const index = readHubIndex(readFileSync(join(hub, '.index.json'), 'utf8'));
  t.same(index.faults, []);
  t.ok(indexItems(index).length > 1_300, `${indexItems(index).length} items`);
  const sshd = resolveIndexItem(index, 'collections', 'crowdsecurity/sshd');
  t.match(sshd, {
    path: 'collections/crowdsecurity/sshd.yaml',
    stage: null,
    fileName: 'sshd.yaml',
    author: 'crowdsecurity',
  });
  t.ok(sshd?.dependencies.some(({ type, name }) => type === 'parsers' && name === 'crowdsecurity/sshd-logs'));
  t.equal(resolveIndexItem(index, 'parsers', 'crowdsecurity/sshd-logs')?.stage, 's01-parse');
  t.equal(resolveIndexItem(index, 'scenarios', 'crowdsecurity/sshd'), null);
});

t.test('an item that cannot be trusted is left out and named, the others are used', async (t) => {
  const cases: [string, string, unknown, RegExp][] = [
    ['scenarios', 'a/up', item('scenarios/../../etc/passwd.yaml'), /path: is no path inside the hub/],
    ['scenarios', 'a/root', item('/scenarios/a/b.yaml'), /path/],
    ['scenarios', 'a/backslash', item('scenarios/a\\b/c.yaml'), /path/],
    ['scenarios', 'a/hidden', item('scenarios/.a/c.yaml'), /path/],
    ['scenarios', 'a/nul', item('scenarios/a/c\0.yaml'), /path/],
    ['scenarios', 'a/shell', item('scenarios/a/c.sh'), /path/],
    ['scenarios', 'a/type', item('parsers/a/c.yaml'), /not one of scenarios/],
    ['scenarios', 'a/deep', item('scenarios/s00/a/c.yaml'), /not one of scenarios/],
    ['parsers', 'a/flat', item('parsers/a/c.yaml'), /not one of parsers/],
    ['parsers', 'a/stage', item('parsers/s00-raw/a/c.yaml', { stage: 's01-parse' }), /another stage/],
    ['scenarios', '../up', item('scenarios/a/c.yaml'), /no name/],
    ['scenarios', '__proto__', item('scenarios/a/c.yaml'), /no name/],
    ['scenarios', 'a/none', item('scenarios/a/c.yaml', { version: '0.2' }), /no digest for its version 0\.2/],
    ['scenarios', 'a/digest', item('scenarios/a/c.yaml', { versions: { '0.1': { digest: 'abc' } } }), /SHA-256/],
    ['scenarios', 'a/list', [], /left out/],
    ['scenarios', 'a/null', null, /left out/],
    ['collections', 'a/holds', item('collections/a/c.yaml', { scenarios: ['../x'] }), /scenarios\.0: is no name/],
    ['collections', 'a/text', item('collections/a/c.yaml', { scenarios: 'a/b' }), /scenarios/],
  ];
  for (const [type, name, entry, message] of cases) {
    const good = item(`${type}/${type === 'parsers' ? 's00-raw/' : ''}b/good.yaml`);
    const text = `{"${type}": {${JSON.stringify(name)}: ${JSON.stringify(entry)}, "b/good": ${JSON.stringify(good)}}}`;
    const index = readHubIndex(text);
    t.same(
      indexItems(index).map((one) => one.name),
      ['b/good'],
      name,
    );
    t.equal(index.faults.length, 1, name);
    t.match(index.faults[0], message, name);
  }
  t.equal(cases.length, 18);
});

t.test('two items cannot have one place', async (t) => {
  const index = read({ scenarios: { 'a/x': item('scenarios/a/x.yaml'), 'b/x': item('scenarios/b/x.yaml') } });
  t.same(
    indexItems(index).map(({ name }) => name),
    ['a/x'],
  );
  t.match(index.faults, [/b\/x is left out.*that of a\/x/]);
});

t.test('what is no index is refused', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /no JSON/],
    ['<html>', /no JSON/],
    ['{"scenarios": {', /no JSON/],
    ['[]', /no object/],
    ['null', /no object/],
    ['{}', /none of the types/],
    ['{"message": "Not Found"}', /none of the types/],
    ['['.repeat(100_000), /no JSON/],
    [' '.repeat(32 * 1024 * 1024 + 1), /larger than/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => readHubIndex(text), { code: 'HUB_INDEX_INVALID', message }, text.slice(0, 40));
  }
  t.equal(cases.length, 9);
  const many = Object.fromEntries(Array.from({ length: 50_001 }, (_, at) => [`a/x${at}`, 1]));
  t.throws(() => read({ scenarios: many }), { message: /more than 50000 scenarios/ });
});

t.test('an index whose every item is wrong names a hundred of them', async (t) => {
  const index = read({ scenarios: Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`a/x${at}`, {}])) });
  t.equal(index.faults.length, 100);
});

t.test('versions are ordered by number, newest first', async (t) => {
  const versions = Object.fromEntries(['0.9', '0.10', '1.0', '0.1'].map((version) => [version, { digest }]));
  const index = read({ scenarios: { 'a/x': item('scenarios/a/x.yaml', { version: '1.0', versions }) } });
  t.same(
    resolveIndexItem(index, 'scenarios', 'a/x')?.versions.map(({ version }) => version),
    ['1.0', '0.10', '0.9', '0.1'],
  );
  t.ok(compareVersions('1', '1.0.1') < 0);
  t.ok(compareVersions('0.1-beta', '0.1') < 0);
  t.equal(compareVersions('2.0', '2.0'), 0);
});
