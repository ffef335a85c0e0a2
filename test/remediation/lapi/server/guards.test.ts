/** Who is let in, and what is left behind by those who are not. */
import t from 'tap';
import { createManualClock } from '../../../support/manual-clock.ts';
import { bouncerKey, loginOf, openWorld, password } from './world.ts';

/** Not long after the tests' start, so that TLS and cookies do not wonder. */
const start = Date.UTC(2026, 10, 20, 22, 25, 22);

t.test('a key used from two addresses is two bouncers; HEAD makes none', async (t) => {
  const clock = createManualClock(start);
  const world = await openWorld(t, { clock });
  await world.addBouncer();
  const names = async () => (await world.store.bouncers()).map(({ name, ip }) => `${name} ${ip}`);
  const from = (localAddress: string, method = 'GET') =>
    world.ask(method, '/v1/decisions?ip=192.0.2.1', { key: bouncerKey, localAddress, agent: 'nginx-lua/1.2' });
  t.equal((await from('127.0.0.5', 'HEAD')).status, 200);
  clock.advance(1_000);
  t.strictSame(await names(), ['nginx '], 'a probe writes nothing');
  t.equal((await from('127.0.0.5')).body, '[{"name":"nginx"}]');
  t.equal((await from('127.0.0.6')).body, '[{"name":"nginx@127.0.0.6"}]');
  t.equal((await from('127.0.0.7', 'HEAD')).status, 200);
  clock.advance(1_000);
  t.strictSame(await names(), ['nginx 127.0.0.5', 'nginx@127.0.0.6 127.0.0.6']);
  t.match((await world.store.bouncers())[0], { type: 'nginx-lua', version: '1.2', lastPull: null });
});

t.test('routes for both: key, else token, else what the User-Agent says', async (t) => {
  const world = await openWorld(t);
  await world.addBouncer();
  await world.addMachine();
  const token = await world.login();
  const table = [
    [{ key: bouncerKey }, 400],
    [{ token }, 400],
    [{ key: 'wrong', token }, 403],
    [{ key: bouncerKey, token: 'wrong' }, 400],
    [{ token: 'a.b.c' }, 401],
    [{ headers: { authorization: 'Basic x' } }, 401],
    [{ agent: 'crowdsec/v1.6' }, 401],
    [{ agent: 'crowdsec-firewall-bouncer/v1' }, 403],
    [{}, 403],
  ] as const;
  for (const [more, status] of table) {
    const answer = await world.ask('POST', '/v1/usage-metrics', { ...more, body: '{}' });
    t.equal(answer.status, status, JSON.stringify(more).slice(0, 60));
  }
  t.equal(table.length, 9);
});

t.test('tokens: where they are looked for, and which are good', async (t) => {
  const clock = createManualClock(start);
  const world = await openWorld(t, { clock });
  await world.addMachine();
  const token = await world.login();
  const beat = async (headers: Readonly<Record<string, string>>) => {
    const { status, body } = await world.ask('GET', '/v1/heartbeat', { headers });
    return status === 200 ? 'ok' : (JSON.parse(body) as { message: string }).message;
  };
  t.equal(await beat({ authorization: `Bearer ${token}` }), 'ok');
  t.equal(await beat({ cookie: `a=b; jwt=${token}; c=d` }), 'ok');
  t.equal(await beat({ authorization: token }), 'cookie token is empty');
  t.equal(await beat({ authorization: `bearer ${token}` }), 'cookie token is empty');
  t.equal(await beat({ authorization: `Token ${token}` }), 'cookie token is empty');
  t.equal(await beat({ authorization: 'Bearer ' }), 'cookie token is empty');
  t.equal(await beat({ cookie: 'xjwt=a' }), 'cookie token is empty');
  clock.advance(3_600_000);
  t.equal(await beat({ authorization: `Bearer ${token}` }), 'Token is expired');
});

t.test('a refreshed token goes on, and a deleted machine’s does not', async (t) => {
  const clock = createManualClock(start);
  const world = await openWorld(t, { clock });
  await world.addMachine();
  const token = await world.login();
  clock.advance(1_800_000);
  const refreshed = await world.ask('GET', '/v1/refresh_token', { token });
  const { code, expire, token: next } = JSON.parse(refreshed.body) as { code: number; expire: string; token: string };
  t.equal(code, 200);
  t.equal(expire, '2026-11-20T23:55:22Z');
  clock.advance(1_900_000);
  t.equal((await world.ask('GET', '/v1/heartbeat', { token })).status, 401);
  t.equal((await world.ask('GET', '/v1/heartbeat', { token: next })).status, 200);
  await world.store.apply([{ kind: 'machine-deleted', id: 'm1' }]);
  world.machines.changed();
  const gone = await world.ask('GET', '/v1/heartbeat', { token: next });
  t.equal(gone.status, 401);
  t.match(gone.body, /machine m1 not found/);
  await world.addMachine('m1', { validated: false });
  t.equal((await world.ask('GET', '/v1/heartbeat', { token: next })).status, 401, 'nor one that has to be validated');
});

t.test('tokens outlive the process when the secret is set', async (t) => {
  const options = { secret: 'x'.repeat(64) };
  const [one, other] = [await openWorld(t, { options }), await openWorld(t, { options })];
  await one.addMachine();
  await other.addMachine();
  const token = await one.login();
  t.equal((await other.ask('GET', '/v1/heartbeat', { token })).status, 200);
});

