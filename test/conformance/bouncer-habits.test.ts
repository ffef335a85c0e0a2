/**
 * Bouncers of today against our Local API: each with the requests that it really sends, and judged by what it makes of the answer.
 * Then the traps that CrowdSec's protocol sets, one case for each that a Local API can fall into; those of the Central API and of
 * captchas (12, 14, 15 and 18) are not its business.
 */
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { sendExchange, type Answer, type Exchange } from '../real/lapi/exchange.ts';
import { agentAlert, goTime, manualAlert, type SampleDecision } from '../real/lapi/samples.ts';
import { startOwnLapi, type OwnLapi } from '../support/own-lapi.ts';
import { bouncers, luaSeconds, type BouncerHabits } from './bouncer-requests.ts';

interface WireDecision {
  readonly duration: string;
  readonly id: number;
  readonly origin: string;
  readonly scenario: string;
  readonly scope: string;
  readonly type: string;
  readonly value: string;
  readonly uuid?: string;
}

interface Delta {
  readonly new: readonly WireDecision[];
  readonly deleted: readonly WireDecision[];
}

const wholeSeconds = /^-?(\d+h\d+m\d+s|\d+m\d+s|\d+s)$/;

/** A Local API with a machine `m1` and these bouncers, whose clock the test moves. */
async function lapiWith(t: Test, ...names: readonly string[]): Promise<OwnLapi> {
  const lapi = await startOwnLapi(t);
  await lapi.addMachine('m1');
  for (const name of names) await lapi.addBouncer(name);
  return lapi;
}

function ask(
  lapi: OwnLapi,
  as: Exchange['as'],
  method: string,
  path: string,
  more: Partial<Exchange> = {},
): Promise<Answer> {
  return sendExchange({ name: `${method} ${path}`, as, method, path, ...more }, lapi);
}

/** As `cscli decisions add`; answers the alert's number. */
async function ban(lapi: OwnLapi, ...decisions: readonly SampleDecision[]): Promise<string> {
  const body = [manualAlert(decisions, lapi.clock.now())];
  const answer = await ask(lapi, { machine: 'm1' }, 'POST', '/v1/alerts', { body });
  const [id = ''] = JSON.parse(answer.text) as string[];
  return id;
}

async function lift(lapi: OwnLapi, query: string): Promise<string> {
  const answer = await ask(lapi, { machine: 'm1' }, 'DELETE', `/v1/decisions?${query}`);
  return (JSON.parse(answer.text) as { readonly nbDeleted: string }).nbDeleted;
}

async function deltaOf(lapi: OwnLapi, bouncer: string, path = '/v1/decisions/stream?'): Promise<Delta> {
  const { status, text } = await ask(lapi, { bouncer }, 'GET', path);
  if (status !== 200) throw new Error(`the stream answered ${status} ${text}`);
  return JSON.parse(text) as Delta;
}

const startup = '/v1/decisions/stream?startup=true';
const valuesOf = (decisions: readonly WireDecision[]): string[] => decisions.map(({ value }) => value);

t.equal(bouncers.length, 5);
for (const habits of bouncers) {
  t.test(`${habits.name}: stream`, async (t) => {
    if (habits.stream !== null) await followsStream(t, habits, habits.stream);
  });
  t.test(`${habits.name}: metrics`, async (t) => {
    const lapi = await lapiWith(t, 'b');
    const headers = { ...habits.headers, 'User-Agent': habits.userAgent, 'Content-Type': 'application/json' };
    const answer = await ask(lapi, { bouncer: 'b' }, 'POST', '/v1/usage-metrics', { headers, body: habits.metrics });
    t.match(answer, { status: 201, contentType: null, text: '' });
  });
  if (habits.live === null) continue;
  const { live } = habits;
  t.test(`${habits.name}: live questions`, async (t) => {
    const lapi = await lapiWith(t, 'b');
    const headers = { ...habits.headers, 'User-Agent': habits.userAgent };
    const clean = await ask(lapi, { bouncer: 'b' }, 'GET', live('192.0.2.10'), { headers });
    t.equal(clean.text, 'null');
    t.equal(clean.contentType, 'application/json; charset=utf-8');
    await ban(lapi, { value: '192.0.2.0/28', scope: 'Range' });
    const hit = await ask(lapi, { bouncer: 'b' }, 'GET', live('192.0.2.10'), { headers });
    const [first] = JSON.parse(hit.text) as WireDecision[];
    t.match(first, { type: 'ban', scope: 'Range', value: '192.0.2.0/28', origin: 'cscli' });
    t.equal(first?.uuid, undefined, 'live answers have no uuid');
    t.equal(luaSeconds(first?.duration ?? ''), 4 * 3600);
  });
}

