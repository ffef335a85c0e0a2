import t from 'tap';
import type { Event } from '../../../detectors/event.ts';
import { eventOf, fieldsOf, successOf, worldOfYaml } from './support.ts';

/** The node of `yaml` run on `Parsed: {message}`: whether it succeeded, and the event. */
function run(
  yaml: string,
  message = 'user bob from 192.0.2.1',
  more: Partial<Event> = {},
): { ok: boolean; event: Event } {
  const event = eventOf(message, { Parsed: fieldsOf({ message }), ...more });
  const { node } = successOf(`name: node\n${yaml}`, event);
  return { ok: node === true, event };
}

const userGrok = `grok: {pattern: '^user %{WORD:user}', apply_on: message}`;
const noGrok = `grok: {pattern: '^nobody %{WORD:nobody}', apply_on: message}`;

t.test('a filter that is false, raises or is no boolean keeps the event out', async (t) => {
  const cases: [string, boolean][] = [
    ['true', true],
    ['false', false],
    [`evt.Parsed.message contains 'bob'`, true],
    ['evt.Unmarshaled.a.b == 1', false],
    ['1', false],
    ['evt.Parsed.message', false],
  ];
  for (const [filter, expected] of cases) {
    const { ok, event } = run(`filter: ${JSON.stringify(filter)}\nstatics: [{meta: seen, value: yes}]`);
    t.equal(ok, expected, filter);
    t.equal(event.Meta.seen, expected ? 'yes' : undefined, filter);
  }
  t.equal(cases.length, 6);
});

t.test('captures go into Parsed, and statics run after them', async (t) => {
  const { ok, event } = run(`${userGrok}\nstatics: [{meta: who, expression: evt.Parsed.user}]`);
  t.ok(ok);
  t.match(event, { Parsed: { user: 'bob' }, Meta: { who: 'bob' } });
});

t.test('a group that took no part overwrites what was there with an empty text', async (t) => {
  const more = { Parsed: fieldsOf({ message: 'a', second: 'old' }) };
  const { ok, event } = run(`grok: {pattern: '(?:a|%{WORD:second})', apply_on: message}`, '', more);
  t.ok(ok);
  t.equal(event.Parsed.second, '');
});

t.test('a pattern without fields fails, though the text matches', async (t) => {
  t.notOk(run(`grok: {pattern: '%{WORD} bob', apply_on: message}`).ok);
});

t.test('a grok looks at a field, at the line, or at what an expression gives', async (t) => {
  const cases: [string, string | null][] = [
    ['apply_on: message', 'message'],
    ['apply_on: Line.Raw', 'raw'],
    ['apply_on: absent', null],
    ['apply_on: empty', ''],
    [`expression: "'x' + evt.Parsed.other"`, 'xother'],
    ['expression: 7', '7'],
    ['expression: 2.5', '2.500000'],
    ['expression: nil', ''],
    ['expression: 1 == 1', ''],
    ['expression: evt.Unmarshaled.a.b', null],
  ];
  for (const [subject, expected] of cases) {
    const Parsed = fieldsOf({ message: 'message', other: 'other', empty: '' });
    const event = eventOf('raw', { Parsed });
    const { node } = successOf(`name: node\ngrok: {pattern: '^%{GREEDYDATA:all}$', ${subject}}`, event);
    t.equal(node, expected !== null, subject);
    t.equal(event.Parsed.all, expected ?? undefined, subject);
  }
  t.equal(cases.length, 10);
});

t.test('apply_on has precedence over an expression', async (t) => {
  const { event } = run(`grok: {pattern: '%{WORD:first}', apply_on: message, expression: "'x'"}`);
  t.equal(event.Parsed.first, 'user');
});

t.test('a name stands for a pattern of the library', async (t) => {
  const { event } = run(`grok: {name: named, apply_on: message}\npattern_syntax: {named: 'from %{IP:ip}'}`);
  t.equal(event.Parsed.ip, '192.0.2.1');
});

t.test('statics of the grok run on a match only', async (t) => {
  const statics = 'statics: [{meta: seen, value: yes}]';
  t.equal(run(userGrok.replace('}', `}`).replace(/\}$/, `, ${statics}}`)).event.Meta.seen, 'yes');
  t.equal(run(noGrok.replace(/\}$/, `, ${statics}}`)).event.Meta.seen, undefined);
});

t.test('children run even when the grok of their parent failed', async (t) => {
  const { ok, event } = run(
    `${noGrok}\nnodes: [{statics: [{meta: child, value: ran}]}]\nstatics: [{meta: own, value: ran}]`,
  );
  t.ok(ok, 'the child succeeded');
  t.match(event.Meta, { child: 'ran', own: 'ran' });
});

