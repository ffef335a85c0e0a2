import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { loadAcquisition } from '../../../detectors/acquisition/load-acquisition.ts';
import { readAcquisition } from '../../../detectors/acquisition/read-acquisition.ts';
import { suitePath } from '../../support/suites.ts';
import { temporaryFolder } from './support.ts';

t.test('files, the journal, syslog, docker and HTTP as CrowdSec documents them', async (t) => {
  const text = `
filenames:
  - /var/log/nginx/*.log
  - ./tests/nginx.log
exclude_regexps: ["\\\\.gz$"]
poll_without_inotify: true
max_buffer_size: 4096
labels:
  type: nginx
---
filename: /var/log/auth.log
labels: { type: syslog }
---
journalctl_filter: ["_SYSTEMD_UNIT=ssh.service"]
labels: { type: syslog }
---
source: journalctl
journalctl_filter: ["-u", nginx, "--directory=/mnt/journal"]
labels: { type: nginx }
---
source: syslog
listen_addr: 0.0.0.0
listen_port: 4242
protocol: tcp
disable_rfc_parser: true
labels: { type: syslog }
---
source: docker
container_name: [web]
container_name_regexp: ["^web-\\\\d+$"]
check_interval: 5s
follow_stderr: false
labels: { type: nginx, environment: test }
---
source: docker
use_container_labels: true
---
source: http
listen_addr: 127.0.0.1:8081
path: /logs
auth_type: basic_auth
basic_auth: { username: me, password: secret }
custom_headers: { x-one: "1" }
max_body_size: 1000
timeout: 10s
labels: { type: json }
---
---
source: stdin
use_time_machine: true
labels: { type: nginx }
`;
  const { documents, faults } = readAcquisition(text, 'acquis.yaml');
  t.same(
    faults.map((fault) => fault.reason),
    [],
  );
  t.same(
    documents.map((document) => document.source),
    ['file', 'file', 'journalctl', 'journalctl', 'syslog', 'docker', 'docker', 'http', 'stdin'],
  );
  t.match(documents[0], { watch: false, lineLimit: 4096, labels: { type: 'nginx' }, mode: 'tail', timeMachine: false });
  t.match(documents[3], {
    filters: ['-u', 'nginx', '--directory=/mnt/journal'],
    name: 'journalctl--u.nginx.--directory=/mnt/journal',
  });
  t.match(documents[4], { host: '0.0.0.0', port: 4242, protocol: 'tcp', raw: true, maxMessageBytes: 2048 });
  t.match(documents[5], { host: 'unix:///var/run/docker.sock', stdout: true, stderr: false, checkPeriodMs: 5000 });
  t.match(documents[7], {
    listen: { host: '127.0.0.1', port: 8081 },
    auth: { type: 'basic_auth', username: 'me', password: 'secret' },
    headers: { 'x-one': '1' },
    statusCode: 200,
  });
  t.match(documents[8], { timeMachine: true, line: 49 });
});

const mistakes: readonly (readonly [yaml: string, place: string, reason: RegExp])[] = [
  ['filename: /a', '1:1', /labels\.type is missing/],
  ['filename: /a\nlabels: {}', '2:9', /labels\.type is missing/],
  ['filename: /a\nlabels: { typ: x }', '2:9', /labels\.type is missing/],
  ['filename: /a\nlabels: { type: [a] }', '2:11', /labels\.type is a text/],
  ['filename: /a\nlabel: { type: a }\nlabels: { type: a }', '2:1', /unknown key label/],
  ['source: file\nlabels: { type: a }', '1:1', /filename or filenames is missing/],
  ['source: file\nlisten_port: 1\nfilename: /a\nlabels: { type: a }', '2:1', /unknown key listen_port/],
  ['filename: /a\nmode: tial\nlabels: { type: a }', '2:7', /neither tail nor cat/],
  ['filename: /a\nlog_level: loud\nlabels: { type: a }', '2:12', /log_level loud/],
  ['filename: "/a/{b"\nlabels: { type: a }', '1:11', /without its }/],
  ['filename: /a/[b\nlabels: { type: a }', '1:11', /without its ]/],
  ['filename: /a\nexclude_regexps: ["("]\nlabels: { type: a }', '2:18', /./],
  ['filename: /a\nmax_buffer_size: 1\nlabels: { type: a }', '2:18', /from 256 to/],
  ['source: journald\nlabels: { type: a }', '1:9', /written journalctl/],
  ['source: kafka\nlabels: { type: a }', '1:9', /source kafka: is not supported/],
  ['source: cloudwatch', '1:9', /source cloudwatch: is not supported/],
  ['source: kinesis', '1:9', /source kinesis: is not supported/],
  ['source: s3', '1:9', /source s3: is not supported/],
  ['source: k8s-audit', '1:9', /source k8s-audit: is not supported/],
  ['source: loki', '1:9', /source loki: is not supported/],
  ['source: victorialogs', '1:9', /source victorialogs: is not supported/],
  ['source: wineventlog', '1:9', /Windows/],
  ['source: appsec', '1:9', /inspects requests itself/],
  ['source: constructor', '1:9', /source constructor: is unknown/],
  ['labels: { type: a }', '1:1', /source is missing/],
  ['source: journalctl\nlabels: { type: a }', '1:1', /journalctl_filter is missing/],
  ['journalctl_filter: ["-f"]\nlabels: { type: a }', '1:20', /not a filter/],
  ['source: syslog\nprotocol: sctp\nlabels: { type: a }', '2:11', /neither udp nor tcp/],
  ['source: syslog\nlisten_port: 70000\nlabels: { type: a }', '2:14', /from 0 to 65535/],
  ['source: syslog\nmode: cat\nlabels: { type: a }', '2:7', /for files/],
  ['source: docker\nlabels: { type: a }', '1:1', /no container is named/],
  ['source: docker\nuse_container_labels: true\ncontainer_name: [a]', '2:23', /exclude each other/],
  ['source: docker\ncontainer_name: [a]\ndocker_host: ssh://x\nlabels: { type: a }', '3:14', /neither unix/],
  ['source: http\nauth_type: mtls\nlisten_addr: ":1"\nlabels: { type: a }', '1:1', /mtls needs server_cert/],
  ['source: http\nauth_type: headers\nlisten_addr: ":1"\nlabels: { type: a }', '1:1', /needs headers/],
  [
    'source: http\nlisten_addr: here\nauth_type: headers\nheaders: {a: b}\nlabels: { type: a }',
    '2:14',
    /not an address/,
  ],
  ['source: http\nauth_type: headers\nheaders: {a: b}\nlabels: { type: a }', '1:1', /listen_addr or listen_socket/],
  ['- a', '1:1', /a map of keys and values/],
  ['filename: /a\nfilename: /b\nlabels: { type: a }', '2:1', /unique/],
];

