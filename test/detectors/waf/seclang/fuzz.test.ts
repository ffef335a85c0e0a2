/** The loader on what nobody would write: it ends, it does not throw, and what it gives is whole. */
import { ok, strictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { RuleProgram } from '../../../../detectors/waf/seclang/definition.ts';
import { suitePath } from '../../../support/suites.ts';
import { entries as arbitraryEntries } from './arbitrary-rules.ts';
import { linksOf, loadText, rulesOf } from './loading.ts';
import { plainLayout, printEntries } from './print-program.ts';

/** What a program is in every case. */
function checkWhole(program: RuleProgram, text: string): void {
  const lines = text.split('\n').length;
  ok(program.faults.length <= 1_002);
  for (const { place, reason } of program.faults) {
    ok(place.line >= 1 && place.line <= lines, `line ${place.line} of ${lines}`);
    ok(reason.length > 0 && reason.length < 2_000, reason.slice(0, 200));
    ok(!reason.includes('\n'), reason);
  }
  const heads = rulesOf(program);
  strictEqual(new Set(heads.map(({ id }) => id)).size, heads.length, 'ids are unique');
  for (const head of heads) {
    ok(head.id >= 1);
    for (const link of linksOf(head)) {
      strictEqual(link.phase, head.phase);
      ok(link.operator !== null || link.targets.length + link.excluded.length === 0);
      ok(link === head || link.id === 0);
      for (const name of link.transformations) ok(name !== 'none');
    }
  }
}

const fragments = [
  ['SecRule', 'SecAction', 'SecMarker', 'SecDefaultAction', 'SecRuleRemoveById', 'SecRuleRemoveByTag', 'SecRuleEngine'],
  ['SecRuleUpdateTargetById', 'SecRuleUpdateTargetByTag', 'SecRuleUpdateActionById', 'Include', 'SecDataset', '<If'],
  ['ARGS', 'TX:/a|b/', "ARGS:'/x/'", 'XML:/*', '&ARGS', '!ARGS:a', '|', 'REQUEST_URI', '@rx a', '!@eq 1', '@pm a b'],
  ['id:1', 'id:2', 'id:3-', 'phase:1', 'chain', 'pass', 'block', 'deny', 't:none', 't:lowercase', 'nolog', 'tag:a'],
  [
    "msg:'a, b'",
    "setvar:'tx.a=+%{tx.b}'",
    'ctl:ruleRemoveTargetById=1;ARGS:a',
    'skipAfter:a',
    'status:999',
    'initcol:ip=',
  ],
  [
    '"',
    "'",
    '\\',
    '\\"',
    "\\'",
    ',',
    ' ',
    ' ',
    '\n',
    '\n',
    '\\\n',
    '\n#',
    '\r\n',
    '`',
    '\t',
    '\0',
    '\xff',
    '%{',
    '}',
    '/',
    ':',
    '=',
  ],
].flat();

const soup = fc.array(fc.constantFrom(...fragments), { maxLength: 60 }).map((parts) => parts.join(''));
/** Directives whose arguments are whole but do not fit. */
const nearly = fc
  .array(
    fc
      .tuple(
        fc.constantFrom('SecRule', 'SecAction', 'SecRuleUpdateActionById', 'SecDefaultAction', 'SecRuleRemoveById'),
        fc.array(fc.array(fc.constantFrom(...fragments.filter((one) => !one.includes('\n'))), { maxLength: 5 }), {
          maxLength: 4,
        }),
      )
      .map(([name, values]) => `${name} ${values.map((parts) => `"${parts.join(',')}"`).join(' ')}`),
    { maxLength: 8 },
  )
  .map((lines) => lines.join('\n'));

for (const [name, arbitrary] of [
  ['a soup of what rule files are made of', soup],
  ['directives with arguments that do not fit', nearly],
] as const) {
  t.test(name, async (t) => {
    fc.assert(
      fc.property(arbitrary, (text) => checkWhole(loadText(text, { '/rules/a': text }), text)),
      { seed: 77, numRuns: 1_500 },
    );
    t.pass('1,500 texts');
  });
}

interface Cut {
  readonly at: number;
  readonly length: number;
  readonly put: string;
}

const cuts = fc.array(
  fc.record<Cut>({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.constantFrom(0, 1, 1, 2, 5, 40, 400),
    put: fc.constantFrom('', ...fragments),
  }),
  { minLength: 1, maxLength: 6 },
);

function damaged(text: string, changes: readonly Cut[]): string {
  let result = text;
  for (const { at, length, put } of changes) {
    const start = Math.floor(at * result.length);
    result = result.slice(0, start) + put + result.slice(start + length);
  }
  return result;
}

t.test('rules that were damaged', async (t) => {
  fc.assert(
    fc.property(arbitraryEntries, cuts, (entries, changes) => {
      const text = damaged(printEntries(entries, plainLayout), changes);
      checkWhole(loadText(text), text);
    }),
    { seed: 78, numRuns: 300 },
  );
  t.pass('300 texts');
});

t.test('a file of the Core Rule Set that was damaged loses few rules', async (t) => {
  const folder = suitePath(t, 'crs/rules');
  if (folder === null) return;
  const text = readFileSync(join(folder, 'REQUEST-921-PROTOCOL-ATTACK.conf'), 'latin1');
  const whole = rulesOf(loadText(text)).length;
  ok(whole > 20);
  fc.assert(
    fc.property(cuts, (changes) => {
      const damage = damaged(text, changes);
      const program = loadText(damage);
      checkWhole(program, damage);
      // A cut of 400 characters can take the ends of two rules, and a quote with a backslash joins two more.
      ok(rulesOf(program).length >= whole - 4 * changes.length, `${rulesOf(program).length} of ${whole}`);
    }),
    { seed: 79, numRuns: 150 },
  );
  t.pass('150 texts');
});

t.test('long texts of one thing', async (t) => {
  const times = 20_000;
  const texts = [
    `SecAction "id:1,msg:${"'a".repeat(times)}"`,
    `SecAction "id:1,msg:${"='a".repeat(times)}"`,
    `SecAction "${"a:x='b,".repeat(times)}c:'z'"`,
    `SecAction "${'\\"'.repeat(times)}"`,
    `SecAction 'a${"\\\\\\'".repeat(times)}`,
    `SecRule ARGS:/${'/a'.repeat(times)} b id:1`,
    `SecRule ARGS:${',ARG'.repeat(times)} b id:1`,
    `SecRule "ARGS:${',   '.repeat(times)}" b id:1`,
    `SecRule ${'!&'.repeat(times)} b id:1`,
    `SecRule ARGS:/${'('.repeat(times)}/ b id:1`,
    `SecAction "id:1,msg:'${'%{'.repeat(times)}'"`,
    `SecAction "id:1,msg:'${'%{x}'.repeat(times)}'"`,
    'a\\\n'.repeat(times),
    `SecDataset a \`\n${'b\n'.repeat(times)}`,
    `SecRuleRemoveById ${'1-2 '.repeat(times)}`,
    `SecAction id:1,chain\n${'SecAction chain\n'.repeat(times)}`,
    Array.from({ length: times }, (_, id) => `SecAction id:${id + 1}\nSecRuleRemoveById ${id + 1}`).join('\n'),
    Array.from({ length: times }, (_, index) => `SecResponseBodyMimeType a/${index}`).join('\n'),
  ];
  for (const text of texts) checkWhole(loadText(text), text);
  t.equal(texts.length, 18);
});
