import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { main } from '../../cli/main.ts';
import { type Ran, run } from './run.ts';

const parser = `name: test/doors
filter: evt.Line.Labels.type == 'doors'
onsuccess: next_stage
grok:
  pattern: '^%{TIMESTAMP_ISO8601:when} %{IP:source_ip} knocked at %{WORD:door}'
  apply_on: Line.Raw
statics:
  - meta: source_ip
    expression: evt.Parsed.source_ip
  - meta: log_type
    value: knock
  - target: evt.StrTime
    expression: evt.Parsed.when
`;
const dates = `name: test/dates
filter: evt.StrTime != ''
statics:
  - method: ParseDate
    expression: evt.StrTime
  - target: MarshaledTime
    expression: evt.Enriched.MarshaledTime
`;
const scenario = `type: leaky
name: test/knocking
description: too many doors
filter: evt.Meta.log_type == 'knock'
groupby: evt.Meta.source_ip
distinct: evt.Parsed.door
capacity: 2
leakspeed: 10s
labels:
  remediation: true
`;

interface World {
  readonly folder: string;
  readonly items: string;
  readonly file: (name: string, content: string | Buffer) => Promise<string>;
}

async function createWorld(t: Test): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-replay-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = async (name: string, content: string | Buffer): Promise<string> => {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
    return path;
  };
  await file('items/parsers/s01-parse/doors.yaml', parser);
  await file('items/parsers/s02-enrich/dates.yaml', dates);
  await file('items/scenarios/knocking.yaml', scenario);
  // CrowdSec's own settings lie beside the items and are none.
  await file('items/config.yaml', 'common: {daemonize: true}\n');
  return { folder, items: join(folder, 'items'), file };
}

const knock = (second: number, client: string, door: string): string =>
  `2026-11-21T10:00:${String(second).padStart(2, '0')}Z ${client} knocked at ${door}`;

const visit = ['red', 'blue', 'green'].map((door, index) => knock(index, '192.0.2.7', door));
const alert = {
  scenario: 'test/knocking',
  source: { scope: 'Ip', value: '192.0.2.7' },
  events_count: 3,
  start_at: '2026-11-21T10:00:00Z',
  stop_at: '2026-11-21T10:00:02Z',
};

const replay = (items: string, ...words: readonly string[]): Promise<Ran> =>
  run(['replay', '--type', 'doors', '--items', items, ...words]);

t.test('alerts are printed as JSON, figures as JSON on standard error', async (t) => {
  const { items, file } = await createWorld(t);
  const log = await file('log', `${[...visit, 'no knock', ''].join('\n')}\n`);
  const { status, stdout, stderr } = await replay(items, '--json', log);
  t.equal(status, 0);
  t.same(JSON.parse(stdout), [alert]);
  const figures = JSON.parse(stderr) as Record<string, number>;
  t.same(Object.keys(figures), ['lines', 'seconds', 'cpu_seconds', 'lines_per_second']);
  t.equal(figures.lines, 4, 'an empty line is none');
  t.ok((figures.seconds ?? 0) > 0 && (figures.cpu_seconds ?? 0) > 0 && (figures.lines_per_second ?? 0) > 0);
});

t.test('people get a table and a sentence, scripts CSV', async (t) => {
  const { items, file } = await createWorld(t);
  const log = await file('log', `${[...visit, 'no knock'].join('\n')}\n`);
  const human = await replay(items, log);
  t.match(human.stdout, /^SOURCE .*\n192\.0\.2\.7 +test\/knocking +3 +2026-11-21T10:00:00Z +2026-11-21T10:00:02Z\n$/);
  t.match(human.stderr, /^4 lines in [\d.]+ s .* lines a second, 1 alert\.\n1 line understood by no parser\.\n/);
  const raw = await replay(items, '-o', 'raw', log);
  t.equal(raw.stdout.split('\n')[1], 'test/knocking,Ip,192.0.2.7,3,2026-11-21T10:00:00Z,2026-11-21T10:00:02Z');
  const quiet = await file('quiet', knock(1, '192.0.2.8', 'red'));
  t.match(await replay(items, quiet), { status: 0, stdout: 'No alerts.\n' });
});

t.test('buckets follow the time of the lines', async (t) => {
  const { items, file } = await createWorld(t);
  const slow = [0, 29, 58].map((second, index) => knock(second, '192.0.2.7', `d${index}`));
  t.same(JSON.parse((await replay(items, '--json', await file('slow', slow.join('\n')))).stdout), []);
});

t.test('it is the same from a file, a compressed one, several in order, and standard input', async (t) => {
  const { items, file } = await createWorld(t);
  const text = visit.join('\r\n');
  const logs = [
    [await file('crlf.log', text)],
    [await file('packed', gzipSync(`${text}\r\n`))],
    [await file('first', `${visit[0]}\n`), await file('rest', `${visit[1]}\n${visit[2]}`)],
  ];
  for (const names of logs) {
    const { stdout, stderr } = await replay(items, '--json', ...names);
    t.same(JSON.parse(stdout), [alert]);
    t.match(JSON.parse(stderr), { lines: 3 });
  }
  const written = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => ({ write: (piece: string) => (written[name] += piece) });
  const stdin = Readable.from([Buffer.from(text.slice(0, 50)), Buffer.from(text.slice(50))]);
  const io = { stdin, stdout: into('stdout'), stderr: into('stderr'), env: {}, cwd: '/' };
  t.equal(await main(['replay', '--type', 'doors', '--items', items, '--json', '-'], io), 0);
  t.same(JSON.parse(written.stdout), [alert]);
});