/** Start-up, a ban, its end: what every bouncer that follows the stream does. */
async function followsStream(
  t: Test,
  habits: BouncerHabits,
  paths: NonNullable<BouncerHabits['stream']>,
): Promise<void> {
  const lapi = await lapiWith(t, 'b');
  const headers = { ...habits.headers, 'User-Agent': habits.userAgent };
  const poll = async (path: string): Promise<Delta> => {
    const answer = await ask(lapi, { bouncer: 'b' }, 'GET', path, { headers });
    t.equal(answer.status, 200);
    t.equal(answer.contentType, 'application/json');
    t.notOk('content-encoding' in answer.headers, 'answers are never compressed');
    const delta = JSON.parse(answer.text) as Delta;
    const twice = valuesOf(delta.new).filter((value) => valuesOf(delta.deleted).includes(value));
    t.same(twice, [], 'nothing is new and deleted at once');
    for (const { duration } of [...delta.new, ...delta.deleted]) t.match(duration, wholeSeconds);
    lapi.clock.advance(10_000);
    return delta;
  };
  await ban(lapi, { value: '192.0.2.1' });
  t.same(valuesOf((await poll(paths.startup)).new), ['192.0.2.1']);
  t.same(await poll(paths.delta), { new: [], deleted: [] });
  await ban(lapi, { value: '192.0.2.2', duration: '1h' }, { value: '2001:db8::/56', scope: 'Range' });
  const added = await poll(paths.delta);
  t.same(valuesOf(added.new).toSorted(), ['192.0.2.2', '2001:db8::/56']);
  for (const { duration } of added.new) t.ok(luaSeconds(duration) > 0, 'no ban is for ever in Lua');
  t.equal(await lift(lapi, 'value=192.0.2.2'), '1');
  lapi.clock.advance(5_000);
  const removed = await poll(paths.delta);
  t.same(removed.new, []);
  t.match(removed.deleted, [{ ...added.new.find(({ value }) => value === '192.0.2.2'), duration: /^-?\d+s$/ }]);
  t.same(await poll(paths.delta), { new: [], deleted: [] }, 'and is told once');
  const [known] = await lapi.bouncers();
  t.match(known, { type: habits.userAgent.split('/')[0], version: habits.userAgent.split('/')[1] });
}

t.test('trap 1: an address without a decision is the four bytes null', async (t) => {
  const lapi = await lapiWith(t, 'b');
  for (const query of ['ip=192.0.2.1', 'range=192.0.2.0/24', 'scopes=Country', 'value=nobody']) {
    t.equal((await ask(lapi, { bouncer: 'b' }, 'GET', `/v1/decisions?${query}`)).text, 'null');
  }
});

t.test('trap 2: durations are whole seconds, and negative only of what is over', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const durations = ['1500ms', '59s', '90s', '4h', '0.5h', '100h30m', '720h', '7d', '17520h'];
  await ban(lapi, ...durations.map((duration, index) => ({ value: `192.0.2.${index + 1}`, duration })));
  lapi.clock.advance(123);
  const { new: added } = await deltaOf(lapi, 'b', startup);
  t.equal(added.length, durations.length);
  for (const { duration } of added) {
    t.match(duration, wholeSeconds);
    t.ok(luaSeconds(duration) > 0, `${duration} is for ever in Lua`);
  }
  lapi.clock.advance(60_000);
  const { deleted } = await deltaOf(lapi, 'b');
  t.same(valuesOf(deleted).toSorted(), ['192.0.2.1', '192.0.2.2']);
  for (const { duration } of deleted) t.match(duration, /^-\d+s$|^-\d+m\d+s$/);
});

