import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileContexts } from '../../../detectors/scenarios/alert-context.ts';
import { type ContextDocument, readContextDocuments } from '../../../detectors/scenarios/context-document.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { suitePath } from '../../support/suites.ts';
import { accessEvent, detectorOf, scenarioExpressions } from './support.ts';

const clock = createManualClock();
const { event: compiler } = scenarioExpressions(clock);

function contextsOf(yaml: string): readonly ContextDocument[] {
  const { documents, faults } = readContextDocuments(yaml, 'context.yaml');
  const [fault] = faults;
  if (fault !== undefined) throw fault.error;
  return documents;
}

/** The context of an alert over these requests. */
function gathered(yaml: string, events = [accessEvent()]): Record<string, string> {
  const { context, faults } = compileContexts(contextsOf(yaml), compiler);
  t.strictSame(faults, []);
  return Object.fromEntries(context.gather(events, () => {}).map(({ key, value }) => [key, value]));
}

t.test('a context file is read strictly', async (t) => {
  const documents = contextsOf(
    'context:\n  target_uri:\n  - evt.Meta.http_path\n  both:\n  - evt.Meta.a\n  - evt.Meta.b\n',
  );
  t.match(documents, [
    {
      file: 'context.yaml',
      line: 1,
      entries: [
        { key: 'target_uri', expressions: ['evt.Meta.http_path'] },
        { key: 'both', expressions: ['evt.Meta.a', 'evt.Meta.b'] },
      ],
    },
  ]);
  const cases: [string, RegExp][] = [
    ['contexts:\n  a: [evt.Meta.a]\n', /^context\.yaml:1:1: unknown key contexts in context file/],
    ['context:\n  a: evt.Meta.a\n', /^context\.yaml:2:6: a is a list/],
    ['context: text\n', /context is a map/],
    ['[]\n', /map of keys and values/],
    ['context: [\n', /context\.yaml:/],
  ];
  for (const [yaml, message] of cases) {
    const { documents: read, faults } = readContextDocuments(yaml, 'context.yaml');
    t.strictSame(read, [], yaml);
    t.match(faults[0]?.error.message, message, yaml);
  }
  t.equal(cases.length, 5);
  t.strictSame(readContextDocuments('', 'empty.yaml'), { documents: [], faults: [] });
});

t.test('an expression that cannot be compiled is a fault where it stands; the others are used', async (t) => {
  const { context, faults } = compileContexts(
    contextsOf('context:\n  a:\n  - evt.Meta.http_path\n  - evt.Metta.x\n'),
    compiler,
  );
  t.match(faults[0]?.error.message, /^context\.yaml:4:\d+: a\[1\]: unknown/);
  t.equal(faults.length, 1);
  t.strictSame(
    context.gather([accessEvent()], () => {}),
    [{ key: 'a', value: '["/"]' }],
  );
});

t.test('values of the events are distinct, in their order, and never empty', async (t) => {
  const events = ['/a', '/b', '/a', '/c?x=1&y=<2>'].map((target) => accessEvent({ target }));
  const yaml = `context:
  target_uri: [evt.Meta.http_path]
  both: [evt.Meta.http_verb, evt.Meta.http_status, evt.Meta.nothing]
  none: [evt.Meta.nothing]
  number: [len(evt.Meta.http_path)]
  list: ["split(evt.Meta.http_path, '/')"]
  truth: [evt.Meta.http_path == '/a']
`;
  t.strictSame(gathered(yaml, events), {
    target_uri: String.raw`["/a","/b","/c?x=1\u0026y=\u003c2\u003e"]`,
    both: '["GET","200"]',
    number: '["2","12"]',
    list: String.raw`["a","b","c?x=1\u0026y=\u003c2\u003e"]`,
  });
});

t.test('several files may add to one key', async (t) => {
  const yaml = 'context: {a: [evt.Meta.http_path]}\n---\ncontext: {a: [evt.Meta.http_path, evt.Meta.http_verb]}\n';
  t.strictSame(gathered(yaml), { a: '["/","GET"]' });
});

t.test('match and req are empty', async (t) => {
  const yaml = `context:
  uri: ["(match.uri != nil && match.internal != true) ? match.uri : ''"]
  agent: ["req.Method != '' ? req.UserAgent() : ''"]
  host: ["req != nil ? req.Host : ''"]
`;
  t.strictSame(gathered(yaml), {});
});

