/**
 * Every pattern of the outside suites compiles, V8's linear engine accepts what it compiles to, and no hostile text holds the
 * process. The suites may be larger than the part that comes with the sources, so counts are lower bounds.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { messageOf } from '../../core/errors.ts';
import { compilePattern, type Pattern } from '../../detectors/regex/compile-pattern.ts';
import type { PatternOptions } from '../../detectors/regex/syntax.ts';
import { askLinearEngine } from '../detectors/regex/linear-child.ts';
import { suitePath } from '../support/suites.ts';

function filesUnder(folder: string, name: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The operators' arguments of SecLang rules, as the rules write them between double quotes. */
function rxPatterns(folder: string): string[] {
  const found: string[] = [];
  for (const file of filesUnder(folder, /\.conf$/)) {
    const joined = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .join('\n')
      .replaceAll('\\\n', '');
    for (const match of joined.matchAll(/"!?@rx ((?:[^"\\]|\\[^])*)"/g))
      found.push((match[1] ?? '').replaceAll('\\"', '"'));
  }
  return found;
}

/** Grok definitions by name, those of the hub's `pattern_syntax` included. */
function grokDefinitions(grokFolder: string, documents: readonly unknown[]): Map<string, string> {
  const definitions = new Map<string, string>();
  for (const file of filesUnder(grokFolder, /^[a-z_-]+$/)) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const match = /^(\w+) (.+)$/.exec(line);
      if (match !== null && !line.startsWith('#')) definitions.set(match[1] ?? '', match[2] ?? '');
    }
  }
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'pattern_syntax')
        for (const [name, text] of Object.entries(inner)) definitions.set(name, String(text));
      else visit(inner);
    }
  };
  visit(documents);
  return definitions;
}

function expandGrok(pattern: string, definitions: ReadonlyMap<string, string>, depth = 0): string {
  return pattern.replaceAll(/%\{(\w+)(?::([^}:]+))?(?::\w+)?\}/g, (whole, name: string, field: string | undefined) => {
    const definition = definitions.get(name);
    if (definition === undefined || depth > 20) return whole.replaceAll(/[{}]/g, '\\$&');
    const body = expandGrok(definition, definitions, depth + 1);
    return field === undefined ? `(?:${body})` : `(?P<${field.replaceAll(/\W/g, '_')}>${body})`;
  });
}

function grokPatterns(documents: readonly unknown[], definitions: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'grok' && typeof inner === 'object' && inner !== null) {
        const { pattern, name } = inner as { pattern?: unknown; name?: unknown };
        if (typeof pattern === 'string') found.push(expandGrok(pattern, definitions));
        if (typeof name === 'string') found.push(expandGrok(`%{${name}}`, definitions));
      }
      visit(inner);
    }
  };
  visit(documents);
  return found;
}

function hubDocuments(folder: string): unknown[] {
  return filesUnder(folder, /\.ya?ml$/).flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8'), { logLevel: 'silent' }).map((document): unknown => document.toJS()),
  );
}

function matchesLiterals(file: string): string[] {
  const expressions = JSON.parse(readFileSync(file, 'utf8')) as string[];
  const literal = /\bmatches\s+(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/g;
  return expressions.flatMap((expression) =>
    [...expression.matchAll(literal)].map(([, double, single]) => unescaped(double ?? single ?? '')),
  );
}

function unescaped(literal: string): string {
  return literal.replaceAll(/\\(.)/g, (_whole, letter: string) => ({ n: '\n', t: '\t', r: '\r' })[letter] ?? letter);
}

function appsecPatterns(folder: string): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { type, value: text } = value as { type?: unknown; value?: unknown };
    if (type === 'regex' && typeof text === 'string') found.push(text);
    for (const inner of Object.values(value)) visit(inner);
  };
  for (const file of filesUnder(folder, /\.ya?ml$/)) visit(parse(readFileSync(file, 'utf8')));
  return found;
}

interface Corpus {
  readonly name: string;
  readonly atLeast: number;
  readonly options: PatternOptions;
  /** Null when the suite is absent. */
  read(t: Test): readonly string[] | null;
}

