import t from 'tap';
import { readParserDocuments } from '../../../detectors/parsers/parser-document.ts';
import { suitePath } from '../../support/suites.ts';
import { parserFiles, readParserFolder, worldOf } from './support.ts';

const good = 'name: our/parser\nstatics: [{meta: a, value: b}]\n';

/** The faults of a text as `line:column reason`, those of reading before those of compiling. */
function faultsOf(text: string): string[] {
  const { documents, faults } = readParserDocuments(text, 'f.yaml', 's01-parse');
  const all = [...faults, ...worldOf(documents).set.faults];
  if (faults.length > 0 && documents.length > 0) return ['a faulty document is used'];
  return all.map(({ line, column, reason }) => `${line}:${column} ${reason}`);
}

t.test('a document is read with every key', async (t) => {
  const text = `format: 2.0
debug: true
profiling: false
name: our/parser
author: us
description: all of it
references: [https://example.org]
stage: s09-elsewhere
onsuccess: next_stage
filter: "true"
pattern_syntax: {ONE: 'a', TWO: '%{ONE}'}
grok: {pattern: '%{TWO:two}', name: TWO, apply_on: message, expression: evt.Line.Raw, statics: [{meta: g, value: 007}]}
statics:
  - {method: ParseDate, expression: evt.StrTime}
  - {parsed: p, meta: m, enriched: e, target: evt.StrTime, value: 1.0}
stash: [{name: s, key: evt.Meta.k, value: evt.Meta.v, ttl: 1m30s, size: 7, strategy: ARC}]
whitelist: {reason: r, ip: [192.0.2.1], cidr: [192.0.2.0/24], expression: ["true"]}
nodes: [{name: child, statics: [{meta: c, value: d}], nodes: [{filter: "false"}]}]
data: [{source_url: https://example.org/list.txt, dest_file: list.txt, type: string}]
`;
  const { documents, faults } = readParserDocuments(text, 'our.yaml', 's01-parse');
  t.strictSame(faults, []);
  t.match(documents[0], {
    name: 'our/parser',
    stage: 's01-parse',
    author: 'us',
    description: 'all of it',
    references: ['https://example.org'],
    nextStage: true,
    filter: 'true',
    debug: true,
    patterns: [
      ['ONE', 'a'],
      ['TWO', '%{ONE}'],
    ],
    grok: {
      pattern: '%{TWO:two}',
      name: 'TWO',
      applyOn: 'message',
      expression: 'evt.Line.Raw',
      statics: [{ value: '007' }],
    },
    statics: [
      { method: 'ParseDate' },
      { method: null, parsed: 'p', meta: 'm', enriched: 'e', target: 'evt.StrTime', value: '1.0' },
    ],
    stash: [{ name: 's', key: 'evt.Meta.k', value: 'evt.Meta.v', ttlMs: 90_000, size: 7, strategy: 'ARC' }],
    whitelist: { reason: 'r', ips: ['192.0.2.1'], cidrs: ['192.0.2.0/24'], expressions: ['true'] },
    nodes: [{ name: 'child', nodes: [{ filter: 'false' }] }],
    data: [{ destFile: 'list.txt' }],
    file: 'our.yaml',
    line: 1,
    concernsParsedEvents: false,
  });
});

t.test('defaults of a stash', async (t) => {
  const { documents } = readParserDocuments(`${good}stash: [{name: s, key: k, value: v, ttl: 1s}]`, 'f.yaml', 's');
  t.match(documents[0]?.stash, [{ size: 100, strategy: 'LRU' }]);
});

t.test('documents without name, description and author are ignored; the others are used', async (t) => {
  const text = `${good}---\nfilter: "true"\nstatics: [{meta: a, value: b}]\n---\n# nothing\n---\ndescription: nameless\nstatics: [{meta: a, value: b}]\n`;
  const { documents, faults } = readParserDocuments(text, 'f.yaml', 's');
  t.strictSame(faults, []);
  t.strictSame(
    documents.map(({ name, line }) => [name, line]),
    [
      ['our/parser', 1],
      ['', 9],
    ],
  );
});