t.test('an item has at most 4000 bytes: the last values go first, then the only one is halved', async (t) => {
  const many = Array.from({ length: 100 }, (_, index) =>
    accessEvent({ target: `/${String(index).padStart(98, 'x')}` }),
  );
  const { a = '' } = gathered('context: {a: [evt.Meta.http_path]}\n', many);
  const kept = JSON.parse(a) as string[];
  t.equal(kept.length, 39, '1 + 39 · 102 is below 4000, one more is not');
  t.equal(kept[0], many[0]?.Meta.http_path);
  const { a: halved = '' } = gathered('context: {a: [evt.Meta.http_path]}\n', [
    accessEvent({ target: `/${'y'.repeat(9_999)}` }),
  ]);
  t.strictSame(JSON.parse(halved), [`/${'y'.repeat(2_500)}...`]);
  const { a: wide = '' } = gathered('context: {a: [evt.Meta.http_path]}\n', [
    accessEvent({ target: '\u{1f600}'.repeat(3_001) }),
  ]);
  t.ok(Buffer.byteLength(wide) <= 4_000);
});

t.test('an expression that raises gives no value, and is reported', async (t) => {
  const { context } = compileContexts(
    contextsOf('context: {a: [int(evt.Meta.http_path)], b: [evt.Meta.http_verb]}\n'),
    compiler,
  );
  const errors: unknown[] = [];
  t.strictSame(
    context.gather([accessEvent(), accessEvent()], (error) => errors.push(error)),
    [{ key: 'b', value: '["GET"]' }],
  );
  t.equal(errors.length, 2);
});

const gets = `type: leaky
name: our/gets
description: d
filter: evt.Meta.http_verb == 'GET'
groupby: evt.Meta.source_ip
capacity: 1
leakspeed: 10s
`;

t.test('alerts show what was kept of their events, whatever part of them the context reads', async (t) => {
  const cases: [string, string][] = [
    ['evt.Meta.http_path', '["/a","/b"]'],
    ['evt.Parsed.http_args', '["q=1"]'],
    ['evt.Enriched.IsoCode', '["FR"]'],
    ['evt.Unmarshaled.tree.leaf', '["green"]'],
    ["evt.Parsed.http_args + '/' + evt.Line.Labels.type", '["q=1/portcullis","/portcullis"]'],
    ['evt.GetMeta("http_status")', '["200","404"]'],
  ];
  for (const [expression, expected] of cases) {
    const contexts = contextsOf(`context:\n  shown:\n  - ${expression}\n`);
    const detector = detectorOf(gets, clock, { contexts });
    const first = accessEvent({ target: '/a', parsed: { http_args: 'q=1' } });
    Object.assign(first.Unmarshaled, { tree: { leaf: 'green' } });
    Object.assign(first.Enriched, { IsoCode: 'FR' });
    const second = accessEvent({ target: '/b', status: '404', parsed: { http_args: '' } });
    Object.assign(second.Unmarshaled, { tree: { leaf: '' } });
    t.strictSame(detector.pourRequest(first), [], 'a context that reads the response does not hold the scenario up');
    t.strictSame(detector.pourRequest(second)[0]?.meta, [{ key: 'shown', value: expected }], expression);
    detector.close();
  }
  t.equal(cases.length, 6);
});

t.test('the contexts of the hub compile, and fill the alerts of its scenarios', async (t) => {
  const folder = suitePath(t, 'hub/contexts');
  if (folder === null) return;
  const read = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readContextDocuments(readFileSync(join(folder, name)), name));
  t.strictSame(
    read.flatMap(({ faults }) => faults),
    [],
  );
  const documents = read.flatMap((each) => each.documents);
  t.equal(documents.length, 9);
  const { context, faults } = compileContexts(documents, compiler);
  t.strictSame(faults, []);
  const items = context.gather([accessEvent({ target: '/x', host: 'shop.example' })], (error) => t.fail(String(error)));
  const found = Object.fromEntries(items.map(({ key, value }) => [key, value]));
  t.match(found, { target_uri: '["/x"]', method: '["GET"]', status: '["200"]', target_fqdn: '["shop.example"]' });
});
