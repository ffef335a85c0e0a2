import t from 'tap';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadProgram } from '../../../../detectors/waf/seclang/load-program.ts';
import { createRuleFiles } from '../../../../detectors/waf/seclang/rule-files.ts';
import { faultsOf, loadText, rulesOf } from './loading.ts';

const files = {
  '/rules/a.conf': 'SecAction id:1',
  '/rules/b.conf': 'SecAction id:2\nInclude sub/c.conf',
  '/rules/sub/c.conf': 'SecRule ARGS "@pmFromFile words.data" id:3',
  '/elsewhere/d.conf': 'SecAction id:4',
  '/rules/loop.conf': 'SecAction id:5\nInclude loop-back.conf',
  '/rules/loop-back.conf': 'Include loop.conf\nSecAction id:6',
};

const included = (text: string) => {
  const program = loadText(text, files);
  return { ids: rulesOf(program).map(({ id }) => id), faults: faultsOf(program), files: program.files };
};

t.test('paths start in the folder of the including file', async (t) => {
  t.same(included('Include b.conf\nInclude "/elsewhere/d.conf"\nSecAction id:9'), {
    ids: [2, 3, 4, 9],
    faults: [],
    files: ['/rules/b.conf', '/rules/sub/c.conf', '/elsewhere/d.conf'],
  });
  const [, third] = rulesOf(loadText('Include b.conf', files));
  t.match(third, { place: { file: '/rules/sub/c.conf', line: 1 }, operator: { folder: '/rules/sub' } });
});

t.test('patterns include what they find, in order', async (t) => {
  t.match(included('Include sub/*.conf'), { ids: [3], faults: [] });
  t.match(included('Include /elsewhere/*'), { ids: [4] });
});

t.test('a pattern that finds nothing is a warning, a file that is not there a mistake', async (t) => {
  t.match(included('Include plugins/*.conf').faults, [/^test:1 warning: No file is called/]);
  t.match(included('Include x.conf').faults, [
    /^test:1 error: The file cannot be read: \/rules\/x.conf does not exist/,
  ]);
  t.same(included('IncludeOptional plugins/*.conf\nIncludeOptional x.conf\nIncludeOptional a.conf'), {
    ids: [1],
    faults: [],
    files: ['/rules/a.conf'],
  });
});

t.test('a file that includes itself is read once', async (t) => {
  const { ids, faults } = included('Include loop.conf');
  t.same(ids, [5, 6]);
  t.same(faults, ['/rules/loop-back.conf:1 error: /rules/loop.conf includes itself.']);
});

t.test('files that include one another twice come to an end', async (t) => {
  const tower = Object.fromEntries(
    Array.from({ length: 18 }, (_, level) => [`/rules/${level}`, `Include ${level + 1}\n`.repeat(2)]),
  );
  const program = loadText('Include 0', { ...tower, '/rules/18': '' });
  t.ok(program.faults.some(({ reason }) => reason.includes('More than 5000 files')));
});

t.test('files deep inside one another come to an end', async (t) => {
  const ladder = Object.fromEntries(
    Array.from({ length: 30 }, (_, level) => [`/rules/${level}`, `Include ${level + 1}`]),
  );
  t.match(faultsOf(loadText('Include 0', ladder)), ['/rules/19:1 error: Files are included more than 20 deep.']);
});

t.test('the file system', async (t) => {
  const folder = t.testdir({ 'main.conf': 'Include plugins/*.conf\nInclude plugins\nSecMarker a\n', plugins: {} });
  for (const name of ['z', 'b', 'a']) {
    const id = name.charCodeAt(0);
    writeFileSync(join(folder, 'plugins', `${name}.conf`), Buffer.from(`SecAction "id:${id},msg:'\xe9'"`, 'latin1'));
  }
  mkdirSync(join(folder, 'plugins', 'more.conf'));
  const program = loadProgram([{ kind: 'file', path: join(folder, 'main.conf') }], createRuleFiles());
  t.same(
    rulesOf(program).map(({ id, msg }) => [id, msg.source]),
    [
      [97, '\xe9'],
      [98, '\xe9'],
      [122, '\xe9'],
    ],
  );
  t.match(faultsOf(program), [/more\.conf is not a file/, /plugins is not a file/]);
  t.match(faultsOf(loadProgram([{ kind: 'file', path: join(folder, 'no') }], createRuleFiles())), [/does not exist/]);
});
