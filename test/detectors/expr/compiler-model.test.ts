/** Compiled closures against the plain walk of the tree: same value, or both raise. */
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import t from 'tap';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import type { Expression } from '../../../detectors/expr/compile.ts';
import { ExpressionError } from '../../../detectors/expr/source-error.ts';
import { ModelError, walk } from './model.ts';
import { expressionFrom } from './random-expression.ts';
import { compilerFor, fields, makeEvent } from './support.ts';

const compiler = compilerFor();
const raised = Symbol('raised');

const someText = fc.constantFrom(
  '',
  'a',
  'admin',
  'ADMIN',
  '.env',
  'x.php',
  '/login',
  'é🦆 b',
  'İstanbul',
  'ID=12',
  '-3',
);
const someJson = fc.oneof(
  someText,
  fc.constantFrom(0, 1, -2.5, 12, 1e300),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.oneof(someText, fc.integer({ min: -3, max: 3 })), { maxLength: 3 }),
);

const someEvent = fc
  .record({ a: someText, b: someText, c: someText, list: someJson, text: someJson, number: someJson, leaf: someJson })
  .map(({ a, b, c, list, text, number, leaf }) =>
    makeEvent({
      Meta: fields({ a, b }),
      Parsed: fields({ c }),
      Unmarshaled: { list, text, number, flag: a !== 'a', none: null, tree: { leaf } },
    }),
  );

function outcome(run: () => unknown, isExpected: (thrown: unknown) => boolean): unknown {
  try {
    return run();
  } catch (thrown) {
    if (isExpected(thrown)) return raised;
    throw thrown;
  }
}

t.test('the compiler agrees with the plain walk', async (t) => {
  let compiled = 0;
  let refused = 0;
  let values = 0;
  fc.assert(
    fc.property(fc.array(fc.nat(255), { minLength: 4, maxLength: 160 }), someEvent, (tape, evt) => {
      const source = expressionFrom(tape);
      let expression: Expression;
      try {
        expression = compiler.compile(source, 'any');
      } catch (thrown) {
        if (!(thrown instanceof GatewayError) || thrown.code !== 'EXPRESSION_INVALID') throw thrown;
        refused++;
        return;
      }
      compiled++;
      const expected = outcome(
        () => walk(expression.ast, { scope: { evt }, variables: {} }),
        (e) => e instanceof ModelError,
      );
      // Twice, because what is cached must give the same again.
      for (let round = 0; round < 2; round++) {
        const got = outcome(
          () => expression.evaluate({ evt }),
          (e) => e instanceof ExpressionError,
        );
        if (!isDeepStrictEqual(got, expected)) {
          throw new Error(`${source}\n gave ${shown(got)}, the model ${shown(expected)}`);
        }
      }
      if (expected !== raised) values++;
    }),
    { seed: 20_240_302, numRuns: 6_000 },
  );
  t.ok(compiled > refused * 3, `${compiled} compiled, ${refused} refused`);
  t.ok(values > compiled / 2, `${values} gave values`);
});

function shown(value: unknown): string {
  if (value === raised) return 'an error';
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one)) ?? messageOf(value);
}
