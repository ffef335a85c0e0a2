import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const root = join(import.meta.dirname, '..', '..');

/** Runs tap on some files, as `npm test` does; the answer is its standard output by lines, and its exit status. */
async function run(t: Test, files: Record<string, string>): Promise<{ lines: string[]; status: number | null }> {
  const folder = t.testdir({ 'package.json': '{"type":"module"}', test: files });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const config = ['type-strip-only: true', 'disable-coverage: true', 'include:', '  - test/*.ts', ''];
  writeFileSync(join(folder, '.taprc'), config.join('\n'));
  const tap = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs');
  const args = [tap, '--timeout=10', `--reporter=${join(root, 'test', 'support', 'reporter.ts')}`];
  // The variables by which the outer tap speaks to its children would make the inner one a part of it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^_?TAP/.test(name)));
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: folder, env, timeout: 120_000 }, (_error, stdout) => {
      resolve({ lines: stdout.trimEnd().split('\n'), status: child.exitCode });
    });
    // tap would take tests from an open standard input.
    child.stdin?.end();
  });
}

t.setTimeout(240_000);

const head = "import t from 'tap';\n";

t.test('the last line counts assertions, and success exits with 0', async (t) => {
  const { lines, status } = await run(t, {
    'a.ts': `${head}t.test('adds', async (t) => { t.equal(1, 1); await t.test('inner', async (t) => { t.pass(); t.pass(); }); });`,
    'b.ts': `${head}t.test('also', async (t) => { t.pass(); t.skip('no suite'); }); t.todo('later');`,
  });
  t.equal(lines.at(-1), '4 passed, 0 failed, 2 skipped');
  t.equal(status, 0);
  t.match(lines.join('\n'), /^ok {3}test\/a\.ts: 3 passed, 0 failed/m);
  t.match(lines.join('\n'), /skip: .*no suite/);
});

t.test('failures show their place and their difference, and are listed again at the end', async (t) => {
  const { lines, status } = await run(t, {
    'a.ts': `${head}t.test('adds', async (t) => { t.pass(); t.same({ a: 1 }, { a: 2 }, 'sums differ'); });`,
  });
  const text = lines.join('\n');
  t.equal(lines.at(-1), '1 passed, 1 failed');
  t.equal(status, 1);
  t.match(text, /^FAIL test\/a\.ts: 1 passed, 1 failed/m);
  t.match(text, /at test\/a\.ts:2:/);
  t.match(text, /-\s+"a": 2,\n.*\+\s+"a": 1,/);
  t.match(text, /Failed:\n {2}✗ test\/a\.ts > adds > sums differ/);
});

t.test('a file that crashes, is killed, raises or cannot be read is a failure', async (t) => {
  const { lines, status } = await run(t, {
    'a-good.ts': `${head}t.pass();`,
    'b-exits.ts': `${head}t.pass(); process.exit(3);`,
    'c-killed.ts': `${head}t.pass(); process.kill(process.pid, 'SIGKILL');`,
    'd-missing.ts': `${head}import './nowhere.ts'; t.pass();`,
    'e-raises.ts': `${head}t.test('raises', async () => { throw new Error('boom'); });`,
    'f-syntax.ts': `${head}t.pass(`,
  });
  const text = lines.join('\n');
  for (const name of ['b-exits', 'c-killed', 'd-missing', 'e-raises', 'f-syntax']) {
    t.match(text, new RegExp(`^FAIL test/${name}\\.ts: \\d passed, 1 failed`, 'm'), name);
  }
  t.equal(lines.at(-1), '3 passed, 5 failed');
  t.equal(status, 1);
  t.match(text, /signal SIGKILL/);
});

t.test('a file that runs out of time is one failure, and the count is still the last line', async (t) => {
  const { lines, status } = await run(t, {
    'a-hangs.ts': `${head}t.setTimeout(500); t.test('hangs', async (t) => { t.pass(); setInterval(() => {}, 1000); await new Promise(() => {}); });`,
  });
  t.equal(lines.at(-1), '1 passed, 1 failed');
  t.equal(status, 1);
});

t.test('a bail-out is a failure', async (t) => {
  const { lines, status } = await run(t, { 'a.ts': `${head}t.pass(); t.bailout('disk full');` });
  t.match(lines.at(-1), /^\d+ passed, 1 failed$/);
  t.match(lines.join('\n'), /bailed out: disk full/);
  t.not(status, 0);
});
