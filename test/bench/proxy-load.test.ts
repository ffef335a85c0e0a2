/** The measurement counts right answers and does not go on after a wrong one. */
import { mkdtemp, rm, writeFile, appendFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { AccessLogCount } from '../../bench/access-log-count.ts';
import { startLoad } from '../../bench/proxy-load-process.ts';
import { readProxyOptions } from '../../bench/proxy-options.ts';
import { bannedAddress, clientAddress, clientCount, originBody } from '../../bench/proxy-traffic.ts';
import type { LoadResult } from '../../bench/proxy-load.ts';
import type { Teardown } from '../support/servers/process.ts';
import { parseIp } from '../../core/ip.ts';

const skip = process.platform === 'linux' ? false : 'reads /proc, which only Linux has';

async function loadOn(t: Teardown, answer: RequestListener): Promise<LoadResult> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const load = await startLoad(t, 0);
  return load.run({ port, connections: 4, warmupMs: 50, measureMs: 200, proxyPid: process.pid, proxyCore: 0 });
}

t.test('every right answer counts, whole or in pieces', { skip }, async (t) => {
  let served = 0;
  const result = await loadOn(t, (request, response) => {
    served += 1;
    const body = originBody(request.url ?? '', String(request.headers['x-forwarded-for']));
    if (served % 3 === 0) response.write(body.slice(0, 5));
    response.end(served % 3 === 0 ? body.slice(5) : body);
  });
  t.equal(result.total, served);
  t.ok(result.measured > 0 && result.measured <= served);
});

t.test("an answer that is not the origin's ends the run", { skip }, async (t) => {
  let served = 0;
  const run = loadOn(t, (request, response) => {
    served += 1;
    const client = served === 20 ? '192.0.2.1' : String(request.headers['x-forwarded-for']);
    response.end(originBody(request.url ?? '', client));
  });
  await t.rejects(run, /not the origin's answer to .*192\.0\.2\.1/s);
  const refused = loadOn(t, (_request, response) => void response.writeHead(403).end('no'));
  await t.rejects(refused, /not the origin's answer to .*403 Forbidden/s);
});

t.test('a connection that is closed ends the run', { skip }, async (t) => {
  const run = loadOn(t, (request, response) => {
    const body = originBody(request.url ?? '', String(request.headers['x-forwarded-for']));
    response.writeHead(200, { connection: 'close' }).end(body);
  });
  await t.rejects(run, /closed a keep-alive connection|connection failed/);
});

t.test('no client of the load is among the banned', (t) => {
  const clients = new Set(Array.from({ length: clientCount }, (_, index) => clientAddress(index)));
  t.equal(clients.size, clientCount);
  const banned = new Set(Array.from({ length: 1_200_000 }, (_, index) => bannedAddress(index)));
  t.equal(banned.size, 1_200_000);
  t.ok([...clients].every((client) => parseIp(client) !== null && !banned.has(client)));
  t.ok(parseIp(bannedAddress(1_199_999)));
  t.end();
});

t.test('log lines are counted over emptied files', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-count-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'log');
  await writeFile(path, 'a\nb\nhalf');
  const log = new AccessLogCount(path);
  t.equal(await log.countAndEmpty(), 2);
  await appendFile(path, ' line\nc\n');
  t.equal(await log.countAndEmpty(), 4);
  t.equal(await log.countAndEmpty(), 4);
});

t.test('a wrong flag is named', (t) => {
  t.throws(() => readProxyOptions(['--round', '3']), { code: 'USAGE', message: /--round/ });
  t.throws(() => readProxyOptions(['--rounds', 'many']), { code: 'USAGE', message: /--rounds/ });
  t.match(readProxyOptions(['--peers', 'nginx, caddy', '--json']), {
    peers: ['nginx', 'caddy'],
    json: true,
    rounds: 5,
  });
  t.equal(readProxyOptions(['--help']), null);
  t.end();
});
