import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadItems } from '../../../detectors/engine/load-items.ts';

const trigger = (name: string): string => `type: trigger\nname: ${name}\ndescription: d\nfilter: "true"\n`;
const parser = (name: string): string => `name: ${name}\nstatics:\n  - meta: a\n    value: b\n`;

const namesOf = (items: readonly { readonly name: string }[]): readonly string[] => items.map(({ name }) => name);

t.test('a folder is read with everything below it, in order of names, hidden ones left out', async (t) => {
  const folder = t.testdir({
    'b.yaml': trigger('b'),
    'a.yml': `${trigger('a')}---\n${trigger('a')}`,
    'notes.md': '# no scenario',
    '.hidden.yaml': trigger('hidden'),
    '.git': { 'x.yaml': trigger('hidden too') },
    sub: { 'c.yaml': `${trigger('c')}---\n${trigger('d')}` },
    linked: t.fixture('symlink', 'sub'),
    'link.yaml': t.fixture('symlink', 'absent.yaml'),
  });
  const { scenarios, faults } = await loadItems([folder]);
  t.strictSame(namesOf(scenarios), ['a', 'a', 'b', 'c', 'd'], 'what a link leads to a second time is read once');
  t.equal(faults.length, 1);
  t.match(faults[0]?.error.message, /link\.yaml:1:1: cannot be read: ENOENT/);
});

t.test('files, folders and absent paths together: the good documents are kept', async (t) => {
  const folder = t.testdir({ 'a.yaml': trigger('a'), 'bad.yaml': 'type: trigger\n', sub: { 'c.yaml': trigger('c') } });
  const paths = ['a.yaml', 'bad.yaml', 'sub', 'absent'].map((name) => join(folder, name));
  const { scenarios, faults } = await loadItems(paths);
  t.strictSame(namesOf(scenarios), ['a', 'c']);
  t.equal(faults.filter(({ file }) => file.endsWith('bad.yaml')).length, 3);
  t.ok(
    faults.some(({ error }) => /absent:1:1: cannot be read/.test(error.message)),
    'the path that is not there',
  );
});

t.test('each kind is read by its own reader, with its faults and its data folder', async (t) => {
  const folder = t.testdir({
    parsers: {
      's01-parse': { 'b.yaml': `${parser('b')}---\n${parser('b2')}`, 'a.yaml': parser('a') },
      's00-raw': { 'z.yaml': parser('z'), 'bad.yaml': 'name: bad\nwhitelst: {}\n' },
    },
    postoverflows: { 's01-whitelist': { 'p.yaml': parser('p') } },
    scenarios: { 's.yaml': trigger('s') },
    contexts: { 'c.yaml': 'context:\n  path: [evt.Meta.http_path]\n', 'bad.yaml': 'contexts: {}\n' },
    data: { 'list.txt': 'one\n' },
  });
  const { parsers, postoverflows, scenarios, contexts, dataFolders, faults } = await loadItems([folder]);
  t.strictSame(namesOf(parsers), ['z', 'a', 'b', 'b2']);
  t.strictSame(
    parsers.map(({ stage }) => stage),
    ['s00-raw', 's01-parse', 's01-parse', 's01-parse'],
  );
  t.strictSame(namesOf(postoverflows), ['p']);
  t.strictSame(namesOf(scenarios), ['s']);
  t.equal(contexts.length, 1);
  t.strictSame(dataFolders, [join(folder, 'data')]);
  t.strictSame(
    [...new Set(faults.map(({ file }) => file))],
    [join(folder, 'contexts', 'bad.yaml'), join(folder, 'parsers', 's00-raw', 'bad.yaml')],
  );
});

t.test('a file too large for an item is a fault and is not read', async (t) => {
  const folder = t.testdir({ 'small.yaml': trigger('small') });
  writeFileSync(join(folder, 'large.yaml'), `${trigger('large')}#${' '.repeat(1_048_576)}`);
  const { scenarios, faults } = await loadItems([folder]);
  t.strictSame(namesOf(scenarios), ['small']);
  t.match(faults[0]?.reason, /^the file has 10\d{5} bytes; an item has at most 1048576$/);
});
