import fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../../core/errors.ts';
import { createAlertWorld, hour, postedAlert, postedDecision, type Answer } from './alert-world.ts';
import { alertOf, ip, settle, startMs } from '../../support.ts';

const jsonType = 'application/json; charset=utf-8';
type Wire = Record<string, unknown> & {
  readonly id: number;
  readonly decisions: readonly Record<string, unknown>[] | null;
  readonly events: readonly { readonly timestamp: string; readonly meta: { key: string; value: string }[] }[] | null;
};

const read = (answer: Answer): Wire[] | null => JSON.parse(answer.text) as Wire[] | null;
const one = (answer: Answer): Wire => JSON.parse(answer.text) as Wire;
const ids = (answer: Answer): number[] | null => read(answer)?.map(({ id }) => id) ?? null;

t.test('an alert of an agent is decided about by the profiles, at once, from its end on', async (t) => {
  const world = createAlertWorld(t);
  world.clock.advance(60_000);
  const answer = await world.ask('POST', '/v1/alerts', [
    postedAlert({ remediation: true }),
    postedAlert({ source: { scope: 'ip', value: '198.51.100.2', ip: '198.51.100.2' }, remediation: true }),
    postedAlert(),
  ]);
  t.match(answer, { status: 201, type: jsonType, text: '["1","2","3"]' });
  const until = startMs + 4 * hour;
  t.match(world.index.lookup({ address: ip('198.51.100.1') }, world.clock.now()), { until, origin: 'crowdsec' });
  t.ok(world.index.lookup({ address: ip('198.51.100.2') }, world.clock.now()), 'the scope is read in any case');
  t.match(
    world.published.map(({ decisions }) => decisions.length),
    [1, 1, 0],
  );
  t.match(await world.store.alertById(1), { alert: { machineId: 'm1', kind: 'crowdsec', source: { scope: 'Ip' } } });
  t.match(await world.ask('POST', '/v1/alerts', 'null'), { status: 201, text: '[]' });
  t.match(await world.ask('POST', '/v1/alerts', '[]'), { status: 201, text: '[]' });
});

t.test('an IPv6 address of an agent is banned as it is, not by its network', async (t) => {
  const world = createAlertWorld(t);
  await world.post(
    postedAlert({ remediation: true, source: { scope: 'Ip', value: '2001:db8::5', ip: '2001:db8::5' } }),
  );
  t.match(world.published[0]?.decisions, [{ scope: 'Ip', value: '2001:db8::5' }]);
});

t.test('an alert that brings decisions gets exactly those; profiles only notify', async (t) => {
  const world = createAlertWorld(t);
  const [id] = await world.post(
    postedAlert({
      remediation: true,
      simulated: false,
      source: { scope: 'Ip', value: '192.168.0.7', ip: '192.168.0.7' },
      decisions: [
        postedDecision({ value: '192.168.0.7' }),
        postedDecision({ value: '2001:DB8:0:0::1', duration: '1d' }),
        postedDecision({ scope: 'range', value: '198.51.100.70/26', duration: '90m', simulated: true }),
        postedDecision({ scope: 'as', value: 'AS64500', duration: '0.5h' }),
        postedDecision({ duration: '-5m', value: '203.0.113.9' }),
        postedDecision({ value: 'zzz' }),
      ],
    }),
  );
  t.match(world.published[0], { matched: [{ profile: 'test', notifications: ['mail'] }] });
  t.match(world.published[0]?.decisions, [
    { scope: 'Ip', value: '192.168.0.7', until: startMs + hour, origin: 'cscli', simulated: false },
    { scope: 'Ip', value: '2001:DB8:0:0::1', until: startMs + 24 * hour },
    { scope: 'Range', value: '198.51.100.70/26', until: startMs + 1.5 * hour, simulated: false },
    { scope: 'AS', value: 'AS64500', until: startMs + 0.5 * hour },
    { scope: 'Ip', value: '203.0.113.9', until: startMs - 300_000 },
  ]);
  const now = world.clock.now();
  for (const banned of ['192.168.0.7', '2001:db8::1', '198.51.100.127'])
    t.ok(world.index.lookup({ address: ip(banned) }, now), banned);
  t.equal(world.index.lookup({ address: ip('203.0.113.9') }, now), null);
  t.equal(world.index.lookup({ address: ip('192.0.2.1'), asn: () => '64500' }, now)?.scope, 'AS');
  world.clock.advance(1_400);
  t.match(
    one(await world.ask('GET', `/v1/alerts/${id}`)).decisions?.map(({ duration, scope, value }) => [
      duration,
      scope,
      value,
    ]),
    [
      ['59m59s', 'Ip', '192.168.0.7'],
      ['23h59m59s', 'Ip', '2001:DB8:0:0::1'],
      ['1h29m59s', 'Range', '198.51.100.70/26'],
      ['29m59s', 'AS', 'AS64500'],
      ['-5m1s', 'Ip', '203.0.113.9'],
    ],
    'as they were sent, in whole seconds',
  );
});

