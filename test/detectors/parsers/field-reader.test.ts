import * as fc from 'fast-check';
import t from 'tap';
import { createExpressionCompiler } from '../../../detectors/expr/compile.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { eventEnvironment } from '../../../detectors/expr/environment.ts';
import { fieldReader } from '../../../detectors/parsers/field-reader.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { eventOf, fieldsOf } from './support.ts';

const helpers = { clock: createManualClock(), files: noDataFiles, regex: compilePattern };
const compiler = createExpressionCompiler({ environment: eventEnvironment, helpers });

t.test('what copies a text is told from what does more', async (t) => {
  const cases: [string, boolean][] = [
    ['evt.Parsed.a', true],
    ['evt.Meta["a b.c"]', true],
    ['evt.Enriched.a', true],
    ['evt.Line.Labels.type', true],
    ['evt.StrTime', true],
    ['evt.Line.Raw', true],
    ['evt.Unmarshaled.a', false],
    ['evt.Parsed', false],
    ['evt.Parsed[evt.Meta.a]', false],
    ['evt.Type', false],
    ['evt?.Parsed.a', false],
    ['evt.Parsed.a + evt.Parsed.b', false],
    ['Upper(evt.Parsed.a)', false],
  ];
  for (const [source, copies] of cases) {
    const read = fieldReader(compiler.compile(source, 'any').ast);
    t.equal(read !== null, copies, source);
  }
  t.equal(cases.length, 13);
});

t.test('a copy is what the expression gives', async () => {
  const key = fc.constantFrom('a', 'b', 'constructor', '__proto__', 'x.y');
  const map = fc.constantFrom('Parsed', 'Meta', 'Enriched', 'Line.Labels');
  const fields = fc.dictionary(key, fc.string(), { noNullPrototype: true });
  fc.assert(
    fc.property(map, key, fields, (name, wanted, values) => {
      const expression = compiler.compile(`evt.${name}[${JSON.stringify(wanted)}]`, 'any');
      const filled = fieldsOf(values);
      const evt = eventOf('raw', { Parsed: filled, Meta: filled, Enriched: filled }, values);
      return fieldReader(expression.ast)?.(evt) === expression.evaluate({ evt });
    }),
    { seed: 61, numRuns: 300 },
  );
});
