/**
 * CrowdSec's own agent, bouncers and cscli with certificates at our Local API, and for reference at their own. What a certificate
 * that is not good gets is what newer CrowdSec answers; where 1.4.6 differs, both are written down here.
 */
import t, { type Test } from 'tap';
import { askOverTls, type TlsAnswer, type TlsQuestion } from '../support/ask-over-tls.ts';
import {
  createCertificateAuthority,
  opensslMissing,
  type CertificateAuthority,
  type ClientFiles,
} from '../support/certificate-authority.ts';
import { eventually } from '../support/eventually.ts';
import { createRemoteCscli, sshFailures, startCrowdsecAgent } from '../support/servers/crowdsec-agent.ts';
import { successful } from '../support/servers/crowdsec-folder.ts';
import { startCustomBouncer } from '../support/servers/custom-bouncer.ts';
import { startFirewallBouncer } from '../support/servers/firewall-bouncer.ts';
import { haveRealPrograms } from '../support/servers/real-programs.ts';
import { sceneAttacker as attacker } from './scenes.ts';
import { callersOf, startCrowdsecOverTls, startOwnOverTls, type TlsPeer } from './tls-scenes.ts';

const skip = opensslMissing();
const everything = ['crowdsec', 'crowdsec-firewall-bouncer', 'crowdsec-custom-bouncer'] as const;

for (const { whose, start } of [
  { whose: 'our Local API', start: startOwnOverTls },
  { whose: "CrowdSec's own Local API", start: startCrowdsecOverTls },
] as const) {
  t.test(`${whose}: agent, bouncers and cscli need a certificate and nothing else`, { skip }, async (t) => {
    if (!haveRealPrograms(t, everything)) return;
    await certificateScene(t, await start(t, createCertificateAuthority(t)));
  });

  t.test(`${whose}: keys and passwords are good over TLS too`, { skip }, async (t) => {
    if (!haveRealPrograms(t, ['crowdsec', 'crowdsec-custom-bouncer'])) return;
    await passwordScene(t, await start(t, createCertificateAuthority(t)));
  });
}

/** From the log of one machine to the firewall of another, and back with cscli: nobody has a key or a password. */
async function certificateScene(t: Test, lapi: TlsPeer): Promise<void> {
  const { url, authority } = lapi;
  const tls = (name: string, unit: string): Required<ClientFiles> => authority.client(name, `/OU=${unit}/CN=${name}`);
  const agent = await startCrowdsecAgent(t, { credentials: { url, tls: tls('web1', 'agents') } });
  const firewall = await startFirewallBouncer(t, { lapiUrl: url, apiKey: null, tls: tls('kernel', 'bouncers') });
  const custom = await startCustomBouncer(t, { lapiUrl: url, apiKey: null, tls: tls('hook', 'bouncers') });
  const cscli = await createRemoteCscli(t, { url, tls: tls('laptop', 'agents') });
  const status = await cscli('lapi', 'status');
  t.equal(status.status, 0);
  t.match(status.stderr, /You can successfully interact with Local API/);
  t.match(successful(await cscli('decisions', 'list')), /No active decisions/);

  await agent.write(sshFailures(attacker, 8, Date.now()));
  await eventually(firewall.addresses, (set) => set.join() === attacker, 'the address in the set');
  t.ok(await firewall.drops(attacker));
  const [added] = await eventually(custom.calls, (calls) => calls.length > 0, 'the hook to be called');
  t.match(added, { action: 'add', value: attacker, decision: { origin: 'crowdsec', type: 'ban', scope: 'Ip' } });

  t.match(successful(await cscli('alerts', 'list', '-o', 'raw', '-m')), /,Ip,198\.51\.100\.7,.*,web1@127\.0\.0\.1$/m);
  t.match(
    successful(await cscli('decisions', 'list', '-o', 'raw')),
    /,crowdsec,Ip:198\.51\.100\.7,crowdsecurity\/ssh-bf/,
  );
  const callers = await callersOf(lapi);
  t.strictSame(
    callers.machines.filter((name) => !name.startsWith('operator ')),
    ['laptop@127.0.0.1 tls', 'web1@127.0.0.1 tls'],
  );
  t.strictSame(callers.bouncers, ['hook@127.0.0.1 tls', 'kernel@127.0.0.1 tls']);

  successful(await cscli('decisions', 'delete', '-i', attacker));
  await eventually(firewall.addresses, (set) => set.length === 0, 'the address to leave the set');
  t.notOk(await firewall.drops(attacker));
  await eventually(custom.calls, (calls) => calls.at(-1)?.action === 'del', 'the hook to hear of it');
}

