/** Random definitions against a slow model of grokky: every reference is a numbered group, and fields are numbers of groups. */
import * as fc from 'fast-check';
import t from 'tap';
import type { StringMap } from '../../../detectors/event.ts';
import { GrokError } from '../../../detectors/grok/grok-error.ts';
import { createGrokRegistry } from '../../../detectors/grok/grok-registry.ts';
import { literalFilterOf } from '../../../detectors/grok/literal-filter.ts';
import { compilePattern, type Pattern } from '../../../detectors/regex/compile-pattern.ts';
import { parsePattern } from '../../../detectors/regex/parse-pattern.ts';
import { PatternError } from '../../../detectors/regex/pattern-error.ts';
import { modelMatch } from '../regex/re2-model.ts';
import { randomPattern, randomText } from '../regex/random-patterns.ts';

/** A text with references, expanded. */
interface Model {
  readonly source: string;
  readonly groups: number;
  /** The number of each field's group. */
  readonly fields: ReadonlyMap<string, number>;
}

function modelOf(text: string, library: ReadonlyMap<string, Model>): Model {
  const references = [...text.matchAll(/%\{(\w+)(?::(\w+))?\}/g)];
  const own = new Set(references.map(([, , field]) => field));
  const between = text.split(/%\{\w+(?::\w+)?\}/);
  const fields = new Map<string, number>();
  let source = '';
  let groups = 0;
  for (const [index, literal] of between.entries()) {
    source += literal;
    groups += countGroups(literal);
    const reference = references[index];
    if (reference === undefined) break;
    const [, name = '', field] = reference;
    const target = library.get(name);
    if (target === undefined) throw new Error(`unknown ${name}`);
    source += `(${target.source})`;
    groups++;
    if (field !== undefined) fields.set(field, groups);
    for (const [nested, group] of target.fields) if (!own.has(nested)) fields.set(nested, groups + group);
    groups += target.groups;
  }
  return { source, groups, fields };
}

/** The texts of this test have no classes and no escapes. */
function countGroups(literal: string): number {
  return literal.split(/\((?!\?)|\(\?P</).length - 1;
}

function modelAnswer(model: Model, text: string): StringMap | null {
  const match = model.fields.size === 0 ? null : modelMatch(parsePattern(model.source), text);
  if (match === null) return null;
  const answer: StringMap = {};
  for (const [field, group] of model.fields) {
    const span = match[group];
    answer[field] = span === undefined ? '' : text.slice(...span);
  }
  return answer;
}

/** In the order of the names. */
function written(fields: StringMap): string {
  return JSON.stringify(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Texts with references to the names before `level`. */
function grokText(level: number): fc.Arbitrary<string> {
  const references = level === 0 ? [] : Array.from({ length: level }, (_, index) => `N${index}`);
  const reference = fc
    .tuple(fc.constantFrom(...references, 'N0'), fc.constantFrom('', '', ':x', ':y', ':z'))
    .map(([name, field]) => `%{${name}${field}}`);
  const leaf = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom('a', 'b', 'ab', '.', 'c?', '%', '%{', 'a{2}', '^', '$', '(?P<x>a)', '%{N0:x:int}'),
    },
    ...(level === 0 ? [] : [{ weight: 5, arbitrary: reference }]),
  );
  return fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      { weight: 4, arbitrary: leaf },
      { weight: 4, arbitrary: fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`) },
      { weight: 2, arbitrary: fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`) },
      { weight: 1, arbitrary: fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}|${b}`) },
      {
        weight: 2,
        arbitrary: fc.tuple(tie('node'), fc.constantFrom('?', '*', '+', '+?', '{1,2}')).map(([a, c]) => `(?:${a})${c}`),
      },
    ),
  })).node;
}

const levels = 4;
const library = fc.tuple(...Array.from({ length: levels + 1 }, (_, level) => grokText(level)));
const subject = fc
  .array(fc.constantFrom('a', 'b', 'c', 'ab', '%', 'a'), { maxLength: 8 })
  .map((parts) => parts.join(''));

t.test('every field is yielded by the reference that grokky takes it from', async (t) => {
  let [compared, matched] = [0, 0];
  fc.assert(
    fc.property(library, fc.array(subject, { minLength: 4, maxLength: 4 }), (texts, subjects) => {
      const registry = createGrokRegistry([]);
      const models = new Map<string, Model>();
      for (const [index, text] of texts.entries()) {
        registry.define(`N${index}`, text);
        models.set(`N${index}`, modelOf(text, models));
      }
      const last = `N${levels}`;
      const grok = registry.named(last);
      for (const line of subjects) {
        const expected = modelAnswer(models.get(last) as Model, line);
        const into: StringMap = {};
        const found = grok.exec(line, into);
        compared++;
        if (found) matched++;
        if (found !== (expected !== null)) throw new Error(`${JSON.stringify(texts)} on ${line}: ${found}`);
        const [got, wanted] = [into, expected ?? {}].map(written);
        if (got !== wanted) throw new Error(`${JSON.stringify(texts)} on ${line}: ${got}, not ${wanted}`);
      }
    }),
    { seed: 3, numRuns: 1_500 },
  );
  t.equal(compared, 6_000);
  t.ok(matched > 1_000, `${matched} matches`);
});

/** Null for a random pattern that is too large. */
function compiled(source: string): Pattern | null {
  try {
    return compilePattern(source, { groups: 'none' });
  } catch (error) {
    if (error instanceof PatternError) return null;
    throw error;
  }
}

t.test('what is looked for first never hides a match', async (t) => {
  let [filtered, spared] = [0, 0];
  fc.assert(
    fc.property(randomPattern, fc.array(randomText, { minLength: 3, maxLength: 3 }), (source, texts) => {
      const pattern = compiled(source);
      const filter = pattern && literalFilterOf(parsePattern(source, { groups: 'none' }).root);
      if (pattern === null || filter === null) return;
      for (const text of texts) {
        filtered++;
        if (filter(text)) continue;
        spared++;
        if (pattern.test(text)) throw new Error(`${source} matches ${JSON.stringify(text)}`);
      }
    }),
    { seed: 4, numRuns: 4_000 },
  );
  t.ok(filtered > 1_000 && spared > 200, `${filtered} texts, ${spared} spared`);
});

/** What patterns are made of, whole and broken. */
const fragments =
  String.raw`%{ } %{IP} %{IP:x} %{NOWHERE} %{A} ( ) (? (?i) (?P< (?: [ ] [^ { {2} {1000} * + ? | \ \Q \E ^ $ \b . a : %%`
    .split(' ')
    .concat('😀', '\ud800', '\n', '\0', ' ');

t.test('no text makes a definition fail otherwise than with a GrokError', async (t) => {
  const pieces = fc.constantFrom(...fragments);
  let [accepted, refused] = [0, 0];
  const registry = createGrokRegistry();
  registry.define('A', 'a|%{WORD:w}');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
      const name = `B${accepted + refused}`;
      try {
        registry.define(name, parts.join(''));
        registry.compile(`%{${name}:b}${parts.join('')}`).exec('a b 1.2.3.4', {});
        accepted++;
      } catch (error) {
        if (!(error instanceof GrokError)) throw error;
        if (error.offset < 0 || error.offset > parts.join('').length + name.length + 5)
          throw new Error(`offset ${error.offset}`, { cause: error });
        refused++;
      }
    }),
    { seed: 5, numRuns: 1_500 },
  );
  t.ok(accepted > 100 && refused > 100, `${accepted} accepted, ${refused} refused`);
});
