import t from 'tap';
import { createAdminServer } from '../../../gateway/admin/admin-server.ts';
import { metrics } from '../../../gateway/admin/metrics.ts';
import { metricsReference } from '../../../gateway/admin/metrics-reference.ts';
import { durationBounds } from '../../../gateway/counters.ts';
import { alert, createWorld, decision } from './world.ts';

type Samples = ReadonlyMap<string, number>;

/** `name{labels}` → value. */
function samplesOf(text: string): Samples {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

t.test('health', async (t) => {
  const world = await createWorld(t, { faults: [] });
  const server = createAdminServer({ listen: { host: '127.0.0.1', port: 0 } }, world.deps);
  t.teardown(() => server.close());
  const port = await server.listen();
  const ask = (): Promise<Response> => fetch(`http://127.0.0.1:${port}/health`);

  const healthy = await ask();
  t.equal(healthy.status, 200);
  t.equal(healthy.headers.get('cache-control'), 'no-store');
  t.match(await healthy.json(), { status: 'ok', notes: [], version: '1.2.3', decisions: 0, uptimeSeconds: 60 });

  world.pulse.decisionsReady = false;
  const degraded = await ask();
  t.equal(degraded.status, 200, 'it still serves');
  t.match(await degraded.json(), { status: 'degraded', notes: [/still being read/] });

  world.pulse.draining = true;
  t.equal((await ask()).status, 503, 'load balancers send nothing more');
  t.equal((await fetch(`http://127.0.0.1:${port}/decisions`)).status, 404);
});

t.test('two listeners cannot have one address', async (t) => {
  const world = await createWorld(t);
  const first = createAdminServer({ listen: { host: '127.0.0.1', port: 0 } }, world.deps);
  t.teardown(() => first.close());
  const port = await first.listen();
  const second = createAdminServer({ listen: { host: '127.0.0.1', port } }, world.deps);
  t.teardown(() => second.close());
  await t.rejects(second.listen(), { code: 'ADDRESS_IN_USE', remedy: /admin\.listen/ });
});

t.test('metrics', async (t) => {
  const world = await createWorld(t);
  const { deps, pulse, publisher } = world;
  const server = createAdminServer({ listen: { host: '127.0.0.1', port: 0 } }, deps);
  t.teardown(() => server.close());
  const port = await server.listen();
  const read = async (): Promise<Samples> => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    return samplesOf(await answer.text());
  };

  await t.test('counters show what the plain numbers say, each time anew', async (t) => {
    deps.counters.byOutcome.refused = 3;
    deps.counters.byStatusClass[4] = 3;
    deps.counters.bytesSent = 1_234;
    pulse.poured = 7;
    const first = await read();
    t.equal(first.get('portcullis_requests_total{outcome="refused"}'), 3);
    t.equal(first.get('portcullis_requests_total{outcome="passed"}'), 0);
    t.equal(first.get('portcullis_responses_total{class="4xx"}'), 3);
    t.equal(first.get('portcullis_sent_bytes_total'), 1_234);
    t.equal(first.get('portcullis_poured_total'), 7);
    deps.counters.byOutcome.refused = 5;
    t.equal((await read()).get('portcullis_requests_total{outcome="refused"}'), 5);
  });

  await t.test('the histogram is cumulative and ends with everything', async (t) => {
    deps.counters.durationBuckets.fill(0);
    deps.counters.durationBuckets[0] = 2;
    deps.counters.durationBuckets[3] = 1;
    deps.counters.durationBuckets[durationBounds.length] = 1;
    deps.counters.durationMs = 12_345;
    const found = await read();
    const name = 'portcullis_request_duration_seconds';
    t.equal(found.get(`${name}_bucket{le="0.005"}`), 2);
    t.equal(found.get(`${name}_bucket{le="0.025"}`), 2);
    t.equal(found.get(`${name}_bucket{le="0.05"}`), 3);
    t.equal(found.get(`${name}_bucket{le="10"}`), 3);
    t.equal(found.get(`${name}_bucket{le="+Inf"}`), 4);
    t.equal(found.get(`${name}_count`), 4);
    t.equal(found.get(`${name}_sum`), 12.345);
  });

  await t.test('decisions, the store and its age are shown', async (t) => {
    publisher.publish({
      alert: alert(),
      decisions: [decision(), decision({ scope: 'Range', value: '198.51.100.0/24' })],
      matched: [],
    });
    pulse.followAgeMs = 2_500;
    const found = await read();
    t.equal(found.get('portcullis_indexed_decisions{scope="Ip"}'), 1);
    t.equal(found.get('portcullis_indexed_decisions{scope="Range"}'), 1);
    t.equal(found.get('portcullis_store_up'), 1);
    t.equal(found.get('portcullis_decisions_age_seconds'), 2.5);
    pulse.followAgeMs = null;
    t.notOk((await read()).has('portcullis_decisions_age_seconds'), 'an unknown age is not a number');
  });
});

t.test('the reference page lists every metric once, by the naming rules of Prometheus', (t) => {
  const names = metrics.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  const page = metricsReference();
  // CrowdSec's own name of a counter: cs_appsec_rule_hits.
  for (const { name, type, help } of metrics) {
    t.match(name, /^[a-z][a-z0-9_]*$/);
    if (name !== 'cs_appsec_rule_hits') t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    t.match(help, /\.$/);
    t.ok(page.includes(`| \`${name}\` | ${type} |`));
  }
  t.end();
});
