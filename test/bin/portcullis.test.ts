import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const root = join(import.meta.dirname, '..', '..');
const entry = join(root, 'bin', 'portcullis.js');

function run(file: string, args: readonly string[], nodeArgs: readonly string[] = []) {
  return spawnSync(process.execPath, [...nodeArgs, file, ...args], { encoding: 'utf8', timeout: 60_000 });
}

/** A folder with the entry alone, and beside it whatever `files` say. */
function installation(t: Test, files: Readonly<Record<string, string>>): string {
  const folder = t.testdir({ 'package.json': '{"type":"module"}' });
  mkdirSync(join(folder, 'bin'));
  cpSync(entry, join(folder, 'bin', 'portcullis.js'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return join(folder, 'bin', 'portcullis.js');
}

t.test('an older Node is refused with cause and remedy', async (t) => {
  const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })";
  const { status, stdout, stderr } = run(entry, ['version'], ['--import', `data:text/javascript,${older}`]);
  t.equal(status, 69);
  t.equal(stdout, '');
  t.match(stderr, /this is Node 20\.20\.2/);
  t.match(stderr, /needs Node 24 or later/);
  t.match(stderr, /npm start/);
});

const program = `export async function main(argv, io) {
  // Catastrophic for a backtracking engine: without the flag this does not end.
  const slow = /^(?:a+)+$/.test('a'.repeat(60) + 'b');
  io.stdout.write(JSON.stringify({ argv, slow, cwd: io.cwd, env: io.env.MARK, from: import.meta.filename }));
  return 7;
}`;

t.test('the linear engine is on, and arguments, streams and exit status go through', async (t) => {
  const file = installation(t, { 'cli/main.ts': program });
  const { status, stdout } = run(file, ['decisions', 'list', '--json']);
  t.equal(status, 7);
  t.match(JSON.parse(stdout), { argv: ['decisions', 'list', '--json'], slow: false, cwd: process.cwd() });
});

t.test('the sources are run where they are, else what was built', async (t) => {
  const both = installation(t, { 'cli/main.ts': program, 'build/cli/main.js': program });
  t.match(JSON.parse(run(both, []).stdout), { from: /cli\/main\.ts$/ });
});

t.test('the build is run where there are no sources', async (t) => {
  const built = installation(t, { 'build/cli/main.js': program });
  t.match(JSON.parse(run(built, []).stdout), { from: /build\/cli\/main\.js$/ });
});

t.test('an installation without either says so', async (t) => {
  const { status, stderr } = run(installation(t, {}), []);
  t.equal(status, 69);
  t.match(stderr, /npm run build/);
});

t.test('the command line answers', async (t) => {
  const { status, stdout } = run(entry, ['version']);
  t.equal(status, 0);
  t.match(stdout, /Portcullis \d+\.\d+\.\d+/);
});

t.test('a reader that goes away is no error', async (t) => {
  const script = '("$0" "$1" help; echo "status $?" >&2) | true';
  const { stderr } = spawnSync('sh', ['-c', script, process.execPath, entry], { encoding: 'utf8', timeout: 60_000 });
  t.equal(stderr, 'status 0\n');
});