t.test('what is broken is refused with its place, and the rest runs', async (t) => {
  const { items, file } = await createWorld(t);
  const log = await file('log', visit.join('\n'));
  await file('items/scenarios/broken.yaml', `${scenario}capasity: 3\n`);
  await file(
    'items/scenarios/needy.yaml',
    `${scenario.replace('knocking', 'needy')}data:\n  - {source_url: "https://lists.example/l.txt", dest_file: l.txt, type: string}\n`,
  );
  const human = await replay(items, log);
  t.equal(human.status, 0);
  t.match(human.stderr, /not used: .*broken\.yaml:11:1: .*capasity/);
  t.match(human.stderr, /not used: .*l\.txt/);
  const { stdout, stderr } = await replay(items, '--json', log);
  t.match(JSON.parse(stdout), [alert, { scenario: 'test/needy' }]);
  t.match(JSON.parse(stderr), { lines: 3, faults: [{ code: 'SCENARIO_INVALID' }, { code: 'DATA_FILE_MISSING' }] });
});

t.test('lines that are too long or no text do no harm', async (t) => {
  const { items, file } = await createWorld(t);
  const bytes = Buffer.concat([
    Buffer.from(`${visit[0]}${'x'.repeat(200_000)}\n`),
    Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x0a]),
    Buffer.from(`${visit[1]}\n${visit[2]}\u{1f512}\n`),
  ]);
  const log = await file('log', bytes);
  t.same(JSON.parse((await replay(items, '--json', log)).stdout), [alert]);
  t.match((await replay(items, log)).stderr, /1 line longer than 64 KiB/);
});

t.test('what cannot be done is said with a remedy', async (t) => {
  const { folder, items, file } = await createWorld(t);
  const log = await file('log', visit.join('\n'));
  t.match(await run(['replay', '--items', items, log]), { status: 64, stderr: /--type is missing/ });
  t.match(await replay(items), { status: 64, stderr: /no log was named/ });
  t.match(await replay(items, '-'), { status: 64, stderr: /no standard input/ });
  t.match(await replay(items, join(folder, 'none')), { status: 1, stderr: /none cannot be read: ENOENT/ });
  t.match(await replay(items, folder), { status: 1, stderr: /is a folder/ });
  const damaged = await file('damaged', gzipSync(visit.join('\n').repeat(50)).subarray(0, 60));
  t.match(await replay(items, '--json', damaged), { status: 1, stderr: /"LOG_UNREADABLE".*damaged cannot be read/s });
  t.match(await replay(folder, log), { status: 1, stderr: /holds no items/ });
  await mkdir(join(folder, 'empty/parsers'), { recursive: true });
  t.match(await replay(join(folder, 'empty'), log), { status: 1, stderr: /there are no parsers/ });
});

t.test('without --items the built-in rules run', async (t) => {
  const { folder, file } = await createWorld(t);
  const requests = [
    '.env',
    '.git/config',
    'backup.sql',
    '.aws/credentials',
    'id_rsa',
    'wp-config.php.bak',
    '.htpasswd',
    'dump.sql',
  ];
  const log = await file(
    'access.log',
    requests
      .map((path) => `203.0.113.9 - - [21/Nov/2026:10:00:00 +0000] "GET /${path} HTTP/1.1" 404 153 "-" "curl/8.5.0"\n`)
      .join(''),
  );
  const { stdout } = await run(['replay', '--type', 'nginx', '--json', log], { cwd: folder });
  t.match(JSON.parse(stdout), [{ scenario: /^portcullis\/http-/, source: { scope: 'Ip', value: '203.0.113.9' } }]);
});

t.test('a terminal sees how far it is, anything else does not', async (t) => {
  const { items, file } = await createWorld(t);
  const log = await file('log', `${visit.join('\n')}\n`);
  const written: string[] = [];
  const stderr = { isTTY: true, columns: 60, write: (piece: string) => written.push(piece) };
  const io = { stdout: { write: () => true }, stderr, env: {}, cwd: '/' };
  t.equal(await main(['replay', '--type', 'doors', '--items', items, log], io), 0);
  const [bar = ''] = written.filter((piece) => piece.includes('%'));
  t.match(bar, /^\r\x1b\[2K100 % █+ 3 lines/);
  t.ok(bar.length <= 60 + 5, 'it fits the terminal');
  t.notMatch((await replay(items, log)).stderr, /%/);
});

t.test('an interrupt shows what is known so far', async (t) => {
  const { items } = await createWorld(t);
  const entry = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js');
  const child = spawn(process.execPath, [entry, 'replay', '--type', 'doors', '--items', items, '-'], { stdio: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (piece: Buffer) => (text[name] += piece.toString()));
  // It reads only when it listens for the signal: a pipe's worth has been taken once all of this could be written.
  child.stdin.on('error', () => undefined);
  const line = `${visit.join('\n')}\n${knock(3, '192.0.2.9', 'red')}\n`.repeat(40_000);
  await new Promise((resolve) => child.stdin.write(line, resolve));
  child.kill('SIGINT');
  const [status] = (await once(child, 'close')) as [number | null];
  t.equal(status, 1);
  t.match(text.stdout, /test\/knocking/);
  t.match(text.stderr, /Interrupted/);
});
