import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { formatOf, parseCommand } from '../../cli/arguments.ts';
import { setupDetect } from '../../cli/commands/setup-detect.ts';
import { Output } from '../../cli/output/output.ts';
import { systemClock } from '../../core/clock.ts';
import { makeRoot } from '../detectors/setup/support.ts';

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly error: unknown;
}

/** `answer` is typed on a terminal; without it there is none. */
async function setup(
  argv: readonly string[],
  { answer, cwd = '/' }: { answer?: string; cwd?: string } = {},
): Promise<Ran> {
  let stdout = '';
  const io = {
    ...(answer === undefined ? {} : { stdin: Object.assign(Readable.from([Buffer.from(answer)]), { isTTY: true }) }),
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: () => true },
    env: {},
    cwd,
  };
  const given = parseCommand(setupDetect, argv);
  const gateway = (): Promise<never> => Promise.reject(new Error('setup needs no gateway'));
  const output = new Output(io, formatOf(given));
  try {
    const status = await setupDetect.run({ io, output, given, gateway, clock: systemClock });
    return { status, stdout, error: null };
  } catch (error) {
    return { status: null, stdout, error };
  }
}

interface TearDown {
  teardown(undo: () => void): void;
}

function machine(t: TearDown): { readonly root: string; readonly folder: string } {
  const root = makeRoot(t, {
    '/lib/systemd/system/nginx.service': '',
    '/var/log/nginx/access.log': '',
    '/lib/systemd/system/ssh.service': '',
    '/run/systemd/journal/socket': '',
    '/lib/systemd/system/caddy.service': '',
    '/run/docker.sock': '',
  });
  return { root, folder: join(root, 'var/lib/portcullis/acquis.d') };
}

t.test('shows what it would do, and asks', async (t) => {
  const { root, folder } = machine(t);
  const no = await setup(['--root', root], { answer: 'n\n' });
  t.equal(no.status, 0);
  for (const text of [
    'nginx',
    '/var/log/nginx/*.log',
    'OpenSSH',
    'journal: _COMM=sshd',
    'Caddy writes no access log until',
    'Docker is here',
    `Acquisition files in ${folder}`,
    'hub install crowdsecurity/caddy crowdsecurity/nginx crowdsecurity/sshd',
    'Shall I write 2 files? [y/N]',
    'Nothing was written.',
  ]) {
    t.match(no.stdout, text);
  }
  t.equal(existsSync(folder), false);
  for (const answer of ['', '\n', 'yep\n', 'no\n']) {
    t.match((await setup(['--root', root], { answer })).stdout, 'Nothing was written.', JSON.stringify(answer));
  }
  t.equal(existsSync(folder), false);

  const yes = await setup(['--root', root], { answer: 'Y\n' });
  t.match(yes.stdout, '2 files written.');
  t.match(yes.stdout, 'The gateway of that machine reads them when it starts');
  t.match(yes.stdout, `To undo: rm ${folder}/nginx.yaml ${folder}/sshd.yaml`);
  t.same(readdirSync(folder).sort(), ['nginx.yaml', 'sshd.yaml']);

  const again = await setup(['--root', root], { answer: 'y\n' });
  t.match(again.stdout, 'There is nothing to write.');
  t.notMatch(again.stdout, '[y/N]', 'nothing is asked');
});

t.test('where there is nobody to ask, nothing is written and a script notices', async (t) => {
  const { root, folder } = machine(t);
  t.match((await setup(['--root', root])).error, { code: 'USAGE', remedy: /--yes/ });
  t.equal(existsSync(folder), false);
  t.equal((await setup(['--root', root, '--dry-run'])).status, 0);
  t.equal(existsSync(folder), false);
  t.equal((await setup(['--root', root, '--yes'])).status, 0);
  t.equal(readdirSync(folder).length, 2);
});

t.test('programs get the plan as JSON, and decide by --yes', async (t) => {
  const { root, folder } = machine(t);
  const plan = JSON.parse((await setup(['--root', root, '--json'])).stdout);
  t.match(plan, {
    folder,
    applied: false,
    written: [],
    services: [
      { name: 'nginx', evidence: [{ kind: 'unit' }], source: { from: 'files', type: 'nginx' }, builtin: true },
      { name: 'caddy', source: null, notes: [String] },
      { name: 'sshd', source: { from: 'journal' }, collections: ['crowdsecurity/sshd'] },
    ],
    files: [
      { name: 'nginx.yaml', action: 'create', content: /filenames:/ },
      { name: 'sshd.yaml', action: 'create', content: /journalctl_filter:/ },
    ],
    docker: '/run/docker.sock',
  });
  t.equal(existsSync(folder), false);
  const done = JSON.parse((await setup(['--root', root, '--json', '--yes'])).stdout);
  t.match(done, { applied: true, written: [join(folder, 'nginx.yaml'), join(folder, 'sshd.yaml')] });
  const rows = (await setup(['--root', root, '-o', 'raw'])).stdout.split('\n');
  t.equal(rows[0], 'service,title,evidence,source,collections');
  t.equal(rows.length, 5);
});

t.test('files go where the settings have their acquisition, or where --folder says', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'setup-cwd-'));
  t.teardown(() => rmSync(cwd, { recursive: true }));
  const folderOf = async (...argv: string[]): Promise<unknown> =>
    JSON.parse((await setup([...argv, '--json'], { cwd })).stdout).folder;
  t.equal(await folderOf(), join(cwd, 'data', 'acquis.d'));
  t.equal(await folderOf('--folder', 'here'), join(cwd, 'here'));
  writeFileSync(join(cwd, 'portcullis.yaml'), 'dataDir: state\nacquisition: {files: [one.yaml, logs.d]}\n');
  t.equal(await folderOf(), join(cwd, 'logs.d'));
});

t.test('it says who reads the files that it wrote', async (t) => {
  const { root } = machine(t);
  const cwd = mkdtempSync(join(tmpdir(), 'setup-cwd-'));
  t.teardown(() => rmSync(cwd, { recursive: true }));
  const said = async (folder: string): Promise<string> =>
    (await setup(['--root', root, '--folder', folder, '--yes'], { cwd })).stdout;
  t.match(await said(join('data', 'acquis.d')), 'Restart the gateway to have them read.', 'the usual folder');
  const other = await said('elsewhere');
  t.match(other, `acquisition: {files: [${JSON.stringify(join(cwd, 'elsewhere'))}]}`);
  t.notMatch(other, 'Restart the gateway to have them read.');
  writeFileSync(join(cwd, 'portcullis.yaml'), 'acquisition: {files: [elsewhere]}\n');
  rmSync(join(cwd, 'elsewhere'), { recursive: true });
  t.match(await said('elsewhere'), 'Restart the gateway to have them read.', 'a folder of the settings');
});

t.test('what cannot be is refused', async (t) => {
  const { root } = machine(t);
  t.match((await setup(['--root', root, '--yes', '--dry-run'])).error, { code: 'USAGE' });
  t.match((await setup(['--root', '/nonexistent/disk', '--dry-run'])).error, { code: 'NOT_FOUND', remedy: /mounted/ });
});

t.test('an empty machine has nothing to set up', async (t) => {
  const root = makeRoot(t, { '/etc/hostname': 'empty\n' });
  const { status, stdout } = await setup(['--root', root]);
  t.equal(status, 0);
  t.match(stdout, 'No service was found');
});
