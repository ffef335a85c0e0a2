/** The JSON of metrics: names and nesting are what `cscli metrics -o json` 1.4.6 prints of a Prometheus page with these numbers. */
import t from 'tap';
import { metricTree } from '../../../cli/metrics/metric-tree.ts';
import { type MetricsAnswer, sections } from '../../../cli/metrics/sections.ts';

type Labels = Readonly<Record<string, string>>;

function answerOf(samples: readonly (readonly [name: string, labels: Labels, value: number])[]): MetricsAnswer {
  const metrics = samples.map(([name, labels, value]) => ({
    name,
    type: 'counter' as const,
    help: '',
    samples: [{ labels, value }],
  }));
  return { metrics, bouncers: {} };
}

const answer = answerOf([
  ['portcullis_requests_total', { outcome: 'passed' }, 12],
  ['portcullis_requests_total', { outcome: 'refused' }, 0],
  ['cs_filesource_hits_total', { source: '/var/log/auth.log' }, 30],
  ['cs_node_hits_total', { name: 'a/logs', stage: 's00-raw' }, 20],
  ['cs_node_hits_total', { name: 'a/logs', stage: 's01-parse' }, 10],
  ['cs_node_hits_ok_total', { name: 'a/logs', stage: 's01-parse' }, 25],
  ['cs_node_hits_ko_total', { name: 'a/logs', stage: 's01-parse' }, 5],
  ['cs_bucket_poured_total', { name: 'a/bf', source: 'x', type: 'log' }, 20],
  ['cs_bucket_overflowed_total', { name: 'a/bf' }, 2],
  ['cs_node_wl_hits_ok_total', { name: 'a/wl', stage: 's02-enrich' }, 3],
  ['cs_active_decisions', { reason: 'a/bf', origin: 'crowdsec', action: 'ban' }, 2],
  ['cs_active_decisions', { reason: 'a/bf', origin: 'crowdsec', action: 'captcha' }, 1],
  ['cs_alerts', { reason: 'a/bf' }, 2],
  ['cs_lapi_route_requests_total', { route: '/v1/decisions/stream', method: 'GET' }, 11],
  ['cs_lapi_machine_requests_total', { machine: 'm1', route: '/v1/alerts', method: 'POST' }, 2],
  ['cs_lapi_bouncer_requests_total', { bouncer: 'b1', route: '/v1/decisions', method: 'GET' }, 9],
  ['cs_lapi_decisions_ok_total', { bouncer: 'b1' }, 3],
  ['cs_appsec_reqs_total', { appsec_engine: 'e', source: 'gateway' }, 8],
  ['cs_appsec_reqs_total', { appsec_engine: 'e', source: 'appsec' }, 1],
  ['cs_appsec_rule_hits', { appsec_engine: 'e', source: 'gateway', type: 'inband', rule_name: 'r' }, 4],
]);

t.test('numbers stand under the names that cscli gives them', async (t) => {
  t.same(Object.fromEntries(sections.map((section) => [section.name, section.tree(answer)])), {
    gateway: { passed: 12 },
    acquisition: { '/var/log/auth.log': { reads: 30, lost: 0 } },
    parsers: { 'a/logs': { hits: 30, parsed: 25, unparsed: 5 } },
    scenarios: { 'a/bf': { pour: 20, overflow: 2 } },
    whitelists: { 'a/wl': { 's02-enrich': { whitelisted: 3 } } },
    decisions: { 'a/bf': { crowdsec: { ban: 2, captcha: 1 } } },
    alerts: { 'a/bf': 2 },
    bouncers: {},
    lapi: { '/v1/decisions/stream': { GET: 11 } },
    'lapi-machine': { m1: { '/v1/alerts': { POST: 2 } } },
    'lapi-bouncer': { b1: { '/v1/decisions': { GET: 9 } } },
    'lapi-decisions': { b1: { NonEmpty: 3, Empty: 0 } },
    'appsec-engine': { e: { processed: 9, blocked: 0 } },
    'appsec-rule': { e: { r: { triggered: 4 } } },
  });
});

t.test('what bouncers reported stands by bouncer, origin, metric and unit', async (t) => {
  const reported = { received_at: '', os: '', feature_flags: [] };
  const dropped = (labels: Labels, value: number) => ({ name: 'dropped', unit: 'byte', labels, value });
  const metrics = [
    dropped({ origin: 'CAPI', ip_type: 'ipv4' }, 7),
    dropped({ origin: 'CAPI', ip_type: 'ipv6' }, 1),
    dropped({}, 2),
  ];
  const section = sections.find(({ name }) => name === 'bouncers');
  t.same(section?.tree({ metrics: [], bouncers: { edge: { ...reported, metrics } } }), {
    edge: { CAPI: { dropped: { byte: 8 } }, '': { dropped: { byte: 2 } } },
  });
});

t.test('a name may be any word', async (t) => {
  const tree = metricTree([
    [['__proto__', 'constructor'], 1],
    [['__proto__', 'constructor'], 2],
    [['a', '__proto__'], 4],
  ]);
  t.equal(JSON.stringify(tree), '{"__proto__":{"constructor":3},"a":{"__proto__":4}}');
});
