/** What the WAF does to real requests, as the access log, the metrics page, status and doctor show it. */
import { join } from 'node:path';
import t from 'tap';
import type { DoctorModel, StatusModel } from '../../gateway/admin/models.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { suitePath } from '../support/suites.ts';
import { accessLines, controlOf, metricsOf } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

const attack = '/search?q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20-';

t.test('a refusal, an observed request and an ordinary one', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { origin } = await startNodeOrigin(t);
  const { gateway, port, folder, log } = await startTestGateway(t, {
    origin,
    admin: { listen: '127.0.0.1:0' },
    detection: { builtin: false },
    waf: { coreRules: { folder: crs } },
  });
  const control = controlOf(gateway.controlSocket);
  const ask = async (target: string, init: RequestInit = {}): Promise<number> => {
    const headers = { 'x-forwarded-for': '203.0.113.7', 'user-agent': 'Mozilla/5.0', accept: '*/*' };
    return (await fetch(`http://127.0.0.1:${port}${target}`, { headers, ...init })).status;
  };
  t.equal(await ask('/ordinary'), 200);
  t.equal(await ask(attack), 200, 'the core rules observe by default');
  t.equal(await ask('/?class.module.classLoader.a=1'), 403, 'virtual patches block');
  t.equal(await ask('/form', { method: 'POST', body: new URLSearchParams({ name: 'Ada' }) }), 200);

  const lines = await eventually(
    () => accessLines(join(folder, 'access.log')) as readonly { target: string; waf?: readonly object[] }[],
    ({ length }) => length === 4,
  );
  const lineOf = (target: string) => lines.find((line) => line.target === target);
  t.notOk('waf' in (lineOf('/ordinary') ?? {}), 'nothing is said where no rules came to a verdict');
  t.match(lineOf(attack), {
    outcome: 'passed',
    waf: [{ layer: 'core-rules', enforced: false, ruleId: 949_110, score: Number, matched: Array }],
  });
  const [found] = (lineOf(attack)?.waf ?? []) as { matched: readonly number[]; score: number }[];
  t.ok(found?.matched.includes(942_100));
  t.ok((found?.score ?? 0) >= 5);
  t.equal(new Set(found?.matched).size, found?.matched.length);
  t.match(
    lineOf('/?class.module.classLoader.a=1'),
    {
      outcome: 'refused',
      waf: [
        { layer: 'core-rules', enforced: false },
        { layer: 'virtual-patches', enforced: true },
      ],
    },
    'both came to a verdict, one of them decided',
  );

  const metrics = await metricsOf(gateway.adminUrl ?? '');
  const core = 'source="gateway",appsec_engine="core-rules"';
  const patches = 'source="gateway",appsec_engine="virtual-patches"';
  t.equal(metrics.get(`cs_appsec_reqs_total{${core}}`), 4);
  t.equal(metrics.get(`cs_appsec_block_total{${core}}`), 0);
  t.equal(metrics.get(`portcullis_waf_observed_total{${core}}`), 2);
  t.equal(metrics.get(`cs_appsec_reqs_total{${patches}}`), 4);
  t.equal(metrics.get(`cs_appsec_block_total{${patches}}`), 1);
  t.equal(metrics.get(`cs_appsec_rule_hits{${core},type="inband",rule_name="native_rule:942100"}`), 1);
  t.ok(
    [...metrics.keys()].some(
      (name) => name.startsWith(`cs_appsec_rule_hits{${patches}`) && name.includes('portcullis/'),
    ),
    'virtual patches are counted by their names',
  );
  t.equal(metrics.get(`cs_appsec_inband_parsing_time_seconds_count{${core}}`), 1, 'the first of sixteen');
  t.equal(metrics.get('portcullis_waf_held_bodies_total{of="request"}'), 1);
  t.equal(metrics.get('portcullis_waf_rule_faults'), 0);

  const { waf } = await control.ask<StatusModel>('GET', '/v1/status');
  t.match(waf.layers, [
    { name: 'core-rules', mode: 'observe', version: /^OWASP_CRS\//, requests: 4, refused: 0, observed: 2 },
    { name: 'virtual-patches', mode: 'block', requests: 4, refused: 1 },
  ]);
  t.ok((waf.layers[0]?.rules ?? 0) > 500);
  const { checks } = await eventually(
    () => control.ask<DoctorModel>('GET', '/v1/doctor'),
    (answer) => answer.checks.some(({ message }) => message.startsWith('1 request would have been refused')),
  );
  t.match(
    checks.find(({ name }) => name === 'core rules, observing'),
    { status: 'warn', remedy: /waf exceptions suggest/ },
  );
  t.match(
    log.filter(({ msg }) => /rules of the WAF/.test(String(msg))).map(({ layer }) => layer),
    ['core-rules', 'virtual-patches'],
    'the log says what was loaded',
  );
  t.notOk(
    log.some(({ msg }) => /refused/.test(String(msg))),
    'and nothing of single requests',
  );
});

t.test('mistakes in rules are logged, told by doctor, and keep nothing else from running', async (t) => {
  const { origin } = await startNodeOrigin(t);
  const { gateway, port, log } = await startTestGateway(t, {
    origin,
    detection: { builtin: false },
    waf: { coreRules: { files: ['missing.conf'] } },
  });
  t.match(
    log.find(({ code }) => code === 'RULES_INVALID'),
    { level: 'error', msg: /missing\.conf does not exist/ },
  );
  const control = controlOf(gateway.controlSocket);
  t.match(await control.ask<StatusModel>('GET', '/v1/status'), { state: 'degraded', waf: { faults: 1 } });
  const { checks } = await control.ask<DoctorModel>('GET', '/v1/doctor');
  t.match(
    checks.find(({ group, name }) => group === 'waf' && name === 'fault'),
    { status: 'fail', message: /missing\.conf/ },
  );
  t.equal((await fetch(`http://127.0.0.1:${port}/?class.module.classLoader.a=1`)).status, 403);
});
