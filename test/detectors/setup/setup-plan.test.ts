import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { readAcquisition } from '../../../detectors/acquisition/read-acquisition.ts';
import { authorshipOf } from '../../../detectors/setup/acquisition-file.ts';
import { applySetup } from '../../../detectors/setup/apply-setup.ts';
import { inspectMachine } from '../../../detectors/setup/machine.ts';
import { knownServices } from '../../../detectors/setup/services.ts';
import { planSetup, type SetupPlan } from '../../../detectors/setup/setup-plan.ts';
import { type MachineFiles, rootFiles } from './support.ts';

interface TearDown {
  teardown(undo: () => void): void;
}

function planOf(t: TearDown, files: MachineFiles, folder: string): SetupPlan {
  return planSetup(inspectMachine(rootFiles(t, files)), knownServices, folder);
}

function emptyFolder(t: TearDown): string {
  const folder = mkdtempSync(join(tmpdir(), 'acquis-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const unit = (...names: string[]): MachineFiles =>
  Object.fromEntries(names.map((name) => [`/lib/systemd/system/${name}.service`, '']));
const nginx: MachineFiles = { ...unit('nginx'), '/var/log/nginx/access.log': '' };
const syslog: MachineFiles = {
  ...unit('rsyslog', 'ssh', 'postfix', 'dovecot', 'haproxy'),
  '/var/log/auth.log': '',
  '/var/log/mail.log': '',
  '/var/log/haproxy.log': '',
};
const actions = (plan: SetupPlan): Record<string, string> =>
  Object.fromEntries(plan.files.map(({ name, action }) => [name, action]));

t.test('logs of web servers that stand behind the gateway are left alone, unless they are read already', async (t) => {
  const folder = emptyFolder(t);
  const machine = inspectMachine(rootFiles(t, { ...nginx, ...syslog }));
  const behind = planSetup(machine, knownServices, folder, { beforeWebServers: true });
  t.match(actions(behind), { 'nginx.yaml': 'covered', 'syslog.yaml': 'create' });
  const read = behind.files.find(({ name }) => name === 'syslog.yaml')?.text ?? '';
  t.notMatch(read, 'haproxy.log');
  t.match(read, 'auth.log');
  applySetup(planSetup(machine, knownServices, folder));
  const again = planSetup(machine, knownServices, folder, { beforeWebServers: true });
  t.equal(actions(again)['nginx.yaml'], 'unchanged');
});

t.test('services that share syslog are read by one file, each path once', async (t) => {
  const plan = planOf(t, { ...nginx, ...syslog }, emptyFolder(t));
  t.same(actions(plan), { 'nginx.yaml': 'create', 'syslog.yaml': 'create' });
  const [web, shared] = plan.files;
  t.same(parse(web?.text ?? ''), {
    filenames: ['/var/log/nginx/*.log'],
    exclude_regexps: [String.raw`error[^/]*\.log$`],
    labels: { type: 'nginx' },
  });
  t.same(parse(shared?.text ?? ''), {
    filenames: ['/var/log/auth.log', '/var/log/haproxy.log', '/var/log/mail.log'],
    labels: { type: 'syslog' },
  });
  t.same(shared?.services, ['haproxy', 'sshd', 'postfix', 'dovecot']);
  t.same(plan.collections, [
    'crowdsecurity/dovecot',
    'crowdsecurity/haproxy',
    'crowdsecurity/nginx',
    'crowdsecurity/postfix',
    'crowdsecurity/sshd',
  ]);
});

t.test('services that share journal entries are read by one file', async (t) => {
  const plan = planOf(t, { ...unit('ssh', 'postfix', 'dovecot'), '/run/systemd/journal/socket': '' }, emptyFolder(t));
  t.same(actions(plan), { 'sshd.yaml': 'create', 'postfix.yaml': 'create' });
  t.same(parse(plan.files[0]?.text ?? ''), {
    source: 'journalctl',
    journalctl_filter: ['_COMM=sshd', '_COMM=sshd-session', '_COMM=sshd-auth'],
    labels: { type: 'syslog' },
  });
  t.same(plan.files[1]?.services, ['postfix', 'dovecot']);
});

t.test('a second time there is nothing to do, and what changed on the machine is brought up to date', async (t) => {
  const folder = join(emptyFolder(t), 'acquis.d');
  const first = planOf(t, { ...nginx, ...syslog }, folder);
  t.equal(existsSync(folder), false, 'a plan writes nothing');
  t.same(
    applySetup(first).map(({ name }) => name),
    ['nginx.yaml', 'syslog.yaml'],
  );
  t.same(readdirSync(folder).sort(), ['nginx.yaml', 'syslog.yaml'], 'nothing else is left');
  for (const { path, text } of first.files) t.equal(readFileSync(path, 'utf8'), text);

  const second = planOf(t, { ...nginx, ...syslog }, folder);
  t.same(actions(second), { 'nginx.yaml': 'unchanged', 'syslog.yaml': 'unchanged' });
  t.same(applySetup(second), []);

  const moved = planOf(t, { ...unit('nginx'), '/etc/nginx/nginx.conf': 'access_log /srv/a.log;', ...syslog }, folder);
  t.same(actions(moved), { 'nginx.yaml': 'update', 'syslog.yaml': 'unchanged' });
  t.same(
    applySetup(moved).map(({ name }) => name),
    ['nginx.yaml'],
  );
  t.same(parse(readFileSync(join(folder, 'nginx.yaml'), 'utf8')).filenames, ['/srv/a.log']);
});

t.test('what somebody else wrote or changed is kept', async (t) => {
  const folder = emptyFolder(t);
  applySetup(planOf(t, { ...nginx, ...syslog }, folder));
  const changed = join(folder, 'nginx.yaml');
  writeFileSync(changed, readFileSync(changed, 'utf8').replace('type: nginx', 'type: nginx-shop'));
  const foreign = 'filenames: [/srv/my.log]\nlabels: {type: syslog}\n';
  writeFileSync(join(folder, 'syslog.yaml'), foreign);
  const plan = planOf(t, { ...unit('nginx'), '/etc/nginx/nginx.conf': 'access_log /srv/a.log;', ...syslog }, folder);
  t.same(
    plan.files.map(({ action, reason }) => [action, reason]),
    [
      ['keep', 'changed by hand'],
      ['keep', 'not written by setup'],
    ],
  );
  t.same(applySetup(plan), []);
  t.match(readFileSync(changed, 'utf8'), 'nginx-shop');
  t.equal(readFileSync(join(folder, 'syslog.yaml'), 'utf8'), foreign);
});

t.test('what is read already is not read a second time', async (t) => {
  const folder = emptyFolder(t);
  writeFileSync(
    join(folder, 'mine.yaml'),
    'source: file\nfilename: /srv/other.log\nlabels: {type: x}\n---\nfilenames: [/var/log/nginx/*.log]\nlabels: {type: nginx}\n',
  );
  writeFileSync(join(folder, 'broken.yaml'), 'filenames: [\n');
  const plan = planOf(t, nginx, folder);
  t.match(plan.files, [{ name: 'nginx.yaml', action: 'covered', reason: 'mine.yaml reads the same' }]);
  t.same(applySetup(plan), []);
});

t.test('a file that came into being since the plan was made is not written over', async (t) => {
  const folder = emptyFolder(t);
  const plan = planOf(t, nginx, folder);
  writeFileSync(join(folder, 'nginx.yaml'), 'filenames: [/mine.log]\nlabels: {type: nginx}\n');
  t.same(applySetup(plan), []);
  rmSync(join(folder, 'nginx.yaml'));
  const elsewhere = join(folder, 'elsewhere.txt');
  writeFileSync(elsewhere, 'precious');
  symlinkSync(elsewhere, join(folder, 'nginx.yaml'));
  t.same(applySetup(plan), []);
  t.equal(readFileSync(elsewhere, 'utf8'), 'precious');
});

t.test('what cannot be read or written is an error with a remedy', async (t) => {
  const file = join(emptyFolder(t), 'file');
  writeFileSync(file, '');
  t.throws(() => planOf(t, nginx, file), { code: 'SETUP_FAILED', remedy: /--folder/ });
  const plan = planOf(t, nginx, join(emptyFolder(t), 'later'));
  writeFileSync(plan.folder, 'a file has taken the place of the folder');
  t.throws(() => applySetup(plan), {
    code: 'SETUP_FAILED',
    message: /nginx\.yaml cannot be written/,
    remedy: /--folder/,
  });
});

t.test('what an interrupted run left beside a file is no obstacle, and no document', async (t) => {
  const folder = emptyFolder(t);
  writeFileSync(join(folder, '.nginx.yaml.tmp'), 'half');
  const plan = planOf(t, nginx, folder);
  t.same(actions(plan), { 'nginx.yaml': 'create' });
  applySetup(plan);
  t.same(readdirSync(folder), ['nginx.yaml']);
});

t.test('who wrote a file is told from its first line and the rest together', async (t) => {
  const folder = emptyFolder(t);
  mkdirSync(join(folder, 'sub'));
  const text = planOf(t, nginx, join(folder, 'sub')).files[0]?.text ?? '';
  t.equal(authorshipOf(text), 'ours');
  t.equal(authorshipOf(`${text}\n`), 'changed');
  t.equal(authorshipOf(text.replace('nginx', 'nginy')), 'changed');
  t.equal(authorshipOf(text.slice(text.indexOf('\n') + 1)), 'foreign');
  t.equal(authorshipOf(''), 'foreign');
  t.equal(authorshipOf(text.slice(0, text.indexOf('\n'))), 'changed');
});

t.test('acquisition reads every document that setup can write', async (t) => {
  const everything = knownServices.flatMap(({ units, logs }): MachineFiles[] => [
    unit(...units.slice(0, 1)),
    Object.fromEntries((logs?.usual ?? []).map((pattern) => [pattern.replaceAll('*', 'x'), ''])),
  ]);
  const machines = [
    Object.assign({}, ...everything, syslog),
    Object.assign({}, ...everything, { '/run/log/journal/x': '' }),
  ];
  let documents = 0;
  for (const files of machines) {
    for (const { name, text } of planOf(t, files as MachineFiles, emptyFolder(t)).files) {
      const read = readAcquisition(text, name, {});
      t.same(read.faults, [], name);
      t.equal(read.documents.length, 1, name);
      documents++;
      const [document] = read.documents;
      if (name !== 'nginx.yaml' || document?.source !== 'file') continue;
      const excluded = (path: string): boolean => document.excludes.some((pattern) => pattern.test(path));
      t.equal(excluded('/var/log/nginx/error.log'), true);
      t.equal(excluded('/var/log/nginx/shop-error.log'), true);
      t.equal(excluded('/var/log/nginx/access.log'), false);
    }
  }
  t.ok(documents > 50, `${documents} documents`);
});
