import t from 'tap';
import { type Event, eventType } from '../../../detectors/event.ts';
import { eventOf, fieldsOf, watcher, worldOfYaml } from './support.ts';

const moves = (name: string, filter = 'true'): string =>
  `name: ${name}\nfilter: ${JSON.stringify(filter)}\nonsuccess: next_stage\nstatics: [{meta: ${name}, value: ran}]\n`;
const stays = (name: string, filter = 'true'): string => moves(name, filter).replace('onsuccess: next_stage\n', '');
const documents = (...all: string[]): string => all.join('---\n');

/** The outcome for a line, the names of the nodes that ran statics, and the stage in which the event ended. */
function walk(
  stages: Record<string, string>,
  more: Partial<Event> = {},
): { outcome: string; ran: string; stage: string } {
  const event = eventOf('line', more);
  const outcome = worldOfYaml(stages).set.parse(event, null);
  t.equal(event.Process, outcome.kind === 'passed');
  const text = outcome.kind === 'discarded' ? outcome.reason : outcome.kind;
  return { outcome: text, ran: Object.keys(event.Meta).join(' '), stage: event.Stage };
}

t.test('stages run in lexical order, and only those that own a node exist', async (t) => {
  const { set } = worldOfYaml({ s02: stays('c'), s00: moves('a'), s01: '# nothing\n' });
  t.strictSame(set.stages, ['s00', 's02']);
  t.strictSame(
    set.nodes.map(({ stage, name }) => `${stage} ${name}`),
    ['s00 a', 's02 c'],
  );
  t.match(walk({ s02: stays('c'), s00: moves('a') }), { outcome: 'passed', ran: 'a c', stage: 's02' });
});

t.test('without any parser every line passes', async (t) => {
  t.match(walk({}), { outcome: 'passed', stage: '' });
});

t.test('a stage before the last is left by a success that moves on', async (t) => {
  t.match(walk({ s00: stays('a'), s01: stays('b') }), { outcome: 'misplaced', ran: 'a', stage: 's00' });
  t.match(walk({ s00: documents(stays('a'), moves('b'), moves('c')), s01: stays('d') }), {
    outcome: 'passed',
    ran: 'a b d',
  });
  t.match(walk({ s00: moves('a', 'false'), s01: stays('b') }), { outcome: 'unparsed', ran: '' });
});

t.test('the last stage needs a success too', async (t) => {
  t.match(walk({ s00: moves('a'), s01: stays('b', 'false') }), { outcome: 'unparsed', ran: 'a', stage: 's01' });
  const dates = `name: dates\nfilter: evt.StrTime != ''\nstatics: [{method: ParseDate, expression: evt.StrTime}]\n`;
  t.match(walk({ s00: moves('a'), s01: dates }), { outcome: 'unparsed' });
});

t.test('next_stage is no move in the last stage, but it ends the stage', async (t) => {
  t.match(walk({ s00: documents(moves('a'), stays('b')) }), { outcome: 'passed', ran: 'a', stage: 's00' });
});

t.test('a child that moves on, and its parent after it: the event moves twice', async (t) => {
  const twice =
    'name: twice\nonsuccess: next_stage\nnodes: [{onsuccess: next_stage, statics: [{meta: child, value: ran}]}]\n';
  const stages = { s00: twice, s01: stays('skipped'), s02: stays('last') };
  t.match(walk(stages), { outcome: 'passed', ran: 'child last', stage: 's02' });
  t.match(
    walk({ s00: twice, s01: stays('last') }),
    { outcome: 'passed', ran: 'child last' },
    'harmless before the last',
  );
});

t.test('a child that moves on ends the stage for its parent, too', async (t) => {
  const once = 'name: once\nnodes: [{onsuccess: next_stage, statics: [{meta: child, value: ran}]}]\n';
  t.match(walk({ s00: documents(once, stays('b')), s01: stays('c') }), { outcome: 'passed', ran: 'child c' });
});

t.test('an event that arrives further on skips the stages before', async (t) => {
  t.match(walk({ s00: moves('a'), s01: stays('b') }, { Stage: 's01' }), { outcome: 'passed', ran: 'b' });
  t.match(walk({ s00: moves('a'), s01: stays('b') }, { Stage: 's09' }), { outcome: 'misplaced', ran: '' });
});