t.test('a decision with an impossible address is left out, an alert with none but such is dropped', async (t) => {
  const world = createAlertWorld(t);
  const bad = ['', 'zzz', '1.2.3.4/33', '300.1.1.1', '1.2.3.4/', '::1/129', '01.2.3.4', '1.2.3.4 '];
  for (const value of bad) {
    const answer = await world.ask('POST', '/v1/alerts', [postedAlert({ decisions: [postedDecision({ value })] })]);
    t.match(answer, { status: 201, text: '[]' }, JSON.stringify(value));
  }
  t.equal(world.published.length, 0);
  t.equal(bad.length, 8);
});

const durations: readonly (readonly [string, string])[] = [
  ['x', 'time: invalid duration "x"'],
  ['', 'time: invalid duration ""'],
  ['10', 'time: missing unit in duration "10"'],
  ['1h x', 'time: unknown unit "h x" in duration "1h x"'],
  ['1h-1m', 'time: unknown unit "h-" in duration "1h-1m"'],
  ['9999999999h', 'time: invalid duration "9999999999h"'],
  [`${'1'.repeat(200_000)}h`, `time: missing unit in duration "${'1'.repeat(100)}"`],
];

t.test('a duration that cannot be read fails the request, and nothing of its fifty alerts stays', async (t) => {
  const world = createAlertWorld(t);
  for (const [duration, words] of durations) {
    const bad = postedAlert({ decisions: [postedDecision({ duration })] });
    const answer = await world.ask('POST', '/v1/alerts', [postedAlert({ remediation: true }), bad]);
    t.equal(answer.status, 500);
    const message = `unable to create alerts: decision duration '${duration.slice(0, 100)}' : ${words}: unable to parse duration`;
    t.equal((answer.json() as { message: string }).message, message);
  }
  t.equal(durations.length, 7);
  t.equal(world.index.size.total, 0);
  t.equal(await world.ask('GET', '/v1/alerts').then(({ text }) => text), 'null');

  const bad = postedAlert({ decisions: [postedDecision({ duration: 'x' })] });
  const first = Array.from({ length: 50 }, () => postedAlert());
  t.equal((await world.ask('POST', '/v1/alerts', [...first, postedAlert(), bad])).status, 500);
  t.equal(ids(await world.ask('GET', '/v1/alerts?limit=0'))?.length, 50, 'the fifty before stay');
});

t.test('durations that Go reads are read', async (t) => {
  const world = createAlertWorld(t);
  for (const [duration, ms] of [
    ['1.5h', 1.5 * hour],
    ['500ms', 500],
    ['+1h', hour],
    ['-1h', -hour],
    ['0', 0],
    ['2d', 48 * hour],
    ['2562047h', 2_562_047 * hour],
  ] as const) {
    await world.post(postedAlert({ decisions: [postedDecision({ duration })] }));
    t.equal(world.published.at(-1)?.decisions[0]?.until, startMs + ms, duration);
  }
});

t.test('alerts about allowlisted sources are dropped; decisions that somebody sends are not', async (t) => {
  const world = createAlertWorld(t, {
    settingsAllowlist: [{ list: 'portcullis-settings', value: '198.51.100.0/28', comment: '', until: null }],
  });
  const answer = await world.ask('POST', '/v1/alerts', [
    postedAlert({ remediation: true }),
    postedAlert({ remediation: true, source: { scope: 'Range', value: '198.51.0.0/16' } }),
    postedAlert({ source: { scope: 'Ip', value: '203.0.113.1' } }),
    postedAlert({ decisions: [postedDecision({ value: '198.51.100.1' })] }),
  ]);
  t.match(answer, { status: 201, text: '["1","2"]' });
});

