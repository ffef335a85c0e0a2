/** What metrics, status, health and doctor say of the WAF. */
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import type { WafRecord } from '../../../detectors/waf/waf-record.ts';
import type { AdminDependencies } from '../../../gateway/admin/dependencies.ts';
import { doctorChecks } from '../../../gateway/admin/doctor-checks.ts';
import { createMetricsPage } from '../../../gateway/admin/metrics.ts';
import type { DoctorCheck } from '../../../gateway/admin/models.ts';
import { statusOf } from '../../../gateway/admin/routes/status.ts';
import { createSiteTable, type LayerMode, type Mode, type Site } from '../../../gateway/sites.ts';
import { addTime } from '../../../gateway/waf/waf-counters.ts';
import { createWorld, refusal } from './world.ts';

const crs = { layer: 'core-rules', rules: 638, version: 'OWASP_CRS/4.29.0' } as const;
const patches = { layer: 'virtual-patches', rules: 22, version: 'portcullis/virtual-patches' } as const;

interface Modes {
  readonly core: LayerMode;
  readonly patches: LayerMode;
  readonly site?: Mode;
}

async function open(
  t: { teardown(run: () => unknown): unknown },
  modes: readonly Modes[],
  more: Partial<AdminDependencies> = {},
): Promise<AdminDependencies> {
  const { deps } = await createWorld(t, { faults: [] });
  const [site] = deps.sites.sites as [Site];
  const sites = modes.map(({ core, patches, site: mode = 'block' }, index): Site => {
    const waf = { 'core-rules': core, 'virtual-patches': patches, onFailure: 'block' } as const;
    return { ...site, name: `site${index}`, hosts: [`site${index}.example`], mode, waf };
  });
  return { ...deps, sites: createSiteTable(sites, null), ...more };
}