const corpora: readonly Corpus[] = [
  {
    name: 'grok patterns of hub parsers',
    atLeast: 200,
    options: { groups: 'named' },
    read(t) {
      const [hub, grok] = [suitePath(t, 'hub/parsers'), suitePath(t, 'grok')];
      if (hub === null || grok === null) return null;
      const documents = hubDocuments(hub);
      return grokPatterns(documents, grokDefinitions(grok, documents));
    },
  },
  {
    name: 'stock grok definitions',
    atLeast: 350,
    options: {},
    read(t) {
      const grok = suitePath(t, 'grok');
      if (grok === null) return null;
      const definitions = grokDefinitions(grok, []);
      return [...definitions.values()].map((definition) => expandGrok(definition, definitions));
    },
  },
  {
    name: 'literals after `matches`',
    atLeast: 14,
    options: { groups: 'none' },
    read(t) {
      const file = suitePath(t, 'expr/crowdsec.json');
      return file === null ? null : matchesLiterals(file);
    },
  },
  {
    name: 'data files of regular expressions',
    atLeast: 600,
    options: { groups: 'none' },
    read(t) {
      const folder = suitePath(t, 'sec-lists/web');
      if (folder === null) return null;
      const files = filesUnder(folder, /regex.*\.txt$|thinkphp.*\.txt$/);
      return files
        .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
        .filter((line) => line !== '' && !line.startsWith('#'));
    },
  },
  {
    name: '@rx of the Core Rule Set',
    atLeast: 310,
    options: { subject: 'bytes', dotAll: true },
    read(t) {
      const folder = suitePath(t, 'crs/rules');
      return folder === null ? null : rxPatterns(folder);
    },
  },
  {
    name: 'regexes of hub appsec-rules',
    atLeast: 10,
    options: { subject: 'bytes', dotAll: true },
    read(t) {
      const folder = suitePath(t, 'hub/appsec-rules');
      return folder === null ? null : appsecPatterns(folder);
    },
  },
];

for (const corpus of corpora) {
  t.test(`${corpus.name}: compile, and the linear engine accepts them`, async (t) => {
    const sources = corpus.read(t);
    if (sources === null) return;
    t.ok(sources.length >= corpus.atLeast, `${sources.length} patterns, at least ${corpus.atLeast}`);
    const patterns: Pattern[] = [];
    const refused: string[] = [];
    for (const source of sources) {
      try {
        patterns.push(compilePattern(source, corpus.options));
      } catch (error) {
        refused.push(messageOf(error));
      }
    }
    t.same(refused, [], 'none is refused');
    const answers = askLinearEngine(patterns.map((pattern) => [pattern.regexp.source, null]));
    t.same(
      answers.filter((answer) => answer !== null),
      [],
      'none is refused by the linear engine',
    );
  });
}

/** Units that the loops of real patterns run over; repeated, they made single matches take minutes without the fallback. */
const fillers = [
  'a',
  ' ',
  '\n',
  '<',
  "'",
  '(',
  '0',
  '/',
  '.',
  '-',
  'a ',
  'a.',
  '"a',
  '\\',
  '=a&',
  '{$',
  '%0',
  '<a ',
  'a,1 ',
];

for (const corpus of corpora) {
  t.test(`${corpus.name}: hostile texts come to an end`, async (t) => {
    const sources = corpus.read(t);
    if (sources === null) return;
    const texts = fillers.flatMap((unit) => {
      const body = unit.repeat(Math.ceil(1_000 / unit.length));
      return [body, `<${body}!`];
    });
    const child = spawnSync(process.execPath, [join(import.meta.dirname, '../detectors/regex/hostile-child.ts')], {
      input: JSON.stringify({ sources, options: corpus.options, texts }),
      encoding: 'utf8',
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    t.equal(child.status, 0, `the process came back (${child.signal ?? ''}${child.stderr.slice(0, 200)})`);
    if (child.status !== 0) return;
    const { tried } = JSON.parse(child.stdout) as { tried: number };
    t.equal(tried, sources.length * texts.length, `${tried} pairs`);
  });
}
