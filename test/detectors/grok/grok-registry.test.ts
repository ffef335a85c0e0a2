import t from 'tap';
import { FieldMap, type StringMap } from '../../../detectors/event.ts';
import { GrokError } from '../../../detectors/grok/grok-error.ts';
import { createGrokRegistry, type GrokMatchers, type GrokRegistry } from '../../../detectors/grok/grok-registry.ts';

/** What `pattern` writes for `subject`, or null. */
function parsed(registry: GrokRegistry, pattern: string, subject: string): StringMap | null {
  const into: StringMap = {};
  return registry.compile(pattern).exec(subject, into) ? into : null;
}

function refusal(run: () => unknown): GrokError {
  try {
    run();
  } catch (error) {
    if (error instanceof GrokError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

interface Row {
  readonly what: string;
  readonly definitions?: Readonly<Record<string, string>>;
  readonly pattern: string;
  readonly subject: string;
  readonly gives: StringMap | null;
}

const rows: readonly Row[] = [
  {
    what: 'a reference yields its field',
    pattern: 'from %{IP:ip}',
    subject: 'x from 1.2.3.4',
    gives: { ip: '1.2.3.4' },
  },
  { what: 'the leftmost match is taken', pattern: '%{INT:n}', subject: 'a12b34', gives: { n: '12' } },
  { what: 'no match writes nothing', pattern: 'at %{INT:n}', subject: 'at x', gives: null },
  { what: 'a pattern without fields never succeeds', pattern: '%{INT}', subject: '12', gives: null },
  { what: 'a plain pattern never succeeds', pattern: 'a', subject: 'a', gives: null },
  { what: 'named groups yield nothing', pattern: '(?P<n>\\d+)', subject: '12', gives: null },
  {
    what: 'a named group beside a field of its name yields nothing',
    pattern: '(?P<n>a)%{INT:n}',
    subject: 'a1',
    gives: { n: '1' },
  },
  {
    what: 'a named group may have the name that a field’s group would have had',
    pattern: '(?P<f_n>a)(?P<ff_n>b)%{INT:n}',
    subject: 'ab1',
    gives: { n: '1' },
  },
  {
    what: 'a field that took no part is empty',
    pattern: '(?:a%{INT:a}|b%{INT:b})',
    subject: 'b2',
    gives: { a: '', b: '2' },
  },
  { what: 'of two on one level the last is yielded', pattern: '%{INT:n}-%{INT:n}', subject: '1-2', gives: { n: '2' } },
  {
    what: 'of two on one level the last is yielded even when it took no part',
    pattern: 'a%{INT:n}|b%{INT:n}',
    subject: 'a1',
    gives: { n: '' },
  },
  {
    what: 'a field hides its name further down, wherever it stands',
    definitions: { INNER: '%{INT:n}', DEEP: '%{INNER}' },
    pattern: '%{INNER}/%{INT:n}/%{INNER}/%{DEEP}',
    subject: '1/2/3/4',
    gives: { n: '2' },
  },
  {
    what: 'a field hides its name inside its own reference',
    definitions: { INNER: 'a%{INT:n}' },
    pattern: '%{INNER:n}',
    subject: 'a1',
    gives: { n: 'a1' },
  },
  {
    what: 'of several further down the last is yielded',
    definitions: { HEAD: 'a%{INT:n}', TAIL: 'b%{INT:n}' },
    pattern: '(?:%{HEAD}|%{TAIL})',
    subject: 'a1',
    gives: { n: '' },
  },
  {
    what: 'a type is no reference',
    pattern: '%{INT:n} %{INT:m:int}',
    subject: '1 %{INT:m:int}',
    gives: { n: '1' },
  },
  { what: 'a hyphen is no reference', pattern: '%{INT:n} %{INT:a-b}', subject: '1 %{INT:a-b}', gives: { n: '1' } },
  {
    what: 'a reference is one operand',
    pattern: '%{TWO:n}+$',
    definitions: { TWO: 'a|b' },
    subject: 'abab',
    gives: { n: 'b' },
  },
  {
    what: 'flags reach into references',
    pattern: '(?i)%{WORDS:w}',
    definitions: { WORDS: 'ab' },
    subject: 'AB',
    gives: { w: 'AB' },
  },
  {
    what: 'flags end with the reference',
    pattern: '%{FOLD:w}b',
    definitions: { FOLD: '(?i)a' },
    subject: 'AB Ab',
    gives: { w: 'A' },
  },
  {
    what: 'a reference may stand in a class',
    pattern: '[%{X}]%{INT:n}',
    definitions: { X: 'x' },
    subject: '?1',
    gives: { n: '1' },
  },
  {
    what: 'a prototype’s members are ordinary names',
    pattern: '%{INT:constructor}',
    subject: '1',
    gives: { constructor: '1' },
  },
];

t.test('fields', async (t) => {
  for (const { what, definitions = {}, pattern, subject, gives } of rows) {
    const registry = createGrokRegistry();
    for (const [name, body] of Object.entries(definitions)) t.equal(registry.define(name, body), true);
    t.same(parsed(registry, pattern, subject), gives, what);
  }
  t.equal(rows.length, 21);
});

t.test('what was written before stays when nothing matches', async (t) => {
  const into: StringMap = { n: 'before' };
  t.equal(createGrokRegistry().compile('a%{INT:n}').exec('b1', into), false);
  t.same(into, { n: 'before' });
});

t.test('a grok tells its source and its fields, each once', async (t) => {
  const grok = createGrokRegistry().compile('%{INT:a} %{IP:b} %{INT:a}');
  t.equal(grok.source, '%{INT:a} %{IP:b} %{INT:a}');
  t.same([...grok.fields].sort(), ['a', 'b']);
});

t.test('the first definition of a name stays', async (t) => {
  const registry = createGrokRegistry();
  t.equal(registry.define('MINE', 'a'), true);
  t.equal(registry.define('MINE', 'b'), false);
  t.equal(registry.define('INT', 'x'), false);
  t.same(parsed(registry, '%{MINE:m}', 'ba'), { m: 'a' });
});

t.test('registries do not share definitions', async (t) => {
  createGrokRegistry().define('MINE', 'a');
  t.throws(() => createGrokRegistry().compile('%{MINE}'), GrokError);
});

t.test('a grok by name', async (t) => {
  const into: StringMap = {};
  t.equal(createGrokRegistry().named('SYSLOGPROG').exec('sshd[12]', into), true);
  t.same(into, { program: 'sshd', pid: '12' });
  t.throws(() => createGrokRegistry().named('NOWHERE'), /NOWHERE is not defined/);
  t.throws(() => createGrokRegistry().named('INT}%{INT'), GrokError);
});

t.test('unknown names are refused where they stand', async (t) => {
  const registry = createGrokRegistry();
  const error = refusal(() => registry.compile('from %{IPP:ip}'));
  t.match(error.message, 'IPP is not defined');
  t.equal(error.offset, 5);
  t.equal(error.code, 'PATTERN_INVALID');
  t.ok(error.remedy);
});

t.test('a definition may not refer to itself or to a later one', async (t) => {
  const registry = createGrokRegistry();
  t.match(refusal(() => registry.define('LOOP', 'a%{LOOP}')).message, 'LOOP is not defined');
  t.match(refusal(() => registry.define('EARLY', '%{LATE}')).message, 'LATE is not defined');
  t.equal(registry.define('LATE', 'a'), true);
  t.equal(registry.define('EARLY', '%{LATE}'), true, 'a refused definition leaves the name free');
});

t.test('mistakes are told with their place as it was written', async (t) => {
  const registry = createGrokRegistry();
  registry.define('ONE', '1');
  const mistakes: readonly (readonly [string, number])[] = [
    ['%{IP:a} (', 8],
    ['a%{IP:a}%{ONE}b)', 15],
    ['(?=a)%{IP:a}', 0],
    ['%{IP:a}**', 8],
    ['%{IP:a}\\', 7],
    ['a{2000}%{IP:a}', 1],
    ['\\%{ONE}', 1],
  ];
  for (const [pattern, offset] of mistakes) {
    const error = refusal(() => registry.compile(pattern));
    t.equal(error.offset, offset, `${pattern}: ${error.message}`);
    t.throws(() => registry.define('BAD', pattern), GrokError);
  }
});

t.test('expansions without measure are refused, at once', async (t) => {
  const wide = createGrokRegistry();
  wide.define('W0', 'abcdefgh');
  let last = 0;
  t.throws(() => {
    for (; last < 64; last++) wide.define(`W${last + 1}`, `%{W${last}}%{W${last}}`);
  }, /expands to more than/);
  t.ok(last < 16);
  const deep = createGrokRegistry();
  deep.define('D0', 'a');
  t.throws(() => {
    for (last = 0; last < 1000; last++) deep.define(`D${last + 1}`, `(?:%{D${last}})`);
  }, /nested deeper than/);
});

t.test('registries may share what they have compiled, but no names', async (t) => {
  const matchers: GrokMatchers = new Map();
  const [first, second] = [createGrokRegistry(undefined, matchers), createGrokRegistry(undefined, matchers)];
  first.define('MINE', 'a+');
  second.define('MINE', 'b+');
  const compiled = matchers.size;
  first.compile('%{INT:n} %{IP:ip}');
  second.compile('%{INT:n} %{IP:ip}');
  t.equal(matchers.size, compiled + 1, 'the same pattern is compiled once');
  const into = new FieldMap();
  t.equal(first.compile('^%{MINE:x}$').exec('aa', into), true);
  t.equal(second.compile('^%{MINE:x}$').exec('aa', into), false, 'the same text means something else');
  t.equal(createGrokRegistry().compile('%{INT:n} %{IP:ip}').exec('1 192.0.2.1', into), true);
});
