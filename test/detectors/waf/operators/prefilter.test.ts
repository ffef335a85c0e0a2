/**
 * Nothing that matches may be passed over: every operator of the Core Rule Set, as rules run it behind the search index and
 * the known texts, against the same operator in its plainest form, on values out of the suites.
 */
import t from 'tap';
import { compilePattern } from '../../../../detectors/regex/compile-pattern.ts';
import { lowerAscii } from '../../../../detectors/waf/seclang/ascii.ts';
import { createSqliDetector } from '../../../../detectors/waf/injection/sqli-detector.ts';
import { createXssDetector } from '../../../../detectors/waf/injection/xss-detector.ts';
import { compileOperator } from '../../../../detectors/waf/operators/compile-operator.ts';
import type { OperatorDefinition } from '../../../../detectors/waf/seclang/definition.ts';
import { TextPool } from '../../../../detectors/waf/text/text-pool.ts';
import { suitePath } from '../../../support/suites.ts';
import { readCoreOperators } from './core-operators.ts';
import { valuesOfSamples, valuesOfTests } from './core-values.ts';
import { definitionOf, dependenciesOf, Run } from './support.ts';

/** Null for an operator that is not looked for. */
function plainTest(
  definition: OperatorDefinition,
  read: (name: string) => string,
): ((value: string) => boolean) | null {
  const { name, argument } = definition;
  if (argument.parts.some((part) => typeof part !== 'string')) return null;
  const written = argument.source;
  switch (name) {
    case 'rx': {
      const pattern = compilePattern(written, { subject: 'bytes', dotAll: true, groups: 'none' });
      return (value) => pattern.test(value);
    }
    case 'pm':
      return anyPhrase(written.split(' '));
    case 'pmfromfile':
      return anyPhrase(
        read(written)
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => !/^(?:#|$)/.test(line)),
      );
    case 'contains':
      return (value) => value.includes(written);
    case 'streq':
      return (value) => value === written;
    case 'beginswith':
      return (value) => value.startsWith(written);
    case 'endswith':
      return (value) => value.endsWith(written);
    case 'within':
      return (value) => written.includes(value);
    default:
      return null;
  }
}

function anyPhrase(phrases: readonly string[]): (value: string) => boolean {
  const lower = phrases.map((phrase) => lowerAscii(phrase));
  return (value) => {
    const text = lowerAscii(value);
    return lower.some((phrase) => text.includes(phrase));
  };
}

t.test('the search index loses no match of the Core Rule Set', async (t) => {
  const rules = suitePath(t, 'crs/rules');
  const tests = suitePath(t, 'crs/tests');
  const samples = suitePath(t, 'injection-samples/samples');
  if (rules === null || tests === null || samples === null) return;
  const { operators, index, readData } = readCoreOperators(rules);
  const distinct = new Map(operators.map((operator) => [operator.compiled, operator]));
  const plain = [...distinct.values()].flatMap(({ compiled, definition, place }) => {
    const test = plainTest(definition, (name) => readData(name) ?? '');
    // Phrase lists are slow to ask in the plain form.
    return test === null ? [] : [{ compiled, place, test, nth: definition.name === 'pmfromfile' ? 20 : 1 }];
  });
  const pool = new TextPool(index, { texts: 64 });
  const values = everyNth([...valuesOfTests(tests), ...everyNth(valuesOfSamples(samples), 20)], 3);
  t.ok(values.length > 2_000, `${values.length} values`);
  let matches = 0;
  let asked = 0;
  for (const [number, value] of values.entries()) {
    for (const { compiled, place, test, nth } of plain) {
      if (number % nth !== 0) continue;
      const text = pool.text(value);
      const expected = test(value);
      if (expected) matches++;
      if (compiled.number !== -1 && text.mayMatch(compiled.number)) asked++;
      if (compiled.test(text, new Run(false)) !== expected)
        t.fail(`${place} on ${JSON.stringify(value)}`, { expected });
    }
  }
  t.equal(plain.length, 335);
  t.ok(matches > 30_000, `${matches} matches`);
  t.ok(asked < matches * 3, `${asked} were asked`);
  t.ok(index.bytes < 20_000_000, `${index.bytes} bytes`);
});

t.test('the detectors find nothing in texts that they are not asked about', async (t) => {
  const samples = suitePath(t, 'injection-samples/samples');
  if (samples === null) return;
  const dependencies = dependenciesOf({ detectSqli: createSqliDetector(), detectXss: createXssDetector() });
  const sqli = compileOperator(definitionOf('detectSQLi', ''), dependencies);
  const xss = compileOperator(definitionOf('detectXSS', ''), dependencies);
  const pool = new TextPool(dependencies.index.build());
  let found = 0;
  for (const value of valuesOfSamples(samples)) {
    const text = pool.text(value);
    for (const [operator, is] of [
      [sqli, dependencies.detectSqli(value) !== null],
      [xss, dependencies.detectXss(value)],
    ] as const) {
      if (is) found++;
      if (operator.test(text, new Run(false)) !== is) t.fail(`${operator.name} on ${JSON.stringify(value)}`);
    }
  }
  t.ok(found > 15_000, `${found} found`);
});

function everyNth<T>(list: readonly T[], nth: number): readonly T[] {
  return list.filter((_, index) => index % nth === 0);
}