t.test('a private address is banned when somebody says so, not when a profile would', async (t) => {
  const world = createAlertWorld(t);
  const source = { scope: 'Ip', value: '10.0.0.9', ip: '10.0.0.9' };
  await world.post(postedAlert({ remediation: true, source }));
  t.equal(world.index.size.total, 0);
  await world.post(postedAlert({ source, decisions: [postedDecision({ value: '10.0.0.9' })] }));
  t.equal(world.index.size.total, 1);
});

t.test('a profile that fails refuses the alert, which is not kept, and no later time twice', async (t) => {
  let fails = true;
  const world = createAlertWorld(t, {
    evaluate: ({ scenario }) =>
      fails && scenario === 'bad'
        ? { drafts: [], rejected: new GatewayError('EXPRESSION_RAISED', 'profile x: y') }
        : {},
  });
  const batch = [postedAlert({ remediation: true }), postedAlert({ scenario: 'bad' })];
  for (let time = 0; time < 3; time++) {
    t.match(await world.ask('POST', '/v1/alerts', batch), { status: 500, text: '{"message":"profile x: y"}' });
  }
  fails = false;
  t.match(await world.ask('POST', '/v1/alerts', batch), { status: 201, text: '["1","2"]' });
  t.same(ids(await world.ask('GET', '/v1/alerts')), [2, 1]);
  t.match(await world.ask('POST', '/v1/alerts', batch), { status: 201, text: '["3","4"]' });
});

t.test('what a client says of identity and time is not taken from it', async (t) => {
  const world = createAlertWorld(t);
  const uuid = '00000000-0000-4000-8000-000000000001';
  const claims = { id: 77, uuid, machine_id: 'other', created_at: '2001-01-01T00:00:00Z', labels: ['x'] };
  const decisions = [postedDecision({ uuid, id: 5, until: '2001-01-01T00:00:00Z' }), postedDecision({ uuid })];
  t.same(await world.post(postedAlert({ ...claims, decisions }), postedAlert({ ...claims, decisions })), [1, 2]);
  const found = read(await world.ask('GET', '/v1/alerts')) ?? [];
  t.equal(new Set(found.map((alert) => alert['uuid'])).size, 2);
  t.notOk(found.some((alert) => alert['uuid'] === uuid));
  t.equal(found.flatMap(({ decisions }) => decisions ?? []).length, 4, 'a uuid that is sent twice makes two decisions');
  t.match(found[0], { machine_id: 'm1', created_at: '2026-01-01T00:00:00Z', labels: null });
});

t.test('an alert reads back as CrowdSec shows it, key by key', async (t) => {
  const world = createAlertWorld(t);
  await world.post(
    postedAlert({
      kind: 'crowdsec',
      remediation: true,
      message: "<b> & 'c'\u2028",
      meta: [{ key: 'k', value: '["v"]' }],
      labels: ['x'],
      events: [
        { timestamp: '2026-01-01T00:00:00.123456789+02:00', meta: [{ key: 'a', value: '1' }] },
        { timestamp: 'garbage', meta: [] },
      ],
      source: {
        scope: 'Ip',
        value: '198.51.100.1',
        ip: '198.51.100.1',
        range: '198.51.100.0/24',
        as_number: '64500',
        as_name: 'N',
        cn: 'DE',
        latitude: 48.858222222,
        longitude: -2.5e-8,
      },
      start_at: '2026-01-01T00:00:00.5+01:00',
      stop_at: 'garbage',
    }),
  );
  const { type, text } = await world.ask('GET', '/v1/alerts/1');
  const uuid = (await world.store.alertById(1))?.alert.uuid;
  t.equal(type, jsonType);
  t.equal(
    text,
    '{"capacity":10,"created_at":"2026-01-01T00:00:00Z","decisions":[{"duration":"4h0m0s","id":1,"origin":"crowdsec",' +
      '"scenario":"s","scope":"Ip","simulated":false,"type":"ban","value":"198.51.100.1"}],' +
      '"events":[{"meta":[{"key":"a","value":"1"}],"timestamp":"2026-01-01 00:00:00.123456789 +0200 +0200"},' +
      '{"meta":[],"timestamp":"2026-01-01 00:00:00 +0000 UTC"}],"events_count":1,"id":1,"kind":"crowdsec",' +
      '"labels":null,"leakspeed":"10s","machine_id":"m1",' +
      '"message":"\\u003cb\\u003e \\u0026 \'c\'\\u2028","meta":[{"key":"k","value":"[\\"v\\"]"}],"remediation":true,' +
      '"scenario":"s","scenario_hash":"","scenario_version":"","simulated":false,' +
      '"source":{"as_name":"N","as_number":"64500","cn":"DE","ip":"198.51.100.1","latitude":48.858223,' +
      '"longitude":-2.5e-8,"range":"198.51.100.0/24","scope":"Ip","value":"198.51.100.1"},' +
      `"start_at":"2025-12-31T23:00:00Z","stop_at":"2026-01-01T00:00:00Z","uuid":"${uuid}"}`,
  );
  await world.post(postedAlert({ source: { scope: 'custom', value: '' } }));
  const bare = await world.ask('GET', '/v1/alerts/2');
  t.match(bare.text, '"decisions":null,"events":null,');
  t.match(bare.text, '"source":{"scope":"custom","value":""}');
  t.notMatch(bare.text, '"meta"');
  t.notMatch(bare.text, '"remediation"');
});