t.test('mistakes are shown with their place, and the other documents are used', async (t) => {
  const good = '---\nfilename: /good\nlabels: { type: good }\n';
  for (const [yaml, place, reason] of mistakes) {
    const { documents, faults } = readAcquisition(`${yaml}\n${good}`, 'a.yaml');
    const texts = faults.map((fault) => `${fault.line}:${fault.column} ${fault.reason}`);
    const found = faults.find((fault) => reason.test(fault.reason));
    t.ok(found, `${JSON.stringify(yaml)}: ${texts.join(' | ')}`);
    t.equal(`${found?.line}:${found?.column}`, place, yaml);
    t.equal(found?.error.code, 'ACQUISITION_INVALID');
    t.match(found?.error.message, /\^/, 'the place is marked');
    t.same(
      documents.map((document) => document.name),
      ['/good'],
      yaml,
    );
  }
  t.equal(mistakes.length, 39);
});

t.test('variables that are set are put in, others stay', async (t) => {
  const text = 'filename: ${LOGS}/$NAME.log\nexclude_regexps: ["x$", "$NOPE"]\nlabels: { type: $TYPE }';
  const { documents } = readAcquisition(text, 'a.yaml', { LOGS: '/logs', NAME: 'web', TYPE: 'nginx' });
  t.match(documents[0], { filenames: ['/logs/web.log'], labels: { type: 'nginx' } });
  t.match(documents[0], { excludes: [{ source: 'x$' }, { source: '$NOPE' }] });
});

t.test('files and folders are read in order, what cannot be read is a fault', async (t) => {
  const folder = await temporaryFolder(t);
  const document = (name: string): string => `filename: /${name}\nlabels: { type: ${name} }\n`;
  await mkdir(join(folder, 'acquis.d'));
  await writeFile(join(folder, 'acquis.yaml'), document('first'));
  await writeFile(join(folder, 'acquis.d', 'b.yaml'), document('third'));
  await writeFile(join(folder, 'acquis.d', 'a.yml'), document('second'));
  await writeFile(join(folder, 'acquis.d', 'c.txt'), document('never'));
  await writeFile(join(folder, 'acquis.d', '.d.yaml'), document('never'));
  await mkdir(join(folder, 'acquis.d', 'e.yaml'));
  // Nobody writes to it: reading it would never end.
  execFileSync('mkfifo', [join(folder, 'acquis.d', 'f.yaml')]);
  const paths = ['acquis.yaml', 'acquis.d', 'absent.yaml'].map((name) => join(folder, name));
  const { documents, faults } = await loadAcquisition(paths, {});
  t.same(
    documents.map(({ labels }) => labels.type),
    ['first', 'second', 'third'],
  );
  t.match(
    faults.map((fault) => fault.error.message),
    [/e\.yaml.*is not a regular file/, /f\.yaml.*is not a regular file/, /absent\.yaml.*ENOENT/],
  );
});

t.test('the acquisition files of the hub are read, or refused for what is not supported', async (t) => {
  const path = suitePath(t, 'hub/.appsec-tests/template_acquis.yaml');
  if (path === null) return;
  const { documents, faults } = await loadAcquisition([path], {});
  t.same(documents, []);
  t.match(faults[0]?.reason, /appsec/);
});

t.test('no text breaks the reader', async (t) => {
  const word = fc.constantFrom(
    'filename',
    'filenames',
    'source',
    'labels',
    'type',
    'file',
    'docker',
    'http',
    'syslog',
    'journalctl',
    'tls',
    'headers',
    'basic_auth',
    'auth_type',
    ': ',
    '\n',
    '\n  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '"',
    '&a ',
    '*a',
    '!!x ',
    '---\n',
    'null',
    '1',
    '~',
    '|',
    '>',
    '\0',
    '#',
    '${A}',
  );
  const text = fc.oneof(
    fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
    fc.string({ maxLength: 200 }),
  );
  fc.assert(
    fc.property(text, (text) => {
      const { documents, faults } = readAcquisition(text, 'a.yaml', { A: 'a' });
      for (const document of documents) if (typeof document.name !== 'string') return false;
      return faults.every((fault) => fault.line >= 1 && fault.column >= 1);
    }),
    { numRuns: 3_000, seed: 3 },
  );
  t.pass('3000 texts');
});
