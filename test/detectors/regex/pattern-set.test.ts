import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import t from 'tap';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { PatternSet } from '../../../detectors/regex/pattern-set.ts';
import { suitePath } from '../../support/suites.ts';

t.test('answers as its patterns do one by one', async (t) => {
  const parts = [
    'abc',
    'abcd',
    'bca',
    'cab',
    'a',
    '.*',
    '(?i)ABC',
    '\\b',
    '[ab]c',
    'cc+',
    '(?:abc|cba)',
    '$',
    'b?',
    '\\w{3}',
  ];
  const pattern = fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 4 }).map((some) => some.join(''));
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', 'abc', 'C', ' '), { maxLength: 12 })
    .map((some) => some.join(''));
  let matches = 0;
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 8 }),
      fc.array(text, { minLength: 1, maxLength: 4 }),
      (sources, texts) => {
        const set = new PatternSet(sources);
        const patterns = sources.map((source) => compilePattern(source));
        for (const one of texts) {
          const expected = patterns.findIndex((single) => single.test(one));
          if (expected !== -1) matches++;
          if (set.firstMatch(one) !== expected || set.matches(one) !== (expected !== -1)) {
            throw new Error(
              `${JSON.stringify(sources)} on ${JSON.stringify(one)}: ${set.firstMatch(one)}, not ${expected}`,
            );
          }
        }
      },
    ),
    { seed: 4, numRuns: 3_000 },
  );
  t.ok(matches > 2_000, `${matches} texts matched`);
});

t.test('the list of bad user agents: every agent is found, and no browser', async (t) => {
  const file = suitePath(t, 'sec-lists/web/bad_user_agents.regex.txt');
  if (file === null) return;
  const sources = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  t.ok(sources.length >= 587, `${sources.length} patterns`);
  const set = new PatternSet(sources);
  t.ok(set.bytes < 2_000_000, `${set.bytes} bytes`);
  const plain = sources.map((source) => source.replaceAll('\\b', '').replaceAll(/\\(.)/g, '$1'));
  const agents = plain.filter((agent) => !/[()[\]|*+?^$]/.test(agent));
  t.ok(agents.length > 500, `${agents.length} plain names`);
  for (const agent of agents) t.ok(set.matches(`Mozilla/5.0 (compatible; ${agent} 1.0)`), agent);
  const browsers = [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1',
    'Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0',
    '',
  ];
  for (const browser of browsers) t.equal(set.firstMatch(browser), -1, browser);
});

t.test('no patterns, and a pattern that is not valid', async (t) => {
  t.equal(new PatternSet([]).matches('a'), false);
  t.throws(() => new PatternSet(['ok', '(?=no)']), { code: 'PATTERN_INVALID' });
});
