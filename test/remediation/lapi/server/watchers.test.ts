/** How machines register. */
import t from 'tap';
import { GatewayError } from '../../../../core/errors.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { openWorld, password, type WorldOptions } from './world.ts';

const token = 't'.repeat(32);

function registration(id: string, more: object = {}): { body: string } {
  return { body: JSON.stringify({ machine_id: id, password, ...more }) };
}

t.test('a machine that registers waits for an operator', async (t) => {
  const world = await openWorld(t);
  const answer = await world.ask('POST', '/v1/watchers', registration('m1'));
  t.equal(answer.status, 201);
  t.equal(answer.body, '');
  t.equal(answer.type, undefined);
  const [machine] = await world.store.machines();
  t.match(machine, { id: 'm1', validated: false, authType: 'password', ip: '127.0.0.1' });
  t.match(machine?.passwordHash, /^\$scrypt\$/);
  const again = await world.ask('POST', '/v1/watchers', registration('m1', { password: 'other' }));
  t.equal(again.status, 403);
  t.equal(again.body, `{"message":"user 'm1': user already exist"}`);
  t.equal((await world.store.machines())[0]?.passwordHash, machine?.passwordHash);
  t.equal((await world.ask('POST', '/v1/watchers', registration('portcullis'))).status, 403, 'the gateway’s own name');
  t.notOk(JSON.stringify(world.lines).includes(password));
});

t.test('what a registration must have', async (t) => {
  const world = await openWorld(t);
  const table: readonly (readonly [string, number, RegExp])[] = [
    ['null', 422, /machine_id in body is required\\npassword in body is required/],
    ['{"machine_id":"","password":""}', 422, /machine_id in body is required/],
    [JSON.stringify({ machine_id: 'm', password: 'x'.repeat(1_025) }), 422, /password in body should be at most/],
    [JSON.stringify({ machine_id: 'm'.repeat(257), password: 'x' }), 422, /machine_id in body should be at most/],
    [registration('m', { registration_token: 'short' }).body, 422, /at least 32 chars long/],
    [registration('m', { registration_token: 'x'.repeat(256) }).body, 422, /at most 255 chars long/],
    [
      '{"machine_id":{"a":1}}',
      400,
      /cannot unmarshal object into Go struct field WatcherRegistrationRequest\.machine_id/,
    ],
    ['{"machine_id":"m","password":"p"', 400, /"unexpected EOF"/],
  ];
  for (const [body, status, message] of table) {
    const answer = await world.ask('POST', '/v1/watchers', { body });
    t.equal(answer.status, status, body.slice(0, 60));
    t.match(answer.body, message);
  }
  t.equal(table.length, 8);
  t.strictSame(await world.store.machines(), []);
});

t.test('with the token and from the right network a machine is validated at once', async (t) => {
  const options: WorldOptions['options'] = {
    autoRegistration: { enabled: true, token, allowedRanges: ['127.0.0.0/30'] },
  };
  const world = await openWorld(t, { options });
  const given = (id: string, registration_token: string, localAddress = '127.0.0.1') =>
    world.ask('POST', '/v1/watchers', { ...registration(id, { registration_token }), localAddress });
  t.equal((await given('m1', token)).status, 202);
  t.equal((await world.store.machines())[0]?.validated, true);
  const wrong = await given('m2', 'x'.repeat(32));
  t.equal(wrong.status, 401);
  t.equal(wrong.body, '{"message":"invalid token for auto registration"}');
  const elsewhere = await given('m2', token, '127.0.0.9');
  t.equal(elsewhere.status, 401);
  t.equal(elsewhere.body, '{"message":"IP not in allowed range for auto registration"}');
  t.equal((await world.ask('POST', '/v1/watchers', registration('m2'))).status, 201, 'without a token it waits');
  t.notOk(JSON.stringify(world.lines).includes(token));

  const off = await openWorld(t);
  t.equal((await off.ask('POST', '/v1/watchers', registration('m1', { registration_token: token }))).status, 201);
});

t.test('where only this host may register, others may not', async (t) => {
  const options: WorldOptions['options'] = { disableRemoteRegistration: true, trustedProxies: ['127.0.0.0/8'] };
  const world = await openWorld(t, { options });
  t.equal((await world.ask('POST', '/v1/watchers', registration('m1'))).status, 201);
  const remote = { ...registration('m2'), headers: { 'x-forwarded-for': '192.0.2.1' } };
  const answer = await world.ask('POST', '/v1/watchers', remote);
  t.equal(answer.status, 403);
  t.equal(answer.body, '{"message":"access forbidden"}');
});

t.test('registrations of one address are limited, since each costs a password hash', async (t) => {
  const world = await openWorld(t, { clock: createManualClock(Date.now()) });
  const asked = await Promise.all(Array.from({ length: 110 }, () => world.ask('POST', '/v1/watchers', { body: '{}' })));
  const counts = Map.groupBy(asked, ({ status }) => status);
  t.equal(counts.get(422)?.length, 100);
  t.equal(counts.get(429)?.length, 10);
  t.equal((await world.ask('POST', '/v1/watchers', { body: '{}', localAddress: '127.0.0.8' })).status, 422);
});

t.test('a machine that the store does not take is not registered', async (t) => {
  const world = await openWorld(t);
  const apply = world.store.apply.bind(world.store);
  world.store.apply = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'the store is away'));
  const answer = await world.ask('POST', '/v1/watchers', registration('m1'));
  t.equal(answer.status, 500);
  t.equal(answer.body, '{"message":"the store is away"}');
  world.store.apply = apply;
  t.equal((await world.ask('POST', '/v1/watchers', registration('m1'))).status, 201);
});
