import * as fc from 'fast-check';
import t from 'tap';
import type { Event } from '../../../detectors/event.ts';
import { type DataFiles, noDataFiles } from '../../../detectors/expr/data-files.ts';
import { clausesOf } from '../../../detectors/documents/filter-clauses.ts';
import { createPatternList } from '../../../detectors/documents/pattern-list.ts';
import { createFilterIndex } from '../../../detectors/documents/filter-index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { accessEvent, scenarioExpressions } from '../scenarios/support.ts';

const lists: Readonly<Record<string, readonly string[]>> = {
  few: ['/a', 'B', '\u0131x', '%2e'],
  empty: [],
  blank: [' ', 'ab'],
};
const patterns: Readonly<Record<string, readonly string[]>> = {
  words: ['ab+c', '(?i)XYZ', 'q[0-9]+r'],
  open: ['ab', '.'],
};
const files: DataFiles = {
  ...noDataFiles,
  loaded: (name) => name in lists || name in patterns,
  lines: (name) => lists[name] ?? [],
  patterns: (name) => createPatternList(patterns[name] ?? []),
};
const { event: compiler } = scenarioExpressions(createManualClock(), files);

/** The clauses of a filter as text: one line each, atoms sorted. */
function clauseTexts(filter: string, written: readonly string[] = []): string[] {
  const clauses = clausesOf(compiler.compile(filter, 'bool').ast, files, new Set(written));
  return clauses.map((clause) =>
    clause
      .map(({ kind, path, value }) => `${path.replace('evt.', '')} ${kind} ${value}`)
      .sort()
      .join(' | '),
  );
}

t.test('what filters need is read from their tree', async (t) => {
  const cases: [string, string[]][] = [
    ["evt.Meta.log_type == 'a'", ['Meta.log_type equals a']],
    ["'a' == evt.Meta.log_type", ['Meta.log_type equals a']],
    ["Upper(evt.Meta.http_verb) == 'POST'", ['Meta.http_verb folded post']],
    ["Upper(TrimSpace(evt.Meta.http_verb)) == 'POST'", ['Meta.http_verb contains post']],
    ["evt.Meta.log_type in ['a', 'b']", ['Meta.log_type equals a | Meta.log_type equals b']],
    ["Lower(evt.Meta.http_path) contains '/AB'", ['Meta.http_path contains /ab']],
    [
      "Upper(QueryUnescape(evt.Meta.http_path)) startsWith Upper('/x')",
      ['Meta.http_path contains % | Meta.http_path contains + | Meta.http_path contains /x'],
    ],
    [
      "evt.Meta.a == 'x' and (evt.Meta.b == 'y' and evt.Meta.c == 'z')",
      ['Meta.a equals x', 'Meta.b equals y', 'Meta.c equals z'],
    ],
    ["evt.Meta.a == 'x' or evt.Meta.b == 'y'", ['Meta.a equals x | Meta.b equals y']],
    ["evt.Meta.a == 'x' or evt.Meta.b != 'y'", []],
    ["not (evt.Meta.a == 'x')", []],
    ["evt.Meta.a contains ''", []],
    ["evt.Meta.a endsWith 'q' || false", ['Meta.a contains q']],
    [
      "let p = Lower(evt.Parsed.request); p contains 'q' && evt.Meta.a == 'x'",
      ['Parsed.request contains q', 'Meta.a equals x'],
    ],
    ["evt.Meta.a == 'x' ? evt.Meta.b == 'y' : false", ['Meta.a equals x', 'Meta.b equals y']],
    ["evt.Meta.a == 'x' ? evt.Meta.b == 'y' : evt.Meta.c == 'z'", ['Meta.a equals x | Meta.c equals z']],
    [
      "any(File('few'), {evt.Parsed.file_name == #})",
      [
        'Parsed.file_name equals %2e | Parsed.file_name equals /a | Parsed.file_name equals B | Parsed.file_name equals \u0131x',
      ],
    ],
    [
      "any(File('few'), {Upper(evt.Meta.a) contains Upper(#)})",
      ['Meta.a contains %2e | Meta.a contains /a | Meta.a contains b | Meta.a contains ix'],
    ],
    ["any(File('empty'), {evt.Meta.a contains #})", ['']],
    ["evt.Meta.a matches '^/x[0-9]+/foo(bar|baz)'", ['Meta.a contains /foo']],
    ["evt.Meta.a == 'x' && evt.SetMeta('b', 'y') && evt.Meta.b == 'y'", ['Meta.a equals x']],
    ["RegexpInFile(Lower(evt.Meta.a), 'words')", ['Meta.a contains a | Meta.a contains q | Meta.a contains xyz']],
    ["RegexpInFile(evt.Meta.a, 'open')", []],
    ["RegexpInFile(evt.Meta.a, 'absent')", ['']],
    ['false', ['']],
    ['true', []],
  ];
  for (const [filter, expected] of cases) t.strictSame(clauseTexts(filter), expected, filter);
  t.equal(cases.length, 26);
  t.strictSame(
    clauseTexts("evt.Meta.a == 'x' && evt.Meta.b == 'y'", ['evt.Meta.a']),
    ['Meta.b equals y'],
    'written fields are not trusted',
  );
});

