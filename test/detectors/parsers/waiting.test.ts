import t from 'tap';
import { createAnswerCache } from '../../../core/answer-cache.ts';
import { createLog } from '../../../core/log.ts';
import { createExpressionCompiler, type ExpressionCompiler } from '../../../detectors/expr/compile.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { eventEnvironment, profileEnvironment } from '../../../detectors/expr/environment.ts';
import { createStash } from '../../../detectors/parsers/stash.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { eventOf, watcher, worldOfYaml } from './support.ts';

interface Surroundings {
  readonly expressions: ExpressionCompiler;
  readonly profiles: ExpressionCompiler;
  readonly stash: ReturnType<typeof createStash>;
  readonly asked: string[];
}

/** A DNS in which every name has the address 192.0.2.1, once somebody has waited for it. */
function surroundings(): Surroundings {
  const clock = createManualClock();
  const asked: string[] = [];
  const cache = createAnswerCache<readonly string[]>(
    {
      lifeMs: () => 1_000,
      patienceMs: 1_000,
      mostAnswers: 100,
      mostQuestions: 10,
      failed: () => [],
      refused: [],
    },
    clock,
  );
  const look = (name: string) =>
    cache.ask(name, async () => {
      asked.push(name);
      return ['192.0.2.1'];
    });
  const stash = createStash(clock);
  const helpers = {
    clock,
    files: noDataFiles,
    regex: compilePattern,
    stash,
    log: createLog('silent'),
    resolver: { addresses: look, names: look },
  };
  return {
    expressions: createExpressionCompiler({ environment: eventEnvironment, helpers }),
    profiles: createExpressionCompiler({ environment: profileEnvironment, helpers }),
    stash,
    asked,
  };
}

const lookup = "LookupHost('a.example')[0]";

/** Everywhere that a node has expressions; each node succeeds when the name has its address, and sets `meta.done`. */
const places: Readonly<Record<string, string>> = {
  filter: `name: n
filter: ${lookup} == '192.0.2.1'
statics: [{meta: done, value: 'yes'}]`,
  'filter of a child': `name: n
nodes:
  - filter: ${lookup} == '192.0.2.1'
    statics: [{meta: done, value: 'yes'}]`,
  static: `name: n
statics:
  - {meta: found, expression: "${lookup}"}
  - {meta: done, expression: "evt.Meta.found == '192.0.2.1' ? 'yes' : ''"}`,
  'static of a grok': `name: n
grok:
  pattern: '%{WORD:word}'
  apply_on: Line.Raw
  statics:
    - {meta: found, expression: "${lookup}"}
    - {meta: done, expression: "evt.Meta.found == '192.0.2.1' ? 'yes' : ''"}`,
  'value of a method': `name: n
statics:
  - {method: ParseDate, expression: "${lookup} == '192.0.2.1' ? '2020-01-01T00:00:00Z' : ''"}
  - {meta: done, expression: "evt.Enriched.MarshaledTime startsWith '2020' ? 'yes' : ''"}`,
  'subject of a grok': `name: n
grok: {pattern: '^192.0.2.1$%{GREEDYDATA:rest}', expression: "${lookup}"}
statics: [{meta: done, value: 'yes'}]`,
  whitelist: `name: n
whitelist: {reason: known, expression: ["false", "${lookup} == '192.0.2.1'"]}
statics: [{meta: done, value: 'yes'}]`,
  'value of a stash': `name: n
stash: [{name: c, key: "'k'", value: "${lookup}", ttl: 1m, size: 10}]
statics: [{meta: done, expression: "GetFromStash('c', 'k') == '192.0.2.1' ? 'yes' : ''"}]`,
  'key of a stash': `name: n
stash: [{name: c, key: "${lookup}", value: "'v'", ttl: 1m, size: 10}]
statics: [{meta: done, expression: "GetFromStash('c', '192.0.2.1') == 'v' ? 'yes' : ''"}]`,
  'argument of a method': `name: n
statics:
  - {meta: set, expression: "evt.SetMeta('found', ${lookup}) ? 'x' : ''"}
  - {meta: done, expression: "evt.Meta.found == '192.0.2.1' ? 'yes' : ''"}`,
  'predicate of a loop': `name: n
filter: any(['b', 'a'], LookupHost(# + '.example')[0] == '192.0.2.1')
statics: [{meta: done, value: 'yes'}]`,
};