t.test('a static of a wrong type abandons the line, wherever it is', async (t) => {
  const wrong = 'statics: [{meta: x, expression: 1 == 1}]';
  for (const yaml of [
    `name: own\n${wrong}\n`,
    `name: grok\ngrok: {pattern: '%{WORD:w}', apply_on: Line.Raw, ${wrong}}\n`,
    `name: deep\nnodes: [{nodes: [{${wrong}}]}]\n`,
  ]) {
    const watched = watcher();
    const event = eventOf('line');
    const { set } = worldOfYaml({ s00: documents(yaml, stays('after')) });
    t.match(set.parse(event, watched), { kind: 'discarded', reason: 'failed' });
    t.strictSame(watched.nodes, [], 'no record for the node that was cut short');
    t.match(walk({ s00: documents(yaml, stays('after')) }), { outcome: 'failed', ran: '' });
    t.match(set.nodes[0], { errors: 1, failed: 1, ok: 0 });
  }
});

t.test('outcomes without a promise are constants', async (t) => {
  const { set } = worldOfYaml({ s00: moves('a', `evt.Line.Raw == 'line'`) });
  t.equal(set.parse(eventOf('line'), null), set.parse(eventOf('line'), null));
  t.equal(set.parse(eventOf('other'), null), set.parse(eventOf('other'), null));
});

t.test('an event without a time gets that of the clock', async (t) => {
  const { set, clock } = worldOfYaml({ s00: moves('a') });
  const event = eventOf('line');
  set.parse(event, null);
  t.equal(event.Time, clock.now());
  const timed = eventOf('line', { Time: 7 });
  set.parse(timed, null);
  t.equal(timed.Time, 7);
});

t.test('an observer is told of every top-level node, in order, and of nothing after the stage ended', async (t) => {
  const many = Array.from({ length: 9 }, (_, i) => moves(`p${i}`, `evt.Line.Labels.type == 't${i}'`));
  const { set } = worldOfYaml({ s00: documents(...many), s01: documents(stays('x', 'false'), moves('y'), stays('z')) });
  const watched = watcher();
  set.parse(eventOf('line', {}, { type: 't2' }), watched);
  t.strictSame(watched.nodes, ['s00 p0 failed', 's00 p1 failed', 's00 p2 ok', 's01 x failed', 's01 y ok']);
});

t.test('steps tell the whole way of a line', async (t) => {
  const yaml = `name: main
filter: evt.Parsed.message contains 'bob'
onsuccess: next_stage
grok: {pattern: '^user %{WORD:user}', apply_on: message, statics: [{meta: user, expression: evt.Parsed.user}]}
nodes:
  - {name: never, filter: evt.Unmarshaled.a.b}
  - name: list
    whitelist: {reason: friends, expression: ["evt.Meta.user == 'bob'"]}
    stash: [{name: c, key: "'k'", value: "'v'", ttl: 1s}]
    statics: [{meta: empty, expression: "''"}, {target: nowhere, value: x}, {meta: bad, expression: evt.Unmarshaled.a.b}]
`;
  const watched = watcher();
  const { set } = worldOfYaml({ s00: yaml, s01: stays('last') });
  set.parse(eventOf('', { Parsed: fieldsOf({ message: 'user bob' }) }), watched);
  t.match(watched.steps, [
    { kind: 'enter', depth: 0, name: 'main', filter: `evt.Parsed.message contains 'bob'`, outcome: true },
    {
      kind: 'grok',
      depth: 0,
      pattern: '^user %{WORD:user}',
      subject: 'user bob',
      matched: true,
      fields: [['user', 'bob']],
    },
    { kind: 'static', depth: 0, target: 'meta.user', value: 'bob', outcome: 'set' },
    { kind: 'enter', depth: 1, name: 'never', outcome: { error: /./ } },
    { kind: 'enter', depth: 1, name: 'list', filter: '', outcome: true },
    { kind: 'whitelist', depth: 1, reason: 'friends', matched: true },
    { kind: 'stash', depth: 1, cache: 'c', key: 'k', value: 'v' },
    { kind: 'static', depth: 1, target: 'meta.empty', value: '', outcome: 'skipped' },
    { kind: 'static', depth: 1, target: 'nowhere', value: 'x', outcome: 'unknown' },
    { kind: 'static', depth: 1, target: 'meta.bad', outcome: { error: /./ } },
    { kind: 'leave', depth: 1, name: 'list', success: true },
    { kind: 'stage', depth: 0, from: 's00', to: 's01' },
    { kind: 'leave', depth: 0, name: 'main', success: true },
    { kind: 'enter', depth: 0, name: 'last' },
    { kind: 'static', target: 'meta.last', value: 'ran', outcome: 'set' },
    { kind: 'leave', name: 'last', success: true },
    { kind: 'outcome', outcome: { kind: 'passed' } },
  ]);
  t.equal(watched.steps.length, 17);
});

