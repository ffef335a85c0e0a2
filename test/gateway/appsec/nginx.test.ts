/** The nginx of docs/appsec.md, as it stands there, in front of an origin: attacks are refused, everything else passes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { WhyRequest } from '../../../gateway/admin/models.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { send } from '../../support/raw-client.ts';
import { startNginx, type WebServer } from '../../support/servers/nginx.ts';
import { type Control, controlOf } from '../visitors.ts';
import { eventually } from '../../support/eventually.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'appsec.md'), 'utf8');

/** The nginx blocks of the page: of `http`, of `server`, and the two that pass requests on while the endpoint is away. */
const blocks = Array.from(page.matchAll(/^```nginx\n([^`]*)^```$/gm), ([, text = '']) => text);

interface Guarded {
  readonly gateway: TestGateway['gateway'];
  readonly control: Control;
  readonly nginx: WebServer;
  readonly get: (target: string, headers?: Readonly<Record<string, string>>) => Promise<Response>;
}

async function open(t: Test, { key, failsOpen = false }: { key?: string; failsOpen?: boolean } = {}): Promise<Guarded> {
  const { gateway } = await startTestGateway(t, {
    waf: {},
    origin: 'http://127.0.0.1:9',
    detection: { builtin: false },
    appsec: { listen: '127.0.0.1:0' },
  });
  const control = controlOf(gateway.controlSocket);
  const added = await control.ask<{ readonly key: string }>('POST', '/v1/bouncers', {}, { name: 'nginx' });
  const [http = '', server = '', inLocation = '', away = ''] = blocks;
  const guarded = server.replace('"KEY"', `"${key ?? added.key}"`);
  const nginx = await startNginx(t, {
    http: http.replace('127.0.0.1:7422', new URL(gateway.facts.appsecUrl ?? '').host),
    server: failsOpen ? `${guarded.replace(/\}\n$/, `${inLocation}}\n`)}${away}` : guarded,
  });
  return {
    gateway,
    control,
    nginx,
    get: (target, headers = {}) =>
      fetch(`${nginx.origin}${target}`, { headers: { 'user-agent': 'Mozilla/5.0', ...headers } }),
  };
}

const jndi = { 'x-api-version': '${jndi:ldap://192.0.2.1/a}' };

t.equal(blocks.length, 4, 'blocks of the page');

t.test('good requests pass with their bodies, attacks never reach the origin', async (t) => {
  const { get, nginx, control } = await open(t);
  const good = await get('/shop?item=7&q=a%20book');
  t.equal(good.status, 200);
  t.equal(await good.text(), 'nginx GET /shop?item=7&q=a%20book\n');
  const posted = await fetch(`${nginx.origin}/order`, { method: 'POST', body: 'name=Ada' });
  t.equal(posted.status, 200);

  t.equal((await get('/', jndi)).status, 403);
  t.equal((await get('/eval-stdin.php')).status, 403);
  t.equal((await get('/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php')).status, 403);
  t.equal((await fetch(`${nginx.origin}/order`, { method: 'POST', body: 'name=Ada', headers: jndi })).status, 403);
  const again = await get('/shop?item=8');
  t.equal(again.status, 200);
  const seen = await nginx.log.waitFor(7);
  t.same(
    seen.filter(({ status }) => status === 200).map(({ requestLine, body }) => [requestLine, body]),
    [
      ['GET /shop?item=7&q=a%20book HTTP/1.1', ''],
      ['POST /order HTTP/1.1', 'name=Ada'],
      ['GET /shop?item=8 HTTP/1.1', ''],
    ],
  );

  const refusals = await eventually(
    () => control.refusals(),
    ({ length }) => length === 4,
  );
  const [refusal] = refusals.filter(({ target }) => target === '/eval-stdin.php');
  t.match(refusal, { client_ip: '127.0.0.1', method: 'GET', status: 403, user_agent: 'Mozilla/5.0', reason: 'waf' });
  t.match(refusal?.request_id, /^[0-9a-f]{32}$/, 'nginx’s own number of the request');
  t.match(await control.ask<WhyRequest>('GET', `/v1/why/${refusal?.request_id}`), {
    refusal: { target: '/eval-stdin.php' },
  });
});

t.test('visitors cannot speak for the bouncer', async (t) => {
  const { nginx, gateway, get } = await open(t);
  const forged = [
    'X-Crowdsec-Appsec-Ip: 203.0.113.9',
    'X-Crowdsec-Appsec-Uri: /',
    'x-crowdsec-appsec-uri: /',
    'X-Crowdsec-Appsec-Verb: HEAD',
    'X-Crowdsec-Appsec-Http-Version: 10',
    'X-Crowdsec-Appsec-Api-Key: wrong',
    'X-Crowdsec-Appsec-Transaction-Id: mine-000000001',
    'X_Crowdsec_Appsec_Uri: /',
  ];
  const attack = ['GET /eval-stdin.php HTTP/1.1', 'Host: shop.example', ...forged, 'Connection: close', '', ''].join(
    '\r\n',
  );
  const { responses } = await send(nginx.port, attack, { until: 'close' });
  t.equal(responses[0]?.status, 403);
  const [refusal] = await eventually(
    () => controlOf(gateway.controlSocket).refusals(),
    ({ length }) => length === 1,
  );
  t.match(refusal, { client_ip: '127.0.0.1', target: '/eval-stdin.php', method: 'GET', site: 'shop.example' });
  t.equal((await get('/_appsec')).status, 404, 'the location is internal');
});

t.test('what cannot be judged is refused, or passed where the page says how', async (t) => {
  const wrongKey = await open(t, { key: 'a-key-that-nobody-has' });
  t.equal((await wrongKey.get('/')).status, 401);
  const closed = await open(t);
  t.equal((await closed.get('/')).status, 200);
  await closed.gateway.stop();
  t.equal((await closed.get('/')).status, 500);

  const lenient = await open(t, { failsOpen: true });
  t.equal((await lenient.get('/')).status, 200);
  t.equal((await lenient.get('/eval-stdin.php')).status, 403, 'a refusal is none of the errors');
  await lenient.gateway.stop();
  t.equal((await lenient.get('/eval-stdin.php')).status, 200);
});