for (const [place, yaml] of Object.entries(places)) {
  t.test(`an expression that asks another server makes the line wait: ${place}`, async (t) => {
    const { expressions, stash, asked } = surroundings();
    const { set } = worldOfYaml({ s00: yaml }, { expressions, stash });
    const [node] = set.nodes;
    const outcome = set.parse(eventOf('line'), null);
    t.equal(outcome.kind, 'pending');
    t.match(node, { hits: 0, ok: 0, failed: 0, errors: 0 }, 'it has not been evaluated yet');
    if (outcome.kind === 'pending') await outcome.ready;
    const event = eventOf('line');
    t.equal(set.parse(event, null).kind, 'passed');
    t.equal(event.Meta.done, 'yes');
    t.equal(asked.length, 1);
    t.match(node, { hits: 1, ok: 1, failed: 0, errors: 0 });
  });

  t.test(`who does not wait has an expression that raised: ${place}`, async (t) => {
    const { expressions, stash } = surroundings();
    const { set } = worldOfYaml({ s00: yaml }, { expressions, stash });
    const event = eventOf('line');
    const outcome = set.parse(event, null, true);
    t.not(outcome.kind, 'pending');
    t.not(event.Meta.done, 'yes');
    t.ok((set.nodes[0]?.errors ?? 0) > 0, 'and it is counted');
  });
}

t.test('two answers are two waits, and an observed line waits alike', async (t) => {
  const { expressions, asked } = surroundings();
  const yaml = `name: n
filter: LookupHost('a.example')[0] == LookupHost('b.example')[0]
statics: [{meta: done, value: 'yes'}]`;
  const { set } = worldOfYaml({ s00: yaml }, { expressions });
  for (let wait = 0; wait < 2; wait++) {
    const seen = watcher();
    const outcome = set.parse(eventOf('line'), seen);
    t.equal(outcome.kind, 'pending');
    t.strictSame(seen.nodes, [], 'a node that waits is not reported');
    t.match(seen.steps, [{ kind: 'outcome', outcome: { kind: 'pending' } }]);
    if (outcome.kind === 'pending') await outcome.ready;
  }
  t.equal(set.parse(eventOf('line'), null).kind, 'passed');
  t.strictSame(asked, ['a.example', 'b.example']);
});

t.test('where nothing waits, such an expression is refused when it is compiled', async (t) => {
  const { expressions, profiles } = surroundings();
  const calls = [
    "LookupHost('x') == []",
    "MatchKnownBot('192.0.2.1', 'ua', '/', 'bots')",
    "HTTPGet('http://x').StatusCode == 200",
    "HTTPHead('http://x').StatusCode == 200",
    "HTTPPost('http://x', 'text/plain', '').StatusCode == 200",
    "HTTPRequest('GET', 'http://x', {}, '').StatusCode == 200",
    "true || any(['x'], len(LookupHost(#)) > 0)",
  ];
  for (const compiler of [expressions, profiles]) {
    for (const call of calls) {
      t.throws(() => compiler.compile(call, 'bool'), {
        code: 'EXPRESSION_INVALID',
        message: /cannot be used here: it waits for another server, which only parsers and postoverflows may do/,
      });
    }
  }
  t.throws(() => expressions.compile("HTTPGet('http://x').Body", 'any', { mayWait: true }), {
    message: /`detection.httpHelpers` is `off`; set it to `public`/,
  });
});
