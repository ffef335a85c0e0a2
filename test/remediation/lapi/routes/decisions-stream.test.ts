import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import t from 'tap';
import { idsOf } from '../../ledger/support.ts';
import { settle } from '../../support.ts';
import { createDecisionWorld } from './decision-world.ts';

t.test('start, then deltas: chunked, in the newer format', async (t) => {
  const world = createDecisionWorld(t);
  const { add, remove, get, clock, pulls } = world;
  const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
  const range = { scope: 'Range', value: '198.51.100.0/28', uuid, origin: 'cscli', scenario: 'test/probe' };
  add(41, { ...range, until: clock.now() + 3_600_000 });
  const gone = add(22, { value: '203.0.113.3', uuid, origin: 'cscli', scenario: 'test/probe' });
  remove(22, gone);
  clock.advance(154_600);
  const first = await get('/v1/decisions/stream?startup=true');
  t.equal(
    first.body,
    `{"new": [{"duration":"57m25s","id":41,"origin":"cscli","scenario":"test/probe","scope":"Range","type":"ban","uuid":"${uuid}","value":"198.51.100.0/28"}], ` +
      `"deleted": [{"duration":"-2m35s","id":22,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","uuid":"${uuid}","value":"203.0.113.3"}]}`,
  );
  t.equal(first.status, 200);
  t.equal(first.headers['content-type'], 'application/json');
  t.equal(first.headers['transfer-encoding'], 'chunked');
  t.equal(first.headers['content-length'], undefined);
  t.strictSame(pulls, [clock.now()]);
  clock.advance(1_000);
  t.equal((await get('/v1/decisions/stream?')).body, '{"new": [], "deleted": []}');
  clock.advance(1_000);
  add(50, { value: '203.0.113.4' });
  t.strictSame(
    idsOf((await get('/v1/decisions/stream?startup=True')).body),
    { new: [50], deleted: [] },
    'only true is true',
  );
  t.equal(pulls.length, 3);
});

t.test('a bouncer without a place gets everything from a delta', async (t) => {
  const { add, get } = createDecisionWorld(t);
  add(1);
  t.strictSame(idsOf((await get('/v1/decisions/stream')).body), { new: [1], deleted: [] });
});

t.test('filters of the stream', async (t) => {
  const { add, get, clock } = createDecisionWorld(t);
  add(1, { value: '192.0.2.1', until: clock.now() + 7_200_000, origin: 'CAPI' });
  add(2, { value: '192.0.2.1', until: clock.now() + 3_600_000, origin: 'crowdsec' });
  add(3, { scope: 'Range', value: '192.0.2.0/24', type: 'captcha', scenario: 'crowdsecurity/http-probing' });
  add(4, { scope: 'Country', value: 'FR' });
  add(5, { value: '192.0.2.5', simulated: true });
  const cases: readonly (readonly [query: string, ids: readonly number[]])[] = [
    ['', [1, 3]],
    ['dedup=false', [1, 2, 3]],
    ['dedup=true', [1, 3]],
    ['scopes=ip', [1]],
    ['scopes=country', [4]],
    ['scopes=ip,range,country', [1, 3, 4]],
    ['scope=range', [3]],
    ['scope=country', []],
    ['scopes=country&scope=country', [4]],
    ['scope=country&scopes=ip', []],
    ['origins=crowdsec', [3]],
    ['origins=crowdsec&dedup=false', [2, 3]],
    ['type=captcha', [3]],
    ['scenarios_containing=PROBING', [3]],
    ['scenarios_not_containing=probing', [1]],
    ['ip=192.0.2.1', [1, 3]],
    ['ip=192.0.2.77', [3]],
    ['range=192.0.2.0/30&contains=false', [1]],
    ['value=192.0.2.1', [1]],
    ['simulated=true', [1, 3, 5]],
    ['simulated=false', [1, 3]],
    ['limit=1&id_gt=3&offset=1', [1, 3]],
    ['community_pull=false&additional_pull=false', [1, 3]],
  ];
  for (const [query, ids] of cases) {
    const { status, body } = await get(`/v1/decisions/stream?startup=true&${query}`);
    t.equal(status, 200, query);
    t.strictSame(idsOf(body), { new: ids, deleted: [] }, query);
  }
  t.equal(cases.length, 23);
});

