/** How a Local API lets people in, or does not: transport, bouncers' keys, machines' passwords and tokens. */
import { passwordOf, type Exchange } from './exchange.ts';

const machine = { machine: 'm1' } as const;
const bouncer = { bouncer: 'b1' } as const;

export const transportExchanges: readonly Exchange[] = [
  { name: 'health', as: 'nobody', method: 'GET', path: '/health' },
  { name: 'health by HEAD', as: 'nobody', method: 'HEAD', path: '/health' },
  { name: 'health by POST', as: 'nobody', method: 'POST', path: '/health' },
  { name: 'the root', as: 'nobody', method: 'GET', path: '/' },
  { name: 'an unknown path', as: 'nobody', method: 'GET', path: '/nope' },
  { name: 'an unknown path below v1', as: machine, method: 'GET', path: '/v1/nope' },
  { name: 'the version alone', as: 'nobody', method: 'GET', path: '/v1' },
  { name: 'a version of the past', as: bouncer, method: 'GET', path: '/v2/decisions' },
  { name: 'metrics are elsewhere', as: 'nobody', method: 'GET', path: '/v1/metrics' },
  { name: 'decisions with a slash', as: bouncer, method: 'GET', path: '/v1/decisions/' },
  { name: 'decisions with a slash, without a key', as: 'nobody', method: 'GET', path: '/v1/decisions/' },
  { name: 'the stream with a slash', as: bouncer, method: 'GET', path: '/v1/decisions/stream/?startup=true' },
  { name: 'decisions with a slash by DELETE', as: machine, method: 'DELETE', path: '/v1/decisions/' },
  { name: 'alerts with a slash by POST', as: machine, method: 'POST', path: '/v1/alerts/', body: [] },
  { name: 'login with a slash', as: 'nobody', method: 'POST', path: '/v1/watchers/login/', body: {} },
  { name: 'alerts by PUT', as: machine, method: 'PUT', path: '/v1/alerts', body: [] },
  { name: 'decisions by PATCH', as: bouncer, method: 'PATCH', path: '/v1/decisions' },
  { name: 'decisions by OPTIONS', as: bouncer, method: 'OPTIONS', path: '/v1/decisions' },
  { name: 'decisions by POST', as: machine, method: 'POST', path: '/v1/decisions', body: [] },
  { name: 'login by GET', as: 'nobody', method: 'GET', path: '/v1/watchers/login' },
  { name: 'machines by GET', as: 'nobody', method: 'GET', path: '/v1/watchers' },
  { name: 'heartbeat by POST', as: machine, method: 'POST', path: '/v1/heartbeat' },
  { name: 'a path in capitals', as: bouncer, method: 'GET', path: '/v1/Decisions' },
];

export const bouncerExchanges: readonly Exchange[] = [
  { name: 'no key', as: 'nobody', method: 'GET', path: '/v1/decisions' },
  { name: 'a wrong key', as: { bouncer: 'nobody-has-it' }, method: 'GET', path: '/v1/decisions' },
  { name: 'an empty key', as: 'nobody', method: 'GET', path: '/v1/decisions', headers: { 'X-Api-Key': '' } },
  { name: 'a token instead of a key', as: machine, method: 'GET', path: '/v1/decisions' },
  { name: 'no key on the stream', as: 'nobody', method: 'GET', path: '/v1/decisions/stream' },
  { name: 'a wrong key on the stream', as: { bouncer: 'nobody-has-it' }, method: 'GET', path: '/v1/decisions/stream' },
  { name: 'HEAD with a key', as: bouncer, method: 'HEAD', path: '/v1/decisions' },
  { name: 'HEAD without a key', as: 'nobody', method: 'HEAD', path: '/v1/decisions' },
  { name: 'HEAD of the stream with a key', as: bouncer, method: 'HEAD', path: '/v1/decisions/stream' },
  { name: 'HEAD of the stream with a wrong key', as: { bouncer: 'x' }, method: 'HEAD', path: '/v1/decisions/stream' },
  {
    name: 'a key in small letters',
    as: 'nobody',
    method: 'GET',
    path: '/v1/decisions',
    headers: { 'x-api-key': 'key-of-b1' },
  },
  {
    name: 'a key with a space',
    as: 'nobody',
    method: 'GET',
    path: '/v1/decisions',
    headers: { 'X-Api-Key': 'key of b1' },
  },
  {
    name: 'a key and a wrong token',
    as: bouncer,
    method: 'GET',
    path: '/v1/decisions',
    headers: { Authorization: 'Bearer x' },
  },
  {
    name: 'a program without a version',
    as: bouncer,
    method: 'GET',
    path: '/v1/decisions',
    headers: { 'User-Agent': 'x' },
  },
  {
    name: 'a program with three parts',
    as: bouncer,
    method: 'GET',
    path: '/v1/decisions',
    headers: { 'User-Agent': 'a/b/c' },
  },
  { name: 'a key for a machine route', as: bouncer, method: 'GET', path: '/v1/alerts' },
  { name: 'a key for deleting decisions', as: bouncer, method: 'DELETE', path: '/v1/decisions' },
  { name: 'a key for posting alerts', as: bouncer, method: 'POST', path: '/v1/alerts', body: [] },
];

