import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import { benignTexts } from '../../../../detectors/waf/injection/learning/benign-texts.ts';
import {
  type InjectionSample,
  readInjectionSamples,
} from '../../../../detectors/waf/injection/learning/injection-samples.ts';
import {
  learnFingerprints,
  renderFingerprints,
} from '../../../../detectors/waf/injection/learning/learn-fingerprints.ts';
import { createSqliDetector } from '../../../../detectors/waf/injection/sqli-detector.ts';
import { suitePath } from '../../../support/suites.ts';
import { readInjectionCases } from './injection-cases.ts';

const detect = createSqliDetector();

/**
 * Attack samples that are let through, with the reason: each could as well be prose or a broken text, or says nothing to
 * a database by itself. The beginning of the sample names it.
 */
const arguable: Readonly<Record<string, readonly string[]>> = {
  'nothing in it compares, calls or selects': [
    "' or 1",
    "'or not false #aa",
    'id having (1 or 1)',
    'id having (1 or true)',
    'id having (true or 1)',
    " ( @a ) in ( BINARY ( 'b') )  --",
    ' (  1 - BINARY BINARY ( 1) )  --',
    "'s' || binary(1)# and n='foo\"",
    '1\' OR 1&"1',
    "aa'or column+(1)='1",
    "1'*@@version*-0%20=%20'0",
    "-1' /ID having 1< 1 and 1 like 1/'1 ",
    'asd" or table.column^"1',
    '3 where prod.id=3/*',
  ],
  'no database has this syntax': [
    '1)and(select1from(selectcount(*),concat((selectversion())',
    "1' own3d by 1",
    "' or MATCH username AGAINST ('+admin -a' IN BOOLEAN MODE); -- -a",
    "' or MATCH username AGAINST ('a* -) -+ ' IN BOOLEAN MODE); -- -a",
    "1'; anything: goto anything -- -a",
    "foo' Eqv StrComp(username, 0x12 0x34 0xab 0xcd,0) Imp 'a",
    'SELECT information_schema 1337.e.tables 13.37e.table_name',
    'SELECT LightOS . ``1.e.table_name LightOS)',
    'SELECT $.`` 1.e.table_name',
    'SELECT{_ .``1.e.table_name}',
  ],
  'words that prose has as well': [
    'case when f(1) then 3 end',
    '(select 1 foobar from dual)',
    '1;call p(@version, @a)',
  ],
  'it begins with a path': ['product/show-7 or 1 group by concat(concat_ws('],
  'UNION behind a bareword, as in prose': ["binary _latin1 'true' COLLATE latin1_german2_ci is not unknown union"],
};

t.test('the cases of the suite have their fingerprints', async (t) => {
  const folder = suitePath(t, 'injection-samples/cases');
  if (folder === null) return;
  const cases = readInjectionCases(folder, 'test-sqli-');
  t.equal(cases.length, 50);
  for (const { file, input, expected } of cases) t.equal(detect(input) ?? '', expected, file);
});

function missedOf(samples: readonly InjectionSample[]): string[] {
  return [...new Set(samples.map(({ text }) => text).filter((text) => detect(text) === null))];
}

t.test('99 % of the attacks that nothing was learned from are caught', async (t) => {
  const folder = suitePath(t, 'injection-samples/samples');
  if (folder === null) return;
  const samples = readInjectionSamples(folder, 'sqli-');
  const checked = samples.filter((sample) => !sample.learning);
  t.equal(samples.length, 17_149);
  t.equal(checked.length, 8534);
  const missed = checked.filter(({ text }) => detect(text) === null).length;
  t.ok(missed / checked.length < 0.01, `${missed} of ${checked.length} missed`);
});

t.test('the attacks that are let through are the arguable ones that are named', async (t) => {
  const folder = suitePath(t, 'injection-samples/samples');
  if (folder === null) return;
  const named = Object.values(arguable).flat();
  const missed = missedOf(readInjectionSamples(folder, 'sqli-'));
  t.same(
    missed.filter((text) => !named.some((start) => text.startsWith(start))),
    [],
    'every one that is missed is named',
  );
  t.same(
    named.filter((start) => !missed.some((text) => text.startsWith(start))),
    [],
    'every one that is named is missed',
  );
});

