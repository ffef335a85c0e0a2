import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import type { HttpDocument } from '../../../detectors/acquisition/acquisition-document.ts';
import type { AcquisitionSource } from '../../../detectors/acquisition/acquisition-source.ts';
import { createHttpSource } from '../../../detectors/acquisition/http-source.ts';
import { JsonValues } from '../../../detectors/acquisition/json-values.ts';
import { createTestSink, temporaryFolder, testParts, type TestSink } from './support.ts';
import { eventually } from '../../support/eventually.ts';

type Tap = { teardown(run: () => unknown): unknown };

interface Rig {
  readonly sink: TestSink;
  readonly source: AcquisitionSource;
  readonly port: number;
}

const secret = `Basic ${Buffer.from('me:secret').toString('base64')}`;

async function rig(t: Tap, options: Partial<HttpDocument> = {}): Promise<Rig> {
  const document: HttpDocument = {
    source: 'http',
    name: 'http',
    labels: { type: 'json' },
    timeMachine: false,
    transform: '',
    file: 'acquis.yaml',
    line: 1,
    listen: { host: '127.0.0.1', port: 0 },
    socketPath: '',
    path: '/logs',
    auth: { type: 'basic_auth', username: 'me', password: 'secret' },
    tls: null,
    statusCode: 200,
    headers: {},
    maxBodyBytes: 100_000,
    timeoutMs: 30_000,
    ...options,
  };
  const sink = createTestSink();
  const source = createHttpSource(document, await testParts());
  t.teardown(() => source.close());
  source.start(sink);
  await eventually(() => source.status().address !== null);
  return { sink, source, port: Number(source.status().address?.split(':').at(-1)) };
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly socketPath?: string;
  readonly tls?: Readonly<Record<string, unknown>>;
}

async function ask(
  port: number,
  { method = 'POST', path = '/logs', headers = { authorization: secret }, body, socketPath, tls }: Asked,
): Promise<IncomingMessage> {
  const target = socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath };
  const options = { ...target, method, path, headers, agent: false as const };
  const outgoing: ClientRequest = tls === undefined ? httpRequest(options) : httpsRequest({ ...options, ...tls });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer;
}

t.test('JSON values become lines as they are written', async (t) => {
  const { sink, source, port } = await rig(t, { statusCode: 202, headers: { 'x-taken': 'yes' } });
  const answer = await ask(port, { body: '{"a": 1}\n{"b":"}\\"{"} [1,\n2]"text" 12 true' });
  t.match(answer, { statusCode: 202, headers: { 'x-taken': 'yes' } });
  t.same(sink.raws(), ['{"a": 1}', '{"b":"}\\"{"}', '[1,\n2]', '"text"', '12', 'true']);
  t.match(sink.lines[0], { Src: '127.0.0.1', Module: 'http', Labels: { type: 'json' } });
  t.match(source.status(), { lines: 6, lastError: null });
});

t.test('text is taken line by line, gzip is understood', async (t) => {
  const { sink, port } = await rig(t);
  const text = { authorization: secret, 'content-type': 'text/plain; charset=utf-8' };
  await ask(port, { headers: text, body: 'one\r\ntwo\nthree' });
  await ask(port, { headers: { ...text, 'content-encoding': 'gzip' }, body: gzipSync('four\nfive\n') });
  t.same(sink.raws(), ['one', 'two', 'three', 'four', 'five']);
});

t.test(
  'who is not allowed, asks for something else or sends garbage is refused, and the next one is served',
  async (t) => {
    const { sink, source, port } = await rig(t);
    const big = Buffer.alloc(100_001, 0x20);
    const cases: readonly (readonly [what: string, asked: Asked, status: number])[] = [
      ['no credentials', { headers: {}, body: '{}' }, 401],
      [
        'wrong credentials',
        { headers: { authorization: `Basic ${Buffer.from('me:secret2').toString('base64')}` }, body: '{}' },
        401,
      ],
      ['another scheme', { headers: { authorization: 'Bearer x' }, body: '{}' }, 401],
      ['another path', { path: '/other', body: '{}' }, 404],
      ['another method', { method: 'PUT', body: '{}' }, 405],
      ['a look', { method: 'GET', path: '/logs?x=1' }, 200],
      ['no JSON', { body: '{"a":1}}' }, 400],
      ['half a value', { body: '{"a":' }, 400],
      ['too much, as announced', { body: big }, 413],
      ['too much, unannounced', { headers: { authorization: secret, 'transfer-encoding': 'chunked' }, body: big }, 413],
      [
        'too much once unpacked',
        {
          headers: { authorization: secret, 'content-encoding': 'gzip' },
          body: gzipSync(Buffer.alloc(50_000_000, 0x20)),
        },
        413,
      ],
      ['broken gzip', { headers: { authorization: secret, 'content-encoding': 'gzip' }, body: 'not gzip' }, 400],
      [
        'half a gzip',
        { headers: { authorization: secret, 'content-encoding': 'gzip' }, body: gzipSync('{"a":1}').subarray(0, 15) },
        400,
      ],
      ['another coding', { headers: { authorization: secret, 'content-encoding': 'br' }, body: 'x' }, 415],
      ['a good one', { body: '{"good":true}' }, 200],
    ];
    for (const [what, asked, status] of cases) t.equal((await ask(port, asked)).statusCode, status, what);
    t.equal(cases.length, 15);
    t.same(sink.raws(), ['{"a":1}', '{"good":true}'], 'the values before the mistake were taken');
    t.equal(source.status().state, 'running');
  },
);