t.test("alerts of the gateway's own bear its name", async (t) => {
  const world = createAlertWorld(t);
  world.publisher.publish({ alert: alertOf(), decisions: [], matched: [] });
  await settle();
  t.match(one(await world.ask('GET', '/v1/alerts/1')), { machine_id: 'portcullis', kind: 'crowdsec' });
});

/** As CrowdSec 1.4.6 showed them. */
const timestamps: readonly (readonly [string, string])[] = [
  ['2026-11-21T09:00:00Z', '2026-11-21 09:00:00 +0000 UTC'],
  ['2026-11-21T09:00:00,5Z', '2026-11-21 09:00:00.5 +0000 UTC'],
  ['2026-11-21T9:00:00Z', '2026-11-21 09:00:00 +0000 UTC'],
  ['2026-02-30T09:00:00Z', '2026-01-01 00:00:00 +0000 UTC'],
  ['2026-11-21T09:00:00', '2026-01-01 00:00:00 +0000 UTC'],
  ['0000-01-01T00:00:00Z', '0000-01-01 00:00:00 +0000 UTC'],
  ['9999-12-31T23:59:59Z', '9999-12-31 23:59:59 +0000 UTC'],
  ['2026-11-21T24:00:00Z', '2026-01-01 00:00:00 +0000 UTC'],
  ['2026-11-21T09:00:00+24:00', '2026-11-21 09:00:00 +2400 +2400'],
  ['2026-11-21T09:00:00-00:00', '2026-11-21 09:00:00 +0000 UTC'],
  ['2026-11-21t09:00:00z', '2026-01-01 00:00:00 +0000 UTC'],
  ['2026-11-21T09:00:00.100Z', '2026-11-21 09:00:00.1 +0000 UTC'],
  ['2026-11-21T09:00:00-05:30', '2026-11-21 09:00:00 -0530 -0530'],
  ['2026-11-21T09:00:00.1234567891Z', '2026-11-21 09:00:00.123456789 +0000 UTC'],
];

t.test("dates of events are shown as Go's Time.String(), those that are none as the time of receipt", async (t) => {
  const world = createAlertWorld(t);
  await world.post(postedAlert({ events: timestamps.map(([timestamp]) => ({ timestamp, meta: [] })) }));
  const { events } = one(await world.ask('GET', '/v1/alerts/1'));
  timestamps.forEach(([sent, shown], index) => t.equal(events?.[index]?.timestamp, shown, sent));
  t.equal(timestamps.length, 14);
});

const metas = (...lengths: number[]): object[] =>
  lengths.map((length, at) => ({ key: `k${at}`, value: 'x'.repeat(length) }));

/** Lengths that were sent, and what CrowdSec 1.4.6 kept of each. */
const stripped: readonly (readonly [number[], number])[] = [
  [[8_000], 8_000],
  [[8_191], 2_058],
  [[9_000], 2_058],
  [[5_000, 5_000], 2_058],
  [[4_000, 4_000, 4_000], 1_034],
  [Array.from({ length: 10 }, () => 1_500), 522],
  [Array.from({ length: 20 }, () => 600), 266],
  [Array.from({ length: 100 }, () => 90), 42],
];

