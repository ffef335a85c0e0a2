import { join } from 'node:path';
import t from 'tap';
import { loadScenarioFolder, loadScenarios } from '../../../detectors/scenarios/load-scenarios.ts';

const trigger = (name: string): string => `type: trigger\nname: ${name}\ndescription: d\nfilter: "true"\n`;

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
  const { documents, faults } = await loadScenarioFolder(folder);
  t.strictSame(
    documents.map(({ name }) => name),
    ['a', 'a', 'b', 'c', 'd'],
  );
  t.equal(faults.length, 1, 'what a link leads to a second time is read once');
  t.match(faults[0]?.error.message, /link\.yaml:1:1: cannot be read: ENOENT/);
});

t.test('files, folders and absent paths together: the good documents are kept', async (t) => {
  const folder = t.testdir({ 'a.yaml': trigger('a'), 'bad.yaml': 'type: trigger\n', sub: { 'c.yaml': trigger('c') } });
  const paths = ['a.yaml', 'bad.yaml', 'sub', 'absent'].map((name) => join(folder, name));
  const { documents, faults } = await loadScenarios(paths);
  t.strictSame(
    documents.map(({ name }) => name),
    ['a', 'c'],
  );
  t.equal(faults.filter(({ file }) => file.endsWith('bad.yaml')).length, 3);
  t.match(faults.at(-1)?.error.message, /absent:1:1: cannot be read/);
});