const register = (name: string, body: unknown): Exchange => ({
  name,
  as: 'nobody',
  method: 'POST',
  path: '/v1/watchers',
  body,
});
const login = (name: string, body: unknown, headers?: Readonly<Record<string, string>>): Exchange => ({
  name,
  as: 'nobody',
  method: 'POST',
  path: '/v1/watchers/login',
  body,
  ...(headers === undefined ? {} : { headers }),
});
const m1 = { machine_id: 'm1', password: passwordOf('m1'), scenarios: [] };

export const machineExchanges: readonly Exchange[] = [
  register('registration with nothing in it', {}),
  register('registration without a password', { machine_id: 'm2' }),
  register('registration without a name', { password: 'p' }),
  register('registration that is no JSON', '{"machine_id":'),
  register('registration that is a word', 'machine'),
  register('registration with an empty body', ''),
  register('registration with a number as password', { machine_id: 'm2', password: 12 }),
  register('registration that is an array', []),
  register('registration', { machine_id: 'm2', password: passwordOf('m2') }),
  register('registration of the same', { machine_id: 'm2', password: 'other' }),
  register('registration with keys of the future', { machine_id: 'm3', password: 'p', colour: 'red' }),
  login('login of a machine that waits for its validation', {
    machine_id: 'm2',
    password: passwordOf('m2'),
    scenarios: [],
  }),
  login('login of nobody', { machine_id: 'm9', password: 'p', scenarios: [] }),
  login('login with a wrong password', { ...m1, password: 'wrong' }),
  login('login without a password', { machine_id: 'm1', scenarios: [] }),
  login('login without a name', { password: 'p', scenarios: [] }),
  login('login with nothing in it', {}),
  login('login that is no JSON', '{"machine_id":'),
  login('login with an empty body', ''),
  login('login', m1),
  login('login with scenarios', { ...m1, scenarios: ['test/ssh-bf', 'test/other'] }),
  login('login with null as scenarios', { ...m1, scenarios: null }),
  login('login without scenarios', { machine_id: 'm1', password: passwordOf('m1') }),
  login('login with a key of the future', { ...m1, colour: 'red' }),
  login('login of a program without a version', m1, { 'User-Agent': 'oracle' }),
  login('login of a program with three parts', m1, { 'User-Agent': 'a/b/c' }),
  login('login with a version that is empty', m1, { 'User-Agent': 'oracle/' }),
  { name: 'no token', as: 'nobody', method: 'GET', path: '/v1/alerts' },
  ...(
    [
      ['a token of another scheme', 'Basic bTE6cA=='],
      ['a token without a scheme', 'eyJhbGciOiJIUzI1NiJ9.e30.x'],
      ['a scheme in small letters', 'bearer eyJhbGciOiJIUzI1NiJ9.e30.x'],
      ['an empty token', 'Bearer '],
      ['a token of two segments', 'Bearer a.b'],
      ['a token that is none', 'Bearer a.b.c'],
      ['a token with a foreign signature', `Bearer ${foreignToken({ alg: 'HS256', typ: 'JWT' })}`],
      ['a token without a signature', `Bearer ${foreignToken({ alg: 'none', typ: 'JWT' })}`],
      ['a token of another algorithm', `Bearer ${foreignToken({ alg: 'HS512', typ: 'JWT' })}`],
    ] as const
  ).map(
    ([name, authorization]): Exchange => ({
      name,
      as: 'nobody',
      method: 'GET',
      path: '/v1/alerts',
      headers: { Authorization: authorization },
    }),
  ),
  { name: 'no token for a heartbeat', as: 'nobody', method: 'GET', path: '/v1/heartbeat' },
  { name: 'a heartbeat', as: machine, method: 'GET', path: '/v1/heartbeat' },
  { name: 'a new token', as: machine, method: 'GET', path: '/v1/refresh_token' },
  { name: 'a new token without one', as: 'nobody', method: 'GET', path: '/v1/refresh_token' },
];

function foreignToken(header: object): string {
  const text = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${text(header)}.${text({ id: 'm1', exp: 4_102_444_800, orig_iat: 1_700_000_000 })}.AAAA`;
}