t.test('trap 3: the longest of several is told, whatever its origin', async (t) => {
  const lapi = await lapiWith(t, 'b', 'onlyCscli');
  await ban(
    lapi,
    { value: '192.0.2.1', duration: '1h' },
    { value: '192.0.2.1', duration: '9h', origin: 'lists', scenario: 'l' },
  );
  t.match((await deltaOf(lapi, 'b', startup)).new, [{ origin: 'lists' }]);
  t.same(
    (await deltaOf(lapi, 'onlyCscli', `${startup}&origins=cscli`)).new,
    [],
    'and whoever wants the other misses it',
  );
  t.equal((await deltaOf(lapi, 'b', `${startup}&dedup=false`)).new.length, 2);
  lapi.clock.advance(10_000);
  await deltaOf(lapi, 'b');
  await ban(lapi, { value: '192.0.2.1', duration: '2h' });
  t.same((await deltaOf(lapi, 'b')).new, [], 'a shorter one is no news');
});

t.test('trap 4: a ban counts from the end of the attack, not from when it was reported', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const now = lapi.clock.now();
  const hoursAgo = (hours: number): Readonly<Record<string, string>> => ({
    start_at: goTime(now - hours * 3_600_000),
    stop_at: goTime(now - hours * 3_600_000),
  });
  const body = [agentAlert('198.51.100.1', now, hoursAgo(3)), agentAlert('198.51.100.2', now, hoursAgo(5))];
  await ask(lapi, { machine: 'm1' }, 'POST', '/v1/alerts', { body });
  const { new: added } = await deltaOf(lapi, 'b', startup);
  t.match(added, [{ value: '198.51.100.1', duration: /^(1h0m0s|59m\d+s)$/ }]);
});

t.test('trap 5: a delta starts where the last answered question began', async (t) => {
  const lapi = await lapiWith(t, 'b', 'other');
  await deltaOf(lapi, 'b', startup);
  lapi.clock.advance(1);
  await ban(lapi, { value: '192.0.2.1' });
  await ask(lapi, { bouncer: 'b' }, 'HEAD', '/v1/decisions/stream');
  t.same(valuesOf((await deltaOf(lapi, 'b')).new), ['192.0.2.1'], 'HEAD moves nothing');
  lapi.clock.advance(5_000);
  await lift(lapi, 'value=192.0.2.1');
  lapi.clock.advance(500);
  t.same(valuesOf((await deltaOf(lapi, 'b')).deleted), ['192.0.2.1']);
  lapi.clock.advance(500);
  t.same(valuesOf((await deltaOf(lapi, 'b')).deleted), ['192.0.2.1'], 'it is told again');
  lapi.clock.advance(5_000);
  t.same(valuesOf((await deltaOf(lapi, 'b')).deleted), ['192.0.2.1'], 'for whoever asked within two seconds of it');
  lapi.clock.advance(5_000);
  t.same((await deltaOf(lapi, 'b')).deleted, []);
  t.same(valuesOf((await deltaOf(lapi, 'other')).deleted), ['192.0.2.1'], 'who never asked is told everything');
});

t.test('trap 6: which filters are known depends on the route', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const machine = { machine: 'm1' } as const;
  t.equal((await ask(lapi, { bouncer: 'b' }, 'GET', '/v1/decisions?scope=Ip')).status, 200);
  t.equal((await ask(lapi, { bouncer: 'b' }, 'GET', '/v1/decisions?colour=red')).status, 200);
  const refused = await ask(lapi, machine, 'DELETE', '/v1/decisions?scope=Ip');
  t.match(refused, { status: 500, text: `{"message":"'scope' doesn't exist: invalid filter"}` });
  const unknown = await ask(lapi, machine, 'GET', '/v1/alerts?colour=red');
  t.match(unknown, { status: 500, text: `{"message":"filter parameter 'colour' is unknown (=red): invalid filter"}` });
});

