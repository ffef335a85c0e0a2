import { createHash } from 'node:crypto';
import t from 'tap';
import { readScenarioDocuments } from '../../../detectors/scenarios/scenario-document.ts';

const leaky = `type: leaky
name: our/probing
description: "many 404"
filter: "evt.Meta.http_status == '404'"
groupby: evt.Meta.source_ip
capacity: 10
leakspeed: 10s
`;

/** The faults of a text as \`line: reason\`. */
function faultsOf(text: string): string[] {
  const { documents, faults } = readScenarioDocuments(text, 'f.yaml');
  if (faults.length > 0 && documents.length > 0) return ['a faulty document is used'];
  return faults.map(({ line, reason }) => `${line}: ${reason}`);
}

t.test('a document is read with every key', async (t) => {
  const text = `${leaky}format: 2.0
version: 1.10
references: [https://example.org/a]
distinct: evt.Meta.http_path
cancel_on: evt.Meta.http_status == '200'
overflow_filter: any(queue.Queue, {true})
blackhole: 5m
cache_size: 5
scope: {type: Country, expression: evt.Enriched.IsoCode}
labels: {remediation: true, confidence: 3, behaviors: ["http:scan"]}
reprocess: true
debug: true
data:
  - {source_url: https://example.org/list.txt, dest_file: list.txt, type: string, strategy: LRU, size: 40, ttl: 10s}
`;
  const { documents, faults } = readScenarioDocuments(text, 'our.yaml');
  t.strictSame(faults, []);
  const [spec] = documents;
  t.match(spec, {
    type: 'leaky',
    name: 'our/probing',
    version: '1.10',
    references: ['https://example.org/a'],
    groupby: 'evt.Meta.source_ip',
    distinct: 'evt.Meta.http_path',
    cancelOn: "evt.Meta.http_status == '200'",
    overflowFilter: 'any(queue.Queue, {true})',
    capacity: 10,
    leakspeed: '10s',
    leakMs: 10_000,
    blackholeMs: 300_000,
    cacheSize: 5,
    scopeType: 'Country',
    scopeExpression: 'evt.Enriched.IsoCode',
    labels: { remediation: true, confidence: 3, behaviors: ['http:scan'] },
    reprocess: true,
    debug: true,
    data: [{ sourceUrl: 'https://example.org/list.txt', destFile: 'list.txt', type: 'string' }],
    file: 'our.yaml',
    line: 1,
    hash: createHash('sha256').update(text).digest('hex'),
  });
});

t.test('a text keeps the spelling of a scalar that is not one', async (t) => {
  const { documents } = readScenarioDocuments(`${leaky}version: 0010\ndistinct: true\n`, 'f.yaml');
  t.equal(documents[0]?.version, '0010');
  t.equal(documents[0]?.distinct, 'true');
});

t.test('several documents of a file share its hash; empty ones are skipped', async (t) => {
  const text = `---\n${leaky}---\n---\n${leaky.replace('our/probing', 'our/other')}---\n# nothing\n`;
  const { documents, faults } = readScenarioDocuments(text, 'f.yaml');
  t.strictSame(faults, []);
  t.strictSame(
    documents.map(({ name, line }) => [name, line]),
    [
      ['our/probing', 2],
      ['our/other', 11],
    ],
  );
  t.equal(documents[0]?.hash, documents[1]?.hash);
});

t.test('a fault in one document leaves the others in use', async (t) => {
  const text = `${leaky}---\n${leaky.replace('capacity: 10', 'capacity: ten')}---\n${leaky}`;
  const { documents, faults } = readScenarioDocuments(text, 'dir/f.yaml');
  t.equal(documents.length, 2);
  t.equal(faults.length, 2, 'it is no number, and so not above 0');
  t.equal(faults[0]?.error.code, 'SCENARIO_INVALID');
  t.equal(
    faults[0]?.error.message,
    'dir/f.yaml:14:11: scenario our/probing: capacity is a number\n | capacity: ten\n | ..........^',
  );
});

