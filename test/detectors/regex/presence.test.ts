/** What is asked of a pattern by those who only want to know whether it occurs: nothing of it may change that. */
import * as fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { setHas } from '../../../detectors/regex/char-set.ts';
import { compileParsed, compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { firstCharacters } from '../../../detectors/regex/first-characters.ts';
import { foldPattern } from '../../../detectors/regex/fold-pattern.ts';
import { parsePattern } from '../../../detectors/regex/parse-pattern.ts';
import { type LiteralFormula, requiredLiterals } from '../../../detectors/regex/required-literals.ts';
import { shortestMatch } from '../../../detectors/regex/shortest-match.ts';
import type { PatternNode } from '../../../detectors/regex/syntax.ts';
import { trimEdges } from '../../../detectors/regex/trim-edges.ts';
import { randomPattern, randomText } from './random-patterns.ts';

const bytes = { subject: 'bytes', groups: 'none' } as const;

function lowered(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function occurs(source: string, root: PatternNode, text: string): boolean {
  return compileParsed(source, { root, groupNames: [null] }, 'bytes').test(text);
}

/** Letters with gaps that may hold something, as rules against obfuscation write them. */
const gapped = fc
  .array(
    fc.tuple(
      fc.constantFrom('a', 'b', 'ab', '(?:a|ba)', '(?:b|a-)', '[ab]', 'k', '(?:a.|b)'),
      fc.constantFrom('', '["\']*', '-?', '(?:-|\\.b)?', '(?:\\$[a-k]*)?', '[^b]*', '\\s*'),
      fc.constantFrom('', '', '', '+', '?', '{2}'),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.map(([letters, gap, times]) => `(?:${letters}${gap})${times}`).join(''));
const gappedText = fc.string({
  unit: fc.constantFrom('a', 'b', 'k', 'A', 'B', '-', '"', '$', '.', ' '),
  maxLength: 24,
});

const cases = fc.oneof(fc.tuple(randomPattern, randomText), fc.tuple(gapped, gappedText));

/** Runs `check` for patterns that compile, with their tree and texts of one byte a character. */
function forAll(seed: number, check: (source: string, root: PatternNode, text: string) => void): void {
  fc.assert(
    fc.property(cases, ([source, written]) => {
      const text = Buffer.from(written).toString('latin1');
      try {
        check(source, parsePattern(source, bytes).root, text);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
      }
    }),
    { seed, numRuns: 8_000 },
  );
}

t.test('a trimmed pattern occurs in the same texts', async (t) => {
  let found = 0;
  let trimmed = 0;
  forAll(11, (source, root, text) => {
    const short = trimEdges(root);
    const expected = occurs(source, root, text);
    if (expected) found++;
    if (JSON.stringify(short) !== JSON.stringify(root)) trimmed++;
    if (occurs(source, short, text) !== expected) throw new Error(`/${source}/ on ${JSON.stringify(text)}`);
  });
  t.ok(found > 1_000, `${found} matches`);
  t.ok(trimmed > 1_000, `${trimmed} trimmed`);
  const edges = (source: string): string =>
    compileParsed('', { root: trimEdges(parsePattern(source, bytes).root), groupNames: [null] }, 'bytes').regexp.source;
  t.equal(edges('\\s*foo.*'), 'foo');
  t.equal(edges('a+b{2,}'), 'ab{2}');
  t.equal(edges('^\\s*foo'), '^[\\x09-\\x0d ]*foo');
  t.equal(edges('(?:x*a|b)c?'), 'a|b');
  t.equal(edges('a*'), '(?:)');
});

t.test('a folded pattern matches lower-cased texts where the pattern matches texts', async (t) => {
  let folded = 0;
  forAll(12, (source, _, text) => {
    const { root } = parsePattern(source, { ...bytes, caseInsensitive: true });
    const lower = foldPattern(root);
    // A part that switches the flag off again.
    if (lower === null) return;
    folded++;
    if (occurs(source, lower, lowered(text)) !== occurs(source, root, text)) {
      throw new Error(`/${source}/ on ${JSON.stringify(text)}`);
    }
  });
  t.ok(folded > 4_000, `${folded} patterns`);
  t.equal(foldPattern(parsePattern('aB', bytes).root), null);
});

/** True when a text may match: literals in either case, required characters as they are. */
function holds(formula: LiteralFormula, text: string): boolean {
  switch (formula.kind) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'literal':
      return lowered(text).includes(formula.text);
    case 'character':
      return Array.from(text).some((character) => setHas(formula.set, character.charCodeAt(0)));
    case 'all':
      return formula.parts.every((part) => holds(part, text));
    case 'any':
      return formula.parts.some((part) => holds(part, text));
    default:
      return formula satisfies never;
  }
}

t.test('required characters and lengths lose no match', async (t) => {
  let matches = 0;
  let refused = 0;
  forAll(13, (source, root, text) => {
    const may = holds(requiredLiterals(root, { shortest: 2, characters: true }), text);
    const match = compilePattern(source, { subject: 'bytes' }).exec(text);
    if (match === null) {
      if (!may) refused++;
      return;
    }
    matches++;
    const what = `/${source}/ on ${JSON.stringify(text)}`;
    if (!may) throw new Error(`${what}: formula`);
    if (match[0].length < shortestMatch(root)) throw new Error(`${what}: length`);
    if (match[0] !== '' && !setHas(firstCharacters(root), match[0].charCodeAt(0))) throw new Error(`${what}: first`);
  });
  t.ok(matches > 1_000, `${matches} matches`);
  t.ok(refused > 1_000, `${refused} refused`);
});

t.test('gaps are passed over where their characters are missing', async (t) => {
  const written = (source: string): LiteralFormula =>
    requiredLiterals(parsePattern(source, bytes).root, { shortest: 2, characters: true });
  t.ok(holds(written('c["\\x5c]*a["\\x5c]*t'), 'a cat'));
  t.notOk(holds(written('c["\\x5c]*a["\\x5c]*t'), 'act'));
  t.ok(holds(written('c["\\x5c]*a["\\x5c]*t'), 'c"at'));
  t.notOk(holds(written('sel(?:e["]*ct[^x]|fish.)'), 'sel'));
  t.ok(holds(written('foo["]*bar'), 'foo"bar'));
  t.notOk(holds(written('foo["]*bar'), 'fo"bar'), 'pieces are required even so');
});