t.test('without a grok that matched the last child decides', async (t) => {
  const good = '{statics: [{meta: child, value: ran}]}';
  const bad = `{filter: "false", statics: [{meta: other, value: ran}]}`;
  t.ok(run(`nodes: [${bad}, ${good}]`).ok);
  t.notOk(run(`nodes: [${good}, ${bad}]`).ok);
  t.notOk(run(`${noGrok}\nnodes: [${good}, ${bad}]`).ok);
  t.ok(run(`${userGrok}\nnodes: [${good}, ${bad}]`).ok, 'with a grok that matched no child can spoil it');
  t.ok(run(`${userGrok}\nnodes: [${bad}]`).ok);
});

t.test('with next_stage the first child that succeeds ends the search', async (t) => {
  const child = (name: string): string => `{statics: [{meta: ${name}, value: ran}]}`;
  const { ok, event } = run(`onsuccess: next_stage\nnodes: [${child('one')}, ${child('two')}]`);
  t.ok(ok);
  t.equal(event.Meta.one, 'ran');
  t.equal(event.Meta.two, undefined);
});

t.test('a node that failed runs no statics of its own', async (t) => {
  const { ok, event } = run(`${noGrok}\nstatics: [{meta: seen, value: yes}]`);
  t.notOk(ok);
  t.equal(event.Meta.seen, undefined);
});

t.test('children without a name are called after their parent', async (t) => {
  const names: string[] = [];
  const yaml = 'name: our/parser\nnodes: [{nodes: [{statics: [{meta: a, value: b}]}]}]';
  worldOfYaml({ s00: yaml }).set.parse(eventOf(''), {
    node: () => undefined,
    step: (step) => (step.kind === 'enter' ? void names.push(step.name) : undefined),
  });
  t.strictSame(names, ['our/parser', 'child-our/parser', 'child-child-our/parser']);
});

t.test('patterns share one namespace: the first definition stays, later ones and children know it', async (t) => {
  const first = `name: first\npattern_syntax: {OURS: 'a+', OURS_TOO: '%{OURS:inner}b'}\nstatics: [{meta: x, value: y}]`;
  const second = `name: second\npattern_syntax: {OURS: 'z+'}\nnodes:\n  - grok: {pattern: '%{OURS_TOO} %{OURS:outer}', apply_on: message}`;
  const event = eventOf('', { Parsed: fieldsOf({ message: 'aab aaa' }) });
  t.strictSame(successOf(`${first}\n---\n${second}`, event), { first: true, second: true });
  t.match(event.Parsed, { inner: 'aa', outer: 'aaa' });
});

t.test('a stash is filled when the grok matched or there is none', async (t) => {
  const stash = `stash: [{name: c, key: evt.Parsed.user, value: evt.Parsed.message, ttl: 1m}]`;
  const parse = (yaml: string, Parsed: Record<string, string>): string | null => {
    const { set, stash: caches } = worldOfYaml({ s00: `name: node\n${yaml}` });
    set.parse(eventOf('', { Parsed: fieldsOf(Parsed) }), null);
    return caches.get('c', Parsed.user ?? 'bob');
  };
  t.equal(parse(`${userGrok}\n${stash}`, { message: 'user bob' }), 'user bob');
  t.equal(parse(`${noGrok}\n${stash}`, { message: 'user bob', user: 'bob' }), null);
  t.equal(parse(stash, { message: 'm', user: 'u' }), 'm');
  const notText = stash.replace('evt.Parsed.message', 'len(evt.Parsed.message)');
  t.equal(parse(notText, { message: 'm', user: 'u' }), null, 'what is no text is left out');
  const raising = stash.replace('evt.Parsed.message', 'evt.Unmarshaled.a.b');
  t.equal(parse(raising, { message: 'm', user: 'u' }), null);
});

t.test('expressions of later lines read the stash until its time is over', async (t) => {
  const yaml = `name: node
nodes:
  - filter: evt.Parsed.kind == 'login'
    stash: [{name: sessions, key: evt.Parsed.id, value: evt.Parsed.user, ttl: 1m}]
  - statics: [{meta: user, expression: "GetFromStash('sessions', evt.Parsed.id)"}]
`;
  const { set, clock } = worldOfYaml({ s00: yaml });
  set.parse(eventOf('', { Parsed: fieldsOf({ kind: 'login', id: '7', user: 'bob' }) }), null);
  const later = (): string | undefined => {
    const event = eventOf('', { Parsed: fieldsOf({ id: '7' }), ExpectMode: 1 });
    set.parse(event, null);
    return event.Meta.user;
  };
  t.equal(later(), 'bob');
  clock.advance(59_999);
  t.equal(later(), 'bob');
  clock.advance(1);
  t.equal(later(), undefined, 'by the wall clock, also in a replay');
});
