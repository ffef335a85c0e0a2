/** Rules as generators of fast-check: everything that a definition can hold. */
import fc from 'fast-check';
import type {
  Control,
  Disruptive,
  Effect,
  Flow,
  IdRange,
  OperatorDefinition,
  Phase,
  RuleDefinition,
  RuleEntry,
  Selector,
  Target,
} from '../../../../detectors/waf/seclang/definition.ts';
import type { Macro } from '../../../../detectors/waf/seclang/macro.ts';
import { parseMacro } from '../../../../detectors/waf/seclang/parse-macro.ts';
import { operatorNames } from '../../../../detectors/waf/seclang/parse-operator.ts';
import { transformationNames } from '../../../../detectors/waf/seclang/transformation-names.ts';
import { collectionNames, scalarNames } from '../../../../detectors/waf/variable-names.ts';

/** What is hard to quote, among other characters; a backslash always with what it escapes. */
const pieces = [
  'a',
  'B',
  '9',
  '_',
  "'",
  '"',
  ',',
  ':',
  '|',
  '=',
  ';',
  '#',
  '`',
  '/',
  '!',
  '@',
  '\\.',
  '\\x5c',
  '\xe9',
  '\xa0',
  '{',
  '}',
];
const macros = ['%{tx.0}', '%{MATCHED_VAR}', '%{request_headers.user-agent}', '%{x'];

const text = fc
  .array(fc.constantFrom(...pieces, ' ', ...macros), { maxLength: 12 })
  .map((parts) => parts.join('').replaceAll(/^ +| +$/g, ''))
  // In front of a value of setvar a sign would be arithmetic.
  .filter((one) => !/^[+-]/.test(one));
const someText = text.filter((one) => one !== '');
const macro: fc.Arbitrary<Macro> = text.map((source) => parseMacro(source));
const someMacro: fc.Arbitrary<Macro> = someText.map((source) => parseMacro(source));

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.\-[\]]{0,10}$/);
const keyMacro = fc
  .oneof(
    word,
    word.map((start) => `${start}_%{tx.1}`),
  )
  .map((source) => parseMacro(source));
const pattern = fc.array(fc.constantFrom('a', '\\.', '[b-d]', 'x*', '|', '(?:e)', '\\/', ' ', ',', "'"), {
  maxLength: 6,
});

const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.constant<Selector>({ kind: 'all' }),
  word.map((written): Selector => ({ kind: 'key', key: written.toLowerCase(), written })),
  pattern.map((parts): Selector => ({ kind: 'pattern', source: parts.join('') })),
);

const isDocument = (variable: string): boolean => variable === 'XML' || variable === 'RESPONSE_XML';

const target: fc.Arbitrary<Target> = fc
  .tuple(
    fc.oneof(
      fc.tuple(fc.constantFrom(...scalarNames), fc.constant<Selector>({ kind: 'all' })),
      fc.tuple(fc.constantFrom(...collectionNames.filter((name) => !isDocument(name))), selector),
      fc.tuple(
        fc.constantFrom('XML' as const, 'RESPONSE_XML' as const),
        fc.constantFrom<Selector>({ kind: 'xpath', path: '/*' }, { kind: 'xpath', path: '//@*' }),
      ),
    ),
    fc.boolean(),
  )
  .map(([[variable, one], count]) => ({ variable, selector: one, count }));

const id = fc.integer({ min: 1, max: 4_294_967_295 });
const range: fc.Arbitrary<IdRange> = fc
  .tuple(id, id)
  .map(([left, right]) => ({ first: Math.min(left, right), last: Math.max(left, right) }));
const ranges = fc.array(range, { minLength: 1, maxLength: 3 });
const namePattern = fc.constantFrom('OWASP_CRS', '^attack-.*', 'a b');

const control: fc.Arbitrary<Control> = fc.oneof(
  fc.constantFrom<Control>(
    { kind: 'rule-engine', mode: 'detection-only' },
    { kind: 'rule-engine', mode: 'off' },
    { kind: 'audit', name: 'auditLogParts', value: '+E' },
    { kind: 'request-body-processor', processor: 'XML' },
    { kind: 'response-body-processor', processor: 'JSON' },
    { kind: 'force-request-body-variable', on: true },
    { kind: 'force-response-body-variable', on: false },
    { kind: 'request-body-access', on: false },
    { kind: 'response-body-access', on: true },
  ),
  fc.nat().map((bytes): Control => ({ kind: 'request-body-limit', bytes })),
  fc.nat().map((bytes): Control => ({ kind: 'response-body-limit', bytes })),
  ranges.map((ids): Control => ({ kind: 'remove-by-id', ids })),
  namePattern.map((source): Control => ({ kind: 'remove-by-tag', pattern: source })),
  namePattern.map((source): Control => ({ kind: 'remove-by-msg', pattern: source })),
  fc.tuple(ranges, target).map(([ids, one]): Control => ({ kind: 'remove-target-by-id', ids, target: one })),
  fc
    .tuple(namePattern, target)
    .map(([source, one]): Control => ({ kind: 'remove-target-by-tag', pattern: source, target: one })),
  fc
    .tuple(namePattern, target)
    .map(([source, one]): Control => ({ kind: 'remove-target-by-msg', pattern: source, target: one })),
);

