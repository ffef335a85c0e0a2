import t from 'tap';
import { createDecisionWorld } from './decision-world.ts';

const hour = 3_600_000;

t.test('nobody but a bouncer may ask', async (t) => {
  const world = createDecisionWorld(t);
  world.isStranger = true;
  for (const url of ['/v1/decisions?ip=192.0.2.1', '/v1/decisions/stream']) {
    const { status, body } = await world.get(url);
    t.equal(status, 403);
    t.equal(body, '{"message":"access forbidden"}');
    t.equal((await world.head(url)).status, 403);
  }
  t.strictSame(world.pulls, []);
});

t.test('clean and hit, to the byte', async (t) => {
  const { add, get } = createDecisionWorld(t);
  add(1, { origin: 'cscli', scenario: 'test/probe', value: '192.0.2.10' });
  const clean = await get('/v1/decisions?ip=192.0.2.11');
  t.equal(clean.body, 'null');
  t.equal(clean.headers['content-length'], '4');
  t.equal(clean.headers['content-type'], 'application/json; charset=utf-8');
  const hit = await get('/v1/decisions?ip=192.0.2.10');
  t.equal(
    hit.body,
    '[{"duration":"4h0m0s","id":1,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"192.0.2.10"}]',
  );
  t.equal(hit.headers['content-type'], 'application/json; charset=utf-8');
  t.equal(hit.headers['content-length'], `${hit.body.length}`);
});

t.test('every filter', async (t) => {
  const { add, get, clock } = createDecisionWorld(t);
  add(1, { value: '192.0.2.1', origin: 'crowdsec', scenario: 'crowdsecurity/ssh-bf' });
  add(2, { scope: 'Range', value: '192.0.2.0/24', origin: 'CAPI', scenario: 'http-probing', type: 'captcha' });
  add(3, { value: '::ffff:192.0.2.1', origin: 'lists', until: clock.now() + hour });
  add(4, { value: '2001:DB8:0:0::1' });
  add(5, { scope: 'Country', value: 'FR' });
  add(6, { scope: 'AS', value: '64496' });
  add(7, { scope: 'session', value: 'abc' });
  add(8, { value: '192.0.2.1', simulated: true });
  add(9, { scope: 'Ip', value: '198.51.100.70/26' });
  const cases: readonly (readonly [query: string, ids: readonly number[]])[] = [
    ['', [1, 2, 3, 4, 5, 6, 7, 9]],
    ['ip=192.0.2.1', [1, 2, 3]],
    ['ip=::ffff:192.0.2.1', [1, 2, 3]],
    ['ip=192.0.2.2', [2]],
    ['range=192.0.2.0/24', [2]],
    ['range=192.0.2.0/25', [2]],
    ['range=192.0.2.0/23', []],
    ['range=192.0.2.0/23&contains=false', [1, 2, 3]],
    ['range=192.0.2.0%2F24&contains=0', [1, 2, 3]],
    ['range=::/0&contains=f', [4]],
    ['ip=198.51.100.65', [9]],
    ['ip=2001:db8::1', [4]],
    ['value=2001:db8::1', []],
    ['value=2001:DB8:0:0::1', [4]],
    ['value=192.0.2.1', [1]],
    ['value=192.0.2.1&value=abc', [1]],
    ['value=', []],
    ['scope=ip', [1, 3, 4, 9]],
    ['scopes=IP,range', [1, 2, 3, 4, 9]],
    ['scopes=country', [5]],
    ['scopes=as,COUNTRY', [5, 6]],
    ['scopes=session', [7]],
    ['scopes=Session', []],
    ['scopes=Ip,Range&scope=Range', [2]],
    ['scopes=', []],
    ['type=captcha', [2]],
    ['type=Captcha', []],
    ['origins=CAPI,lists', [2, 3]],
    ['origins=capi', []],
    ['scenarios_containing=SSH', [1]],
    ['scenarios_containing=ssh,probing', [1, 2]],
    ['scenarios_not_containing=SSH,probing,test', []],
    ['scenarios_not_containing=test', [1, 2]],
    ['simulated=true&ip=192.0.2.1', [1, 2, 3, 8]],
    ['simulated&ip=192.0.2.1', [1, 2, 3, 8]],
    ['simulated=false&ip=192.0.2.1', [1, 2, 3]],
    ['limit=2', [1, 2]],
    ['limit=2&offset=3', [4, 5]],
    ['offset=6', [7, 9]],
    ['limit=2&id_gt=3', [4, 5]],
    ['ip=192.0.2.1&limit=1&id_gt=1', [2]],
    ['id_gt=-1&limit=-1&offset=-4', [1, 2, 3, 4, 5, 6, 7, 9]],
    ['id_gt=%2B6', [7, 9]],
    ['limit=0', []],
    ['scope=ip&ip=192.0.2.1&origins=crowdsec', [1]],
    ['community_pull=false&additional_pull=false&foo=bar&ip=192.0.2.2', [2]],
  ];
  for (const [query, ids] of cases) {
    const { status, body } = await get(`/v1/decisions?${query}`);
    t.equal(status, 200, query);
    const found = (JSON.parse(body) as { id: number }[] | null)?.map(({ id }) => id).toSorted((a, b) => a - b);
    t.strictSame(found ?? [], ids, query);
    if (ids.length === 0) t.equal(body, 'null', query);
  }
  t.equal(cases.length, 46);
});

