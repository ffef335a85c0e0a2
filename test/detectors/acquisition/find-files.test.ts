import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { findFiles } from '../../../detectors/acquisition/find-files.ts';
import { matchesGlob, parseGlob } from '../../../detectors/acquisition/glob-pattern.ts';
import { GatewayError } from '../../../core/errors.ts';
import { temporaryFolder } from './support.ts';

const tree = [
  'a.log',
  'b.log',
  '.hidden.log',
  'c.txt',
  'one/a.log',
  'one/two/a.log',
  'one/two/three/b.log',
  'x[1].log',
  'sp ace.log',
  'é.log',
];

const cases: readonly (readonly [pattern: string, found: readonly string[]])[] = [
  ['a.log', ['a.log']],
  ['*.log', ['.hidden.log', 'a.log', 'b.log', 'sp ace.log', 'x[1].log', 'é.log']],
  ['?.log', ['a.log', 'b.log', 'é.log']],
  ['[ab].log', ['a.log', 'b.log']],
  ['[^a].log', ['b.log', 'é.log']],
  ['[!a-b].log', ['é.log']],
  ['[a-c].*', ['a.log', 'b.log', 'c.txt']],
  ['x\\[1\\].log', ['x[1].log']],
  ['x[[]1].log', ['x[1].log']],
  ['{a,b}.log', ['a.log', 'b.log']],
  ['{a.log,one/{a,two/a}.log}', ['a.log', 'one/a.log', 'one/two/a.log']],
  ['*/a.log', ['one/a.log']],
  ['**/a.log', ['a.log', 'one/a.log', 'one/two/a.log']],
  ['one/**', ['one/a.log', 'one/two/a.log', 'one/two/three/b.log']],
  ['one/**/b.log', ['one/two/three/b.log']],
  ['./one/../a.log', ['a.log']],
  ['**/**/three/*', ['one/two/three/b.log']],
  ['nothing/*.log', []],
  ['one', []],
  ['*', ['.hidden.log', 'a.log', 'b.log', 'c.txt', 'sp ace.log', 'x[1].log', 'é.log']],
  ['a.log*', ['a.log']],
];

t.test('patterns stand for files as in CrowdSec', async (t) => {
  const base = await temporaryFolder(t);
  for (const file of tree) {
    await mkdir(dirname(join(base, file)), { recursive: true });
    await writeFile(join(base, file), '');
  }
  for (const [pattern, expected] of cases) {
    const globs = parseGlob(pattern);
    const { files, problems } = await findFiles(globs, base);
    const found = files.map((path) => path.slice(base.length + 1));
    t.same(found, expected.toSorted(), pattern);
    t.same(problems, [], pattern);
    if (pattern.includes('..')) continue;
    const matched = tree.filter((file) => globs.some((glob) => matchesGlob(glob, join(base, file), base)));
    t.same(matched.toSorted(), expected.toSorted(), `${pattern}, asked of each path`);
  }
  t.equal(cases.length, 21);
});

t.test('links are followed where they are named, loops have an end, what is missing is watched for', async (t) => {
  const base = await temporaryFolder(t);
  await mkdir(join(base, 'real', 'deep'), { recursive: true });
  await writeFile(join(base, 'real', 'a.log'), '');
  await symlink('real', join(base, 'link'));
  await symlink('..', join(base, 'real', 'deep', 'loop'));
  await symlink('nowhere', join(base, 'broken.log'));
  const found = async (pattern: string): Promise<readonly string[]> =>
    (await findFiles(parseGlob(join(base, pattern)), '/')).files.map((path) => path.slice(base.length + 1));
  t.same(await found('*/a.log'), ['link/a.log', 'real/a.log']);
  t.same(await found('**/a.log'), ['real/a.log']);
  t.same(await found('*.log'), []);
  const { folders } = await findFiles(parseGlob(join(base, 'later', 'still', '*.log')), '/');
  t.same(folders, [base]);
});

t.test('searches are bounded, and say so', async (t) => {
  const base = await temporaryFolder(t);
  for (let number = 0; number < 10; number++) {
    await mkdir(join(base, String(number)));
    await writeFile(join(base, String(number), 'a.log'), '');
  }
  const few = await findFiles(parseGlob('**/*.log'), base, { mostFiles: 3, mostFolders: 100 });
  t.equal(few.files.length, 3);
  t.match(few.problems, [/more than 3 files/]);
  const narrow = await findFiles(parseGlob('**/*.log'), base, { mostFiles: 100, mostFolders: 3 });
  t.match(narrow.problems, [/more than 3 folders/]);
  await chmod(join(base, '0'), 0);
  const isRoot = process.geteuid?.() === 0;
  await chmod(base, 0o755);
  if (isRoot) process.seteuid?.(65_534);
  const denied = await findFiles(parseGlob('**/*.log'), base).finally(() => isRoot && process.seteuid?.(0));
  t.match(denied.problems, [/0: permission denied/]);
  t.equal(denied.files.length, 9);
  await chmod(join(base, '0'), 0o755);
});

t.test('patterns that mean nothing are refused with a reason', async (t) => {
  for (const pattern of ['', '{a', '[a', '[b-a]', 'x\0', 'x'.repeat(5_000), '{a,b}'.repeat(20)]) {
    t.throws(() => parseGlob(pattern), { code: 'ACQUISITION_INVALID' }, pattern.slice(0, 20));
  }
});

t.test('no pattern breaks the reader of patterns', async (t) => {
  const pattern = fc.string({
    unit: fc.constantFrom('a', '*', '?', '[', ']', '{', '}', ',', '\\', '/', '-', '^', '!', '.', '(', '$', 'é'),
  });
  fc.assert(
    fc.property(pattern, fc.string({ unit: fc.constantFrom('a', '/', '.', 'b') }), (pattern, path) => {
      try {
        for (const glob of parseGlob(pattern)) matchesGlob(glob, `/${path}`, '/');
      } catch (error) {
        return error instanceof GatewayError;
      }
      return true;
    }),
    { numRuns: 3_000, seed: 2 },
  );
  t.pass('3000 patterns');
});
