import fc from 'fast-check';
import t from 'tap';
import { type FoundRequest, suggestExceptions } from '../../../../detectors/waf/exceptions/suggest-exceptions.ts';
import { formatTarget, parsePath, parseTarget } from '../../../../detectors/waf/exceptions/waf-exception.ts';
import type { RuleMatch } from '../../../../detectors/waf/engine/transaction-types.ts';
import type { WafRecord } from '../../../../detectors/waf/waf-record.ts';

function match(ruleId: number, variables: readonly string[], more: Partial<RuleMatch> = {}): RuleMatch {
  return {
    ruleId,
    place: { file: 'a.conf', line: 1 },
    phase: 2,
    msg: `rule ${ruleId}`,
    logdata: '',
    severity: 2,
    tags: [],
    ver: '',
    values: variables.map((variable) => ({ variable, value: `value of ${variable}` })),
    disruptive: false,
    score: 5,
    ...more,
  };
}

const record = (matches: readonly RuleMatch[], more: Partial<WafRecord> = {}): WafRecord => ({
  layer: 'core-rules',
  enforced: true,
  ruleId: 949_110,
  score: 5,
  matches: [...matches, match(949_110, ['TX:blocking_inbound_anomaly_score'], { disruptive: true, score: 0 })],
  ...more,
});

let made = 0;
function request(findings: readonly WafRecord[], more: Partial<FoundRequest> = {}): FoundRequest {
  made++;
  return {
    requestId: `r${made}`,
    at: made,
    clientIp: '203.0.113.7',
    site: 'shop',
    target: '/search?q=1',
    findings,
    ...more,
  };
}

t.test('the narrowest exception of each rule, what most clients met first', async (t) => {
  const found = suggestExceptions([
    request([record([match(1, ['ARGS:q'])])]),
    request([record([match(1, ['ARGS:Q'])], { enforced: false })], { clientIp: '203.0.113.8', target: '/search?Q=2' }),
    request([record([match(1, ['ARGS:q', 'ARGS:p']), match(2, ['REQUEST_COOKIES:id'])])]),
    request([record([match(1, ['ARGS:q'])])], { target: '/sear%63h' }),
    request([record([match(1, ['ARGS:q'])])], { site: 'blog' }),
  ]);
  t.same(
    found.map(({ scope: { ruleId, site, path, target }, requests, clients, alone, refused }) =>
      [ruleId, site, path, target && formatTarget(target), requests, clients, alone, refused].join(' '),
    ),
    [
      '1 shop /search ARGS:q 4 2 3 3',
      '1 blog /search ARGS:q 1 1 1 1',
      '1 shop /search ARGS:p 1 1 0 1',
      '2 shop /search REQUEST_COOKIES:id 1 1 0 1',
    ],
  );
  t.match(found[0], { message: 'rule 1', lastRequestId: 'r4', example: 'value of ARGS:q', lastAt: 4 });
});

t.test('what decides, what notes and what other layers found is no reason', async (t) => {
  t.same(suggestExceptions([request([record([])])]), []);
  t.same(suggestExceptions([request([record([match(1, ['ARGS:q'], { score: 0 })])])]), []);
  t.same(suggestExceptions([request([record([match(1, ['ARGS:q'])], { layer: 'virtual-patches' })])]), []);
  const [own] = suggestExceptions([request([record([match(1, ['ARGS:q'], { score: 0, disruptive: true })])])]);
  t.match(own?.scope, { ruleId: 1 }, 'a rule that refuses by itself');
  const [mixed] = suggestExceptions([
    request([record([match(1, ['ARGS:q'])]), record([match(7, ['ARGS:q'])], { layer: 'virtual-patches' })]),
  ]);
  t.equal(mixed?.alone, 0, 'another layer refuses it too');
});

t.test('where nothing has a name, the whole rule on that path', async (t) => {
  for (const variable of ['TX:1', 'MATCHED_VAR', 'NO_SUCH_VARIABLE', `ARGS:${'a'.repeat(300)}`]) {
    const [only] = suggestExceptions([request([record([match(1, [variable])])])]);
    t.match(only?.scope, { path: '/search', target: null }, variable);
  }
  const [counted] = suggestExceptions([request([record([match(1, ['&REQUEST_HEADERS:Host'])])])]);
  t.same(counted?.scope.target, { variable: 'REQUEST_HEADERS', name: 'Host' });
});

t.test('a path that a client chose is proposed as that path and no other', async (t) => {
  const pathOf = (target: string): string | undefined =>
    suggestExceptions([request([record([match(1, ['ARGS:q'])])], { target })])[0]?.scope.path;
  t.equal(pathOf('/*'), '/%2A');
  t.equal(pathOf('/shop/%2a?q=1'), '/shop/%2A');
  t.equal(pathOf('http://shop.example/a?b'), '/a');
  t.equal(pathOf('*'), undefined, 'OPTIONS *');
  t.equal(pathOf(`/${'a'.repeat(2_047)}`), undefined, 'one that may have been cut');
  t.equal(pathOf(`/a?${'a'.repeat(2_046)}`), '/a');
  fc.assert(
    fc.property(fc.webPath({ size: '+1' }), fc.string(), (path, name) => {
      const [only] = suggestExceptions([
        request([record([match(1, [`ARGS:${Buffer.from(name).toString('latin1')}`])])], { target: `/${path}*` }),
      ]);
      if (only === undefined) return;
      t.equal(parsePath(only.scope.path), only.scope.path, 'added as it is proposed');
      t.notOk(only.scope.path.endsWith('*'));
      const { target } = only.scope;
      if (target !== null) t.same(parseTarget(formatTarget(target)), target);
    }),
    { seed: 20260803, numRuns: 300 },
  );
});