t.test('trap 7: AppSec asks whether a key is good by HEAD, and nothing comes of it', async (t) => {
  const lapi = await lapiWith(t, 'waf');
  const headers = { 'User-Agent': 'appsec/v1.7.0-linux' };
  const [before] = await lapi.bouncers();
  const good = await ask(lapi, { bouncer: 'waf' }, 'HEAD', '/v1/decisions/stream', { headers });
  t.match(good, { status: 200, text: '', contentType: 'text/plain; charset=utf-8' });
  t.equal((await ask(lapi, { bouncer: 'stranger' }, 'HEAD', '/v1/decisions/stream', { headers })).status, 403);
  t.same((await lapi.bouncers())[0], before);
});

t.test('trap 8: statuses that clients act on', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const machine = { machine: 'm1' } as const;
  const wrong = { machine_id: 'm1', password: 'wrong', scenarios: [] };
  const usage = {
    remediation_components: [{ version: 'v1', utc_startup_timestamp: 1, metrics: [] }],
    log_processors: null,
  };
  const cases = [
    [403, ask(lapi, { bouncer: 'stranger' }, 'GET', '/v1/decisions')],
    [401, ask(lapi, 'nobody', 'POST', '/v1/watchers/login', { body: wrong })],
    [500, ask(lapi, machine, 'POST', '/v1/alerts', { body: [{}] })],
    [400, ask(lapi, machine, 'POST', '/v1/alerts', { body: '{' })],
    [201, ask(lapi, { bouncer: 'b' }, 'POST', '/v1/usage-metrics', { body: usage })],
    [422, ask(lapi, 'nobody', 'POST', '/v1/watchers', { body: {} })],
    [404, ask(lapi, machine, 'GET', '/v1/alerts/77')],
    [500, ask(lapi, machine, 'DELETE', '/v1/decisions/77')],
  ] as const;
  for (const [status, answer] of cases) t.equal((await answer).status, status);
  t.equal(cases.length, 8);
  t.equal((await ask(lapi, machine, 'DELETE', '/v1/decisions?ip=192.0.2.1')).text, '{"nbDeleted":"0"}');
});

t.test('trap 9: a machine logs in with one slash in its name, a bouncer asks with any', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const body = { machine_id: 'm1', password: 'password-of-m1', scenarios: [] };
  for (const [userAgent, status] of [
    ['crowdsec/v1.7.0-linux', 200],
    ['crowdsec', 401],
    ['crowdsec/v1/linux', 401],
    ['', 401],
  ] as const) {
    const headers = { 'User-Agent': userAgent };
    t.equal((await ask(lapi, 'nobody', 'POST', '/v1/watchers/login', { body, headers })).status, status, userAgent);
    t.equal((await ask(lapi, { bouncer: 'b' }, 'GET', '/v1/decisions', { headers })).status, 200, userAgent);
  }
});

t.test('trap 10: requests may be compressed, up to a size, and answers never are', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const headers = { 'Content-Encoding': 'gzip', 'Accept-Encoding': 'gzip' };
  const alerts = gzipSync(JSON.stringify([manualAlert([{ value: '192.0.2.1' }], lapi.clock.now())]));
  const taken = await ask(lapi, { machine: 'm1' }, 'POST', '/v1/alerts', { headers, body: alerts });
  t.match(taken, { status: 201, text: /^\["\d+"\]$/ });
  const bomb = gzipSync(Buffer.alloc(51 * 1024 * 1024, 0x20));
  t.ok(bomb.length < 100_000);
  const refused = await ask(lapi, { machine: 'm1' }, 'POST', '/v1/alerts', { headers, body: bomb });
  t.match(refused, { status: 400, text: '{"message":"http: request body too large"}' });
  const login = await ask(lapi, 'nobody', 'POST', '/v1/watchers/login', {
    headers,
    body: gzipSync(Buffer.alloc(3 * 1024 * 1024, 0x20)),
  });
  t.equal(login.status, 401);
  t.equal((await ask(lapi, { bouncer: 'b' }, 'GET', startup, { headers: { 'Accept-Encoding': 'gzip' } })).text[0], '{');
});