t.test('mistakes are named with their line', async (t) => {
  const without = (key: string): string => leaky.replace(new RegExp(`^${key}:.*\n`, 'm'), '');
  const trigger = without('capacity').replace('leaky', 'trigger').replace('leakspeed: 10s\n', '');
  const cases: [string, string[]][] = [
    [`${leaky}capcity: 3\n`, ['8: unknown key capcity in scenario']],
    [`${leaky}capacity: 3\n`, ['8: Map keys must be unique']],
    [`${leaky}scope: {kind: Ip}\n`, ['8: unknown key kind in scope']],
    [`${leaky}data:\n  - {dest_file: x, typ: string}\n`, ['9: unknown key typ in data']],
    [`${leaky}data:\n  - {type: string}\n`, ['9: a data entry needs a dest_file']],
    [`${leaky}data:\n  - {dest_file: x, type: sqlite}\n`, ['9: data type sqlite is unknown']],
    [`${leaky}data: list.txt\n`, ['8: data is a list']],
    [`${leaky}labels: yes please\n`, ['8: labels is a map']],
    [`${leaky}blackhole: soon\n`, ['8: blackhole soon is not a duration like 10s, 0.5s or 1m30s']],
    [`${leaky}blackhole: 60\n`, ['8: blackhole 60 is not a duration like 10s, 0.5s or 1m30s']],
    [`${leaky}reprocess: sometimes\n`, ['8: reprocess is true or false']],
    [`${leaky}distinct: [a]\n`, ['8: distinct is a text']],
    [`${leaky}format: 4.0\n`, ['8: format 4.0 is not between 1.0 and 3.0']],
    [`${leaky}scope: {type: Ip, expression: evt.Meta.source_ip}\n`, ['8: scope Ip takes no expression']],
    [`${leaky}scope: {type: Country}\n`, ['8: scope Country needs an expression']],
    [without('name'), ['1: a scenario needs a name']],
    [without('description'), ['1: a scenario needs a description']],
    [without('filter'), ['1: a scenario needs a filter']],
    [without('capacity'), ['1: type leaky needs a capacity above 0']],
    [without('leakspeed'), ['1: type leaky needs a leakspeed above 0']],
    [without('type'), ['1: a scenario needs a type; there are leaky, trigger, counter, conditional, bayesian']],
    [
      leaky.replace('leaky', 'leeky'),
      ['1: type leeky is unknown; there are leaky, trigger, counter, conditional, bayesian'],
    ],
    [leaky.replace('10\n', '1.5\n'), ['6: capacity is a whole number', '6: type leaky needs a capacity above 0']],
    [`${trigger}capacity: 3\n`, ['6: type trigger has capacity 0']],
    [`${trigger.replace('trigger', 'counter')}capacity: -1\n`, ['1: type counter needs a duration above 0']],
    [
      trigger.replace('trigger', 'conditional'),
      ['1: type conditional needs a condition', '1: type conditional needs a leakspeed above 0'],
    ],
    ['- a\n- b\n', ['1: a scenario is a map of keys and values']],
    ['just text\n', ['1: a scenario is a map of keys and values']],
  ];
  for (const [text, expected] of cases) t.strictSame(faultsOf(text), expected, expected[0] ?? '');
  t.equal(cases.length, 28);
});

t.test('damaged YAML is a fault, never an exception', async (t) => {
  for (const text of ['a: [', '\t- x', '{{{', `${leaky}x: *nobody\n`, '"', 'a: b: c', '%YAML 9\n---\n']) {
    const { documents, faults } = readScenarioDocuments(text, 'f.yaml');
    t.equal(documents.length, 0);
    t.ok(faults.length > 0, JSON.stringify(text));
  }
});

t.test('aliases are followed, and a bomb of them does not explode', async (t) => {
  const { documents } = readScenarioDocuments(`${leaky.replace('10s', '&time 10s')}blackhole: *time\n`, 'f.yaml');
  t.equal(documents[0]?.blackholeMs, 10_000);
  const levels = Array.from({ length: 12 }, (_, i) => `  l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`).join('\n');
  const bomb = readScenarioDocuments(`${leaky}labels:\n  l0: &l0 x\n${levels}\n`, 'f.yaml');
  t.equal(bomb.documents.length, 0);
  t.ok(bomb.faults.length > 0);
});
