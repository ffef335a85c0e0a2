import fc from 'fast-check';
import t from 'tap';
import { expandEnvironment } from '../../../remediation/notify/expand-environment.ts';

t.test('set variables are put in, everything else stays as it is', async (t) => {
  const environment = { A: '1', LONG_NAME2: 'x y', EMPTY: '', NESTED: '$A ${A}' };
  const rows = [
    ['$A', '1'],
    ['${A}', '1'],
    ['${A}B$A-${LONG_NAME2}', '1B1-x y'],
    ['$AB', '$AB'],
    ['${NOPE} $NOPE', '${NOPE} $NOPE'],
    ['[${EMPTY}]', '[]'],
    ['$NESTED', '$A ${A}'],
    ['$', '$'],
    ['$$A', '$1'],
    ['${A', '${A'],
    ['${}', '${}'],
    ['$1 $-', '$1 $-'],
    ['pa$$word', 'pa$$word'],
    ['$toString ${__proto__} ${constructor}', '$toString ${__proto__} ${constructor}'],
  ] as const;
  for (const [text, expanded] of rows) t.equal(expandEnvironment(text, environment), expanded, text);
  t.equal(rows.length, 14);
});

t.test('property: without variables a text is itself', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 50 }), (text) => expandEnvironment(text, {}) === text),
    { seed: 3, numRuns: 500 },
  );
});