t.test('long chains do not exhaust the stack', async (t) => {
  const chain = Array.from({ length: 800 }, (_, index) => `evt.Meta.a contains 'w${index}'`).join(' or ');
  t.equal(clauseTexts(`evt.Meta.b == 'x' and (${chain})`).length, 2);
});

const field = fc.constantFrom(
  'evt.Meta.http_path',
  'evt.Meta.http_verb',
  'evt.Parsed.http_args',
  'evt.Parsed.file_name',
);
const literal = fc.constantFrom('', '/', 'a', '/A', 'aB', 'get', 'GET', '%', '+', '\u0131', 'K', '\u212a', ' ', '.');
const subject = fc.oneof(
  field,
  fc
    .tuple(fc.constantFrom('Upper', 'Lower', 'TrimSpace', 'QueryUnescape', 'PathUnescape'), field)
    .map(([name, of]) => `${name}(${of})`),
  field.map((of) => `Upper(QueryUnescape(${of}))`),
);
const text = fc.oneof(
  literal.map((value) => `'${value}'`),
  literal.map((value) => `Upper('${value}')`),
  fc.tuple(literal, literal).map(([a, b]) => `('${a}' + Lower('${b}'))`),
);
const operator = fc.constantFrom('==', '!=', 'contains', 'startsWith', 'endsWith');
const pattern = fc.constantFrom('^/a', 'a|b', '(?i)K', '[aA]b?', 'x*', '\\\\.', 'get$', '(/|a)+b');
/** A variable may not hide another, so the outer one is named after the number of those inside. */
function withVariable(subject: string, operator: string, text: string, body: string): string {
  const name = `v${body.split('let ').length}`;
  return `(let ${name} = ${subject}; ${name} ${operator} ${text} and ${body})`;
}

const filter = fc.letrec<{ node: string; leaf: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    tie('leaf'),
    fc
      .tuple(tie('node'), fc.constantFrom('and', 'or', '&&', '||'), tie('node'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('node').map((a) => `not (${a})`),
    fc.tuple(tie('node'), tie('node'), tie('node')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(subject, operator, text, tie('node')).map(([s, op, x, b]) => withVariable(s, op, x, b)),
  ),
  leaf: fc.oneof(
    fc.tuple(subject, fc.constantFrom('words', 'open')).map(([of, name]) => `RegexpInFile(${of}, '${name}')`),
    fc.tuple(subject, operator, text).map(([s, op, x]) => `${s} ${op} ${x}`),
    fc.tuple(subject, text, text).map(([s, x, y]) => `${s} in [${x}, ${y}]`),
    fc.tuple(subject, pattern).map(([s, p]) => `${s} matches '${p}'`),
    fc
      .tuple(fc.constantFrom('few', 'empty', 'blank'), subject, operator)
      .map(([f, s, op]) => `any(File('${f}'), {${s} ${op} #})`),
    fc
      .tuple(fc.constantFrom('few', 'blank'), subject)
      .map(([f, s]) => `any(File('${f}'), {Upper(${s}) contains Upper(#)})`),
    fc.constantFrom('true', 'false'),
  ),
})).node;

const letters = fc.array(
  fc.constantFrom('/', 'a', 'A', 'b', 'B', 'k', 'i', 'x', '.', '%', '2', 'e', '+', ' ', '\u0131', '\u212a', '?'),
  { maxLength: 7 },
);
const event = fc
  .record({ target: letters, verb: fc.constantFrom('GET', 'get', 'POST') })
  .map(({ target, verb }): Event => accessEvent({ target: target.join(''), verb }));

t.test('the index leaves out no filter that is true', async (t) => {
  let [holding, leftOut] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(filter, { minLength: 1, maxLength: 40 }),
      fc.array(event, { minLength: 1, maxLength: 10 }),
      (sources, events) => {
        const filters = sources.map((source) => compiler.compile(source, 'bool'));
        const index = createFilterIndex(filters, new Set(), files);
        for (const evt of events) {
          const candidates = new Set(index.candidates(evt));
          leftOut += filters.length - candidates.size;
          for (const [position, expression] of filters.entries()) {
            if (expression.evaluate({ evt }) !== true) continue;
            holding++;
            if (!candidates.has(position))
              throw new Error(`${sources[position]} holds for ${JSON.stringify(evt.Meta)}`);
          }
        }
      },
    ),
    { seed: 20_260_105, numRuns: 800 },
  );
  t.ok(holding > 4_000, `${holding} times a filter held`);
  t.ok(leftOut > 5_000, `${leftOut} times one was left out`);
});

t.test('candidates come in the order of the filters, past the first 32 too', async (t) => {
  const filters = Array.from({ length: 100 }, (_, index) =>
    compiler.compile(`evt.Meta.n contains 'n${index % 7}.'`, 'bool'),
  );
  const index = createFilterIndex(filters, new Set(), files);
  const found = index.candidates(accessEvent({ meta: { n: 'n3.' } }));
  t.strictSame(
    [...found],
    Array.from({ length: 14 }, (_, step) => 3 + 7 * step),
  );
  t.equal(index.candidates(accessEvent({ meta: { n: '' } })).length, 0);
});
