/** Automata say of every text what V8 says, keep no more than they may, and give up rather than take long. */
import * as fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { compileParsed } from '../../../detectors/regex/compile-pattern.ts';
import { AutomatonMemory, LazyAutomaton } from '../../../detectors/regex/lazy-automaton.ts';
import { parsePattern } from '../../../detectors/regex/parse-pattern.ts';
import type { PatternNode } from '../../../detectors/regex/syntax.ts';
import { randomPattern, randomText } from './random-patterns.ts';
import { seeded } from '../../support/seeded.ts';

const bytes = { subject: 'bytes', groups: 'none' } as const;

function treeOf(source: string): PatternNode {
  return parsePattern(source, bytes).root;
}

function automatonOf(source: string, memory = new AutomatonMemory()): LazyAutomaton {
  return new LazyAutomaton(treeOf(source), source, memory);
}

function agree(memory: AutomatonMemory, seed: number): { matched: number; missed: number } {
  const counts = { matched: 0, missed: 0 };
  fc.assert(
    fc.property(randomPattern, fc.array(randomText, { minLength: 1, maxLength: 4 }), (source, written) => {
      let root: PatternNode;
      try {
        root = treeOf(source);
      } catch (error) {
        if (error instanceof GatewayError) return;
        throw error;
      }
      const pattern = compileParsed(source, { root, groupNames: [null] }, 'bytes');
      const automaton = new LazyAutomaton(root, source, memory);
      for (const one of [...written, ...written.map((text) => text.repeat(3))]) {
        const text = Buffer.from(one).toString('latin1');
        const expected = pattern.test(text);
        const found = automaton.test(text);
        if (found !== expected) throw new Error(`${source} on ${JSON.stringify(text)}: ${found}, not ${expected}`);
        if (automaton.test(text) !== expected) throw new Error(`${source} wavers`);
        const place = automaton.find(text);
        const first = pattern.exec(text);
        const begins = first?.index ?? -1;
        if (place !== null && first !== null && (begins < place.from || place.end > begins + first[0].length))
          throw new Error(
            `${source} on ${JSON.stringify(text)}: from ${place.from} to ${place.end}, found at ${begins}`,
          );
        if (place !== null && pattern.exec(text, place.from)?.[0] !== first?.[0])
          throw new Error(`${source} on ${JSON.stringify(text)}: another match from ${place.from}`);
        counts[expected ? 'matched' : 'missed']++;
      }
    }),
    { seed, numRuns: 6_000 },
  );
  return counts;
}

t.test('random patterns and texts', async (t) => {
  const { matched, missed } = agree(new AutomatonMemory(), 4_200_001);
  t.ok(matched > 2_000 && missed > 2_000, `${matched} matched, ${missed} did not`);
});

t.test('the same when there is hardly any memory', async (t) => {
  const memory = new AutomatonMemory(2_000);
  agree(memory, 4_200_002);
  t.ok(memory.bytes <= 4_000, `${memory.bytes} bytes`);
});

t.test('assertions at every kind of place', async (t) => {
  const cases: readonly (readonly [pattern: string, text: string, occurs: boolean])[] = [
    ['^b', 'ab', false],
    ['^b', 'ba', true],
    ['(?m)^b', 'a\nb', true],
    ['(?m)a$', 'a\nb', true],
    ['a$', 'a\nb', false],
    ['b$', 'a\nb', true],
    ['\\bb\\b', 'ab b', true],
    ['\\bb\\b', 'ab bb', false],
    ['\\Bb', 'b', false],
    ['\\Bb', 'ab', true],
    ['\\b', '', false],
    ['\\B', '', true],
    ['^$', '', true],
    ['^$', 'a', false],
    ['\\b\\b', ' a', true],
    ['x*', 'a', true],
    ['\\xff', '\xff', true],
    ['[^a]', 'aa', false],
  ];
  t.equal(cases.length, 18);
  for (const [pattern, text, occurs] of cases)
    t.equal(automatonOf(pattern).test(text), occurs, `${pattern} in ${JSON.stringify(text)}`);
});

t.test('a text that leads to ever new states is left to somebody else', async (t) => {
  const memory = new AutomatonMemory(1 << 20);
  const automaton = automatonOf('(?:a|b)*a(?:a|b){24}c', memory);
  const random = seeded(1);
  let gaveUp = 0;
  for (let count = 0; count < 200; count++) {
    const text = Array.from({ length: 2_000 }, () => (random() < 0.5 ? 'a' : 'b')).join('');
    const found = automaton.test(text);
    t.not(found, true);
    if (found === null) gaveUp++;
    if (memory.bytes > 1 << 21) t.fail(`${memory.bytes} bytes`);
  }
  t.ok(gaveUp > 100, `${gaveUp} texts`);
  t.equal(automaton.test(`${'a'.repeat(60)}c`), true, 'and others are answered as ever');
});

t.test('automata that share memory begin anew together', async (t) => {
  const memory = new AutomatonMemory(100_000);
  const one = automatonOf('a[^b]{3}b', memory);
  const other = automatonOf('(?:a|b)*a(?:a|b){12}c', memory);
  const random = seeded(2);
  for (let count = 0; count < 50; count++) {
    const text = Array.from({ length: 1_000 }, () => (random() < 0.5 ? 'a' : 'b')).join('');
    other.test(text);
    t.equal(one.test(`${text}accb`), /a[^b]{3}b/.test(`${text}accb`));
  }
  t.ok(memory.bytes <= 200_000, `${memory.bytes} bytes`);
});
