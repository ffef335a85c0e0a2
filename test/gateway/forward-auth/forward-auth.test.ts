/** Forward-auth on the wire: as Traefik asks, as a real Caddy asks, and the nginx of docs/forward-auth.md as it stands there. */
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { WhyRequest } from '../../../gateway/admin/models.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { startCaddy } from '../../support/servers/caddy.ts';
import { startNginx } from '../../support/servers/nginx.ts';
import { accessLines, type Control, controlOf } from '../visitors.ts';
import { eventually } from '../../support/eventually.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'forward-auth.md'), 'utf8');
const nginxBlocks = Array.from(page.matchAll(/^```nginx\n([^`]*)^```$/gm), ([, text = '']) => text);
const [caddyBlock = ''] = Array.from(page.matchAll(/^```caddyfile\n([^`]*)^```$/gm), ([, text = '']) => text);

const banned = '203.0.113.5';
const free = '203.0.113.6';

interface Opened extends TestGateway {
  readonly control: Control;
  /** `127.0.0.1:<port>` of the endpoint. */
  readonly place: string;
}

async function open(t: Test, settings: Record<string, unknown> = {}, forwardAuth: object = {}): Promise<Opened> {
  const opened = await startTestGateway(t, {
    client: {},
    forwardAuth: { listen: '127.0.0.1:0', ...forwardAuth },
    ...settings,
  });
  const { gateway } = opened;
  const place = new URL(gateway.facts.forwardAuthUrl ?? '').host;
  return { ...opened, control: controlOf(gateway.controlSocket), place };
}

