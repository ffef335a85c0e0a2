import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from './run.ts';

const items: Readonly<Record<string, string>> = {
  'parsers/s00-raw/raw.yaml': `
name: test/raw
filter: evt.Line.Labels.type == 'door'
onsuccess: next_stage
statics:
  - parsed: message
    expression: evt.Line.Raw
`,
  'parsers/s01-parse/door.yaml': `
name: test/door
onsuccess: next_stage
grok:
  pattern: '^%{IP:address} knocks %{NUMBER:times} times$'
  apply_on: message
statics:
  - meta: source_ip
    expression: evt.Parsed.address
`,
  'parsers/s01-parse/a-window.yaml': `
name: test/window
filter: evt.Line.Labels.type == 'window' || evt.Parsed.program == 'window'
statics:
  - meta: service
    value: window
`,
  'parsers/s02-enrich/meta.yaml': `
name: test/meta
statics:
  - meta: service
    value: door
  - meta: nothing
    expression: evt.Parsed.absent
`,
  'scenarios/knock.yaml': `
type: trigger
name: test/knock
description: somebody knocks
filter: evt.Meta.service == 'door'
groupby: evt.Meta.source_ip
labels: { remediation: true }
`,
  'scenarios/other.yaml': `
type: trigger
name: test/other
description: somebody else
filter: evt.Meta.service == 'window'
labels: { remediation: true }
`,
};

function itemFolder(t: Test): string {
  const root = t.testdir({});
  for (const [path, text] of Object.entries(items)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

t.test('a line that is understood is shown with what each node made of it, and what it overflows', async (t) => {
  const folder = itemFolder(t);
  const { status, stdout } = await run(['explain', '-t', 'door', '--items', folder, '192.0.2.1 knocks 3 times']);
  t.equal(status, 0);
  for (const line of [
    '└─ ✓ test/raw  → s01-parse',
    '     parsed.message = 192.0.2.1 knocks 3 times',
    '├─ ✓ test/door  → s02-enrich',
    '│      address=192.0.2.1  times=3',
    '└─ 1 parser for other lines',
    '     meta.service = door',
    '1 scenario counts this line:',
    '1 scenario does not; --all shows why.',
    '⇒ test/knock overflows for 192.0.2.1: alert',
  ]) {
    t.ok(stdout.split('\n').includes(line), line);
  }
});

t.test('a line that is not understood is shown with the place where its pattern ended', async (t) => {
  const folder = itemFolder(t);
  const { status, stdout } = await run(['explain', '-t', 'door', '--items', folder, '192.0.2.1 knocks x times']);
  t.equal(status, 1);
  t.match(
    stdout,
    /found up to {2}192\.0\.2\.1\n.*then wanted {3}knocks %\{NUMBER:times\} times\$\n.*but there is {2}knocks x times/,
  );
  t.match(stdout, '✗ no parser of s01-parse understands it');
});

t.test('--all shows the nodes that were passed over, with what their filter saw', async (t) => {
  const folder = itemFolder(t);
  const { stdout } = await run(['explain', '-t', 'door', '--items', folder, '--all', '192.0.2.1 knocks 3 times']);
  t.match(stdout, `not: evt.Line.Labels.type == 'window' || evt.Parsed.program == 'window'`);
  t.match(stdout, 'meta.nothing left alone: the value is empty');
  t.match(stdout, `evt.Meta.service == 'window'`);
});

t.test('programs get the same as JSON and CSV', async (t) => {
  const folder = itemFolder(t);
  const args = ['explain', '-t', 'door', '--items', folder];
  const json = await run([...args, '--json', '192.0.2.1 knocks 3 times', 'nonsense']);
  t.equal(json.status, 1);
  t.match(JSON.parse(json.stdout), [
    {
      outcome: 'poured',
      meta: { source_ip: '192.0.2.1', service: 'door' },
      stages: [{ stage: 's00-raw' }, { stage: 's01-parse' }, { stage: 's02-enrich' }],
      alerts: [{ scenario: 'test/knock', sources: [{ scope: 'Ip', value: '192.0.2.1' }], whitelisted: false }],
    },
    { outcome: 'discarded', discarded: 'unparsed', alerts: [] },
  ]);
  const raw = await run([...args, '-o', 'raw', '192.0.2.1 knocks 3 times']);
  t.match(raw.stdout, '192.0.2.1 knocks 3 times,poured,s01-parse,test/window,false');
});

t.test('what cannot be explained is refused with its remedy', async (t) => {
  const folder = itemFolder(t);
  const absent = await run(['explain', '-t', 'door', '--items', join(folder, 'absent'), 'x']);
  t.equal(absent.status === 0, false);
  t.match(absent.stderr, 'holds no items');
  const two = await run(['explain', '/a', '/b']);
  t.match(two.stderr, /one line or URL at a time/);
});

t.test('control characters of a line do not reach the terminal', async (t) => {
  const folder = itemFolder(t);
  const { stdout } = await run(['explain', '-t', 'door', '--items', folder, 'a\x1b[31mb']);
  t.notOk(stdout.includes('\x1b[31m'));
});
