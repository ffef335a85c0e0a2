import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { OperatorDefinition, RuleDefinition, RuleEntry } from '../../../../detectors/waf/seclang/definition.ts';
import { suitePath } from '../../../support/suites.ts';
import { entries as arbitraryEntries } from './arbitrary-rules.ts';
import { loadText } from './loading.ts';
import { type Layout, plainLayout, printEntries } from './print-program.ts';

const place = { file: 'test', line: 0 };

/** Rules without what depends on where they stand. */
function placeless(entries: readonly RuleEntry[]): readonly RuleEntry[] {
  return entries.map((entry) => (entry.kind === 'marker' ? { ...entry, place } : placelessRule(entry)));
}

function placelessRule(rule: RuleDefinition): RuleDefinition {
  const operator: OperatorDefinition | null = rule.operator === null ? null : { ...rule.operator, folder: '/rules' };
  return { ...rule, place, operator, chained: rule.chained === null ? null : placelessRule(rule.chained) };
}

const upside = (name: string): string =>
  Array.from(name, (letter, index) => (index % 2 === 0 ? letter.toUpperCase() : letter.toLowerCase())).join('');

const layouts: readonly (readonly [string, Layout])[] = [
  ['on one line each', plainLayout],
  ['on many lines', { betweenActions: '\\\n  ', betweenDirectives: '\r\n\r\n', spell: (name) => name }],
  [
    'with comments between the lines and names in any case',
    { betweenActions: ' \\\n\t# and,\\\n\n ', betweenDirectives: '\n # "\n', spell: upside },
  ],
];

t.test('any rules are read as they were written', async (t) => {
  for (const [index, [name, layout]] of layouts.entries()) {
    fc.assert(
      fc.property(arbitraryEntries, (entries) => {
        const program = loadText(printEntries(entries, layout));
        const mistakes = program.faults.filter(({ level }) => level === 'error');
        deepStrictEqual(mistakes, []);
        deepStrictEqual(placeless(program.entries), entries);
      }),
      { seed: 20_260 + index, numRuns: 100 },
    );
    t.pass(name);
  }
});

t.test('the Core Rule Set says the same when it is written anew', async (t) => {
  const folder = suitePath(t, 'crs/rules');
  if (folder === null) return;
  const names = readdirSync(folder).filter((name) => name.endsWith('.conf'));
  const original = loadText(
    names
      .toSorted()
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('\n'),
  );
  t.same(original.faults, []);
  for (const [name, layout] of layouts) {
    const again = loadText(printEntries(original.entries, layout));
    t.same(again.faults, [], name);
    t.strictSame(placeless(again.entries), placeless(original.entries), name);
  }
});
