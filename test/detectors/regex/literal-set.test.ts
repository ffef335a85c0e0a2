import * as fc from 'fast-check';
import t from 'tap';
import { LiteralSet } from '../../../detectors/regex/literal-set.ts';

function lowered(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Every `[word, end]`, looked for one by one. */
function occurrences(words: readonly string[], text: string): [number, number][] {
  const found: [number, number][] = [];
  const reported = new Set(['']);
  for (const [word, needle] of words.entries()) {
    if (reported.has(needle)) continue;
    reported.add(needle);
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1))
      found.push([word, at + needle.length]);
  }
  return found.sort((a, b) => a[1] - b[1] || a[0] - b[0]);
}

function seenBy(set: LiteralSet, text: string): [number, number][] {
  const found: [number, number][] = [];
  set.each(text, (word, end) => {
    found.push([word, end]);
    return true;
  });
  return found.sort((a, b) => a[1] - b[1] || a[0] - b[0]);
}

function agrees(given: readonly string[], givenText: string, caseInsensitive: boolean): void {
  const set = new LiteralSet(given, { caseInsensitive });
  const words = caseInsensitive ? given.map(lowered) : given;
  const text = caseInsensitive ? lowered(givenText) : givenText;
  const expected = occurrences(words, text);
  const shown = `${JSON.stringify(given)} in ${JSON.stringify(givenText)}`;
  const found = seenBy(set, givenText);
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${shown}: ${JSON.stringify(found)}`);
  if (set.matches(givenText) !== expected.length > 0) throw new Error(`${shown}: matches()`);
  const start = ([word, end]: [number, number]): number => end - (words[word]?.length ?? 0);
  const [leftmost] = expected.sort((a, b) => start(a) - start(b) || b[1] - a[1]);
  if (set.find(givenText) !== (leftmost?.[0] ?? -1)) throw new Error(`${shown}: find() is ${set.find(givenText)}`);
}

t.test('finds what looking for each word by itself finds', async (t) => {
  const letters = fc.constantFrom('a', 'b', 'A', 'B', 'c', '\xe9', '\xc9', '0');
  const word = fc.array(letters, { maxLength: 5 }).map((parts) => parts.join(''));
  const text = fc.array(letters, { maxLength: 40 }).map((parts) => parts.join(''));
  fc.assert(fc.property(fc.array(word, { maxLength: 12 }), text, fc.boolean(), agrees), { seed: 1, numRuns: 8_000 });
  t.pass('8,000 sets in latin1');
});

t.test(
  'the same with long texts and words of three characters and more, which are looked for by their beginnings',
  async (t) => {
    // U+0161 and U+0162 are `a` and `b` when cut to eight bits.
    const letters = fc.constantFrom('a', 'b', 'A', 'c', '\xe9', '0', '0', 'b', 'a');
    const wide = fc.oneof({ weight: 12, arbitrary: letters }, fc.constantFrom('\u0161', '\u0162', '😀'));
    const word = fc.array(letters, { minLength: 3, maxLength: 7 }).map((parts) => parts.join(''));
    const text = fc
      .oneof(fc.array(letters, { maxLength: 90 }), fc.array(wide, { minLength: 24, maxLength: 90 }))
      .map((parts) => parts.join(''));
    fc.assert(fc.property(fc.array(word, { maxLength: 12 }), text, fc.boolean(), agrees), { seed: 6, numRuns: 6_000 });
    const far = `${'-'.repeat(3_000)}abc${'-'.repeat(70_000)}`;
    for (const long of [far, far.slice(0, 3_003), far.slice(0, 65_536), `${far.slice(3_003)}abc`]) {
      agrees(['abc', 'cba', '---a'], long, false);
    }
    t.pass('6,000 sets');
  },
);

t.test('the same with words and texts beyond latin1', async (t) => {
  const letters = fc.constantFrom('a', 'A', 'б', 'ж', '\u0161', '😀', '\xe9');
  const word = fc.array(letters, { maxLength: 4 }).map((parts) => parts.join(''));
  const text = fc.array(letters, { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(fc.property(fc.array(word, { maxLength: 8 }), text, fc.boolean(), agrees), { seed: 2, numRuns: 1_000 });
  t.pass('1,000 sets');
});

t.test('sets too large for rows of all states give the same answers', async (t) => {
  const words: string[] = [];
  let state = 12_345;
  const next = (bound: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % bound;
  };
  for (let count = 0; count < 4_000; count++) {
    words.push(Array.from({ length: 4 + next(12) }, () => String.fromCharCode(33 + next(90))).join(''));
  }
  const set = new LiteralSet(words);
  t.ok(set.bytes < 8_000_000, `${set.bytes} bytes for ${words.length} words`);
  for (let count = 0; count < 100; count++) {
    const text = Array.from({ length: 6 }, () => (words[next(words.length)] ?? '').slice(next(3), 3 + next(20))).join(
      '',
    );
    const found = seenBy(set, text);
    t.same(found, occurrences(words, text));
  }
});

t.test('find takes the leftmost word, and of those the longest', async (t) => {
  const set = new LiteralSet(['bcd', 'abc', 'ab', 'abcde', 'x', 'abc']);
  t.equal(set.find('zabcdx'), 1);
  t.equal(set.find('zabcdex'), 3);
  t.equal(set.find('zbcdex'), 0);
  t.equal(set.find('nothing'), -1);
});

t.test('no words, empty words', async (t) => {
  t.equal(new LiteralSet([]).matches('anything'), false);
  t.equal(new LiteralSet(['']).matches('anything'), false);
  t.equal(new LiteralSet(['', 'thing']).find('anything'), 1);
});

t.test('a visitor that has seen enough stops the pass', async (t) => {
  let calls = 0;
  new LiteralSet(['a']).each('aaaa', () => ++calls < 2);
  t.equal(calls, 2);
});

t.test('only ASCII letters fold', async (t) => {
  const set = new LiteralSet(['Select', 'é', '[', '@'], { caseInsensitive: true });
  t.equal(set.find('sELECT'), 0);
  t.equal(set.find('É'), -1);
  t.equal(set.find('{`'), -1);
});
