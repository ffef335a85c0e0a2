/** What every answer of the Local API has in common, on real sockets. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fastify from 'fastify';
import t from 'tap';
import { GatewayError } from '../../../../core/errors.ts';
import { LapiError, type LapiRoutes } from '../../../../remediation/lapi/lapi-context.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { send } from '../../../support/raw-client.ts';
import { ask, type Asking, bouncerKey, loginOf, openWorld } from './world.ts';

const json = 'application/json; charset=utf-8';

t.test('statuses, types and bodies', async (t) => {
  const world = await openWorld(t);
  await world.addBouncer();
  await world.addMachine();
  const token = await world.login();
  const key = bouncerKey;
  const forbidden = '{"message":"access forbidden"}';
  const noToken = '{"code":401,"message":"cookie token is empty"}';
  const table: readonly (readonly [string, string, Asking, number, string | undefined, string | RegExp])[] = [
    ['GET', '/health', {}, 200, json, '{"status":"up"}'],
    ['HEAD', '/health', {}, 405, undefined, ''],
    ['GET', '/nothing', {}, 404, undefined, ''],
    ['GET', '/', {}, 404, undefined, ''],
    ['GET', '/v1', {}, 404, undefined, ''],
    ['GET', '/v1/metrics', {}, 404, undefined, ''],
    ['POST', '/v1/nothing', { body: '{}' }, 404, undefined, ''],
    ['PROPFIND', '/v1/decisions', {}, 405, undefined, ''],
    ['GET', '//v1/decisions', { key }, 404, undefined, ''],
    ['GET', '/v1/allowlists/check/', { token }, 404, undefined, ''],
    ['GET', '/v1/%zz', {}, 400, undefined, ''],
    ['GET', '/v1/allowlists/check//', { token }, 404, undefined, ''],
    ['GET', '/v1/allowlists/check/%zz', { token }, 400, undefined, ''],
    ['PUT', '/v1/decisions', { key }, 405, undefined, ''],
    ['GET', '/v1/watchers', {}, 405, undefined, ''],
    ['POST', '/v1/heartbeat', { token, body: '{}' }, 405, undefined, ''],
    ['GET', '/v1/decisions/', { key }, 301, undefined, ''],
    ['HEAD', '/v1/decisions/', { key }, 307, undefined, ''],
    ['POST', '/v1/watchers/', { body: '{}' }, 307, undefined, ''],
    ['DELETE', '/v1/watchers/self/', { token }, 307, undefined, ''],
    ['GET', '/v1/decisions', { key }, 200, json, 'null'],
    ['GET', '/v1/decisions?ip=192.0.2.1', { key }, 200, json, /^\[\{"name":"nginx"/],
    ['HEAD', '/v1/decisions', { key }, 200, 'text/plain; charset=utf-8', ''],
    ['GET', '/v1/decisions/stream', { key }, 200, 'application/json', '{"new": [], "deleted": []}'],
    ['HEAD', '/v1/decisions/stream', { key }, 200, 'text/plain; charset=utf-8', ''],
    ['GET', '/v1/decisions', {}, 403, json, forbidden],
    ['GET', '/v1/decisions', { key: '' }, 403, json, forbidden],
    ['GET', '/v1/decisions', { key: 'wrong' }, 403, json, forbidden],
    ['GET', '/v1/decisions', { key: token }, 403, json, forbidden],
    ['GET', '/v1/decisions', { token }, 403, json, forbidden],
    ['HEAD', '/v1/decisions/stream', { key: 'wrong' }, 403, json, ''],
    ['GET', '/v1/heartbeat', { token }, 200, undefined, ''],
    ['GET', '/v1/heartbeat', {}, 401, json, noToken],
    ['GET', '/v1/heartbeat', { key }, 401, json, noToken],
    ['GET', '/v1/heartbeat', { token: key }, 401, json, /invalid number of segments/],
    ['POST', '/v1/alerts', { token, body: '[]' }, 200, json, '{"bytes":2}'],
    ['POST', '/v1/alerts', { body: '[]' }, 401, json, noToken],
    ['GET', '/v1/allowlists/check/1.2.3.0%2F24', { token }, 200, json, '{"value":"1.2.3.0/24"}'],
    ['POST', '/v1/watchers', {}, 400, json, '{"message":"EOF"}'],
    ['POST', '/v1/alerts', { token, body: '[]', headers: { 'content-type': ';;;' } }, 200, json, '{"bytes":2}'],
    ['POST', '/v1/alerts', { token, body: '[]', headers: { 'content-type': 'text/html' } }, 200, json, '{"bytes":2}'],
    ['POST', '/v1/watchers', { body: '{' }, 400, json, '{"message":"unexpected EOF"}'],
    ['POST', '/v1/watchers', { body: 'x' }, 400, json, /invalid character 'x' looking for beginning of value/],
    [
      'POST',
      '/v1/watchers',
      { body: '{}' },
      422,
      json,
      /validation failure list:\\nmachine_id in body is required\\npass/,
    ],
    ['POST', '/v1/watchers/login', { body: '{' }, 401, json, '{"code":401,"message":"missing: unexpected EOF"}'],
    ['POST', '/v1/watchers/login', { body: '{"machine_id":"m1"}' }, 401, json, /\\npassword in body is required"/],
    ['POST', '/v1/watchers/login', { body: '{"machine_id":5}' }, 401, json, /cannot unmarshal number/],
    ['GET', '/v1/openapi.json', {}, 200, json, /^\{"openapi":"3\.1\.0"/],
  ];
  for (const [method, path, more, status, type, body] of table) {
    const answer = await world.ask(method, path, { headers: { 'accept-encoding': 'gzip' }, ...more });
    const name = `${method} ${path}`;
    t.equal(answer.status, status, `${name} is ${status}`);
    t.equal(answer.type, type, `${name}: type`);
    if (typeof body === 'string') t.equal(answer.body, body, `${name}: body`);
    else t.match(answer.body, body, `${name}: body`);
    t.notOk(answer.headers['content-encoding'], `${name} is not packed`);
    t.equal(answer.headers['www-authenticate'], status === 401 ? 'JWT realm=Crowdsec API local' : undefined, name);
  }
  t.equal(table.length, 48);
});

t.test('errors: the store’s with its words, our own with none', async (t) => {
  const families: readonly LapiRoutes[] = [
    (app) => {
      app.get('/v1/away', async () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'the store is away')));
      app.get('/v1/broken', async () => Promise.reject(new TypeError('a secret of ours')));
      app.get('/v1/refused', async () => Promise.reject(new LapiError(404, 'object not found')));
    },
  ];
  const { ask, lines } = await openWorld(t, { families });
  const answer = async (path: string) => {
    const { status, body } = await ask('GET', path);
    return `${status} ${body}`;
  };
  t.equal(await answer('/v1/away'), '500 {"message":"the store is away"}');
  t.equal(await answer('/v1/broken'), '500 ');
  t.equal(await answer('/v1/refused'), '404 {"message":"object not found"}');
  t.match(lines, [{ msg: 'a LAPI request failed', route: '/v1/broken', cause: 'a secret of ours' }]);
});

t.test('redirects keep the query, 405 names what is allowed', async (t) => {
  const { ask } = await openWorld(t);
  t.equal((await ask('GET', '/v1/decisions/?ip=192.0.2.1&x=/')).headers.location, '/v1/decisions?ip=192.0.2.1&x=/');
  t.equal((await ask('GET', '//example.com/')).status, 404, 'nobody is sent elsewhere');
  t.equal((await ask('PATCH', '/v1/decisions')).headers.allow, 'GET, HEAD');
  t.equal((await ask('GET', '/health')).headers['cache-control'], 'no-cache');
});

t.test('an empty answer says so', async (t) => {
  const world = await openWorld(t);
  await world.addMachine();
  const token = await world.login();
  const answer = await world.ask('GET', '/v1/heartbeat', { token });
  t.equal(answer.headers['content-length'], '0');
  t.equal((await world.ask('DELETE', '/v1/watchers/self', { token })).status, 204);
  t.equal((await world.ask('GET', '/v1/heartbeat', { token })).status, 401, 'it is a stranger now');
});

t.test('bodies may be packed, and are bounded by what is in them', async (t) => {
  const world = await openWorld(t, { options: { limits: { bodyBytes: '3MiB', bodiesInMemory: '16MiB' } } });
  await world.addMachine();
  const token = await world.login();
  const gzip = { 'content-encoding': 'gzip' };
  const post = (path: string, more: Asking) => world.ask('POST', path, more);
  const alerts = Buffer.from(JSON.stringify(['x'.repeat(100_000)]));
  t.equal((await post('/v1/alerts', { token, body: gzipSync(alerts), headers: gzip })).body, '{"bytes":100004}');
  t.equal((await post('/v1/alerts', { token, body: alerts })).body, '{"bytes":100004}');
  const twice = Buffer.concat([gzipSync('["a'), gzipSync('b"]')]);
  t.equal((await post('/v1/alerts', { token, body: twice, headers: gzip })).body, '{"bytes":6}');
  t.equal((await post('/v1/alerts', { token, body: gzipSync(''), headers: gzip })).body, '{"bytes":0}');

  const bomb = gzipSync(Buffer.alloc(200 * 1024 ** 2, 0x20), { level: 9 });
  const tooLarge = '{"message":"http: request body too large"}';
  const table: readonly (readonly [string, Asking, number, string])[] = [
    ['/v1/alerts', { token, body: bomb, headers: gzip }, 400, tooLarge],
    ['/v1/watchers', { body: bomb, headers: gzip }, 400, tooLarge],
    ['/v1/alerts', { token, body: Buffer.alloc(3 * 1024 ** 2 + 1, 0x20) }, 400, tooLarge],
    ['/v1/watchers', { body: Buffer.alloc(2 * 1024 ** 2 + 1, 0x20) }, 400, tooLarge],
    [
      '/v1/watchers/login',
      { body: Buffer.alloc(2 * 1024 ** 2 + 1, 0x20) },
      401,
      '{"code":401,"message":"missing: http: request body too large"}',
    ],
    [
      '/v1/alerts',
      { token, body: gzipSync(alerts).subarray(0, 40), headers: gzip },
      400,
      '{"message":"unexpected EOF"}',
    ],
    ['/v1/alerts', { token, body: alerts, headers: gzip }, 400, '{"message":"gzip: invalid header"}'],
    [
      '/v1/watchers',
      { body: gzipSync('{}') },
      400,
      '{"message":"invalid character \'\\\\x1f\' looking for beginning of value"}',
    ],
  ];
  for (const [path, more, status, body] of table) {
    const answer = await post(path, more);
    t.equal(answer.status, status);
    t.equal(answer.body, body);
  }
  t.equal(table.length, 8);
  t.equal((await post('/v1/alerts', { token, body: '[]' })).status, 200, 'all room is free again');
});

t.test('a body without an end is cut off at the limit', async (t) => {
  const world = await openWorld(t, { options: { limits: { bodyBytes: '1MiB' } } });
  await world.addMachine();
  const token = await world.login();
  const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
  const head = `POST /v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const result = await send(world.port, [head, chunk.repeat(17)], { until: 'close' });
  t.match(result.text, /^HTTP\/1\.1 400 /);
  t.match(result.text, /http: request body too large/);
  t.match(result.text, /connection: close/i);
});

t.test('nobody without a key or token has a body read', async (t) => {
  const world = await openWorld(t);
  const head = 'POST /v1/alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n';
  const result = await send(world.port, [head], { until: 1 });
  t.match(result.text, /^HTTP\/1\.1 401 /, 'answered before a byte of it came');
  t.match(result.text, /connection: close/i);
});

t.test('room for bodies is shared, and what JSON becomes of them counts', async (t) => {
  const world = await openWorld(t, { options: { limits: { bodyBytes: '1MiB', bodiesInMemory: '2MiB' } } });
  await world.addMachine();
  const token = await world.login();
  const empties = `[${'[],'.repeat(100_000)}0]`;
  const answer = await world.ask('POST', '/v1/alerts', { token, body: empties });
  t.equal(answer.status, 503, 'half a megabyte of brackets is ten of arrays');
  const spread = await world.ask('POST', '/v1/alerts', { token, body: `["${'[],'.repeat(100_000)}\\""]` });
  t.equal(spread.status, 200, 'brackets in a text are text');
  const deep = await world.ask('POST', '/v1/alerts', { token, body: '['.repeat(10_001) });
  t.equal(deep.body, '{"message":"invalid character \'[\' exceeded max depth"}');
});

t.test('a client that stops in the middle of a body is cut off', async (t) => {
  const clock = createManualClock(Date.now());
  const world = await openWorld(t, { clock });
  await world.addMachine();
  const token = await world.login();
  const head = `POST /v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100\r\n\r\n[`;
  const answered = send(world.port, [head], { until: 'close' });
  // Time passes once the server has begun to read.
  const reading = setInterval(() => clock.advance(10_000), 20);
  t.teardown(() => clearInterval(reading));
  const { text } = await answered;
  t.match(text, /^HTTP\/1\.1 408 /);
  t.match(text, /comes too slowly/);
});

t.test('a client that goes away in the middle of a body leaves nothing behind', async (t) => {
  const world = await openWorld(t, { options: { limits: { bodiesInMemory: '1MiB' } } });
  await world.addMachine();
  const token = await world.login();
  const head = `POST /v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000000\r\n\r\n`;
  for (let round = 0; round < 5; round++) await send(world.port, [head, ' '.repeat(600_000), { abort: true }]);
  const packed = gzipSync(' '.repeat(900_000));
  const whole = head.replace(/Content-Length: \d+/, `Content-Length: ${packed.length}\r\nContent-Encoding: gzip`);
  for (let round = 0; round < 5; round++) await send(world.port, [whole, packed, { abort: true }]);
  let status = 503;
  for (let attempt = 0; attempt < 100 && status !== 200; attempt++) {
    status = (await world.ask('POST', '/v1/alerts', { token, body: ' '.repeat(900_000) })).status;
  }
  t.equal(status, 200);
});

t.test('a POST that announces no body has an empty one, and the connection goes on', async (t) => {
  const world = await openWorld(t);
  const post = (more = '') => `POST /v1/watchers/login HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  const health = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const requests = [post(), post('Content-Encoding: gzip\r\n'), post('Content-Length: 0\r\n'), health];
  const { text } = await send(world.port, [requests.join('')], { until: 'close' });
  t.equal(text.split('{"code":401,"message":"missing: EOF"}').length - 1, 3, text);
  t.match(text, /\{"status":"up"\}$/);
});

t.test('bytes that are no HTTP, and heads that are too large', async (t) => {
  const world = await openWorld(t);
  t.match((await send(world.port, ['hello\r\n\r\n'], { until: 'close' })).text, /^HTTP\/1\.1 400 /);
  const large = `GET /health HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`;
  t.match((await send(world.port, [large], { until: 'close' })).text, /^HTTP\/1\.1 431 /);
  t.equal((await world.ask('GET', '/health')).status, 200);
});

t.test('a unix socket besides; its peers are this machine', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-lapi-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'lapi.sock');
  const world = await openWorld(t, { options: { socket: socketPath } });
  await world.addMachine();
  t.equal(statSync(socketPath).mode & 0o777, 0o660);
  const login = await ask({ socketPath, ...loginOf('m1') });
  const { token } = JSON.parse(login.body) as { token: string };
  t.equal((await ask({ socketPath, method: 'DELETE', path: '/v1/alerts', token })).body, '{"ip":"127.0.0.1"}');
  t.equal((await world.ask('GET', '/health')).status, 200, 'the address answers as well');
});

t.test('the client is the peer, whatever headers say, unless the peer is a trusted proxy', async (t) => {
  const forwarded = (value: string) => ({ 'x-forwarded-for': value });
  const plain = await openWorld(t);
  await plain.addMachine();
  const token = await plain.login();
  t.equal(
    (await plain.ask('DELETE', '/v1/alerts', { token, headers: forwarded('192.0.2.1'), localAddress: '127.0.0.9' }))
      .body,
    '{"ip":"127.0.0.9"}',
  );
  const proxied = await openWorld(t, {
    options: { trustedProxies: ['127.0.0.1', '10.0.0.0/8'], trustedIps: ['192.0.2.0/24'] },
  });
  await proxied.addMachine();
  const other = await proxied.login();
  const table: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [forwarded('192.0.2.1'), '{"ip":"192.0.2.1"}'],
    [forwarded('127.0.0.1, 192.0.2.1'), '{"ip":"192.0.2.1"}'],
    [forwarded('127.0.0.1, 203.0.113.7'), '{"message":"access forbidden from this IP (203.0.113.7)"}'],
    [forwarded('192.0.2.1:4711, 10.1.1.1'), '{"ip":"192.0.2.1"}'],
    [forwarded('[2001:db8::1]:80'), '{"message":"access forbidden from this IP (2001:db8::1)"}'],
    [forwarded('192.0.2.1, rubbish'), '{"ip":"127.0.0.1"}'],
    [{ 'x-real-ip': '192.0.2.3' }, '{"ip":"192.0.2.3"}'],
    [{ 'x-real-ip': 'rubbish' }, '{"ip":"127.0.0.1"}'],
    [{}, '{"ip":"127.0.0.1"}'],
  ];
  for (const [headers, body] of table) {
    t.equal((await proxied.ask('DELETE', '/v1/alerts', { token: other, headers })).body, body);
  }
  t.equal(table.length, 9);
});

t.test('on the admin listener the same routes, and its own stay its own', async (t) => {
  const world = await openWorld(t, { options: { listen: 'admin' } });
  t.equal(world.port, 0);
  await world.addBouncer();
  await world.addMachine();
  const admin = fastify({ bodyLimit: 1_024 });
  admin.get('/health', async () => ({ admin: true }));
  await admin.register(world.lapi.plugin);
  const { port: text } = new URL(await admin.listen({ port: 0, host: '127.0.0.1' }));
  t.teardown(() => admin.close());
  const port = Number(text);
  const { token } = JSON.parse((await ask({ port, ...loginOf('m1') })).body) as { token: string };
  t.equal((await ask({ port, path: '/v1/decisions', key: bouncerKey })).body, 'null');
  t.equal((await ask({ port, method: 'HEAD', path: '/v1/decisions', key: bouncerKey })).status, 200);
  t.equal((await ask({ port, path: '/v1/decisions/' })).status, 301);
  t.equal((await ask({ port, method: 'PUT', path: '/v1/decisions' })).status, 405);
  t.equal((await ask({ port, path: '/v1/nothing' })).body, '');
  t.equal((await ask({ port, path: '/health' })).body, '{"admin":true}');
  const body = gzipSync(JSON.stringify('x'.repeat(200_000)));
  const packed = { 'content-encoding': 'gzip', 'content-type': 'application/json' };
  t.equal(
    (await ask({ port, method: 'POST', path: '/v1/alerts', token, body, headers: packed })).body,
    '{"bytes":200002}',
  );
  t.equal((await ask({ port, method: 'DELETE', path: '/v1/alerts', token })).body, '{"ip":"127.0.0.1"}');
});

t.test('what was asked is counted by route, bouncer and machine', async (t) => {
  const world = await openWorld(t);
  await world.addBouncer();
  await world.addMachine();
  const token = await world.login();
  await world.ask('GET', '/v1/decisions', { key: bouncerKey });
  await world.ask('GET', '/v1/decisions?ip=192.0.2.1', { key: bouncerKey });
  await world.ask('GET', '/v1/decisions?ip=192.0.2.2', { key: bouncerKey });
  await world.ask('GET', '/v1/decisions', { key: 'wrong' });
  await world.ask('GET', '/v1/heartbeat', { token });
  await world.ask('GET', '/nothing');
  const { routes, machines, bouncers, decisionsFound, decisionsMissing, refusedCredentials } = world.lapi.counters;
  const counts = (table: typeof routes) =>
    Object.fromEntries(table.all().map(({ labels, count }) => [labels.join(' '), count]));
  t.strictSame(counts(routes), {
    '/v1/watchers/login POST': 1,
    '/v1/decisions GET': 4,
    '/v1/heartbeat GET': 1,
  });
  t.strictSame(counts(bouncers), { 'nginx /v1/decisions GET': 3 });
  t.strictSame(counts(machines), { 'm1 /v1/heartbeat GET': 1 });
  t.strictSame(counts(decisionsFound), { nginx: 2 });
  t.strictSame(counts(decisionsMissing), { nginx: 1 });
  t.strictSame(counts(refusedCredentials), { bouncer: 1 });
  const took = world.lapi.counters.durations().find(({ labels }) => labels[0] === '/v1/decisions');
  t.equal(took?.buckets.at(-1), 4);
});

t.test('it stops when it has answered', async (t) => {
  const world = await openWorld(t);
  t.equal((await world.ask('GET', '/health')).status, 200);
  await world.lapi.close();
  await t.rejects(world.ask('GET', '/health'));
  await world.lapi.close();
});
