import * as fc from 'fast-check';
import t from 'tap';
import type { Event } from '../../../detectors/event.ts';
import { parseTarget } from '../../../detectors/parsers/target.ts';
import { textOf } from '../../../detectors/parsers/static-list.ts';
import { eventOf, fieldsOf, worldOfYaml } from './support.ts';

/** The value that an expression puts into Meta, and what became of the line. */
function staticOf(expression: string, more: Partial<Event> = {}): { value: string | undefined; kind: string } {
  const yaml = `name: node\nstatics:\n  - {meta: out, expression: ${JSON.stringify(expression)}}\n  - {meta: after, value: ran}\n`;
  const event = eventOf('line', more);
  const { kind } = worldOfYaml({ s00: yaml }).set.parse(event, null);
  t.equal(event.Meta.after, kind === 'passed' ? 'ran' : undefined, 'a line that is abandoned ends at once');
  return { value: event.Meta.out, kind };
}

t.test('values become texts as upstream writes them', async (t) => {
  const cases: [string, string | undefined, string][] = [
    [`'text'`, 'text', 'passed'],
    ['8080', '8080', 'passed'],
    ['-3', '-3', 'passed'],
    ['8080.0', '8080.000000', 'passed'],
    ['0.1 + 0.2', '0.300000', 'passed'],
    ['evt.Unmarshaled.port', '8080.000000', 'passed'],
    ['nil', undefined, 'passed'],
    ['evt.Unmarshaled.absent', undefined, 'passed'],
    ['evt.Unmarshaled', undefined, 'passed'],
    [`['a', 'b']`, undefined, 'passed'],
    ['evt.Unmarshaled.absent.member', undefined, 'passed'],
    [`''`, undefined, 'passed'],
    ['1 == 1', undefined, 'discarded'],
    ['false', undefined, 'discarded'],
    ['evt.Time', undefined, 'discarded'],
    [`duration('1h')`, undefined, 'discarded'],
  ];
  for (const [expression, value, kind] of cases) {
    t.strictSame(staticOf(expression, { Unmarshaled: { port: 8080 } }), { value, kind }, expression);
  }
  t.equal(cases.length, 16);
});

t.test('an empty value never overwrites', async (t) => {
  t.equal(staticOf(`''`, { Meta: fieldsOf({ out: 'before' }) }).value, 'before');
  t.equal(staticOf('nil', { Meta: fieldsOf({ out: 'before' }) }).value, 'before');
});

t.test('numbers of any size are written like Go writes them', async (t) => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => textOf(value) === String(value)),
    { seed: 3, numRuns: 200 },
  );
  t.strictSame(
    [1e21, 0.000_000_5, -0, Number.NaN, Number.POSITIVE_INFINITY, 0.007_812_5, 0.023_437_5, -0.007_812_5].map(textOf),
    ['1000000000000000000000.000000', '0.000000', '-0.000000', 'NaN', '+Inf', '0.007812', '0.023438', '-0.007812'],
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), (value) => {
      const text = textOf(value) ?? '';
      return /^-?\d+\.\d{6}$/.test(text) && Math.abs(Number(text) - value) <= 5e-7 + Math.abs(value) * 1e-15;
    }),
    { seed: 5, numRuns: 500 },
  );
});

t.test('a literal has precedence, and keeps its spelling', async (t) => {
  const yaml = `name: node
statics:
  - {meta: number, value: 0010}
  - {meta: version, value: 1.0}
  - {meta: truth, value: true}
  - {meta: hex, value: 0x1F}
  - {meta: date, value: 2026-01-02}
  - {meta: both, value: literal, expression: "'computed'"}
`;
  const event = eventOf('line');
  worldOfYaml({ s00: yaml }).set.parse(event, null);
  t.match(event.Meta, {
    number: '0010',
    version: '1.0',
    truth: 'true',
    hex: '0x1F',
    date: '2026-01-02',
    both: 'literal',
  });
});

