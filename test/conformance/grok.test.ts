/**
 * The grok library against the reference definitions: the same names and fields, and for lines made from the reference,
 * matching and nearly matching, the same answers. Then every pattern of the hub with either library on the lines of the
 * hub's tests.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import type { StringMap } from '../../detectors/event.ts';
import { type Definition, defineText, expand } from '../../detectors/grok/definition.ts';
import { createGrokRegistry, type GrokRegistry } from '../../detectors/grok/grok-registry.ts';
import { libraryTables } from '../../detectors/grok/library/index.ts';
import type { GrokTable } from '../../detectors/grok/library/table.ts';
import { parsePattern } from '../../detectors/regex/parse-pattern.ts';
import type { PatternNode } from '../../detectors/regex/syntax.ts';
import { matchEnds } from '../detectors/grok/match-ends.ts';
import { mutated, textFor } from '../detectors/grok/text-generator.ts';
import { suitePath } from '../support/suites.ts';
import { seeded } from '../support/seeded.ts';

/** tap's `skip` runs a skipped subtest; an assertion counts as skipped by its options. */
/** The names of the reference with their definitions, each after those it refers to. */
function referenceTable(folder: string): GrokTable {
  const waiting = new Map<string, string>();
  for (const file of readdirSync(folder).filter((name) => name !== 'LICENSE')) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const [, name, body] = /^(\w+)\s+(.+)$/.exec(line) ?? [];
      if (name !== undefined && body !== undefined) waiting.set(name, body);
    }
  }
  const table = new Map<string, string>();
  const visit = (name: string): void => {
    const body = waiting.get(name);
    if (body === undefined || table.has(name)) return;
    for (const [, inner = ''] of body.matchAll(/%\{(\w+)(?::\w+)?\}/g)) visit(inner);
    table.set(name, body);
  };
  for (const name of waiting.keys()) visit(name);
  return Object.fromEntries(table);
}

/** A library as trees, by name. */
function treesOf(tables: readonly GrokTable[]): ReadonlyMap<string, PatternNode> {
  const definitions = new Map<string, Definition>();
  const trees = new Map<string, PatternNode>();
  for (const table of tables) {
    for (const [name, body] of Object.entries(table)) {
      const definition = defineText(body, (other) => definitions.get(other) ?? null);
      definitions.set(name, definition);
      trees.set(name, parsePattern(expand(definition, 'f_'), { groups: 'none' }).root);
    }
  }
  return trees;
}

function treeOf(trees: ReadonlyMap<string, PatternNode>, name: string): PatternNode {
  const tree = trees.get(name);
  if (tree === undefined) throw new Error(`${name} has no definition`);
  return tree;
}

/** What a pattern finds: its fields, and as `before` and `whole` where the match lies. Null when it does not match. */
function reader(registry: GrokRegistry, name: string): (line: string) => StringMap | null {
  registry.define('LEADING_TEXT', '(?s)^.*?');
  const grok = registry.compile(`%{LEADING_TEXT:before}%{${name}:whole}`);
  return (line) => {
    const into: StringMap = {};
    return grok.exec(line, into) ? into : null;
  };
}

const linesPerName = 40;
/** Every how many lines the ends of matches are compared at each of the first places of the line. */
const linesPerPlaces = 8;
const placesPerLine = 60;

t.test('the library answers as the reference does', async (t) => {
  const folder = suitePath(t, 'grok');
  if (folder === null) return;
  const reference = referenceTable(folder);
  const names = libraryTables.flatMap((table) => Object.keys(table));
  t.same(names.toSorted(), Object.keys(reference).sort());
  t.equal(names.length, 397);
  const [theirs, ours] = [createGrokRegistry([reference]), createGrokRegistry()];
  const [theirTrees, ourTrees] = [treesOf([reference]), treesOf(libraryTables)];
  const fraction = seeded(20_260_101);
  let [lines, matched, places] = [0, 0, 0];
  const differences: string[] = [];
  const unmatched: string[] = [];
  for (const name of names) {
    const matchedBefore = matched;
    if (theirs.named(name).fields.toSorted().join() !== ours.named(name).fields.toSorted().join()) {
      differences.push(`${name}: other fields`);
    }
    const [expected, actual] = [reader(theirs, name), reader(ours, name)];
    const [theirTree, ourTree] = [treeOf(theirTrees, name), treeOf(ourTrees, name)];
    for (let count = 0; count < linesPerName; count++) {
      const made = textFor(theirTree, fraction);
      const around = count % 4 === 1 ? `x ${made} y` : made;
      const line = count % 4 === 0 ? made : mutated(around, fraction);
      const found = expected(line);
      lines++;
      if (found !== null) matched++;
      if (!isDeepStrictEqual(actual(line), found)) differences.push(`${name} on ${JSON.stringify(line)}`);
      if (count % linesPerPlaces !== 0) continue;
      for (let from = 0; from < Math.min(line.length, placesPerLine); from++) {
        places++;
        if (matchEnds(theirTree, line, from).join() === matchEnds(ourTree, line, from).join()) continue;
        differences.push(`${name} ends elsewhere from ${from} of ${JSON.stringify(line)}`);
      }
    }
    if (matched === matchedBefore) unmatched.push(name);
  }
  t.same(differences, [], 'none differs');
  // A word's edge between a number and `ms`: this one matches nothing, upstream neither.
  t.same(unmatched, ['MONGO_SLOWQUERY'], 'every other name matches at least one line');
  t.equal(lines, 397 * linesPerName);
  t.ok(matched > lines / 3, `${matched} of ${lines} lines match`);
  t.ok(places > 397 * 50, `${places} places were compared`);
});

