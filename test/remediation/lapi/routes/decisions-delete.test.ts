import t from 'tap';
import { GatewayError } from '../../../../core/errors.ts';
import { ip } from '../../support.ts';
import { createAlertWorld, postedAlert, postedDecision, type AlertWorld } from './alert-world.ts';

const lifted = (count: number): { status: number; type: string; text: string } => ({
  status: 200,
  type: 'application/json; charset=utf-8',
  text: `{"nbDeleted":"${count}"}`,
});

/** An alert with these decisions, whose ids count from 1. */
async function withDecisions(world: AlertWorld, ...decisions: object[]): Promise<void> {
  await world.post(postedAlert({ decisions: decisions.map((over) => postedDecision(over)) }));
}

const held = [
  { value: '198.51.100.44' },
  { value: '198.51.100.44', type: 'captcha', scenario: 'other' },
  { scope: 'Range', value: '198.51.100.0/24', origin: 'lists' },
  { scope: 'Range', value: '198.51.100.40/29' },
  { scope: 'Range', value: '0.0.0.0/0', duration: '-1s' },
  { scope: 'custom', value: '198.51.100.44' },
  { value: '203.0.113.1' },
];

const filters: readonly (readonly [string, number])[] = [
  ['', 6],
  ['ip=198.51.100.44', 4],
  ['ip=198.51.100.44&contains=false', 2],
  ['ip=::ffff:198.51.100.44&contains=true', 4],
  ['range=198.51.100.0/24', 1],
  ['range=198.51.100.0%2F24&contains=false', 4],
  ['range=0.0.0.0/0&contains=f', 5],
  ['range=0.0.0.0/0', 0],
  ['ip=203.0.113.2', 0],
  ['value=198.51.100.44', 3],
  ['value=198.51.100.44&type=captcha', 1],
  ['value=nope', 0],
  ['type=ban', 5],
  ['type=Ban', 0],
  ['origin=lists', 1],
  ['scopes=Range', 2],
  ['scopes=range', 0],
  ['scopes=Ip,Range', 0],
  ['scenario=other', 1],
  ['scenario=othe', 0],
  ['scenario=', 0],
  ['uuid=nope', 0],
];

t.test('decisions in force are lifted by filters that match exactly', async (t) => {
  for (const [query, count] of filters) {
    const world = createAlertWorld(t);
    await withDecisions(world, ...held);
    t.match(await world.ask('DELETE', `/v1/decisions?${query}`), lifted(count), query);
    t.match(await world.ask('DELETE', `/v1/decisions?${query}`), lifted(0), `${query}, again`);
    t.equal(world.index.size.total, 6 - count, query);
  }
  t.equal(filters.length, 22);
});

t.test('an address is free at once when the last decision about it is lifted', async (t) => {
  const world = createAlertWorld(t);
  await withDecisions(world, ...held);
  const find = (): unknown => world.index.lookup({ address: ip('198.51.100.44') }, world.clock.now());
  t.ok(find());
  await world.ask('DELETE', '/v1/decisions?ip=198.51.100.44');
  t.equal(find(), null);
  const answer = await world.ask('GET', '/v1/alerts/1');
  const { decisions } = answer.json() as { decisions: readonly { duration: string }[] };
  t.equal(decisions.length, 7, 'all stay for history');
  t.same(
    decisions.map(({ duration }) => duration),
    ['0s', '0s', '0s', '0s', '-1s', '1h0m0s', '1h0m0s'],
  );
});

t.test('one decision by its uuid, and only together with the other filters', async (t) => {
  const world = createAlertWorld(t);
  await withDecisions(world, { value: '198.51.100.1' }, { value: '198.51.100.2' });
  const uuid = world.published[0]?.decisions[0]?.uuid ?? '';
  t.match(await world.ask('DELETE', `/v1/decisions?uuid=${uuid}&ip=198.51.100.2`), lifted(0));
  t.match(await world.ask('DELETE', `/v1/decisions?uuid=${uuid}&ip=198.51.100.1`), lifted(1));
  t.match(await world.ask('DELETE', `/v1/decisions?uuid=${uuid}`), lifted(0));
});

t.test('one decision by its number, also one that is over', async (t) => {
  const world = createAlertWorld(t);
  await withDecisions(world, { value: '198.51.100.1' }, { value: '198.51.100.2', duration: '-1h' });
  t.match(await world.ask('DELETE', '/v1/decisions/1'), lifted(1));
  t.equal(world.index.size.total, 0);
  t.match(await world.ask('DELETE', '/v1/decisions/1'), lifted(1));
  t.match(await world.ask('DELETE', '/v1/decisions/2'), lifted(1));
  const cases: readonly (readonly [string, number, string])[] = [
    ['999', 500, "decision with id '999' doesn't exist: unable to delete"],
    ['-1', 500, "decision with id '-1' doesn't exist: unable to delete"],
    ['x', 400, 'decision_id must be valid integer'],
    ['1.0', 400, 'decision_id must be valid integer'],
    ['9223372036854775808', 400, 'decision_id must be valid integer'],
  ];
  for (const [id, status, message] of cases) {
    t.match(await world.ask('DELETE', `/v1/decisions/${id}`), { status, text: JSON.stringify({ message }) }, id);
  }
  t.equal(cases.length, 5);
});

t.test('filters that are not known or cannot be read lift nothing', async (t) => {
  const world = createAlertWorld(t);
  await withDecisions(world, {});
  const cases: readonly (readonly [string, string])[] = [
    ['scope=Ip', "'scope' doesn't exist: invalid filter"],
    ['x=', "'x' doesn't exist: invalid filter"],
    ['value=198.51.100.44&limit=1', "'limit' doesn't exist: invalid filter"],
    ['__proto__=1', "'__proto__' doesn't exist: invalid filter"],
    ['ip=x', "unable to convert 'x' to int: invalid address: invalid ip address / range"],
    ['range=', "unable to convert '' to int: invalid address: invalid ip address / range"],
    ['contains=x', 'invalid contains value : strconv.ParseBool: parsing "x": invalid syntax: invalid filter'],
  ];
  for (const [query, message] of cases) {
    t.match(
      await world.ask('DELETE', `/v1/decisions?${query}`),
      { status: 500, text: JSON.stringify({ message }) },
      query,
    );
  }
  t.equal(cases.length, 7);
  t.equal(world.index.size.total, 1);
});

t.test('a great many are lifted in slices', async (t) => {
  const world = createAlertWorld(t);
  const decisions = Array.from({ length: 2_300 }, (_, at) => ({ value: `10.0.${at >> 8}.${at & 255}` }));
  await withDecisions(world, ...decisions);
  t.equal(world.index.size.total, 2_300);
  t.match(await world.ask('DELETE', '/v1/decisions'), lifted(2_300));
  t.equal(world.index.size.total, 0);
});

t.test('a store that is away is said so, and what was lifted is lifted', async (t) => {
  const world = createAlertWorld(t);
  await withDecisions(world, {});
  world.storeFault = new GatewayError('STORE_UNAVAILABLE', 'the store does not answer');
  const refused = { status: 500, text: '{"message":"the store does not answer"}' };
  t.match(await world.ask('DELETE', '/v1/decisions'), refused);
  t.equal(world.index.size.total, 0);
  t.match(await world.ask('DELETE', '/v1/decisions/1'), refused);
  t.match(await world.ask('DELETE', '/v1/alerts/1'), refused);
});