interface Answered {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** As Traefik asks: a GET of its own, with the visitor's headers. */
async function traefik(
  place: string,
  visitor: string,
  target: string,
  more: Readonly<Record<string, string | string[]>> = {},
): Promise<Answered> {
  const asked = httpRequest(`http://${place}/`, {
    headers: {
      'x-forwarded-method': 'GET',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-uri': target,
      'x-forwarded-for': visitor,
      'user-agent': 'Mozilla/5.0',
      accept: 'text/html',
      ...more,
    },
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

t.test('a decision answers for every site, and an allowlisted address passes', async (t) => {
  const { control, place, gateway } = await open(t);
  t.equal(gateway.demo, false, 'no origin is needed');
  t.equal((await traefik(place, banned, '/')).status, 204);
  await control.ban('Ip', banned);
  const refused = await traefik(place, banned, '/account?x=1');
  t.equal(refused.status, 403);
  t.match(refused.headers['content-type'], 'text/html');
  t.match(refused.body, 'Access blocked');
  t.match(refused.body, '203.0.113.x');
  const allowed = await traefik(place, free, '/account');
  t.equal(allowed.status, 204);
  t.equal(allowed.body, '');

  const [refusal] = await eventually(
    () => control.refusals(),
    ({ length }) => length === 1,
  );
  t.match(refusal, {
    request_id: refused.headers['x-request-id'],
    client_ip: banned,
    client_from: 'x-forwarded-for',
    method: 'GET',
    target: '/account?x=1',
    site: 'default',
    status: 403,
  });
  const why = await control.ask<WhyRequest>('GET', `/v1/why/${refusal?.request_id}`);
  t.match(why, { refusal: { client_ip: banned } });
});

t.test('a throttled visitor, a HEAD, a ban of a network, another method', async (t) => {
  const { control, place } = await open(t, { remediation: { throttle: { rate: 0.001, burst: 2 } } });
  await control.ban('Ip', banned, { type: 'throttle' });
  const statuses: number[] = [];
  for (let round = 0; round < 4; round++) statuses.push((await traefik(place, banned, '/')).status);
  t.same(statuses, [204, 204, 429, 429]);
  await control.ban('Range', '198.51.100.0/24');
  const head = await traefik(place, '198.51.100.7', '/', { 'x-forwarded-method': 'HEAD' });
  t.equal(head.status, 403);
  t.match(head.body, 'Access blocked', 'the question was a GET and is answered as one');
  const posted = await traefik(place, '198.51.100.7', '/', { 'x-forwarded-method': 'POST', 'content-length': '0' });
  t.equal(posted.status, 403);
});

t.test('sites have their modes, and requests that the strict front refuses are refused', async (t) => {
  const sites = [{ hosts: ['quiet.example'], origin: 'http://127.0.0.1:9', mode: 'observe' }];
  const { control, place } = await open(t, { sites });
  await control.ban('Ip', banned);
  t.equal((await traefik(place, banned, '/', { 'x-forwarded-host': 'quiet.example' })).status, 204);
  t.equal((await traefik(place, banned, '/')).status, 403);
  t.equal((await traefik(place, free, '/#fragment')).status, 400);
  t.equal((await traefik(place, free, 'http://elsewhere.example/')).status, 400);
  t.equal((await traefik(place, free, '/', { 'x-forwarded-host': 'a b' })).status, 400);
});

t.test('rules look at the head of the request', async (t) => {
  const { place } = await open(t, { waf: {} });
  t.equal((await traefik(place, free, '/eval-stdin.php')).status, 403);
  t.equal((await traefik(place, free, '/shop?item=7')).status, 204);
});

t.test('scenarios of the request phase ban, leave to pass is no status, refused probes count', async (t) => {
  const { control, place } = await open(t, { waf: {} });
  for (let round = 0; round < 30; round++) await traefik(place, free, `/page-${round}`);
  t.same(await control.alerts(), [], 'thirty answers of 204 are no thirty answers of 404');
  for (let round = 0; round < 30; round++) {
    const { status } = await traefik(place, '203.0.113.77', '/', { 'user-agent': 'Nikto/2.5.0' });
    if (status === 403) break;
  }
  const decisions = await eventually(
    () => control.decisions({ ip: '203.0.113.77' }),
    ({ length }) => length > 0,
  );
  t.equal(decisions[0]?.type, 'ban');
  t.equal((await traefik(place, '203.0.113.77', '/')).status, 403);
});

t.test('what is no question, and who may not ask', async (t) => {
  const { place, folder, log } = await open(t);
  const missing = await traefik(place, free, '/', { 'x-forwarded-uri': [] });
  t.equal(missing.status, 400);
  t.match(missing.body, /X-Forwarded-Uri is missing/);
  t.equal((await traefik(place, free, '/', { 'x-forwarded-uri': ['/a', '/b'] })).status, 400);
  t.equal((await traefik(place, free, '/', { 'x-forwarded-method': 'GET /x' })).status, 400);
  t.equal((await traefik(place, free, '/', { 'x-original-uri': '/harmless' })).status, 204, 'a visitor’s own header');
  const lines = await eventually(
    async () => accessLines(join(folder, 'access.log')),
    ({ length }) => length > 0,
  );
  t.equal(lines.length, 1, 'only what was a question is in the access log');

  const closed = await open(t, {}, { from: ['192.0.2.1'] });
  const stranger = await traefik(closed.place, free, '/');
  t.equal(stranger.status, 403);
  t.match(stranger.body, /may not ask/);
  t.ok(closed.log.some(({ remedy }) => String(remedy).includes('forwardAuth.from')));
  t.notOk(log.some(({ remedy }) => String(remedy).includes('forwardAuth.from')));
});

t.test('any question is answered, and never with leave to pass for a banned visitor', async (t) => {
  const { control, place } = await open(t);
  await control.ban('Ip', banned);
  const word = fc.string({
    minLength: 0,
    maxLength: 40,
    unit: fc.mapToConstant({ num: 94, build: (n) => String.fromCharCode(33 + n) }),
  });
  await fc.assert(
    fc.asyncProperty(word, word, word, async (target, method, host) => {
      const { status } = await traefik(place, banned, `/${target}`, {
        'x-forwarded-method': method,
        'x-forwarded-host': host,
      });
      t.not(status, 204);
    }),
    { seed: 5, numRuns: 150 },
  );
});

t.test('the nginx of the page', async (t) => {
  t.equal(nginxBlocks.length, 2, 'blocks of the page');
  const [server = '', pass = ''] = nginxBlocks;
  const { control, place, gateway } = await open(
    t,
    { waf: {}, remediation: { throttle: { rate: 0.001, burst: 1 } } },
    { headers: 'x-original' },
  );
  const here = (text: string): string => text.replaceAll('127.0.0.1:9181', place);
  const http = 'set_real_ip_from 127.0.0.1;\nreal_ip_header X-Visitor;\n';
  const nginx = await startNginx(t, { http, server: here(server) });
  const get = (target: string, visitor: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${nginx.origin}${target}`, {
      headers: { 'x-visitor': visitor, accept: 'text/html', 'user-agent': 'Mozilla/5.0', ...headers },
    });
  const good = await get('/shop?item=7', free);
  t.equal(good.status, 200);
  t.equal(await good.text(), 'nginx GET /shop?item=7\n');
  await control.ban('Ip', banned);
  const refused = await get('/shop', banned, { 'x-forwarded-for': free, 'x-original-uri': '/else' });
  t.equal(refused.status, 403);
  const text = await refused.text();
  t.match(text, 'Access blocked');
  t.match(text, '203.0.113.x');
  const [refusal] = await eventually(
    () => control.refusals(),
    ({ length }) => length === 1,
  );
  t.match(refusal, { client_ip: banned, target: '/shop', method: 'GET' });
  t.match(text, refusal?.request_id ?? '-', 'the page names the request that was refused');
  t.equal((await get('/eval-stdin.php', free)).status, 403);
  t.equal(
    (await fetch(`${nginx.origin}/order`, { method: 'POST', body: 'a=1', headers: { 'x-visitor': free } })).status,
    200,
  );
  await control.ban('Ip', '203.0.113.9', { type: 'throttle' });
  t.equal((await get('/', '203.0.113.9')).status, 200);
  const slowed = await get('/', '203.0.113.9');
  t.equal(slowed.status, 429);
  t.match(await slowed.text(), 'Too many requests');
  t.equal((await get('/_portcullis', free)).status, 404, 'the location is internal');

  const withPass = here(server).replace(
    'proxy_read_timeout 1s;',
    'proxy_read_timeout 1s;\n error_page 500 502 504 = @pass;',
  );
  const lenient = await startNginx(t, { http, server: `${withPass}\n${pass}` });
  const through = () => fetch(`${lenient.origin}/`, { headers: { 'x-visitor': banned } });
  t.equal((await through()).status, 403, 'a refusal is none of the errors');
  await gateway.stop();
  t.equal((await through()).status, 200);
  t.equal((await get('/', free)).status, 500);
});

t.test('the Caddy of the page', async (t) => {
  const { control, place } = await open(t);
  const seen: string[] = [];
  const origin = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.end('origin');
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.teardown(() => origin.close());
  const { port } = origin.address() as import('node:net').AddressInfo;
  const caddy = await startCaddy(t, `${caddyBlock.replace('127.0.0.1:9181', place)}\nreverse_proxy 127.0.0.1:${port}`);
  const get = (target: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${caddy.origin}${target}`, { headers: { accept: 'text/html', ...headers } });
  t.equal(await (await get('/shop?item=7')).text(), 'origin');
  await control.ban('Ip', '127.0.0.1');
  const refused = await get('/account', { 'x-forwarded-for': free, 'x-forwarded-uri': '/else' });
  t.equal(refused.status, 403);
  t.match(await refused.text(), 'Access blocked');
  t.same(seen, ['/shop?item=7']);
  const [refusal] = await eventually(
    () => control.refusals(),
    ({ length }) => length === 1,
  );
  t.match(refusal, { client_ip: '127.0.0.1', target: '/account', method: 'GET' });
});