t.test('meta of an event that is too long is stripped, and goes when that does not help', async (t) => {
  const world = createAlertWorld(t);
  for (const [lengths, kept] of stripped) {
    const [id] = await world.post(postedAlert({ events: [{ timestamp: '', meta: metas(...lengths) }] }));
    const stored = (await world.store.alertById(id ?? 0))?.alert.events[0]?.meta ?? [];
    t.equal(stored.length, lengths.length);
    // The store itself keeps 4,096 characters of a value.
    t.ok(
      stored.every(({ value }) => value.length === Math.min(kept, 4_096)),
      `${lengths.length} of ${lengths[0]}`,
    );
    if (kept !== 8_000) t.ok(stored.every(({ value }) => value.endsWith('<stripped>')));
  }
  t.equal(stripped.length, 8);
  const [id] = await world.post(
    postedAlert({ events: [{ timestamp: '', meta: metas(...Array.from({ length: 400 }, () => 20)) }] }),
  );
  t.same((await world.store.alertById(id ?? 0))?.alert.events[0]?.meta, []);
  const [long] = await world.post(postedAlert({ meta: [{ key: 'é'.repeat(200), value: '€'.repeat(2_000) }] }));
  const [{ key, value } = { key: '', value: '' }] = (await world.store.alertById(long ?? 0))?.alert.meta ?? [];
  t.same([Buffer.byteLength(key), Buffer.byteLength(value)], [254, 4_095], 'never half a character');
});

t.test('the filters of alerts', async (t) => {
  const world = createAlertWorld(t);
  const at = (ms: number): string => new Date(startMs + ms).toISOString();
  await world.post(
    // 1: decided by profile.
    postedAlert({ remediation: true, kind: 'waf', start_at: at(-3 * hour) }),
    // 2: no decision.
    postedAlert({ simulated: true, source: { scope: 'Range', value: '203.0.113.0/24' }, start_at: at(-hour) }),
    // 3: by hand.
    postedAlert({
      decisions: [postedDecision(), postedDecision({ type: 'captcha', scope: 'Range', value: '203.0.113.0/24' })],
    }),
    // 4: its only decision is over.
    postedAlert({ scenario: 'old', decisions: [postedDecision({ duration: '-1m', scenario: 'other' })] }),
    // 5, 6: pulled from elsewhere.
    postedAlert({ source: { scope: 'crowdsecurity/community-blocklist', value: '' } }),
    postedAlert({ decisions: [postedDecision({ origin: 'lists', value: '192.0.2.200' })] }),
  );
  const cases: readonly (readonly [string, number[] | null])[] = [
    ['', [6, 5, 4, 3, 2, 1]],
    ['limit=2', [6, 5]],
    ['limit=0', [6, 5, 4, 3, 2, 1]],
    ['limit=2&limit=1', [6, 5]],
    ['limit=2&sort=ASC', [1, 2]],
    ['limit=1&sort=asc', [6]],
    ['scope=range', [2]],
    ['scope=Ip&limit=1', [6]],
    ['scope=nope', null],
    ['value=203.0.113.0/24', [2]],
    ['scenario=old', [4]],
    ['scenario=other', [4]],
    ['scenario=manual', [6, 3]],
    ['scenario=man', null],
    ['origin=cscli', [4, 3]],
    ['origin=lists&include_capi=false', [6]],
    ['origin=', null],
    ['decision_type=captcha', [3]],
    ['include_capi=false', [4, 3, 2, 1]],
    ['include_capi=true', [6, 5, 4, 3, 2, 1]],
    ['include_capi=nonsense', [6, 5, 4, 3, 2, 1]],
    ['kind=waf', [1]],
    ['simulated=false', [6, 5, 4, 3, 1]],
    ['simulated=true', [6, 5, 4, 3, 2, 1]],
    ['has_active_decision=true', [6, 3, 1]],
    ['has_active_decision=T&limit=1', [6]],
    ['has_active_decision=true&include_capi=false&limit=100', [3, 1]],
    ['has_active_decision=false', [5, 2]],
    ['ip=203.0.113.9', [3]],
    ['ip=198.51.100.44', [4, 3]],
    ['ip=::ffff:203.0.113.9', [3]],
    ['range=203.0.113.0/25', [3]],
    ['range=198.51.100.0/24', null],
    ['range=198.51.100.0/24&contains=false', [4, 3, 1]],
    ['range=0.0.0.0%2F0&contains=0', [6, 4, 3, 1]],
    ['since=2h', [6, 5, 4, 3, 2]],
    ['since=1d', [6, 5, 4, 3, 2, 1]],
    ['since=-1h', null],
    ['until=30m', [2, 1]],
    ['until=2h', [1]],
    ['created_before=1h', null],
    ['created_before=0', [6, 5, 4, 3, 2, 1]],
  ];
  for (const [query, found] of cases) {
    const answer = await world.ask('GET', `/v1/alerts?${query}`);
    t.match(answer, { status: 200, type: jsonType }, query);
    t.same(ids(answer), found, query);
    t.match(await world.ask('HEAD', `/v1/alerts?${query}`), {
      status: 200,
      text: '',
      type: 'text/plain; charset=utf-8',
    });
  }
  t.equal(cases.length, 42);
  const bare = read(await world.ask('GET', '/v1/alerts?with_decisions=false')) ?? [];
  t.ok(bare.length === 6 && bare.every(({ decisions }) => decisions === null));
});