t.test('none of the false positives of the suite is taken for an attack', async (t) => {
  const folder = suitePath(t, 'injection-samples/samples');
  if (folder === null) return;
  const samples = readInjectionSamples(folder, 'false_positives');
  t.equal(samples.length, 421);
  for (const { text } of samples) t.equal(detect(text), null, text);
});

t.test('honest texts full of words of SQL are left alone, but for one in a thousand', async (t) => {
  const texts = benignTexts(20_000, 20_260_101);
  const taken = texts.filter((text) => detect(text) !== null);
  t.ok(taken.length < 20, `${taken.length} of ${texts.length}: ${taken.slice(0, 5).join(' | ')}`);
});

t.test('the learned fingerprints are what the samples teach', async (t) => {
  const folder = suitePath(t, 'injection-samples/samples');
  if (folder === null) return;
  const source = join(import.meta.dirname, '../../../../detectors/waf/injection/sqli-fingerprints.ts');
  t.equal(readFileSync(source, 'utf8'), renderFingerprints(learnFingerprints(folder)));
});

interface CoreRuleTest {
  readonly test_id: number;
  readonly stages: readonly {
    readonly input: { readonly uri: string };
    readonly output: { readonly log: { readonly expect_ids?: readonly number[] } };
  }[];
}

t.test('paths of the tests of the core rules are told apart as rule 942101 has to', async (t) => {
  const file = suitePath(t, 'crs/tests/REQUEST-942-APPLICATION-ATTACK-SQLI/942101.yaml');
  if (file === null) return;
  const { tests } = parse(readFileSync(file, 'utf8')) as { tests: readonly CoreRuleTest[] };
  t.equal(tests.length, 11);
  for (const { test_id: id, stages } of tests) {
    for (const { input, output } of stages) {
      const path = decodeURIComponent(input.uri.replaceAll('+', ' '));
      const values = [path, path.slice(path.lastIndexOf('/') + 1)];
      t.equal(
        values.some((value) => detect(value) !== null),
        output.log.expect_ids !== undefined,
        `test ${id}: ${path}`,
      );
    }
  }
});

t.test('the vectors of the operator give what they say', async (t) => {
  const file = suitePath(t, 'seclang-vectors/operators/detectSQLi.json');
  if (file === null) return;
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as { input: string; ret: number }[];
  t.equal(vectors.length, 5);
  for (const { input, ret } of vectors) t.equal(detect(input) !== null, ret === 1, input);
});

t.test('an attack is found behind an expression of any length', async (t) => {
  for (const start of ['1', "x'", '1)', '(@a)-(@a)', '1'.padEnd(4000, '+1'), `${'('.repeat(500)}1${')'.repeat(500)}`]) {
    t.not(detect(`${start} union select password from users`), null, start.slice(0, 20));
    t.not(detect(`${start} union/**/all/**/select 1,2,3`), null, start.slice(0, 20));
    t.not(detect(`${start}; drop table users`), null, start.slice(0, 20));
  }
});

t.test('what an attack is wrapped in does not hide it', async (t) => {
  const attacks = [
    "1' or '1'='1",
    '1 or 1=1',
    "' union select null,version()-- ",
    '1;waitfor delay "0:0:5"',
    "a' and sleep(5)#",
  ];
  const wrap: ((text: string) => string)[] = [
    (text) => text.toUpperCase(),
    (text) => text.replaceAll(' ', '/**/'),
    (text) => text.replaceAll(' ', '\t\n'),
    (text) => text.replaceAll(' ', '\xa0'),
    (text) => text.replaceAll(' ', '\x0b'),
  ];
  for (const attack of attacks) for (const change of wrap) t.not(detect(change(attack)), null, change(attack));
});

t.test('no byte string makes it throw or remember', async (t) => {
  const pieces = [
    'union',
    'select',
    "'",
    '"',
    '`',
    '(',
    ')',
    ';',
    '--',
    '/*',
    '*/',
    '#',
    '@',
    '$a$',
    "q'[",
    '\\',
    '1',
    'or',
    '{',
    '\xa0',
    '\0',
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces, ' '), { maxLength: 40 }).map((list) => list.join('')),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  fc.assert(
    fc.property(text, (value) => detect(value) === createSqliDetector()(value)),
    { seed: 942_100, numRuns: 1500 },
  );
  t.pass('same answers from a used detector and a new one');
});