interface HubParser {
  /** `crowdsecurity/sshd-logs`. */
  readonly names: readonly string[];
  readonly file: string;
  readonly documents: readonly unknown[];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function readParsers(folder: string): HubParser[] {
  return filesUnder(folder).map((file) => {
    const source = readFileSync(file, 'utf8');
    const documents = parseAllDocuments(source, { logLevel: 'silent' }).map((document): unknown => document.toJS());
    const names = documents.map((document) => String((document as { name?: unknown } | null)?.name));
    return { names, file, documents };
  });
}

/** Every object within `value`, itself included, in the order of the document. */
function* objectsIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* objectsIn(inner);
}

interface WrittenPattern {
  readonly text: string;
  readonly by: 'pattern' | 'name' | 'pattern_syntax';
}

function patternsOf(parser: HubParser): WrittenPattern[] {
  const found: WrittenPattern[] = [];
  for (const { grok, pattern_syntax: syntax } of objectsIn(parser.documents)) {
    for (const name of Object.keys(syntax ?? {})) found.push({ text: name, by: 'pattern_syntax' });
    const { pattern, name } = (grok ?? {}) as { pattern?: unknown; name?: unknown };
    if (typeof pattern === 'string') found.push({ text: pattern, by: 'pattern' });
    if (typeof name === 'string') found.push({ text: name, by: 'name' });
  }
  return found;
}

function defineSyntax(registry: GrokRegistry, parsers: readonly HubParser[]): void {
  for (const parser of parsers) {
    for (const { pattern_syntax: syntax } of objectsIn(parser.documents)) {
      for (const [name, body] of Object.entries(syntax ?? {})) registry.define(name, String(body));
    }
  }
}

/** The lines of the tests that a parser is listed in, as they are and without their syslog head. */
function linesFor(parser: HubParser, tests: readonly HubTest[], head: GrokRegistry): string[] {
  const wanted = tests.filter(({ parsers }) =>
    parsers.some((listed) => parser.names.includes(listed) || parser.file.endsWith(listed.replace(/^\./, ''))),
  );
  const syslog = head.compile('^%{SYSLOGLINE}');
  return wanted.flatMap(({ lines }) =>
    lines.flatMap((line) => {
      const into: StringMap = {};
      return syslog.exec(line, into) ? [line, into.message ?? ''] : [line];
    }),
  );
}

interface HubTest {
  readonly parsers: readonly string[];
  readonly lines: readonly string[];
}

function readTests(folder: string): HubTest[] {
  return readdirSync(folder).flatMap((name) => {
    const config = join(folder, name, 'config.yaml');
    if (!existsSync(config)) return [];
    const { parsers, log_file: log } = parse(readFileSync(config, 'utf8')) as { parsers?: string[]; log_file?: string };
    const file = join(folder, name, log ?? '');
    if (log === undefined || log === '' || !existsSync(file)) return [];
    return [
      {
        parsers: parsers ?? [],
        lines: readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== ''),
      },
    ];
  });
}

t.test('the patterns of the hub answer alike with either library', async (t) => {
  const [grok, hub, folder] = [suitePath(t, 'grok'), suitePath(t, 'hub/parsers'), suitePath(t, 'hub/.tests')];
  const postoverflows = suitePath(t, 'hub/postoverflows');
  if (grok === null || hub === null || folder === null || postoverflows === null) return;
  const tests = readTests(folder);
  let [patterns, pairs, matched] = [0, 0, 0];
  const differences: string[] = [];
  for (const parsers of [readParsers(hub), readParsers(postoverflows)]) {
    const [theirs, ours] = [createGrokRegistry([referenceTable(grok)]), createGrokRegistry()];
    defineSyntax(theirs, parsers);
    defineSyntax(ours, parsers);
    for (const parser of parsers) {
      const lines = linesFor(parser, tests, ours);
      for (const { text, by } of patternsOf(parser)) {
        patterns++;
        const [expected, actual] = [theirs, ours].map((registry) =>
          by === 'pattern' ? registry.compile(text) : registry.named(text),
        );
        if (expected === undefined || actual === undefined) continue;
        for (const line of lines) {
          pairs++;
          const [wanted, got]: [StringMap, StringMap] = [{}, {}];
          if (expected.exec(line, wanted)) matched++;
          actual.exec(line, got);
          if (!isDeepStrictEqual(got, wanted)) differences.push(`${text} on ${JSON.stringify(line)}`);
        }
      }
    }
  }
  t.same(differences, [], 'none differs');
  t.ok(patterns >= 567, `${patterns} patterns`);
  t.ok(pairs > 10_000, `${pairs} pairs of a pattern and a line`);
  t.ok(matched > 1_000, `${matched} of them match`);
});