const badFilters: readonly (readonly [string, string])[] = [
  ['x=1', "filter parameter 'x' is unknown (=1): invalid filter"],
  ['x=', "filter parameter 'x' is unknown (=): invalid filter"],
  ['limit=x', 'bad limit in parameters: [x]: unable to query'],
  ['limit=1.5', 'bad limit in parameters: [1.5]: unable to query'],
  ['limit=', 'bad limit in parameters: []: unable to query'],
  ['since=x', 'while parsing duration: time: invalid duration "x"'],
  ['until=', 'while parsing duration: time: invalid duration ""'],
  ['created_before=x', 'while parsing duration: time: invalid duration "x"'],
  [
    'has_active_decision=x',
    `'x' is not a boolean: strconv.ParseBool: parsing "x": invalid syntax: unable to parse type`,
  ],
  ['contains=x', 'invalid contains value : strconv.ParseBool: parsing "x": invalid syntax: invalid filter'],
  ['ip=x', "unable to convert 'x' to int: invalid address: invalid ip address / range"],
  ['ip=', "unable to convert '' to int: invalid address: invalid ip address / range"],
  ['range=1.2.3.4%2F33', "unable to convert '1.2.3.4/33' to int: invalid address: invalid ip address / range"],
];

t.test('filters that are not known or cannot be read are errors, of deletion too', async (t) => {
  const world = createAlertWorld(t);
  await world.post(postedAlert());
  for (const [query, message] of badFilters) {
    t.match(await world.ask('GET', `/v1/alerts?${query}`), { status: 500, text: JSON.stringify({ message }) }, query);
    t.equal((await world.ask('HEAD', `/v1/alerts?${query}`)).status, 500);
    if (!query.startsWith('limit')) t.equal((await world.ask('DELETE', `/v1/alerts?${query}`)).status, 500);
  }
  t.equal(badFilters.length, 13);
  t.same(ids(await world.ask('GET', '/v1/alerts')), [1]);
});

t.test('one alert by its number', async (t) => {
  const world = createAlertWorld(t);
  await world.post(postedAlert());
  const cases: readonly (readonly [string, number, string])[] = [
    ['1', 200, ''],
    ['01', 200, ''],
    ['+1', 200, ''],
    ['9999', 404, 'object not found'],
    ['-1', 404, 'object not found'],
    ['x', 400, 'alert_id must be valid integer'],
    ['1.5', 400, 'alert_id must be valid integer'],
    ['%201', 400, 'alert_id must be valid integer'],
    ['99999999999999999999', 400, 'alert_id must be valid integer'],
  ];
  for (const [id, status, message] of cases) {
    const answer = await world.ask('GET', `/v1/alerts/${id}`);
    t.equal(answer.status, status, id);
    if (message !== '') t.same(answer.json(), { message });
    t.match(await world.ask('HEAD', `/v1/alerts/${id}`), { status, text: '' });
  }
  t.equal(cases.length, 9);
});

