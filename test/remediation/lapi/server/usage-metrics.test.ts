/** Usage metrics of bouncers and agents, also in the shapes in which they really come. */
import t from 'tap';
import { createManualClock } from '../../../support/manual-clock.ts';
import { bouncerKey, openWorld } from './world.ts';

const item = { name: 'dropped', value: 12, unit: 'request', labels: { origin: 'CAPI' } };
const meta = { window_size_seconds: 900, utc_now_timestamp: 1_795_217_041 };
const component = {
  type: 'crowdsec-firewall-bouncer',
  version: 'v0.0.30',
  utc_startup_timestamp: 1_795_210_000,
  os: { name: 'Debian GNU/Linux', version: '12', family: 'linux' },
  feature_flags: [],
  metrics: [{ meta, items: [item] }],
};
const processor = {
  ...component,
  type: undefined,
  hub_items: { parsers: [{ name: 'a/b' }] },
  datasources: { file: 2 },
};

t.test('a report is kept, and tells version and system', async (t) => {
  const clock = createManualClock();
  const world = await openWorld(t, { clock });
  await world.addBouncer();
  await world.addMachine();
  const token = await world.login();
  const send = (more: object, body: unknown) =>
    world.ask('POST', '/v1/usage-metrics', { ...more, body: JSON.stringify(body) });
  const answer = await send({ key: bouncerKey }, { remediation_components: [component], log_processors: null });
  t.equal(answer.status, 201);
  t.equal(answer.body, '');
  t.equal(answer.type, undefined);
  t.equal((await send({ token }, { log_processors: [processor] })).status, 201);
  const reports = await world.store.usageReports({ limit: 10 });
  t.strictSame(reports.map(({ side, from }) => `${side} ${from}`).toSorted(), ['bouncer nginx', 'machine m1']);
  const kept = reports.find(({ side }) => side === 'bouncer');
  t.strictSame(JSON.parse(kept?.body ?? ''), component);
  clock.advance(1_000);
  t.match((await world.store.bouncers())[0], { version: 'v0.0.30', type: 'crowdsec-firewall-bouncer' });
  t.match((await world.store.machines())[0], { version: 'v0.0.30', os: 'Debian GNU/Linux/12' });
});

t.test('what is taken, and what is not', async (t) => {
  const world = await openWorld(t);
  await world.addBouncer();
  await world.addMachine();
  const token = await world.login();
  const asBouncer = { key: bouncerKey };
  const asMachine = { token };
  const bouncer = (over: object) => ({ remediation_components: [{ ...component, ...over }] });
  const machine = (over: object) => ({ log_processors: [{ ...processor, ...over }] });
  const table: readonly (readonly [object, unknown, number, string | RegExp])[] = [
    [asBouncer, bouncer({ metrics: { meta, items: [item] } }), 201, ''],
    [asBouncer, bouncer({ metrics: [{ meta, items: null }] }), 201, ''],
    [asBouncer, bouncer({ metrics: [{ meta, items: {} }] }), 201, ''],
    [asBouncer, bouncer({ metrics: {} }), 201, ''],
    [asBouncer, bouncer({ metrics: [{ meta, items: [{ ...item, labels: [] }] }] }), 201, ''],
    [asBouncer, bouncer({ feature_flags: {}, os: null, metrics: null, unknown: 1 }), 201, ''],
    [asBouncer, bouncer({ metrics: [{ meta, items: [{ ...item, value: 0.5 }] }] }), 201, ''],
    [asBouncer, bouncer({ version: undefined }), 422, /remediation_components\.0\.version in body is required/],
    [asBouncer, bouncer({ utc_startup_timestamp: null }), 422, /utc_startup_timestamp in body is required/],
    [asBouncer, bouncer({ os: { name: 'x' } }), 422, /os\.version in body is required/],
    [
      asBouncer,
      bouncer({ metrics: [{ items: [] }] }),
      422,
      /list:\\nremediation_components\.0\.metrics\.0\.meta in body is required"/,
    ],
    [asBouncer, bouncer({ metrics: [{ meta: {}, items: [] }] }), 422, /meta\.window_size_seconds in body/],
    [asBouncer, bouncer({ metrics: [{ meta, items: [{ name: 'x' }] }] }), 422, /items\.0\.value in body/],
    [asBouncer, bouncer({ version: 5 }), 400, /cannot unmarshal number into Go struct field/],
    [asBouncer, bouncer({ metrics: 'x' }), 400, /cannot unmarshal string/],
    [asBouncer, bouncer({ metrics: [{ meta, items: [{ ...item, labels: { a: 1 } }] }] }), 400, /of type string/],
    [asBouncer, bouncer({ metrics: [{ meta, items: [{ ...item, labels: ['a'] }] }] }), 400, /cannot unmarshal array/],
    [asBouncer, {}, 400, '{"message":"Missing remediation component data"}'],
    [asBouncer, { remediation_components: {} }, 400, '{"message":"Missing remediation component data"}'],
    [asBouncer, machine({}), 400, '{"message":"Missing remediation component data"}'],
    [asBouncer, { remediation_components: [component, component] }, 400, /more than one remediation component/],
    [asMachine, bouncer({}), 400, '{"message":"Missing log processor data"}'],
    [asMachine, machine({ hub_items: undefined }), 422, /log_processors\.0\.hub_items in body is required/],
    [asMachine, machine({ datasources: undefined }), 422, /datasources in body is required/],
    [asMachine, machine({ hub_items: { parsers: [{ name: 'x'.repeat(300_000) }] } }), 422, /at most 262144 chars/],
    [asMachine, { log_processors: [processor], remediation_components: null }, 201, ''],
    [asBouncer, 'x', 400, /cannot unmarshal string into Go value of type models\.AllMetrics/],
  ];
  for (const [index, [who, body, status, expected]] of table.entries()) {
    const answer = await world.ask('POST', '/v1/usage-metrics', { ...who, body: JSON.stringify(body) });
    t.equal(answer.status, status, `case ${index}: ${answer.body}`);
    if (typeof expected === 'string') t.equal(answer.body, expected);
    else t.match(answer.body, expected);
  }
  t.equal(table.length, 27);
});

t.test('keys that mean something to JavaScript are keys', async (t) => {
  const world = await openWorld(t);
  await world.addBouncer();
  const body = `{"remediation_components":[{"version":"1","utc_startup_timestamp":1,"__proto__":{"type":"x"},
    "metrics":[{"meta":{"window_size_seconds":1,"utc_now_timestamp":1},
    "items":[{"name":"n","value":1,"unit":"u","labels":{"__proto__":"p","constructor":"c"}}]}]}]}`;
  t.equal((await world.ask('POST', '/v1/usage-metrics', { key: bouncerKey, body })).status, 201);
  const [report] = await world.store.usageReports({ limit: 1 });
  t.match(report?.body, /"labels":\{"__proto__":"p","constructor":"c"\}/);
  t.notOk('type' in {});
});