async function metricsOf(deps: AdminDependencies): Promise<ReadonlyMap<string, number>> {
  const lines = (await createMetricsPage(deps).text()).split('\n').filter((line) => /^[a-z]/.test(line));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

async function wafChecks(deps: AdminDependencies): Promise<readonly DoctorCheck[]> {
  return (await doctorChecks(deps)).filter(({ group }) => group === 'waf');
}

const observed = (layer: WafRecord['layer']): WafRecord => ({
  layer,
  enforced: false,
  ruleId: 949_110,
  score: 5,
  matches: [],
});

t.test('metrics show what was counted, with the names and labels of CrowdSec', async (t) => {
  const deps = await open(t, [{ core: 'block', patches: 'block' }], { layers: [crs, patches] });
  const { layers, hits } = deps.wafCounters;
  const counters = layers.gateway['core-rules'];
  Object.assign(counters, { requests: 100, refused: 7, observed: 3, exhausted: 2 });
  for (const ms of [0.02, 0.09, 0.3, 500]) addTime(counters.inBand, ms);
  for (let count = 0; count < 4; count++) {
    hits.add({ source: 'gateway', layer: 'core-rules', type: 'inband', rule: 'native_rule:942100' });
  }
  deps.wafCounters.heldRequestBodies = 9;

  const found = await metricsOf(deps);
  const engine = 'source="gateway",appsec_engine="core-rules"';
  t.equal(found.get(`cs_appsec_reqs_total{${engine}}`), 100);
  t.equal(found.get(`cs_appsec_block_total{${engine}}`), 7);
  t.equal(found.get(`portcullis_waf_observed_total{${engine}}`), 3);
  t.equal(found.get(`portcullis_waf_exhausted_total{${engine}}`), 2);
  t.equal(found.get(`cs_appsec_rule_hits{${engine},type="inband",rule_name="native_rule:942100"}`), 4);
  t.equal(found.get('portcullis_waf_held_bodies_total{of="request"}'), 9);
  t.equal(found.get('portcullis_waf_rules{appsec_engine="core-rules"}'), 638);
  t.equal(found.get('cs_appsec_reqs_total{source="gateway",appsec_engine="virtual-patches"}'), 0, 'loaded, none seen');

  const name = 'cs_appsec_inband_parsing_time_seconds';
  t.equal(found.get(`${name}_bucket{le="0.000025",${engine}}`), 1);
  t.equal(found.get(`${name}_bucket{le="0.0001",${engine}}`), 2);
  t.equal(found.get(`${name}_bucket{le="0.0005",${engine}}`), 3);
  t.equal(found.get(`${name}_bucket{le="0.1",${engine}}`), 3);
  t.equal(found.get(`${name}_bucket{le="+Inf",${engine}}`), 4);
  t.equal(found.get(`${name}_count{${engine}}`), 4);
  t.match(found.get(`${name}_sum{${engine}}`), 0.50041);

  t.notOk(
    [...found.keys()].some((key) => key.includes('source="bouncers"')),
    'no bouncer has asked',
  );
  layers.bouncers['virtual-patches'].requests = 1;
  t.equal((await metricsOf(deps)).get('cs_appsec_reqs_total{source="bouncers",appsec_engine="virtual-patches"}'), 1);
});

t.test('status shows each set of rules, its mode and what it did', async (t) => {
  const deps = await open(
    t,
    [
      { core: 'observe', patches: 'block' },
      { core: 'block', patches: 'block' },
    ],
    { layers: [crs, patches] },
  );
  Object.assign(deps.wafCounters.layers.gateway['core-rules'], { requests: 5, refused: 1, observed: 2 });
  Object.assign(deps.wafCounters.layers.bouncers['core-rules'], { requests: 2 });
  t.match(statusOf(deps).waf, {
    faults: 0,
    layers: [
      { name: 'core-rules', mode: 'mixed', rules: 638, version: /4\.29/, requests: 7, refused: 1, observed: 2 },
      { name: 'virtual-patches', mode: 'block', rules: 22 },
    ],
  });
  const observing = await open(t, [{ core: 'block', patches: 'off', site: 'observe' }], { layers: [crs] });
  t.match(statusOf(observing).waf.layers, [{ mode: 'observe' }], 'a site that observes refuses by no rule either');
});

t.test('rules that cannot be used are no secret', async (t) => {
  const fault = (line: number) =>
    new GatewayError('RULES_INVALID', `own.conf:${line}: there is no variable "ARG"`, { remedy: 'Correct the rule.' });
  const ruleFaults = Array.from({ length: 30 }, (_, index) => fault(index + 1));
  const deps = await open(t, [{ core: 'block', patches: 'off' }], { layers: [crs], ruleFaults });
  t.match(statusOf(deps), { state: 'degraded', notes: [/^30 document\(s\) cannot be used/], scenarios: { faults: 0 } });
  t.equal((await metricsOf(deps)).get('portcullis_waf_rule_faults'), 30);
  const checks = await wafChecks(deps);
  t.match(
    checks.find(({ name }) => name === 'fault'),
    { status: 'fail', message: /^own\.conf:1: there is no variable/, remedy: 'Correct the rule.' },
  );
  t.equal(checks.filter(({ name }) => name === 'fault').length, 20);
  t.match(
    checks.find(({ name }) => name === 'more'),
    { message: /^10 further/ },
  );
});

t.test('doctor: which rules run', async (t) => {
  const both = await open(t, [{ core: 'block', patches: 'block' }], { layers: [crs, patches] });
  t.match(await wafChecks(both), [
    { name: 'core rules', status: 'ok', message: 'block: 638 rules of OWASP_CRS/4.29.0' },
    { name: 'virtual patches', status: 'ok', message: 'block: 22 rules of portcullis/virtual-patches' },
  ]);
  const mixed = await open(
    t,
    [
      { core: 'block', patches: 'off' },
      { core: 'block', patches: 'off' },
      { core: 'off', patches: 'off' },
    ],
    { layers: [crs] },
  );
  t.match(await wafChecks(mixed), [
    { message: /^block on 2 sites, off on 1 site: 638 rules/ },
    { status: 'ok', message: 'off' },
  ]);
  const none = await open(t, [{ core: 'observe', patches: 'block' }]);
  t.match(await wafChecks(none), [
    {
      status: 'warn',
      message: /no Core Rule Set is installed/,
      remedy: /coreruleset\/releases.*waf install crs --from/,
    },
    { status: 'warn', message: /no appsec-config/, remedy: /waf\.virtualPatches\.configs/ },
  ]);
});

t.test('doctor: observing is a state to get out of', async (t) => {
  const deps = await open(t, [{ core: 'observe', patches: 'block' }], { layers: [crs, patches] });
  const check = async (): Promise<DoctorCheck | undefined> =>
    (await wafChecks(deps)).find(({ name }) => name === 'core rules, observing');
  t.match(await check(), {
    status: 'ok',
    message: /no request would have been refused.*`waf\.coreRules\.mode: block`/,
  });

  const write = async (count: number, at: number, findings: readonly WafRecord[]): Promise<void> => {
    await deps.store.apply(
      Array.from({ length: count }, (_, index) => ({
        kind: 'refusal' as const,
        event: refusal({
          requestId: `${at}-${findings[0]?.layer}-${index}`,
          at,
          reason: findings.some(({ enforced }) => enforced) ? 'waf' : 'waf-observed',
          findings,
        }),
      })),
    );
  };
  const now = deps.clock.now();
  await write(3, now - 1_000, [observed('core-rules')]);
  await write(2, now - 2_000, [observed('core-rules'), { ...observed('virtual-patches'), enforced: true }]);
  await write(4, now - 3_000, [observed('virtual-patches')]);
  await write(5, now - 25 * 3_600_000, [observed('core-rules')]);
  t.match(await check(), {
    status: 'warn',
    message: '3 requests would have been refused in the last day',
    remedy: /portcullis waf exceptions suggest.*`waf\.coreRules\.mode: block`/,
  });
  t.notOk(
    (await wafChecks(deps)).some(({ name }) => name === 'virtual patches, observing'),
    'what blocks does not observe',
  );
});

t.test('doctor: rules that ran out of time', async (t) => {
  const deps = await open(t, [{ core: 'block', patches: 'block' }], { layers: [crs, patches] });
  deps.wafCounters.layers.gateway['core-rules'].exhausted = 3;
  deps.wafCounters.layers.bouncers['core-rules'].exhausted = 1;
  const found = (await wafChecks(deps)).filter(({ name }) => name === 'budget');
  t.match(found, [{ status: 'warn', message: 'core rules ran out of time 4 times', remedy: /waf\.budget/ }]);
});