t.test('targets by priority: method, parsed, meta, enriched, target', async (t) => {
  const keys = ['parsed: p', 'meta: m', 'enriched: e', 'target: evt.StrTime'];
  const written = (more: readonly string[]): string => {
    const event = eventOf('line');
    worldOfYaml({ s00: `name: node\nstatics: [{value: v, ${more.join(', ')}}]` }).set.parse(event, null);
    return [
      event.Parsed.p && 'parsed',
      event.Meta.m && 'meta',
      event.Enriched.e && 'enriched',
      event.StrTime && 'target',
    ]
      .filter(Boolean)
      .join(' ');
  };
  t.strictSame(
    keys.map((_, index) => written(keys.slice(index))),
    ['parsed', 'meta', 'enriched', 'target'],
  );
});

t.test('a target leads to texts and to keys of maps, and to nothing else', async (t) => {
  const cases: [string, ((event: Event) => unknown) | null][] = [
    ['evt.StrTime', ({ StrTime }) => StrTime],
    ['StrTime', ({ StrTime }) => StrTime],
    ['evt.StrTimeFormat', ({ StrTimeFormat }) => StrTimeFormat],
    ['MarshaledTime', ({ MarshaledTime }) => MarshaledTime],
    ['evt.Parsed.a', ({ Parsed }) => Parsed.a],
    ['evt.Meta.a', ({ Meta }) => Meta.a],
    ['evt.Enriched.a', ({ Enriched }) => Enriched.a],
    ['evt.Line.Raw', ({ Line }) => Line.Raw],
    ['evt.Line.Module', ({ Line }) => Line.Module],
    ['evt.Line.Labels.a', ({ Line }) => Line.Labels.a],
    ['evt.Meta.a.b', ({ Meta }) => Meta.a],
    ['evt.Unmarshaled.a.b', ({ Unmarshaled }) => Unmarshaled.a],
    ['evt.Overflow.Mapkey', ({ Overflow }) => Overflow?.Mapkey],
    ['evt.Overflow.Alert.Source.Value', ({ Overflow }) => alertSource(Overflow)?.Value],
    ['evt.Overflow.Alert.Source.Range', ({ Overflow }) => alertSource(Overflow)?.Range],
    ['source_ip', null],
    ['evt.Nobody', null],
    ['evt.Time', null],
    ['evt.Type', null],
    ['evt.Parsed', null],
    ['evt.Line', null],
    ['evt.Overflow.Whitelisted', null],
    ['evt.Overflow.Sources.x', null],
    ['evt.Overflow.Alert.Events', null],
    ['evt.StrTime.a', null],
    ['evt.', null],
    ['', null],
  ];
  for (const [path, read] of cases) {
    const target = parseTarget(path);
    t.equal(target !== null, read !== null, path);
    const event = eventOf('line');
    target?.set(event, 'set');
    const source = { Value: 'old', Range: '' };
    event.Overflow = {
      Mapkey: '',
      BucketId: '',
      Whitelisted: false,
      Reprocess: false,
      Sources: {},
      Alert: { Source: source },
    };
    target?.set(event, 'set');
    if (read !== null) t.equal(read(event), 'set', path);
  }
  t.equal(cases.length, 27);
});

function alertSource(overflow: Event['Overflow']): { Value: string; Range: string } | undefined {
  return (overflow?.Alert as { Source: { Value: string; Range: string } } | undefined)?.Source;
}

t.test('an unknown target is told of once, at load, and the other statics are set', async (t) => {
  const warned: object[] = [];
  const log = { warn: (object: object) => void warned.push(object), debug: () => undefined } as never;
  const yaml = 'name: our/parser\nstatics: [{target: source_ip, value: a}, {meta: b, value: c}]';
  const { set } = worldOfYaml({ s00: yaml }, { log });
  for (let line = 0; line < 3; line++) {
    const event = eventOf('line');
    t.equal(set.parse(event, null).kind, 'passed');
    t.equal(event.Meta.b, 'c');
  }
  t.strictSame(warned, [{ parser: 'our/parser', file: 's00.yaml', target: 'source_ip' }]);
});