const lists = (rules: string, more = ''): string => `name: list\nwhitelist: {reason: ours, ${rules}}\n${more}`;

t.test('whitelists: addresses and networks, then expressions', async (t) => {
  const cases: [string, string, boolean][] = [
    ['ip: [192.0.2.1]', '192.0.2.1', true],
    ['ip: [192.0.2.1]', '192.0.2.2', false],
    ['ip: ["2001:db8::1"]', '2001:0db8:0:0::1', true],
    ['ip: [192.0.2.1]', '::ffff:192.0.2.1', true],
    ['cidr: [192.0.2.0/24]', '192.0.2.77', true],
    ['cidr: [192.0.2.9/24]', '192.0.2.77', true],
    ['cidr: ["2001:db8::/32"]', '2001:db8:1::1', true],
    ['cidr: [192.0.2.0/24]', '198.51.100.1', false],
    ['cidr: [192.0.2.0/24]', 'nonsense', false],
    ['cidr: [0.0.0.0/0]', '', false],
    [`expression: ["evt.Meta.source_ip == '192.0.2.1'"]`, '192.0.2.1', true],
    [`expression: ["false", "true"]`, '192.0.2.1', true],
    [`expression: ["evt.Unmarshaled.a.b", "true"]`, '192.0.2.1', false],
    [`expression: ["'text'", "true"]`, '192.0.2.1', true],
    [`ip: [192.0.2.1], expression: ["evt.Unmarshaled.a.b"]`, '192.0.2.1', true],
    [`ip: [192.0.2.1], expression: ["true"]`, '192.0.2.9', true],
  ];
  for (const [rules, ip, expected] of cases) {
    const event = eventOf('line', { Meta: fieldsOf({ source_ip: ip }) });
    const { set } = worldOfYaml({ s00: lists(rules) });
    t.equal(set.parse(event, null).kind, 'passed', 'whoever is whitelisted or not, the node succeeds');
    t.equal(event.Whitelisted, expected, `${rules} ${ip}`);
    t.equal(event.WhitelistReason, expected ? 'ours' : '');
    t.match(set.nodes[0], { hits: 1, ok: 1, whitelisted: expected ? 1 : 0 });
  }
  t.equal(cases.length, 16);
});

t.test('statics of a node with a whitelist run only when it matched', async (t) => {
  const statics = 'statics: [{meta: seen, value: yes}]\n';
  for (const [rules, seen] of [
    ['expression: ["true"]', 'yes'],
    ['expression: ["false"]', undefined],
    ['ip: []', 'yes'],
  ] as const) {
    const event = eventOf('line');
    worldOfYaml({ s00: lists(rules, statics) }).set.parse(event, null);
    t.equal(event.Meta.seen, seen, rules);
  }
});

t.test('the first reason stays', async (t) => {
  const event = eventOf('line');
  const two = documents(lists('expression: ["true"]'), lists('expression: ["true"]').replace('ours', 'theirs'));
  worldOfYaml({ s00: two }).set.parse(event, null);
  t.equal(event.WhitelistReason, 'ours');
});

t.test('an overflow is whitelisted by its sources', async (t) => {
  const overflow = (): Event =>
    eventOf('', {
      Type: eventType.overflow,
      Meta: fieldsOf({ source_ip: '203.0.113.1' }),
      Overflow: {
        Mapkey: 'k',
        BucketId: 'b',
        Whitelisted: false,
        Reprocess: false,
        Sources: { '198.51.100.1': {} as never, '192.0.2.1': {} as never },
        Alert: null,
      },
    });
  for (const [rules, expected] of [
    ['ip: [192.0.2.1]', true],
    ['cidr: [192.0.2.0/24]', true],
    ['ip: [203.0.113.1]', false],
  ] as const) {
    const event = overflow();
    worldOfYaml({ s00: lists(rules) }).set.parse(event, null);
    t.equal(event.Whitelisted, expected, rules);
    t.equal(event.Overflow?.Whitelisted, expected, rules);
  }
});
