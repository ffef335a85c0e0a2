/**
 * Real expressions: CrowdSec's own collection, everything in the hub's items, and every assertion of the hub's tests. All
 * must compile; what is evaluated gives a value or raises an ExpressionError, never anything else.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { HelperDependencies } from '../../detectors/expr/dependencies.ts';
import { assertionEnvironment, eventEnvironment } from '../../detectors/expr/environment.ts';
import { ExpressionError } from '../../detectors/expr/source-error.ts';
import { compilerFor, makeEvent } from '../detectors/expr/support.ts';
import { suitePath } from '../support/suites.ts';

/** Everything that some expression of the hub needs and that is not there by default. */
const everything: Partial<HelperDependencies> = {
  stash: { get: () => null, set: () => undefined },
  sendAlert: () => true,
};

t.test('the collected expressions compile and can be evaluated', async (t) => {
  const path = suitePath(t, 'expr/crowdsec.json');
  if (path === null) return;
  const sources = JSON.parse(readFileSync(path, 'utf8')) as string[];
  const compiler = compilerFor(eventEnvironment, everything);
  const faults: string[] = [];
  for (const source of sources) {
    try {
      compiler.compile(source, 'any').evaluate({ evt: makeEvent() });
    } catch (thrown) {
      if (!(thrown instanceof ExpressionError)) faults.push(messageOf(thrown));
    }
  }
  t.same(faults, []);
  t.equal(sources.length, 673);
});

/** Keys whose values are expressions in parsers, scenarios and postoverflows. */
const booleanKeys = new Set(['filter', 'cancel_on', 'condition', 'overflow_filter']);
const expressionKeys = new Set([...booleanKeys, 'groupby', 'distinct', 'expression']);

type Found = readonly [source: string, expected: 'bool' | 'any'];

function expressionsIn(value: unknown, key: string): Found[] {
  if (typeof value === 'string') return expressionKeys.has(key) ? [[value, booleanKeys.has(key) ? 'bool' : 'any']] : [];
  if (Array.isArray(value)) {
    if (key === 'stash')
      return value.flatMap(({ key, value }): Found[] => [
        [key, 'any'],
        [value, 'any'],
      ]);
    return value.flatMap((item) => expressionsIn(item, key));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => expressionsIn(inner, name));
}

function documentsIn(folder: string): unknown[] {
  return globSync(join(folder, '**/*.{yaml,yml}')).flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).map((document): unknown => document.toJS()),
  );
}

t.test('every expression of the hub compiles', async (t) => {
  const root = suitePath(t, 'hub');
  if (root === null) return;
  const found = ['parsers', 'scenarios', 'postoverflows']
    .flatMap((kind) => documentsIn(join(root, kind)))
    .flatMap((document) => expressionsIn(document, ''));
  const contexts = documentsIn(join(root, 'contexts')).flatMap((document) => {
    const { context = {} } = (document ?? {}) as { context?: Record<string, string[]> };
    return Object.values(context).flatMap((sources) => sources.map((source): Found => [source, 'any']));
  });
  const compiler = compilerFor(eventEnvironment, everything);
  const faults: string[] = [];
  for (const [source, expected] of [...found, ...contexts]) {
    try {
      compiler.compile(source, expected);
    } catch (thrown) {
      faults.push(messageOf(thrown));
    }
  }
  t.same(faults, []);
  t.ok(found.length >= 2_800, `${found.length} expressions of items`);
  t.ok(contexts.length >= 30, `${contexts.length} expressions of contexts`);
});

t.test('helpers whose dependency is absent are refused by name when the hub is loaded', async (t) => {
  const compiler = compilerFor();
  for (const [source, name] of [['GetFromStash("cache", evt.Parsed.thread) != ""', 'GetFromStash']] as const) {
    t.throws(() => compiler.compile(source, 'any'), {
      code: 'EXPRESSION_INVALID',
      message: new RegExp(`^${name} cannot`),
    });
  }
});

for (const [kind, fewest] of [
  ['parser', 45_000],
  ['scenario', 11_500],
] as const) {
  t.test(`every ${kind} assertion of the hub's tests compiles`, async (t) => {
    const root = suitePath(t, 'hub/.tests');
    if (root === null) return;
    const compiler = compilerFor(assertionEnvironment[kind]);
    const faults: string[] = [];
    let count = 0;
    for (const file of globSync(join(root, '*', `${kind}.assert`))) {
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        if (line.trim() === '') continue;
        count++;
        try {
          compiler.compile(line, 'bool');
        } catch (thrown) {
          if (!(thrown instanceof GatewayError)) throw thrown;
          faults.push(thrown.message);
        }
      }
    }
    t.same(faults, []);
    t.ok(count >= fewest, `${count} assertions`);
  });
}
