import t from 'tap';
import { noHosts } from '../../../core/host-resolver.ts';
import type { Log } from '../../../core/log.ts';
import { createTransformCompiler } from '../../../detectors/engine/line-transform.ts';
import { FieldMap, type Line } from '../../../detectors/event.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

interface Fixture {
  readonly clock: ManualClock;
  readonly logged: object[];
  readonly compile: ReturnType<typeof createTransformCompiler>;
}

function fixture(): Fixture {
  const clock = createManualClock();
  const logged: object[] = [];
  const log = { warn: (fields: object) => logged.push(fields) } as unknown as Log;
  const helpers = { clock, files: noDataFiles, regex: compilePattern, resolver: noHosts };
  return { clock, logged, compile: createTransformCompiler(helpers, { clock, log }) };
}

function lineOf(Raw: string): Line {
  const Labels = Object.assign(new FieldMap(), { type: 'json' });
  return { Raw, Src: '/var/log/x', Time: 5, Labels, Process: true, Module: 'file' };
}

t.test('a text or a list of texts stands for the line', async (t) => {
  const { compile, logged } = fixture();
  const cases: readonly (readonly [expression: string, raw: string, texts: readonly string[]])[] = [
    ['evt.Line.Raw', 'as it is', ['as it is']],
    ['Upper(evt.Line.Raw)', 'a', ['A']],
    ['Split(evt.Line.Raw, ";")', 'a;b;;c', ['a', 'b', '', 'c']],
    [
      'map(JsonExtractSlice(evt.Line.Raw, "Records"), ToJsonString(#))',
      '{"Records":[{"a":1},{"b":2}]}',
      ['{"a":1}', '{"b":2}'],
    ],
    ['evt.Line.Labels.type + " " + evt.Line.Src', 'x', ['json /var/log/x']],
    ['evt.Line.Raw contains "drop" ? [] : [evt.Line.Raw]', 'drop me', []],
  ];
  for (const [expression, raw, texts] of cases) t.strictSame(compile(expression)(lineOf(raw)), texts, expression);
  t.equal(cases.length, 6);
  t.strictSame(logged, []);
});

t.test(
  'what gives nothing of the kind, or raises, leaves the line as it came; the log says so once a minute',
  async (t) => {
    const { compile, logged, clock } = fixture();
    const transform = compile('JsonExtractSlice(evt.Line.Raw, "a")');
    t.strictSame(transform(lineOf('no json')), ['no json']);
    t.strictSame(transform(lineOf('{"a":[1]}')), ['{"a":[1]}']);
    t.match(logged, [
      { code: 'EXPRESSION_RAISED', error: 'it gives <nil>, and not a text or a list of texts', failed: 1 },
    ]);
    clock.advance(60_000);
    t.strictSame(transform(lineOf('{"a":["x",null]}')), ['{"a":["x",null]}']);
    t.match(logged[1], { error: 'its list holds <nil>, and not only texts', failed: 3 });
    t.strictSame(compile('evt.Line.Raw[5]')(lineOf('abc')), ['abc']);
    t.strictSame(compile('len(evt.Line.Raw)')(lineOf('abc')), ['abc']);
    const bomb = compile('map(1..20000, "x")');
    t.strictSame(bomb(lineOf('abc')), ['abc']);
  },
);

t.test('an expression that cannot be compiled, or that would wait, is refused', async (t) => {
  const { compile } = fixture();
  t.throws(() => compile('evt.Line.Rwa'), { code: 'EXPRESSION_INVALID', message: /Rwa/ });
  t.throws(() => compile('LookupHost(evt.Line.Raw)'), {
    code: 'EXPRESSION_INVALID',
    message: /waits for another server/,
  });
});
