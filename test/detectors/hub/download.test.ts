import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createSystemRandom } from '../../../core/random.ts';
import { createDownloader, type Download, type DownloadRequest } from '../../../detectors/hub/download.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { hastyClock, temporaryFolder } from './open-hub.ts';
import { fault, type HubServer, serveFolder } from './server.ts';

interface Setup {
  readonly folder: string;
  readonly server: HubServer;
  readonly get: (path: string, rest?: Partial<DownloadRequest>) => Promise<Download>;
  readonly text: () => string;
}

async function setUp(t: Test): Promise<Setup> {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), 'content');
  const server = await serveFolder(folder);
  const downloader = createDownloader({ clock: hastyClock(), random: createSystemRandom(), env: {}, timeoutMs: 5_000 });
  t.teardown(async () => {
    await downloader.close();
    await server.close();
  });
  const to = join(folder, 'copy');
  const base = { to, maxBytes: 1_000 };
  return {
    folder,
    server,
    get: (path, rest) => downloader.download({ location: `${server.url}/${path}`, ...base, ...rest }),
    text: () => readFileSync(to, 'utf8'),
  };
}

/** Of "content". */
const digest = 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73';

t.test('a file is fetched and hashed, with what the server said of it', async (t) => {
  const { get, text, server } = await setUp(t);
  const seen: [number, number | null][] = [];
  const got = await get('file', { onProgress: (received, total) => seen.push([received, total]) });
  t.match(got, { kind: 'fetched', sha256: digest, bytes: 7, etag: /^"/, lastModified: / GMT$/ });
  t.equal(text(), 'content');
  t.same(seen, [[7, 7]]);
  t.equal(server.requests[0]?.headers['accept-encoding'], 'identity');
});

t.test('a copy that is current is not sent again', async (t) => {
  const { get } = await setUp(t);
  const first = await get('file');
  if (first.kind !== 'fetched') throw new Error('not fetched');
  t.same(await get('file', { etag: first.etag }), { kind: 'unchanged' });
  t.same(await get('file', { lastModified: first.lastModified }), { kind: 'unchanged' });
  t.match(await get('file', { etag: '"other"', lastModified: first.lastModified }), { kind: 'fetched' });
});

t.test('what may pass by itself is tried three times, what will not is not', async (t) => {
  const { get, server, text } = await setUp(t);
  server.faults.set('file', fault.status(503, 2));
  t.match(await get('file'), { kind: 'fetched' });
  t.equal(server.requests.length, 3);
  server.faults.set('file', fault.truncated(4));
  t.match(await get('file'), { kind: 'fetched' }, 'a body that breaks off');
  t.equal(text(), 'content', 'nothing is left of the broken one');
  const cases: [string, ReturnType<typeof fault.status>, RegExp, number][] = [
    ['a', fault.status(500), /answered 500/, 3],
    ['b', fault.status(429), /answered 429/, 3],
    ['c', fault.status(404), /answered 404/, 1],
    ['d', fault.status(403), /answered 403/, 1],
    ['e', fault.status(304), /answered 304/, 1],
    ['f', fault.status(204), /answered 204/, 1],
    ['g', fault.truncated(), /the connection broke/, 3],
    ['h', fault.flood(), /larger than the 1000 bytes/, 1],
    ['i', fault.body('x'.repeat(1_001)), /larger than the 1000 bytes/, 1],
    ['j', fault.redirect('/j'), /more than 5 redirects/, 6],
    ['k', fault.redirect('ftp://127.0.0.1/x'), /a redirect to no address/, 1],
    ['l', fault.redirect('file:///etc/passwd'), /a redirect to no address/, 1],
  ];
  for (const [path, wrong, message, visits] of cases) {
    server.faults.set(path, wrong);
    await t.rejects(get(path), { code: 'HUB_UNREACHABLE', message }, path);
    t.equal(server.requests.filter((one) => one.path === path).length, visits, path);
  }
  t.equal(cases.length, 12);
});

t.test('redirects are followed, also to another server', async (t) => {
  const { get, server, folder } = await setUp(t);
  const other = await serveFolder(folder);
  t.teardown(() => other.close());
  server.faults.set('moved', fault.redirect('/away'));
  server.faults.set('away', fault.redirect(`${other.url}/file`));
  t.match(await get('moved'), { kind: 'fetched', sha256: digest });
});

t.test('a server that falls silent is left', async (t) => {
  const folder = temporaryFolder(t);
  const server = await serveFolder(folder);
  const clock = createManualClock();
  const downloader = createDownloader({ clock, random: createSystemRandom(), env: {}, timeoutMs: 30_000 });
  t.teardown(async () => {
    await downloader.close();
    await server.close();
  });
  // Time passes whenever the server has begun to answer, and between attempts.
  server.faults.set('file', (request, response, visit) => {
    const began = fault.silent()(request, response, visit);
    setImmediate(() => clock.advance(30_000));
    return began;
  });
  const ticking = setInterval(() => clock.advance(1_000), 5);
  t.teardown(() => clearInterval(ticking));
  const download = downloader.download({ location: `${server.url}/file`, to: join(folder, 'copy'), maxBytes: 2_000 });
  await t.rejects(download, { code: 'HUB_UNREACHABLE', message: /no answer for 30 s/ });
});

t.test('a server that is not there is not asked three times for each file', async (t) => {
  const { server, get } = await setUp(t);
  await server.close();
  await t.rejects(get('file'), { code: 'HUB_UNREACHABLE', message: /nothing listens there/, remedy: /--from/ });
  await t.rejects(get('file'), { message: /nothing listens there/ });
});

t.test('the proxies of the environment are used, except where it says not to', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), 'content');
  const server = await serveFolder(folder);
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('from the proxy');
  });
  // undici opens a tunnel, for http too.
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const deps = { clock: hastyClock(), random: createSystemRandom(), timeoutMs: 5_000 };
  const through = createDownloader({ ...deps, env: { http_proxy } });
  const past = createDownloader({ ...deps, env: { http_proxy, no_proxy: '127.0.0.1' } });
  t.teardown(async () => {
    await Promise.all([through.close(), past.close(), server.close()]);
    proxy.close();
  });
  const request = { location: `${server.url}/file`, to: join(folder, 'copy'), maxBytes: 1_000 };
  await through.download(request).catch(() => {});
  t.ok(asked.length > 0, 'the proxy was asked');
  t.equal(server.requests.length, 0);
  t.match(await past.download(request), { kind: 'fetched', sha256: digest });
});

t.test('a folder is a source like a server', async (t) => {
  const { get, folder, text } = await setUp(t);
  t.match(await get('', { location: join(folder, 'file') }), { kind: 'fetched', sha256: digest });
  t.equal(text(), 'content');
  const absent = get('', { location: join(folder, 'absent') });
  await t.rejects(absent, { code: 'HUB_UNREACHABLE', message: /absent: is not there/ });
  await t.rejects(get('', { location: folder }), { code: 'HUB_UNREACHABLE' });
  writeFileSync(join(folder, 'large'), 'x'.repeat(1_001));
  await t.rejects(get('', { location: join(folder, 'large') }), { message: /larger than/ });
  // Reading one would never end, and waiting for the other's writer neither.
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  for (const location of ['/dev/zero', join(folder, 'pipe')]) {
    await t.rejects(get('', { location }), { message: /is not a regular file/ });
  }
});