t.test('a filter that cannot be read finds nothing and moves nothing', async (t) => {
  const { add, get, pulls, lines } = createDecisionWorld(t);
  add(1);
  for (const query of ['ip=zzz', 'startup=true&contains=perhaps', 'limit=x']) {
    const { status, body, headers } = await get(`/v1/decisions/stream?${query}`);
    t.match({ status, body }, { status: 200, body: '{"new": [], "deleted": []}' });
    t.equal(headers['content-type'], 'application/json');
  }
  t.strictSame(pulls, []);
  t.equal(lines.length, 3);
});

t.test('HEAD is a probe: an empty 200 without a trace', async (t) => {
  const { add, head, pulls } = createDecisionWorld(t);
  add(1);
  const { status, body, headers } = await head('/v1/decisions/stream?startup=true&ip=zzz');
  t.match({ status, body }, { status: 200, body: '' });
  t.equal(headers['content-type'], 'text/plain; charset=utf-8');
  t.strictSame(pulls, []);
});

t.test('a bouncer that hangs up halfway keeps its place, and the work ends', async (t) => {
  const { app, add, pulls, get } = createDecisionWorld(t);
  for (let id = 1; id <= 60_000; id++) add(id, { value: `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}` });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /v1/decisions/stream?startup=true HTTP/1.1\r\nHost: a\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await settle(200);
  t.strictSame(pulls, []);
  const { body } = await get('/v1/decisions/stream?startup=true');
  t.equal(idsOf(body).new.length, 60_000);
  t.equal(pulls.length, 1);
});

t.test('a slow reader is waited for, and others are answered meanwhile', async (t) => {
  const world = createDecisionWorld(t);
  const { app, add, pulls } = world;
  const count = 150_000;
  for (let id = 1; id <= count; id++) add(id, { value: `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}` });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').pause();
  socket.write('GET /v1/decisions/stream?startup=true HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const response = await fetch(`http://127.0.0.1:${port}/v1/decisions/stream?startup=true`);
  const whole = await response.text();
  t.equal(idsOf(whole).new.length, count);
  await settle(500);
  t.ok(world.produced < 1.7 * whole.length, 'no more than the sockets hold is written for the one that does not read');
  t.equal(pulls.length, 1);
  let bytes = 0;
  for await (const chunk of socket) bytes += (chunk as Buffer).length;
  t.equal(world.produced, 2 * whole.length);
  t.ok(bytes > whole.length);
  await settle();
  t.equal(pulls.length, 2);
});

t.test('what waits for the store has not been heard, however late it is asked', async (t) => {
  const world = createDecisionWorld(t);
  const madeAt = world.clock.now();
  world.clock.advance(600_000);
  world.oldestPendingAt = madeAt;
  await world.get('/v1/decisions/stream?startup=true');
  t.strictSame(world.pulls, [madeAt - 1]);
  world.oldestPendingAt = null;
  await world.get('/v1/decisions/stream');
  t.strictSame(world.pulls.slice(1), [world.clock.now()]);
});

async function readSlowly(url: string): Promise<string> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    if (chunks.length % 8 === 0) await settle();
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Two questions at once on one connection: the second answer waits in memory until the first has left. */
async function readPipelined(port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const head = `GET ${path} HTTP/1.1\r\nHost: a\r\n`;
  socket.write(`${head}\r\n${head}Connection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer);
    if (chunks.length % 8 === 0) await settle();
  }
  // The sizes of chunks stand on lines of their own between two parts of the body.
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r\n[\da-f]+\r\n/g, '');
}

t.test('readers at any pace get the same bytes, from pieces that are written over meanwhile', async (t) => {
  const world = createDecisionWorld(t);
  const { app, add } = world;
  for (let id = 1; id <= 30_000; id++) {
    const address = `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}`;
    add(id, id % 9 === 0 ? { scope: 'user', value: `пользователь ${id}` } : { value: address });
  }
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const path = '/v1/decisions/stream?startup=true';
  const url = `http://127.0.0.1:${port}${path}`;
  const wanted = (await world.get(path)).body;
  const readFast = async (): Promise<string> => (await fetch(url)).text();
  const bodies = await Promise.all([readFast(), readSlowly(url), readFast(), readSlowly(url)]);
  for (const body of bodies) t.ok(body === wanted, 'the whole body');
  t.ok(world.givenBack > 50, `${world.givenBack} pieces came back`);
  const pipelined = await readPipelined(port, path);
  t.equal(pipelined.split(wanted).length, 3, 'the body twice');
});
