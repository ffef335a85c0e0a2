/**
 * Where paths lead in texts that are not quite JSON, as lines of logs often are. The answers are CrowdSec 1.4.6's, which gave
 * the same ones for some hundreds of damaged texts more.
 */
import t from 'tap';
import { findJson, pathSteps } from '../../../detectors/expr/helpers/json-path.ts';

/** Text, path, answer ("" where there is none). */
const cases: readonly (readonly [text: string, path: string, expected: string])[] = [
  ['[2024-01-01] {"a":1}', 'a', '1'],
  ['"s" {"a":1}', 'a', '1'],
  ['{} {"a":1}', 'a', ''],
  ['{"a":1} trailing: words', 'a', '1'],
  ['Jan 1 10:00:00 {"a":1}', 'a', ''],
  ['"s": {"a":1}', 'a', ''],
  ['"a":1}', 'a', ''],
  ['{"q":{"a":5},"a":null}', 'a', 'null'],
  ['{"a":{},"a":{"b":9}}', 'a.b', '9'],
  ['{"a":{"a":1,"b":{"b":2}},"a":{"b":3}}', 'a.b', '{"b":2}'],
  ['{"x":1,,"a":2}', 'a', '2'],
  ['{"x":"y":"z","a":2}', 'a', '2'],
  ['{"a":-.25}', 'a', '-.25'],
  ['{"a":1700850127.<b>&,"b":1}', 'a', '1700850127.<b>&'],
  ['{"a":.25}', 'a', ''],
  ['{"a":tru}', 'a', ''],
  ['{"x":[{"a":1}],"a":2}', 'a', '2'],
  ['[{"a":1},{"a":"two"}]', '[1].a', 'two'],
  ['[{"a":1},{"a":"two"]', '[1].a', ''],
  ['[{"a":1},,{"a":"two"}]', '[1].a', ''],
  ['{"c":[{"d":1},{"d":[1,2}],"a":true}', 'c[1].d', '[1,2}]'],
  ['{"c":[t,{"d":1}]}', 'c[1].d', ''],
  ['{"c":["[]","{}"]}', 'c[1]', '{}'],
  ['{"c":[]}', 'c[0]', ''],
  ['{"\\u0061":7}', 'a', '7'],
  ['{"x-y":{"$z":-3.5e2}}', 'x-y.$z', '-3.5e2'],
];

t.test('paths lead to the same places in damaged texts as upstream', async (t) => {
  for (const [text, path, expected] of cases)
    t.equal(findJson(text, pathSteps(path))?.raw ?? '', expected, `${path} in ${text}`);
  t.equal(cases.length, 26);
});

t.test('long damaged texts take one walk', async (t) => {
  const many = 200_000;
  for (const text of [
    '['.repeat(many),
    '{"a":'.repeat(many),
    '"'.repeat(many),
    '{}'.repeat(many),
    '[],'.repeat(many),
  ]) {
    t.equal(findJson(text, pathSteps('b[3].c')), null);
  }
});