t.test('mistakes are named with their place', async (t) => {
  const cases: [string, string[]][] = [
    [`${good}filtre: a\n`, ['3:1 unknown key filtre in parser']],
    [`${good}name: again\n`, ['3:1 Map keys must be unique']],
    [`${good}nodes: [{statics: [], filtre: a}]\n`, ['3:23 unknown key filtre in nodes']],
    [
      `${good}grok: {patern: a}\n`,
      [
        '3:8 unknown key patern in grok',
        '3:7 grok needs a pattern or a name',
        '3:7 grok needs apply_on or an expression',
      ],
    ],
    [`${good}grok: {pattern: a}\n`, ['3:7 grok needs apply_on or an expression']],
    [`${good}grok: {pattern: '%{NOBODY:x} a', apply_on: m}\n`, ['3:18 grok']],
    [`${good}grok: {name: NOBODY, apply_on: m}\n`, ['3:14 grok']],
    [`${good}pattern_syntax: {ONE: '%{TWO}', TWO: 'a'}\n`, ['3:24 pattern_syntax ONE']],
    [`${good}pattern_syntax: {ONE: 'a(b'}\n`, ['pattern_syntax ONE']],
    [`${good}onsuccess: next\n`, ['3:12 onsuccess is next_stage or continue, not next']],
    [`${good}format: 4.0\n`, ['3:9 format 4.0 is not between 1.0 and 3.0']],
    [`${good}whitelist: {ips: []}\n`, ['3:13 unknown key ips in whitelist']],
    [`${good}whitelist: {ip: [192.0.2.300]}\n`, ['3:18 192.0.2.300 is not an address']],
    [`${good}whitelist: {cidr: [192.0.2.1]}\n`, ['3:20 192.0.2.1 is not a network like 192.0.2.0/24']],
    [`${good}whitelist: {expression: ["evt.Mta"]}\n`, ['3:27 expression[0]: unknown']],
    ['name: a\n', ['1:1 the document has neither grok, statics, whitelist, stash nor nodes']],
    ['name: a\nstatics: [{meta: a}]\n', ['2:11 a static needs a value or an expression']],
    ['name: a\nstatics: [{value: a}]\n', ['2:11 a static needs one of parsed, meta, enriched, target and method']],
    ['name: a\nstatics: [{method: GeoIpCity}]\n', ['2:11 a static with a method needs an expression']],
    [
      'name: a\nstatics: [{method: Guess, expression: a}]\n',
      ['2:20 method Guess is unknown; there are GeoIpCity, GeoIpASN, IpToRange, reverse_dns, ParseDate, UnmarshalJSON'],
    ],
    ['name: a\nstatics:\n  - meta: a\n    expression: evt.Parsed.a + 1\n', ['4:30 expression: ']],
    ['name: a\nstatics:\n  - meta: a\n    expression: |\n      evt.Parsed.a\n        + evt.Prsed.b\n', ['6:']],
    [`${good}filter: evt.Nobody == 'a'\n`, ['3:9 filter: ']],
    [`${good}stash: [{key: a, value: b, ttl: 1s}]\n`, ['3:9 a stash entry needs name']],
    [
      `${good}stash: [{name: a, key: a, value: b, ttl: soon}]\n`,
      ['3:42 ttl soon is not a duration like 10s, 0.5s or 1m30s'],
    ],
    [`${good}stash: [{name: a, key: a, value: b, ttl: 1s, size: -1}]\n`, ['3:52 size lies between 1 and 1000000']],
    [
      `${good}stash: [{name: a, key: a, value: b, ttl: 1s, strategy: FIFO}]\n`,
      ['3:56 strategy FIFO is unknown; there are LRU, LFU, ARC'],
    ],
    ['- a\n', ['1:1 a parser is a map of keys and values']],
  ];
  for (const [text, expected] of cases) {
    const faults = faultsOf(text);
    t.equal(faults.length, expected.length, text);
    for (const [index, reason] of expected.entries()) t.match(faults[index], reason, text);
  }
  t.equal(cases.length, 28);
});

t.test('a mistake is shown under its line', async (t) => {
  const { documents } = readParserDocuments(`${good}filter: "evt.Mta.x == 'a'"\n`, 'dir/f.yaml', 's');
  const [fault] = worldOf(documents).set.faults;
  t.equal(fault?.error.code, 'ITEM_INVALID');
  t.match(
    fault?.error.message,
    /^dir\/f\.yaml:3:1[0-9]: parser our\/parser: filter: [^\n]+\n \| filter: "evt\.Mta\.x == 'a'"\n \| \.{9,12}\^$/,
  );
});

t.test('a faulty document leaves the others in use', async (t) => {
  const text = `${good}---\nname: bad\nfilter: evt.Nobody\nstatics: [{meta: a, value: b}]\n---\n${good.replace('our/', 'their/')}`;
  const { set } = worldOf(readParserDocuments(text, 'f.yaml', 's').documents);
  t.strictSame(
    set.nodes.map(({ name }) => name),
    ['our/parser', 'their/parser'],
  );
  t.equal(set.faults.length, 1);
});

t.test('aliases cannot multiply nodes without end', async (t) => {
  const recursive = `name: a\nnodes: &n\n  - nodes: *n\n  - nodes: *n\n`;
  const started = process.cpuUsage().user;
  const { documents, faults } = readParserDocuments(recursive, 'f.yaml', 's');
  t.equal(documents.length, 0);
  t.ok(faults.length > 0);
  t.ok(process.cpuUsage().user - started < 2_000_000);
});

t.test('which documents concern events that arrive parsed', async (t) => {
  const concerns = (yaml: string): boolean | undefined =>
    readParserDocuments(`name: a\n${yaml}`, 'f.yaml', 's').documents[0]?.concernsParsedEvents;
  t.equal(concerns('whitelist: {ip: [192.0.2.1]}'), true);
  t.equal(concerns('statics: [{method: GeoIpASN, expression: evt.Meta.source_ip}]'), true);
  t.equal(concerns('nodes: [{whitelist: {expression: ["true"]}}]'), true);
  t.equal(concerns('statics: [{meta: a, value: b}]'), false);
  t.equal(concerns(`nodes: [{grok: {pattern: a, apply_on: m}}]\nwhitelist: {ip: [192.0.2.1]}`), false);
});

t.test('every parser and postoverflow of the hub is read and compiled', async (t) => {
  const root = suitePath(t, 'hub');
  if (root === null) return;
  const parsers = worldOf(readParserFolder(`${root}/parsers`));
  t.strictSame(parsers.set.faults, []);
  t.strictSame(parsers.set.stages, ['s00-raw', 's01-parse', 's02-enrich']);
  t.equal(parserFiles(`${root}/parsers`).length, 164);
  t.equal(parsers.set.nodes.length, 170);
  const postoverflows = worldOf(readParserFolder(`${root}/postoverflows`));
  t.strictSame(postoverflows.set.faults, []);
  t.equal(postoverflows.set.nodes.length, 12);
});
