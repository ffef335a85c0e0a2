/** Random patterns on random texts: the same match, end and groups as the plain model of RE2. */
import * as fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { compilePattern, type Pattern } from '../../../detectors/regex/compile-pattern.ts';
import { parsePattern } from '../../../detectors/regex/parse-pattern.ts';
import type { PatternOptions } from '../../../detectors/regex/syntax.ts';
import { modelMatch } from './re2-model.ts';
import { randomBytes, randomPattern, randomText } from './random-patterns.ts';

/** The pattern, or null when it is one that must be refused (nested counts above 1,000, too large unrolled). */
function compiled(source: string, options: PatternOptions): Pattern | null {
  try {
    return compilePattern(source, options);
  } catch (error) {
    if (error instanceof GatewayError && /multiply above|too large/.test(error.message)) return null;
    throw error;
  }
}

function sameAsModel(source: string, text: string, options: PatternOptions): void {
  const pattern = compiled(source, options);
  if (pattern === null) return fc.pre(false);
  const expected = modelMatch(parsePattern(source, options), text, options.subject === 'bytes');
  const match = pattern.exec(text);
  const shown = `/${source}/ on ${JSON.stringify(text)} as ${pattern.regexp}`;
  if (pattern.test(text) !== (expected !== null)) throw new Error(`${shown}: test() is not ${expected !== null}`);
  const wanted = expected && [expected[0]?.[0], ...expected.map((span) => span && text.slice(span[0], span[1]))];
  const got = match && [match.index, ...match];
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Error(`${shown}: got ${JSON.stringify(got)}, RE2 gives ${JSON.stringify(wanted)}`);
  }
}

t.test('text: test, span and groups are those of RE2', async (t) => {
  fc.assert(
    fc.property(randomPattern, randomText, (source, text) => sameAsModel(source, text, {})),
    { seed: 20_240_601, numRuns: 12_000 },
  );
  t.pass('12,000 pairs');
});

t.test('text: the same with flags given as options and only named groups kept', async (t) => {
  const options = fc.record({
    dotAll: fc.boolean(),
    caseInsensitive: fc.boolean(),
    multiline: fc.boolean(),
    groups: fc.constantFrom('all' as const, 'named' as const, 'none' as const),
  });
  fc.assert(
    fc.property(randomPattern, randomText, options, (source, text, given) => sameAsModel(source, text, given)),
    { seed: 20_240_602, numRuns: 6_000 },
  );
  t.pass('6,000 triples');
});

t.test('bytes: the same', async (t) => {
  const bytePattern = randomPattern.filter((source) => !/[😀-😂]|1F600/u.test(source));
  fc.assert(
    fc.property(bytePattern, randomBytes, fc.boolean(), (source, text, caseInsensitive) =>
      sameAsModel(source, text, { subject: 'bytes', dotAll: true, caseInsensitive }),
    ),
    { seed: 20_240_603, numRuns: 5_000 },
  );
  t.pass('5,000 pairs');
});