t.test('a deleted alert takes its decisions along, and followers hear of it', async (t) => {
  const world = createAlertWorld(t);
  await world.post(
    postedAlert({ remediation: true }),
    postedAlert({
      decisions: Array.from({ length: 1_500 }, (_, at) => postedDecision({ value: `10.0.${at >> 8}.${at & 255}` })),
    }),
  );
  t.equal(world.index.size.total, 1_501);
  t.match(await world.ask('DELETE', '/v1/alerts/2'), { status: 200, type: jsonType, text: '{"nbDeleted":"1"}' });
  t.equal(world.index.size.total, 1);
  t.match(await world.ask('DELETE', '/v1/alerts/2'), { status: 500, text: '{"message":"ent: alert not found"}' });
  t.equal((await world.ask('DELETE', '/v1/alerts/x')).status, 400);
  t.same(ids(await world.ask('GET', '/v1/alerts')), [1]);
});

t.test('alerts are deleted by the filters of the search, whatever the limit says', async (t) => {
  const world = createAlertWorld(t);
  const alerts = Array.from({ length: 130 }, (_, at) =>
    postedAlert({ scenario: at % 2 === 0 ? 'a' : 'b', remediation: true }),
  );
  await world.post(...alerts);
  t.match(await world.ask('DELETE', '/v1/alerts?scenario=a&limit=1'), { status: 200, text: '{"nbDeleted":"65"}' });
  t.equal(ids(await world.ask('GET', '/v1/alerts?limit=0'))?.length, 65);
  t.match(await world.ask('DELETE', '/v1/alerts?limit=x'), { text: '{"nbDeleted":"65"}' });
  t.match(await world.ask('DELETE', '/v1/alerts'), { text: '{"nbDeleted":"0"}' });
  t.equal(world.index.size.total, 0);
  world.isUntrusted = true;
  for (const url of ['/v1/alerts', '/v1/alerts/1']) {
    const message = 'access forbidden from this IP (192.0.2.77)';
    t.match(await world.ask('DELETE', url), { status: 403, text: JSON.stringify({ message }) });
  }
});

t.test('long lists are sent page by page and are one document', async (t) => {
  const world = createAlertWorld(t);
  for (let round = 0; round < 4; round++) await world.post(...Array.from({ length: 60 }, () => postedAlert()));
  const all = ids(await world.ask('GET', '/v1/alerts?limit=0')) ?? [];
  t.same(
    all,
    Array.from({ length: 240 }, (_, at) => 240 - at),
  );
  t.same(ids(await world.ask('GET', '/v1/alerts')), all.slice(0, 100));
  t.same(ids(await world.ask('GET', '/v1/alerts?limit=150')), all.slice(0, 150));
  t.same(ids(await world.ask('GET', '/v1/alerts?limit=150&sort=ASC')), all.toReversed().slice(0, 150));
});

t.test('a store that is away is said so; what was decided is in force, and sent again it is one alert', async (t) => {
  const world = createAlertWorld(t);
  world.storeFault = new GatewayError('STORE_UNAVAILABLE', 'the store does not answer');
  const alert = postedAlert({ remediation: true });
  for (let time = 0; time < 5; time++) {
    t.match(await world.ask('POST', '/v1/alerts', [alert]), {
      status: 500,
      text: '{"message":"the store does not answer"}',
    });
  }
  t.ok(world.index.lookup({ address: ip('198.51.100.1') }, world.clock.now()), 'the ban is in force');
  t.equal(world.published.length, 1, 'an agent that tries again has raised one alert');
  world.storeFault = null;
  t.match(await world.ask('POST', '/v1/alerts', [alert, postedAlert()]), { status: 201, text: '["1","2"]' });
  t.match(await world.ask('POST', '/v1/alerts', [alert]), { status: 201, text: '["3"]' }, 'later it is another');
});

t.test('what the queue to the store has no room for is not acknowledged', async (t) => {
  const world = createAlertWorld(t, { maxQueued: 0 });
  const answer = world.ask('POST', '/v1/alerts', [postedAlert({ remediation: true })]);
  const isAnswered = (): Promise<boolean> => Promise.race([answer.then(() => true), settle(1).then(() => false)]);
  while (!(await isAnswered())) world.clock.advance(10);
  t.match(await answer, { status: 500, text: /too many writes wait/ });
  t.ok(world.index.lookup({ address: ip('198.51.100.1') }, world.clock.now()), 'it is in force all the same');
});