const persistent = fc.constantFrom('GLOBAL', 'IP', 'SESSION', 'USER', 'RESOURCE');
const writable = fc.oneof(fc.constant('TX' as const), persistent);

const empty = parseMacro('');

const effect: fc.Arbitrary<Effect> = fc.oneof(
  fc
    .tuple(writable, keyMacro, fc.constantFrom('set' as const, 'add' as const, 'subtract' as const), macro)
    .map(([collection, key, arithmetic, value]): Effect => ({ kind: 'setvar', collection, key, arithmetic, value })),
  fc
    .tuple(writable, keyMacro)
    .map(([collection, key]): Effect => ({ kind: 'setvar', collection, key, arithmetic: 'unset', value: empty })),
  fc.tuple(writable, keyMacro, fc.nat()).map(
    ([collection, key, seconds]): Effect => ({
      kind: 'expirevar',
      collection,
      key,
      seconds: parseMacro(`${seconds}`),
    }),
  ),
  fc.tuple(persistent, keyMacro).map(([collection, key]): Effect => ({ kind: 'initcol', collection, key })),
  fc.tuple(keyMacro, macro).map(([key, value]): Effect => ({ kind: 'setenv', key, value })),
  control.map((one): Effect => ({ kind: 'control', control: one })),
);

const disruptive: fc.Arbitrary<Disruptive> = fc.oneof(
  fc.constantFrom<Disruptive>(
    { kind: 'pass' },
    { kind: 'drop' },
    { kind: 'allow', scope: 'all' },
    { kind: 'allow', scope: 'request' },
    { kind: 'allow', scope: 'phase' },
  ),
  fc.integer({ min: 200, max: 599 }).map((status): Disruptive => ({ kind: 'deny', status })),
  someMacro.map((url): Disruptive => ({ kind: 'redirect', status: 307, url })),
);

const flow: fc.Arbitrary<Flow> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Flow>({ kind: 'next' }) },
  fc.integer({ min: 1, max: 99 }).map((rules): Flow => ({ kind: 'skip', rules })),
  fc.constant<Flow>({ kind: 'skip-after', marker: 'END' }),
);

const operator: fc.Arbitrary<OperatorDefinition> = fc
  .tuple(fc.constantFrom(...operatorNames), fc.boolean(), macro)
  .map(([name, negated, argument]) => ({ name: name.toLowerCase(), negated, argument, folder: '/rules' }));

const place = { file: 'test', line: 0 };

const single: fc.Arbitrary<Omit<RuleDefinition, 'chained' | 'id' | 'phase'>> = fc
  .record(
    {
      kind: fc.constant('rule' as const),
      place: fc.constant(place),
      operator: fc.option(operator, { nil: null }),
      targets: fc.array(target, { minLength: 1, maxLength: 4 }),
      excluded: fc.array(target, { maxLength: 2 }),
      transformations: fc.array(fc.constantFrom(...transformationNames), { maxLength: 3 }),
      multiMatch: fc.boolean(),
      capture: fc.boolean(),
      effects: fc.array(effect, { maxLength: 3 }),
      disruptive,
      flow,
      log: fc.boolean(),
      auditLog: fc.boolean(),
      msg: macro,
      logdata: macro,
      severity: fc.option(fc.integer({ min: 0, max: 7 }), { nil: null }),
      tags: fc.array(someMacro, { maxLength: 3 }),
      ver: text,
      rev: text,
    },
    { noNullPrototype: true },
  )
  .map((rule) => (rule.operator === null ? { ...rule, targets: [], excluded: [] } : rule));

const chain: fc.Arbitrary<Omit<RuleDefinition, 'id'>> = fc
  .tuple(fc.constantFrom<Phase>(1, 2, 3, 4, 5), single, fc.array(single, { maxLength: 2 }))
  .map(([phase, head, links]) => {
    let chained: RuleDefinition | null = null;
    for (const link of links) {
      chained = { ...link, id: 0, phase, disruptive: { kind: 'pass' }, flow: { kind: 'next' }, chained };
    }
    return { ...head, phase, chained };
  });

/** Rules with ids of their own, and the marker that some of them skip to at the end. */
export const entries: fc.Arbitrary<readonly RuleEntry[]> = fc
  .array(chain, { maxLength: 4 })
  .map((chains) => [
    ...chains.map((rule, index): RuleEntry => ({ ...rule, id: index + 1 })),
    { kind: 'marker', name: 'END', place },
  ]);
