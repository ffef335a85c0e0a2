/** The engine, which looks at as little as it can, fires the same rules as one that looks at everything. */
import fc from 'fast-check';
import t from 'tap';
import { compileRuleSet } from '../../../../detectors/waf/engine/compile-rule-set.ts';
import { defaultEngineOptions } from '../../../../detectors/waf/engine/engine-options.ts';
import { loadProgram } from '../../../../detectors/waf/seclang/load-program.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { PlainEvaluator, type PlainRequest } from './plain-evaluator.ts';
import { memoryFiles, transactionRequest } from './world.ts';

/** Pieces of values and of what rules look for: few, so that they meet. */
const pieces = [
  'union',
  'SELECT',
  'a',
  'B',
  '1',
  '22',
  '-',
  '/',
  '<',
  '(',
  ')',
  "'",
  ' ',
  '%41',
  '\\x41',
  '&lt;',
  '/**/',
  '\xe9',
];
const piece = fc.constantFrom(...pieces);
const value = fc.array(piece, { maxLength: 5 }).map((parts) => parts.join(''));
const name = fc.constantFrom('q', 'id', 'Token', 'x_1', 'union', 'a');

const regex = fc.constantFrom(
  'union.*select',
  '(?:a|b)1',
  '^[a-z]+$',
  "['<(]",
  '(\\d+)-?(\\w)?',
  'select',
  '\\bunion\\b',
  '^$',
  '[^a-z]{2}',
  '<|&lt;',
  'a',
  '(union|SELECT)',
  '/\\*',
  '.',
);
const phrase = fc.constantFrom('union', 'SELECT', 'a1', '1', "'", 'nothing', '22');
/** Of a phrase of one character, TX.0 has the spelling of the rule. */
const longPhrase = fc.constantFrom('union', 'SELECT', 'a1', 'nothing', '22', 'on');
const operator = fc.oneof(
  { weight: 4, arbitrary: regex.map((source) => `@rx ${source}`) },
  {
    weight: 2,
    arbitrary: fc.array(longPhrase, { minLength: 1, maxLength: 3 }).map((words) => `@pm ${words.join(' ')}`),
  },
  fc
    .tuple(fc.constantFrom('contains', 'streq', 'beginsWith', 'endsWith', 'within'), phrase)
    .map(([op, word]) => `@${op} ${word}`),
  fc.constantFrom('@eq 1', '@ge 2', '@lt 2', '@contains %{tx.a}', '@streq %{tx.0}', '@within %{MATCHED_VAR}'),
);
const target = fc.constantFrom(
  'ARGS',
  'ARGS',
  'ARGS_NAMES',
  'ARGS:q',
  'ARGS:/^[qi]/',
  '&ARGS',
  '&ARGS:q',
  'REQUEST_HEADERS',
  'REQUEST_HEADERS:Token',
  'REQUEST_METHOD',
  'TX:a',
  'TX:/^a/',
  '&TX:b',
  'ARGS|!ARGS:q',
  'ARGS|!ARGS:/1$/',
  'REQUEST_HEADERS|!REQUEST_HEADERS:Token',
);
const linkTarget = fc.oneof(target, fc.constantFrom('MATCHED_VARS', 'MATCHED_VAR', 'TX:0', 'TX:1'));
const targets = (one: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(one, { minLength: 1, maxLength: 3 }).map((list) => list.join('|'));
const transformations = fc
  .array(
    fc.constantFrom(
      'lowercase',
      'urlDecodeUni',
      'removeWhitespace',
      'htmlEntityDecode',
      'jsDecode',
      'replaceComments',
      'length',
      'base64Decode',
      'none',
    ),
    { maxLength: 4 },
  )
  .map((names) => names.map((one) => `t:${one}`));
const effect = fc.constantFrom(
  'setvar:tx.a=+1',
  'setvar:tx.b=union',
  'setvar:!tx.b',
  "setvar:'tx.c=%{tx.c}%{MATCHED_VAR}'",
  "setvar:'tx.a_%{tx.0}=%{MATCHED_VAR_NAME}'",
  "setvar:'tx.b=%{tx.1}'",
  'ctl:ruleRemoveById=103',
  'ctl:ruleRemoveById=102-104',
  'ctl:ruleRemoveByTag=odd',
  'ctl:ruleRemoveTargetById=100-106;ARGS:q',
);
const extras = fc.tuple(
  transformations,
  fc.array(effect, { maxLength: 2 }),
  fc.constantFrom([], ['capture'], ['multiMatch'], ['capture', 'multiMatch']),
);

interface Link {
  readonly targets: string;
  readonly operator: string;
  readonly actions: readonly string[];
}

const link = (one: fc.Arbitrary<string>): fc.Arbitrary<Link> =>
  fc
    .tuple(targets(one), fc.constantFrom('', '', '', '!'), operator, extras)
    .map(([list, negation, op, [steps, effects, flags]]) => ({
      targets: list,
      operator: `${negation}${op}`,
      actions: [...steps, ...effects, ...flags],
    }));

const rule = fc.record({
  phase: fc.constantFrom(1, 2, 2),
  links: fc.tuple(link(target), fc.array(link(linkTarget), { maxLength: 2 })).map(([head, rest]) => [head, ...rest]),
  flow: fc.constantFrom([], [], [], ['skip:1'], ['skip:2'], ['skipAfter:M1'], ['skipAfter:M2']),
  marker: fc.constantFrom('', '', 'M1', 'M2'),
});

const rules = fc.array(rule, { minLength: 1, maxLength: 8 }).map((list) =>
  list
    .map(({ phase, links, flow, marker }, index) => {
      const text = links.map(({ targets: list, operator: op, actions }, depth) => {
        const head = [`id:${100 + index}`, `phase:${phase}`, 'pass', 'log', `tag:${index % 2 === 0 ? 'even' : 'odd'}`];
        const own = depth === 0 ? [...head, "logdata:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'", ...flow] : [];
        const chain = depth < links.length - 1 ? ['chain'] : [];
        return `SecRule ${list} "${op}" "${[...own, ...actions, ...chain].join(',')}"`;
      });
      return [...text, ...(marker === '' ? [] : [`SecMarker ${marker}`])].join('\n');
    })
    .join('\n'),
);

const request: fc.Arbitrary<PlainRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'union'),
  args: fc.array(fc.tuple(name, value), { maxLength: 4 }),
  headers: fc.array(fc.tuple(fc.constantFrom('Token', 'token', 'X-A', 'Cookie'), value), { maxLength: 3 }),
});