t.test('huge alerts are cut to what is kept, and nothing breaks', async (t) => {
  const world = createAlertWorld(t);
  const long = 'x'.repeat(100_000);
  const [id] = await world.post(
    postedAlert({
      scenario: long,
      message: long,
      leakspeed: long,
      source: { scope: long, value: long, ip: long, as_name: long },
      remediation: true,
      events: Array.from({ length: 10_000 }, (_, at) => ({
        timestamp: '2026-01-01T00:00:00Z',
        meta: [{ key: 'n', value: String(at) }],
      })),
      events_count: 10_000,
    }),
  );
  const { events, ...rest } = one(await world.ask('GET', `/v1/alerts/${id}`));
  t.equal(rest['events_count'], 10_000);
  t.equal(events?.length, 500);
  t.equal(events?.at(-1)?.meta[0]?.value, '9999', 'the newest stay');
  const tooLong = await world.ask('POST', '/v1/alerts', [
    postedAlert({ decisions: [postedDecision({ scope: 'custom', value: long })] }),
  ]);
  t.match(tooLong, { status: 500, text: /decision value has 100000 characters, 2048 are allowed/ });
});

const text = fc.string({ unit: 'binary', maxLength: 20 }).map((value) => value.toWellFormed());
const meta = fc.array(fc.record({ key: text, value: text }), { maxLength: 3 });
const date = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((value) => value.toISOString());
const anyAlert = fc.record({
  capacity: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  events: fc.array(fc.record({ timestamp: date, meta }), { maxLength: 3 }),
  events_count: fc.nat(1_000_000),
  leakspeed: text,
  message: text,
  meta,
  scenario: text,
  scenario_hash: text,
  scenario_version: text,
  simulated: fc.boolean(),
  remediation: fc.boolean(),
  kind: fc.constantFrom('crowdsec', 'waf', 'appsec'),
  source: fc.record({ scope: fc.constantFrom('Ip', 'custom'), value: text, ip: text, cn: text, as_name: text }),
  start_at: date,
  stop_at: date,
});

t.test('what is posted is what is read', async (t) => {
  const world = createAlertWorld(t);
  await fc.assert(
    fc.asyncProperty(anyAlert, async (alert) => {
      const [id] = await world.post({ ...alert, decisions: [] });
      const found = one(await world.ask('GET', `/v1/alerts/${id}`));
      const orAbsent = (value: string): string | undefined => (value === '' ? undefined : value);
      const { events, meta, remediation, source, start_at: startAt, stop_at: stopAt, ...same } = alert;
      const wanted = {
        ...same,
        ...(meta.length > 0 && { meta }),
        ...(remediation && { remediation }),
        start_at: startAt.replace(/\.\d+/, ''),
        stop_at: stopAt.replace(/\.\d+/, ''),
        events: events.length === 0 ? null : events.map(({ meta }) => ({ meta })),
      };
      const shown = { ...found, events: found.events?.map(({ meta }) => ({ meta })) ?? null };
      t.match(shown, wanted);
      for (const [key, value] of Object.entries(source)) {
        const wire = (found['source'] as Record<string, unknown>)[key];
        t.equal(wire, key === 'scope' || key === 'value' ? value : orAbsent(value));
      }
    }),
    { seed: 55, numRuns: 150 },
  );
});

t.test('decisions of random alerts are those that were sent, for as long', async (t) => {
  const world = createAlertWorld(t);
  const octet = fc.integer({ min: 0, max: 255 });
  const decision = fc.record({
    value: fc.tuple(octet, octet).map(([a, b]) => `203.0.${a}.${b}`),
    duration: fc
      .tuple(fc.integer({ min: 1, max: 99 }), fc.constantFrom('h', 'm', 'd', 's'))
      .map((parts) => parts.join('')),
    type: fc.constantFrom('ban', 'captcha', 'own'),
    origin: fc.constantFrom('cscli', 'cscli-import', 'console'),
    scenario: text,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(decision, { minLength: 1, maxLength: 5 }), async (sent) => {
      const [id] = await world.post(postedAlert({ decisions: sent.map((each) => postedDecision(each)) }));
      const shown = one(await world.ask('GET', `/v1/alerts/${id}`)).decisions ?? [];
      t.equal(shown.length, sent.length);
      for (const [at, { duration: _, ...rest }] of sent.entries()) t.match(shown[at], rest);
    }),
    { seed: 56, numRuns: 100 },
  );
});
