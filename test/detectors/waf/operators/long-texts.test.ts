/** `@rx` on texts that an automaton reads: the same answers, and groups that are cut where they grow very long. */
import t from 'tap';
import { ask } from './support.ts';

const filler = 'lorem ipsum '.repeat(1_000);

t.test('what matches a short text matches within a long one', async (t) => {
  const cases: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['(?i)union\\s+select', 'UNION  Select', true],
    ['(?i)union\\s+select', 'unionselect', false],
    ['\\bcat\\b', 'a cat!', true],
    ['\\bcat\\b', 'concatenate', false],
    ['[A-Z]{3}', 'xABCx', true],
    ['[A-Z]{3}', 'xABcx', false],
    ['(?:\\s*a)+\\s*b', '   a a  b', true],
    ['\\xe9', 'caf\xe9', true],
  ];
  t.equal(cases.length, 8);
  for (const [pattern, text, matches] of cases) {
    t.equal(ask('rx', pattern, text).matches, matches, pattern);
    t.equal(ask('rx', pattern, `${filler}${text} ${filler}`).matches, matches, `${pattern}, long`);
  }
  t.equal(ask('rx', '^lorem', filler).matches, true);
  t.equal(ask('rx', '^ipsum', filler).matches, false);
  t.equal(ask('rx', 'ipsum $', filler).matches, true);
});

t.test('groups are those of the leftmost match', async (t) => {
  const { captured } = ask('rx', '(?i)(x\\d+)-(\\w+)', `${filler}X12-ab x3-cd${filler}`);
  t.same(captured, ['X12-ab', 'X12', 'ab']);
  t.same(ask('rx', '(\\w+) $', filler).captured, ['ipsum ', 'ipsum']);
});

t.test('a match that goes on for very long is cut', async (t) => {
  const { captured } = ask('rx', 'key=([^;]*)', `${filler}key=${'v'.repeat(16_000)};`);
  const [whole = '', value = ''] = captured ?? [];
  t.ok(value.length >= 2_000 && value.length < 16_000, `${value.length} characters`);
  t.equal(whole, `key=${value}`);
  const tied = ask('rx', '^key=(v*)$', `key=${'v'.repeat(16_000)}`);
  t.equal(tied.captured?.[1]?.length, 16_000, 'unless its end says whether it is one');
});
