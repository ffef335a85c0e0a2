import { join } from 'node:path';
import t from 'tap';
import { loadDataFiles } from '../../../detectors/documents/data-files.ts';
import { findDataFile } from '../../../detectors/documents/find-data-file.ts';

const entry = (
  destFile: string,
  type: string,
  sourceUrl = '',
): { name: string; data: { destFile: string; type: string; sourceUrl: string }[] } => ({
  name: 'our/scenario',
  data: [{ destFile, type, sourceUrl }],
});

t.test('each type is read as what it is', async (t) => {
  const folder = t.testdir({
    'list.txt': '# comment\n\none\r\n two \n#\nthree',
    'patterns.txt': '# comment\n^curl/\nnik(to|ta)\n',
    'map.json': '## a comment\n\n{"tag":"t","pattern":"/x","type":"equals"}\n',
    'city.mmdb': 'binary',
  });
  const documents = [
    entry('list.txt', 'string'),
    entry('patterns.txt', 'regexp'),
    entry('map.json', 'map'),
    entry('city.mmdb', ''),
  ];
  const { files, faults } = await loadDataFiles(documents, [folder]);
  t.strictSame(faults, []);
  t.strictSame(files.lines('list.txt'), ['one', ' two ', 'three']);
  t.equal(files.lines('list.txt'), files.lines('list.txt'), 'the same list each time');
  t.strictSame(files.rows('map.json'), [{ tag: 't', pattern: '/x', type: 'equals' }]);
  const matches = (text: string): boolean => files.patterns('patterns.txt').some((pattern) => pattern.test(text));
  t.strictSame(['curl/8', 'x curl/8', 'a nikto b', 'nikt', ''].map(matches), [true, false, true, false, false]);
  t.strictSame(files.patterns('list.txt'), [], 'a list of texts has no patterns');
  t.strictSame(files.lines('patterns.txt'), []);
  t.strictSame(
    ['list.txt', 'city.mmdb', 'unknown'].map((name) => files.loaded(name)),
    [true, false, false],
  );
});

t.test('a file is found under its own name, and under that of its source', async (t) => {
  const folder = t.testdir({
    first: { 'a.txt': 'first' },
    second: { 'a.txt': 'second', 'path_traversal.txt': '/../' },
  });
  const url = 'https://hub-data.crowdsec.net/web/path_traversal.txt';
  const documents = [entry('a.txt', 'string'), entry('http_path_traversal.txt', 'string', url)];
  const { files, faults } = await loadDataFiles(documents, [join(folder, 'first'), join(folder, 'second')]);
  t.strictSame(faults, []);
  t.strictSame(files.lines('a.txt'), ['first']);
  t.strictSame(files.lines('http_path_traversal.txt'), ['/../']);
});

t.test('a folder may be laid out like the place where lists are published', async (t) => {
  const folder = t.testdir({
    web: { 'paths.txt': 'web' },
    whitelists: { 'paths.txt': 'whitelists', benign: { 'bots.txt': 'bots' } },
    'geo.mmdb': '',
  });
  const published = 'https://raw.example/crowdsecurity/sec-lists/master/whitelists';
  const documents = [
    entry('web_paths.txt', 'string', 'https://hub-data.example/web/paths.txt?raw=1'),
    entry('own_paths.txt', 'string', `${published}/paths.txt`),
    entry('own_bots.txt', 'string', `${published}/benign/bots.txt`),
  ];
  const { files, faults } = await loadDataFiles(documents, [folder]);
  t.strictSame(faults, []);
  t.strictSame(
    ['web_paths.txt', 'own_paths.txt', 'own_bots.txt'].map((name) => files.lines(name)),
    [['web'], ['whitelists'], ['bots']],
  );
  const geo = { destFile: 'geo.mmdb', sourceUrl: '' };
  t.equal(await findDataFile(geo, [join(folder, 'web'), folder]), join(folder, 'geo.mmdb'));
  t.equal(await findDataFile({ ...geo, destFile: 'web' }, [folder]), null, 'a folder is no file');
});

t.test('absent files and bad lines are named, and the rest is used', async (t) => {
  const folder = t.testdir({ 'p.txt': 'good\n(bad\n', 'm.json': '{"tag":"a"}\nnonsense\n[1]\n' });
  const documents = [
    entry('p.txt', 'regex'),
    entry('m.json', 'map'),
    entry('absent.txt', 'string', 'https://example.org/absent.txt'),
  ];
  const { files, faults } = await loadDataFiles(documents, [folder]);
  t.strictSame(
    faults.map(({ code }) => code),
    ['PATTERN_INVALID', 'DATA_FILE_MISSING', 'DATA_FILE_MISSING', 'DATA_FILE_MISSING'],
  );
  t.match(faults[3]?.message, /our\/scenario needs the data file absent\.txt/);
  t.match(faults[3]?.remedy, 'https://example.org/absent.txt');
  t.equal(files.patterns('p.txt')[0]?.test('a good one'), true);
  t.equal(files.rows('m.json').length, 1);
});

t.test('a name cannot lead out of its folder', async (t) => {
  const folder = t.testdir({ data: {}, 'secret.txt': 'secret' });
  for (const name of ['../secret.txt', join(folder, 'secret.txt'), 'a/../../secret.txt']) {
    const { files } = await loadDataFiles([entry(name, 'string')], [join(folder, 'data')]);
    t.strictSame(files.lines(name), [], name);
  }
});