/** Who trusts the authority and has no certificate is known by key or password. */
async function passwordScene(t: Test, lapi: TlsPeer): Promise<void> {
  const { url, authority } = lapi;
  const trust = { caFile: authority.caFile };
  const custom = await startCustomBouncer(t, { lapiUrl: url, apiKey: await lapi.addBouncer('hook'), tls: trust });
  const cscli = await createRemoteCscli(t, await lapi.addMachine('laptop'));
  t.match((await cscli('lapi', 'status')).stderr, /You can successfully interact with Local API/);
  successful(await cscli('decisions', 'add', '-i', attacker, '-d', '1h'));
  await eventually(custom.calls, (calls) => calls[0]?.value === attacker, 'the hook to be called');
  successful(await cscli('decisions', 'delete', '-i', attacker));
  await eventually(custom.calls, (calls) => calls.at(-1)?.action === 'del', 'the hook to hear of it');

  const doubting = await createRemoteCscli(t, {
    ...(await lapi.addMachine('doubting')),
    tls: { caFile: authority.client('other', '/CN=other').certFile },
  });
  t.match((await doubting('lapi', 'status')).stderr, /certificate signed by unknown authority/);
}

/** Whatever is wrong with it: the agent says why, ends, and leaves no row behind. */
async function refusedAgents(t: Test, lapi: TlsPeer, bad: BadCertificates): Promise<void> {
  for (const [what, tls] of Object.entries(bad)) {
    const agent = await startCrowdsecAgent(t, { credentials: { url: lapi.url, tls } });
    t.equal(await agent.exited, 1, what);
    t.match(agent.output(), /level=fatal msg="starting outputs error : authenticate watcher/, what);
    await agent.stop();
  }
  const { machines } = await callersOf(lapi);
  t.strictSame(
    machines.filter((name) => name.includes('@')),
    [],
  );
}

interface BadCertificates {
  readonly otherUnit: ClientFiles;
  readonly noUnit: ClientFiles;
  readonly revoked: ClientFiles;
  readonly forged: ClientFiles;
}

function badCertificates(t: Test, authority: CertificateAuthority): BadCertificates {
  const revoked = authority.client('revoked', '/OU=agents/CN=web1');
  authority.revoke('revoked');
  return {
    otherUnit: authority.client('other', '/OU=visitors/CN=web1'),
    noUnit: authority.client('none', '/CN=web1'),
    revoked,
    forged: { ...createCertificateAuthority(t).client('forged', '/OU=agents/CN=web1'), caFile: authority.caFile },
  };
}

/** What a login and a question of a bouncer get with each of them; null: the connection ends without an answer. */
async function answersTo(lapi: TlsPeer, bad: BadCertificates): Promise<Readonly<Record<string, TlsAnswer | null>>> {
  const login = { method: 'POST', headers: { 'User-Agent': 'crowdsec/v1.4.6' }, body: { scenarios: ['a/b'] } } as const;
  const question = { headers: { 'X-Api-Key': await lapi.addBouncer('keyed') } };
  const answers: [string, TlsAnswer | null][] = [];
  for (const [what, tls] of Object.entries(bad) as [string, ClientFiles][]) {
    const ask = (path: string, asked: TlsQuestion) =>
      askOverTls(`${lapi.url}/v1/${path}`, tls, asked).catch(() => null);
    answers.push([`login ${what}`, await ask('watchers/login', login)]);
    answers.push([`decisions ${what}`, await ask('decisions?ip=192.0.2.1', question)]);
  }
  return Object.fromEntries(answers);
}

const forbidden = { status: 403, body: '{"message":"access forbidden"}' };

t.test('our Local API: what a certificate that is not good gets', { skip }, async (t) => {
  if (!haveRealPrograms(t, ['crowdsec'])) return;
  const authority = createCertificateAuthority(t);
  const bad = badCertificates(t, authority);
  const lapi = await startOwnOverTls(t, authority);
  const refused = { status: 401, body: '{"code":401,"message":"certificate is not accepted"}' };
  t.strictSame(await answersTo(lapi, bad), {
    'login otherUnit': refused,
    'decisions otherUnit': forbidden,
    'login noUnit': refused,
    'decisions noUnit': forbidden,
    'login revoked': { status: 401, body: '{"code":401,"message":"certificate is revoked"}' },
    'decisions revoked': forbidden,
    'login forged': null,
    'decisions forged': null,
  });
  await refusedAgents(t, lapi, bad);
});

t.test("CrowdSec's own Local API: what a certificate that is not good gets", { skip }, async (t) => {
  if (!haveRealPrograms(t, ['crowdsec'])) return;
  const authority = createCertificateAuthority(t);
  const bad = badCertificates(t, authority);
  const lapi = await startCrowdsecOverTls(t, authority);
  // 1.4.6 answers a login twice, with the status of the first: its own agent cannot read that. Newer ones say 401 and the latter.
  const twice = (body: RegExp) => ({ status: 403, body });
  t.match(await answersTo(lapi, bad), {
    'login otherUnit': twice(
      /^{"message":"access forbidden"}{"code":401,.*certificate OU \(\[visitors\]\) doesn't match/,
    ),
    'decisions otherUnit': forbidden,
    'login noUnit': twice(/^{"message":"access forbidden"}{"code":401,.*certificate OU \(\[\]\) doesn't match/),
    'decisions noUnit': forbidden,
    'login revoked': twice(/^{"message":"access forbidden"}{"code":401,.*certificate is revoked by CRL/),
    'decisions revoked': forbidden,
    'login forged': null,
    'decisions forged': null,
  });
  await refusedAgents(t, lapi, bad);
});