t.test('what cannot be read is refused in CrowdSec’s words', async (t) => {
  const { get, head } = createDecisionWorld(t);
  const cases: readonly (readonly [query: string, message: string])[] = [
    ['ip=zzz', "unable to convert 'zzz' to int: invalid address: invalid ip address / range"],
    ['ip=', "unable to convert '' to int: invalid address: invalid ip address / range"],
    ['range=', "unable to convert '' to int: invalid address: invalid ip address / range"],
    [
      'ip=192.0.2.1&range=192.0.2.999',
      "unable to convert '192.0.2.999' to int: invalid address: invalid ip address / range",
    ],
    ['contains=maybe', 'invalid contains value : strconv.ParseBool: parsing "maybe": invalid syntax: invalid filter'],
    ['limit=x', 'invalid limit value : strconv.Atoi: parsing "x": invalid syntax: invalid filter'],
    ['offset=', 'invalid offset value : strconv.Atoi: parsing "": invalid syntax: invalid filter'],
    ['id_gt=1.5', 'invalid id_gt value : strconv.Atoi: parsing "1.5": invalid syntax: invalid filter'],
    [
      'id_gt=9223372036854775808',
      'invalid id_gt value : strconv.Atoi: parsing "9223372036854775808": value out of range: invalid filter',
    ],
  ];
  for (const [query, message] of cases) {
    const { status, body } = await get(`/v1/decisions?${query}`);
    t.equal(status, 500, query);
    t.strictSame(JSON.parse(body), { message });
    t.equal((await head(`/v1/decisions?${query}`)).status, 500);
  }
  t.equal(cases.length, 9);
});

t.test('a bouncer that asks all the time is seen once a minute, one that fails or probes never', async (t) => {
  const { get, head, pulls, clock } = createDecisionWorld(t);
  await get('/v1/decisions?ip=zzz');
  const probe = await head('/v1/decisions?ip=192.0.2.1');
  t.match(probe, { status: 200, body: '', headers: { 'content-type': 'text/plain; charset=utf-8' } });
  t.strictSame(pulls, []);
  const start = clock.now();
  await get('/v1/decisions?ip=192.0.2.1');
  clock.advance(59_999);
  await get('/v1/decisions?ip=192.0.2.1');
  clock.advance(1);
  await get('/v1/decisions?ip=192.0.2.1');
  t.strictSame(pulls, [start, start + 60_000]);
});

t.test('a decision holds to its last millisecond', async (t) => {
  const { add, get, clock } = createDecisionWorld(t);
  add(1, { until: clock.now() + 1_000 });
  clock.advance(1_000);
  t.match((await get('/v1/decisions?ip=192.0.2.1')).body, /"duration":"0s"/);
  clock.advance(1);
  t.equal((await get('/v1/decisions?ip=192.0.2.1')).body, 'null');
});

t.test('short and long answers are the same bytes, in any script', async (t) => {
  const { add, get } = createDecisionWorld(t);
  const scenario = 'вручную 手動 🛑';
  let longest = 0;
  for (let id = 1; id <= 40; id++) {
    add(id, { value: '192.0.2.1', scenario });
    const { body, headers } = await get('/v1/decisions?ip=192.0.2.1');
    const found = JSON.parse(body) as { scenario: string }[];
    t.strictSame(
      found.map((decision) => decision.scenario),
      Array.from({ length: id }, () => scenario),
    );
    longest = Buffer.byteLength(body);
    t.equal(headers['content-length'], `${longest}`);
  }
  t.ok(longest > 4_096 && longest < 16_384, `${longest} bytes: one piece, and none that is short`);
});

t.test('an answer of many pieces is whole', async (t) => {
  const { add, get } = createDecisionWorld(t);
  for (let id = 1; id <= 5_000; id++) add(id, { value: `10.0.${id >> 8}.${id & 255}` });
  const { status, headers, body } = await get('/v1/decisions');
  t.equal(status, 200);
  t.equal(headers['content-type'], 'application/json; charset=utf-8');
  t.equal((JSON.parse(body) as unknown[]).length, 5_000);
  const within = await get('/v1/decisions?range=10.0.0.0/16&contains=false');
  t.equal(within.body, body);
});