t.test('headers as credentials: all of them count', async (t) => {
  const { sink, port } = await rig(t, { auth: { type: 'headers', headers: { 'X-Key': 'k', 'X-More': 'm' } } });
  t.equal((await ask(port, { headers: { 'x-key': 'k' }, body: '1' })).statusCode, 401);
  t.equal((await ask(port, { headers: { 'x-key': 'k', 'x-more': 'n' }, body: '1' })).statusCode, 401);
  t.equal((await ask(port, { headers: { 'x-key': 'k', 'x-more': 'm' }, body: '1' })).statusCode, 200);
  t.same(sink.raws(), ['1']);
});

t.test('a socket instead of an address, also where one was left behind', async (t) => {
  const socketPath = join(await temporaryFolder(t), 'logs.sock');
  spawnSync('perl', ['-e', `use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un('${socketPath}'));`]);
  t.ok(existsSync(socketPath));
  const { sink, source } = await rig(t, { listen: null, socketPath });
  t.equal(source.status().address, socketPath);
  await ask(0, { socketPath, body: '{"a":1}' });
  t.same(sink.raws(), ['{"a":1}']);
});

t.test('a file in the place of the socket is not removed', async (t) => {
  const socketPath = join(await temporaryFolder(t), 'precious');
  await writeFile(socketPath, 'data');
  const source = createHttpSource({ ...(await minimal()), listen: null, socketPath }, await testParts());
  source.start(createTestSink());
  await eventually(() => source.status().state === 'failed');
  await source.close();
  t.equal(await readFile(socketPath, 'utf8'), 'data');
});

async function minimal(): Promise<HttpDocument> {
  return {
    source: 'http',
    name: 'http',
    labels: { type: 'json' },
    timeMachine: false,
    transform: '',
    file: 'a',
    line: 1,
    listen: { host: '127.0.0.1', port: 0 },
    socketPath: '',
    path: '/',
    auth: { type: 'mtls' },
    tls: null,
    statusCode: 200,
    headers: {},
    maxBodyBytes: 1_000,
    timeoutMs: 1_000,
  };
}

t.test(
  'certificates of clients: who has none is not connected',
  { skip: spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed' },
  async (t) => {
    const folder = await temporaryFolder(t);
    const openssl = (...args: string[]): void => {
      const done = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
      if (done.status !== 0) throw new Error(done.stderr);
    };
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '1');
    for (const name of ['server', 'client']) {
      openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-out',
        `${name}.pem`,
        '-days',
        '1',
      );
    }
    const file = (name: string): string => join(folder, name);
    const { sink, source, port } = await rig(t, {
      auth: { type: 'mtls' },
      tls: { certFile: file('server.pem'), keyFile: file('server.key'), caFile: file('ca.pem') },
    });
    const ca = await readFile(file('ca.pem'));
    const trust = { ca, checkServerIdentity: () => undefined };
    const client = { cert: await readFile(file('client.pem')), key: await readFile(file('client.key')) };
    t.equal((await ask(port, { headers: {}, body: '{"a":1}', tls: { ...trust, ...client } })).statusCode, 200);
    await t.rejects(ask(port, { headers: {}, body: '{"a":2}', tls: trust }));
    t.same(sink.raws(), ['{"a":1}']);
    t.equal(source.status().state, 'running');
  },
);

t.test('an answer waits for room, and closing ends the wait', async (t) => {
  const { sink, source, port } = await rig(t);
  sink.setRoom(1);
  const asked = ask(port, { body: '1 2 3' });
  await sink.until(1);
  sink.setRoom(Infinity);
  t.equal((await asked).statusCode, 200);
  t.same(sink.raws(), ['1', '2', '3']);
  sink.setRoom(0);
  const last = ask(port, { body: '4' });
  await eventually(() => source.status().state === 'waiting');
  const refused = t.rejects(last);
  await source.close();
  await refused;
});

t.test('who sends too slowly is cut off', async (t) => {
  const { port } = await rig(t, { timeoutMs: 100 });
  for (const begin of [
    'POST /logs HT',
    `POST /logs HTTP/1.1\r\nHost: x\r\nAuthorization: ${secret}\r\nContent-Length: 100\r\n\r\n{`,
  ]) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(begin);
    const drip = setInterval(() => socket.write(' '), 20);
    socket.resume();
    await once(socket, 'close');
    clearInterval(drip);
  }
  t.pass('both connections ended');
});

t.test('a stream of JSON values, however it is cut', async (t) => {
  const value = fc.json({ maxDepth: 3 });
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 6 }),
      fc.constantFrom('\n', ' ', '\r\n\t'),
      fc.integer({ min: 1, max: 30 }),
      (all, blank, cut) => {
        const bytes = Buffer.from(all.join(blank));
        const reader = new JsonValues(100_000);
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += cut) found.push(...reader.feed(bytes.subarray(at, at + cut)));
        const last = reader.end();
        t.same([...found, ...(last === null ? [] : [last])], all);
      },
    ),
    { numRuns: 300, seed: 6 },
  );
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', ' ', 'x') }),
      (text) => {
        const reader = new JsonValues(20);
        try {
          for (const found of reader.feed(Buffer.from(text))) JSON.parse(found);
          reader.end();
        } catch (error) {
          return /JSON/.test(String(error));
        }
        return true;
      },
    ),
    { numRuns: 3_000, seed: 6 },
  );
});
