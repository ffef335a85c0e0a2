import * as fc from 'fast-check';
import t from 'tap';
import { readParserDocuments } from '../../../detectors/parsers/parser-document.ts';
import type { ParserSet } from '../../../detectors/parsers/parser-set.ts';
import { eventOf, fieldsOf, watcher, worldOf, worldOfYaml } from './support.ts';

const value = fc.constantFrom('a', 'b', 'A', 'ab');
const field = fc.constantFrom('evt.Parsed.program', 'evt.Meta.kind', 'evt.Line.Labels.type', 'evt.Enriched.x');

const condition = fc.oneof(
  fc.tuple(field, value).map(([path, text]) => `${path} == '${text}'`),
  fc.tuple(field, value, value).map(([path, one, two]) => `${path} in ['${one}', '${two}']`),
  fc.tuple(field, value).map(([path, text]) => `Upper(${path}) == '${text.toUpperCase()}'`),
  fc.tuple(field, value).map(([path, text]) => `${path} startsWith '${text}'`),
  fc.tuple(field, value).map(([path, text]) => `${path} != '${text}'`),
  fc.tuple(fc.constantFrom('kind', 'other'), value).map(([key, text]) => `evt.SetMeta('${key}', '${text}')`),
  fc.constant('evt.Unmarshaled.a.b == 1'),
);
const filter = fc
  .array(condition, { minLength: 1, maxLength: 3 })
  .chain((parts) => fc.constantFrom(parts.join(' && '), parts.join(' || '), `not (${parts.join(' && ')})`));

/** What a node changes, which later filters may compare. */
const effect = fc.oneof(
  value.map((text) => `statics: [{parsed: program, value: ${text}}]`),
  value.map((text) => `statics: [{meta: kind, value: ${text}}]`),
  value.map((text) => `statics: [{target: evt.Line.Labels.type, value: ${text}}]`),
  value.map((text) => `statics: [{target: evt.Enriched.x, value: ${text}}]`),
  fc.constant(`grok: {pattern: '^%{WORD:program}', apply_on: Line.Raw}`),
  fc.constant('statics: [{meta: unrelated, value: x}]'),
  fc.constant('onsuccess: next_stage\nstatics: [{meta: unrelated, value: x}]'),
);
const node = fc.record({ filter: fc.option(filter), effect });
const stage = fc.array(node, { minLength: 6, maxLength: 14 });
const line = fc.record({ raw: value, program: value, kind: value, type: value });

function setOf(nodes: readonly { readonly filter: string | null; readonly effect: string }[]): ParserSet {
  const yaml = nodes.map(({ filter: source, effect: what }, index) => {
    const own = source === null ? '' : `filter: ${JSON.stringify(source)}\n`;
    return `name: node${index}\n${own}${what}\n`;
  });
  const last = 'name: last\nstatics: [{meta: last, value: ran}]\n';
  return worldOfYaml({ s00: yaml.join('---\n'), s01: last }).set;
}

t.test('leaving out nodes that cannot match changes nothing', async (t) => {
  let passed = 0;
  let hits = 0;
  let evaluated = 0;
  fc.assert(
    fc.property(stage, fc.array(line, { minLength: 1, maxLength: 6 }), (nodes, lines) => {
      const [indexed, plain] = [setOf(nodes), setOf(nodes)];
      for (const { raw, program, kind, type } of lines) {
        const make = (): ReturnType<typeof eventOf> =>
          eventOf(raw, { Parsed: fieldsOf({ program }), Meta: fieldsOf({ kind }), Time: 1 }, { type });
        const [left, right] = [make(), make()];
        const [one, other] = [indexed.parse(left, null), plain.parse(right, watcher())];
        if (one !== other || JSON.stringify(left) !== JSON.stringify(right)) return false;
        if (one.kind === 'passed') passed++;
      }
      const hitsOf = ({ nodes: all }: ParserSet): number[] => all.map((each) => each.hits);
      hits += hitsOf(indexed).reduce((sum, each) => sum + each, 0);
      evaluated += lines.length * nodes.length;
      return JSON.stringify(hitsOf(indexed)) === JSON.stringify(hitsOf(plain));
    }),
    { seed: 41, numRuns: 400 },
  );
  t.ok(passed > 50, `${passed} lines passed`);
  t.ok(hits > 200 && hits < evaluated, `${hits} of ${evaluated} nodes were entered`);
});

t.test('a line pays for the parsers of its program, not for those installed', async (t) => {
  const asked: string[] = [];
  const yaml = Array.from({ length: 200 }, (_, index) => {
    const filter = `evt.Parsed.program == 'p${index}' && LogInfo('%d', ${index})`;
    return `name: p${index}\nfilter: ${JSON.stringify(filter)}\nstatics: [{meta: a, value: b}]\n`;
  }).join('---\n');
  const { documents } = readParserDocuments(yaml, 'f.yaml', 's00');
  const { set } = worldOf(documents);
  const event = eventOf('line', { Parsed: fieldsOf({ program: 'p117' }) });
  set.parse(event, null);
  asked.push(...set.nodes.filter(({ hits }) => hits > 0).map(({ name }) => name));
  t.strictSame(asked, ['p117']);
  t.equal(set.nodes.length, 200);
});