t.test('a source that fails again and again has nothing looked up, and known keys stay good', async (t) => {
  const clock = createManualClock(start);
  const world = await openWorld(t, { clock });
  await world.addBouncer();
  t.equal((await world.ask('GET', '/v1/decisions', { key: bouncerKey })).status, 200);
  let reads = 0;
  const bouncers = world.store.bouncers.bind(world.store);
  world.store.bouncers = () => {
    reads++;
    return bouncers();
  };
  for (let guess = 0; guess < 60; guess++) {
    t.equal((await world.ask('GET', '/v1/decisions', { key: `guess ${guess}` })).status, 403);
    clock.advance(1_000);
  }
  t.ok(reads <= 18, `${reads} reads for 60 guesses`);
  t.equal((await world.ask('GET', '/v1/decisions', { key: bouncerKey })).status, 200);
  const complaints = world.lines.filter(({ msg }) => String(msg).includes('refused a bouncer'));
  t.ok(complaints.length >= 10 && complaints.length <= 17, `${complaints.length} lines in the log`);
  t.notOk(JSON.stringify(world.lines).includes('guess'), 'keys are secrets');
});

t.test('a login that failed ten times is refused without a look, and later not', async (t) => {
  const clock = createManualClock(start);
  const world = await openWorld(t, { clock });
  await world.addMachine();
  const wrong = loginOf('m1', { password: 'wrong' });
  const message = async (asking: ReturnType<typeof loginOf>) => {
    const { status, body } = await world.ask(asking.method, asking.path, asking);
    return status === 200 ? 'ok' : (JSON.parse(body) as { message: string }).message;
  };
  for (let attempt = 0; attempt < 10; attempt++) t.equal(await message(wrong), 'incorrect Username or Password');
  t.equal(await message(loginOf('m1')), 'incorrect Username or Password', 'the right one as well');
  t.equal(await message({ ...loginOf('m1'), localAddress: '127.0.0.8' }), 'ok', 'from elsewhere it is as ever');
  await world.addMachine('m2');
  t.equal(await message(loginOf('m2')), 'ok', 'and others are as ever');
  clock.advance(10_000);
  t.equal(await message(loginOf('m1')), 'ok', 'one more is allowed every ten seconds');
  t.notOk(JSON.stringify(world.lines).includes(password));
  const long = { ...wrong, body: JSON.stringify({ machine_id: 'x'.repeat(1_000_000), password }) };
  t.equal(await message(long), 'ent: machine not found');
  t.ok(
    world.lines.every((line) => JSON.stringify(line).length < 1_000),
    'a name as long as a body is not kept',
  );
});

t.test('what agents are told when they log in', async (t) => {
  const world = await openWorld(t);
  await world.addMachine('m1', { createdAt: 1 });
  await world.addMachine('m2', { validated: false });
  await world.addMachine('m3', { authType: 'tls', passwordHash: '' });
  const right = JSON.stringify({ machine_id: 'm1', password, scenarios: null });
  const table: readonly (readonly [string, string, string])[] = [
    [JSON.stringify({ machine_id: 'm2', password }), 'crowdsec/v1', 'machine m2 not validated'],
    [JSON.stringify({ machine_id: 'm2', password: 'x' }), 'crowdsec/v1', 'incorrect Username or Password'],
    [
      JSON.stringify({ machine_id: 'm3', password: '' }),
      'crowdsec/v1',
      'validation failure list:\npassword in body is required',
    ],
    [JSON.stringify({ machine_id: 'm3', password: 'x' }), 'crowdsec/v1', 'incorrect Username or Password'],
    [JSON.stringify({ machine_id: 'nobody', password }), 'crowdsec/v1', 'ent: machine not found'],
    [JSON.stringify({ machine_id: 'm1', password: 'x' }), 'crowdsec/v1', 'incorrect Username or Password'],
    [right, 'crowdsec', 'incorrect Username or Password'],
    [right, 'a/b/c', 'incorrect Username or Password'],
    [right, '', 'incorrect Username or Password'],
    ['{}', 'crowdsec/v1', 'validation failure list:\nmachine_id in body is required\npassword in body is required'],
    ['', 'crowdsec/v1', 'missing: EOF'],
    ['[]', 'crowdsec/v1', 'missing: json: cannot unmarshal array into Go value of type models.WatcherAuthRequest'],
    [right, 'crowdsec/v1', 'ok'],
    [`${right}\n`, 'cscli/v1', 'ok'],
  ];
  for (const [body, agent, expected] of table) {
    const answer = await world.ask('POST', '/v1/watchers/login', { body, agent });
    const { message = 'ok', code } = JSON.parse(answer.body) as { message?: string; code: number };
    t.equal(message, expected);
    t.equal(answer.status, expected === 'ok' ? 200 : 401);
    t.equal(code, answer.status);
  }
  t.equal(table.length, 14);
});

t.test('a login is noted: where from, which version, which scenarios', async (t) => {
  const clock = createManualClock(start);
  const world = await openWorld(t, { clock });
  await world.addMachine();
  const { status, body } = await world.ask(
    'POST',
    '/v1/watchers/login',
    loginOf('m1', { scenarios: ['a/b', null, 'c/d'] }),
  );
  t.equal(status, 200);
  t.match(JSON.parse(body), { code: 200, expire: '2026-11-20T23:25:22Z', token: /^ey/ });
  await world.login('m1', { body: JSON.stringify({ machine_id: 'm1', password, scenarios: [] }) });
  const token = await world.login('m1', { body: JSON.stringify({ machine_id: 'm1', password }) });
  clock.advance(1_000);
  const noted = { ip: '127.0.0.1', version: 'v1.6.3-linux', scenarios: ['a/b', 'c/d'], updatedAt: start };
  t.match((await world.store.machines())[0], noted);
  await world.ask('GET', '/v1/heartbeat', { token });
  clock.advance(1_000);
  t.match((await world.store.machines())[0], { lastHeartbeat: start + 1_000 });
});