t.test('trap 11: flags of the Central API are no filters here', async (t) => {
  const lapi = await lapiWith(t, 'b');
  await ban(lapi, { value: '192.0.2.1' }, { value: '192.0.2.2', origin: 'CAPI' });
  const { new: added } = await deltaOf(lapi, 'b', `${startup}&community_pull=false&additional_pull=false`);
  t.same(valuesOf(added).toSorted(), ['192.0.2.1', '192.0.2.2']);
});

t.test('trap 13: what is lifted and made again is not in both lists', async (t) => {
  const lapi = await lapiWith(t, 'b');
  await ban(lapi, { value: '192.0.2.1' });
  await deltaOf(lapi, 'b', startup);
  lapi.clock.advance(5_000);
  await lift(lapi, 'value=192.0.2.1');
  lapi.clock.advance(100);
  await ban(lapi, { value: '192.0.2.1', duration: '2h' });
  const { new: added, deleted } = await deltaOf(lapi, 'b');
  t.same(valuesOf(added), ['192.0.2.1']);
  t.same(valuesOf(deleted), [], 'Traefik applies deletions last, by value alone');
});

t.test('trap 16: who deletes an alert lifts its ban, and bouncers hear of it', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const id = await ban(lapi, { value: '192.0.2.1' });
  await deltaOf(lapi, 'b', startup);
  lapi.clock.advance(5_000);
  const answer = await ask(lapi, { machine: 'm1' }, 'DELETE', `/v1/alerts/${id}`);
  t.match(answer, { status: 200, text: '{"nbDeleted":"1"}' });
  t.same(valuesOf((await deltaOf(lapi, 'b')).deleted), ['192.0.2.1']);
  t.equal((await ask(lapi, { bouncer: 'b' }, 'GET', '/v1/decisions?ip=192.0.2.1')).text, 'null');
});

t.test('trap 17: lifting by address takes the ranges around it, by value nothing else', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const both = [{ value: '192.0.2.1' }, { value: '192.0.2.0/24', scope: 'Range' }];
  await ban(lapi, ...both);
  t.equal(await lift(lapi, 'value=192.0.2.1'), '1');
  t.equal(await lift(lapi, 'value=192.0.2.0%2F24'), '1');
  await ban(lapi, ...both);
  t.equal(await lift(lapi, 'ip=192.0.2.1'), '2');
});

t.test('trap 19: a longer simulated decision does not hide a real ban', async (t) => {
  const lapi = await lapiWith(t, 'b');
  const now = lapi.clock.now();
  const simulated = manualAlert([{ value: '192.0.2.1', duration: '100h' }], now, { simulated: true });
  await ask(lapi, { machine: 'm1' }, 'POST', '/v1/alerts', { body: [simulated] });
  await ban(lapi, { value: '192.0.2.1', duration: '1h' });
  t.match((await deltaOf(lapi, 'b', startup)).new, [{ value: '192.0.2.1', duration: '1h0m0s' }]);
  lapi.clock.advance(5_000);
  t.match((await ask(lapi, { bouncer: 'b' }, 'GET', '/v1/decisions?ip=192.0.2.1')).text, /"duration":"59m55s"/);
  await lift(lapi, 'value=192.0.2.1');
  t.equal(valuesOf((await deltaOf(lapi, 'b')).deleted).length, 1, 'and its end is told');
});

t.test('trap 20: the token of a machine that was deleted is worth nothing', async (t) => {
  const lapi = await lapiWith(t);
  await lapi.addMachine('leaver');
  t.equal((await ask(lapi, { machine: 'leaver' }, 'GET', '/v1/heartbeat')).status, 200);
  t.equal((await ask(lapi, { machine: 'leaver' }, 'DELETE', '/v1/watchers/self')).status, 204);
  t.equal((await ask(lapi, { machine: 'leaver' }, 'GET', '/v1/heartbeat')).status, 401);
});