const escaped = (text: string): string =>
  text.replace(/[^A-Za-z0-9]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`);

function targetOf({ args }: PlainRequest): string {
  return `/?${args.map(([key, text]) => `${escaped(key)}=${escaped(text)}`).join('&')}`;
}

t.test('generated rules and requests', async (t) => {
  let fired = 0;
  const files = memoryFiles({});
  fc.assert(
    fc.property(rules, fc.array(request, { minLength: 1, maxLength: 5 }), (text, requests) => {
      const program = loadProgram([{ kind: 'text', name: 'test', text, folder: '/' }], files);
      const faults = program.faults.filter(({ level }) => level === 'error');
      if (faults.length > 0) throw new Error(faults.map(({ reason }) => reason).join('; '));
      const set = compileRuleSet(program, defaultEngineOptions, {
        clock: createManualClock(),
        files,
        detectSqli: () => null,
        detectXss: () => false,
      });
      // Each twice: what the first run has left behind must not change the second.
      for (const one of [...requests, ...requests]) {
        const expected = new PlainEvaluator(one).run(program);
        const headers = one.headers.flat();
        const transaction = set.begin(transactionRequest({ method: one.method, target: targetOf(one), headers }));
        transaction.processRequestHeaders();
        transaction.processRequestBody(null, true);
        transaction.finish();
        const found = transaction.matches.map(({ ruleId, logdata }) => `${ruleId} ${logdata}`);
        fired += found.length;
        if (found.join('\n') !== expected.fired.join('\n')) {
          throw new Error(`fired ${JSON.stringify(found)}, expected ${JSON.stringify(expected.fired)}`);
        }
        for (const [key, wanted] of expected.tx) {
          const is = transaction.variable('TX', key);
          if (is !== wanted) throw new Error(`TX:${key} is ${JSON.stringify(is)}, expected ${JSON.stringify(wanted)}`);
        }
      }
    }),
    { seed: 20_260_101, numRuns: 1_200 },
  );
  t.ok(fired > 3_000, `${fired} rules fired`);
});
