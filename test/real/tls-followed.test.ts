/**
 * Our gateway at CrowdSec's own Local API over TLS: as bouncer and agent that a certificate tells of, and before a server or with
 * a certificate that is not good, where the log says why and nobody is refused.
 */
import t from 'tap';
import { createCertificateAuthority, opensslMissing, type ClientFiles } from '../support/certificate-authority.ts';
import { eventually } from '../support/eventually.ts';
import { successful } from '../support/servers/crowdsec-folder.ts';
import { haveRealPrograms } from '../support/servers/real-programs.ts';
import { startGatewayPeer, type GatewayPeer } from './gateway-peer.ts';
import { sceneAttacker as attacker } from './scenes.ts';
import { callersOf, startCrowdsecOverTls } from './tls-scenes.ts';

const skip = opensslMissing();
const neighbour = '198.51.100.8';
const modes = ['stream', 'live'] as const;

function bouncerSettings(
  url: string,
  mode: (typeof modes)[number],
  tls: Partial<ClientFiles>,
  key?: string,
): Record<string, unknown> {
  const followed = { name: 'crowdsec', url, mode, tls, interval: '1s', cleanFor: '0s', hitFor: '0s' };
  return { bouncer: { lapis: [{ ...followed, ...(key !== undefined && { key }) }], live: { wait: '5s' } } };
}

function becomes(gateway: GatewayPeer, address: string, status: number): Promise<number> {
  return eventually(
    () => gateway.visit(address),
    (found) => found === status,
    `${address} to get ${status}`,
  );
}

for (const mode of modes) {
  t.test(`a certificate makes the gateway a bouncer of CrowdSec: ${mode}`, { skip }, async (t) => {
    if (!haveRealPrograms(t, ['crowdsec'])) return;
    const authority = createCertificateAuthority(t);
    const crowdsec = await startCrowdsecOverTls(t, authority);
    successful(await crowdsec.cscli('decisions', 'add', '-i', attacker));
    const tls = authority.client('gateway', '/OU=bouncers/CN=gateway');
    const gateway = await startGatewayPeer(t, bouncerSettings(crowdsec.url, mode, tls));
    await becomes(gateway, attacker, 403);
    t.equal(await gateway.visit(neighbour), 200);
    t.match(await gateway.cli('lapi', 'status', '-o', 'raw'), /^crowdsec,https:.*,true,/m);
    t.strictSame((await callersOf(crowdsec)).bouncers, ['gateway@127.0.0.1 tls']);

    successful(await crowdsec.cscli('decisions', 'delete', '-i', attacker));
    await becomes(gateway, attacker, 200);
    successful(await crowdsec.cscli('decisions', 'add', '-r', '203.0.113.0/24'));
    await becomes(gateway, '203.0.113.77', 403);
    await crowdsec.stop();
    t.equal(await gateway.visit('203.0.113.77'), 403, 'what is known stays in force');
    await crowdsec.start();
    successful(await crowdsec.cscli('decisions', 'delete', '-r', '203.0.113.0/24'));
    await becomes(gateway, '203.0.113.77', 200);
  });

  t.test(`a key is good over TLS too: ${mode}`, { skip }, async (t) => {
    if (!haveRealPrograms(t, ['crowdsec'])) return;
    const authority = createCertificateAuthority(t);
    const crowdsec = await startCrowdsecOverTls(t, authority);
    successful(await crowdsec.cscli('decisions', 'add', '-i', attacker));
    const key = await crowdsec.addBouncer('keyed');
    const trust = { caFile: authority.caFile };
    const gateway = await startGatewayPeer(t, bouncerSettings(crowdsec.url, mode, trust, key));
    await becomes(gateway, attacker, 403);
    t.strictSame((await callersOf(crowdsec)).bouncers, ['keyed api-key']);
  });
}

t.test('a certificate makes the gateway an agent of CrowdSec, whose profiles decide', { skip }, async (t) => {
  if (!haveRealPrograms(t, ['crowdsec'])) return;
  const authority = createCertificateAuthority(t);
  const crowdsec = await startCrowdsecOverTls(t, authority);
  const tls = authority.client('gateway', '/OU=agents/CN=gateway');
  const gateway = await startGatewayPeer(t, { agent: { lapis: [{ name: 'crowdsec', url: crowdsec.url, tls }] } });
  for (const path of ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd', '/']) {
    await gateway.visit(attacker, path);
  }
  const alerts = await eventually(
    async () => successful(await crowdsec.cscli('alerts', 'list', '-o', 'raw', '-m')),
    (listed) => listed.includes(attacker),
    'CrowdSec to have the alert',
  );
  t.match(alerts, /,Ip,198\.51\.100\.7,portcullis\/.*,ban:1,.*,gateway@127\.0\.0\.1$/m);
  t.match(successful(await crowdsec.cscli('decisions', 'list', '-o', 'raw')), /,Ip:198\.51\.100\.7,portcullis\//);
  t.strictSame((await callersOf(crowdsec)).machines, ['gateway@127.0.0.1 tls', 'operator password']);
});

/** The log of the first failure to reach the Local API of this name, once it is there. */
function complaint(gateway: GatewayPeer, lapi: string, message: RegExp): Promise<Record<string, unknown> | undefined> {
  return eventually(
    () => gateway.log.find((line) => line.lapi === lapi && message.test(String(line.msg))),
    (line) => line !== undefined,
    `the log to say of ${lapi} that it ${message.source}`,
  );
}

for (const mode of modes) {
  t.test(
    `a server or a certificate that is not good bans nobody, and the log says why: ${mode}`,
    { skip },
    async (t) => {
      if (!haveRealPrograms(t, ['crowdsec'])) return;
      const authority = createCertificateAuthority(t);
      const good = authority.client('gateway', '/OU=bouncers/CN=gateway');
      const revoked = authority.client('revoked', '/OU=bouncers/CN=gateway');
      authority.revoke('revoked');
      const stranger = createCertificateAuthority(t).client('forged', '/OU=bouncers/CN=gateway');
      const crowdsec = await startCrowdsecOverTls(t, authority);
      successful(await crowdsec.cscli('decisions', 'add', '-i', attacker));
      const untrusted = { message: /not trusted: the authority that signed it is not known/, remedy: /tls\.caFile/ };
      const forbidden = {
        message: /answered 403: access forbidden/,
        remedy: /its OU is among `bouncers_allowed_ou` there/,
      };
      const { certFile, keyFile } = good;
      const cases = [
        { name: 'unknown', tls: { certFile, keyFile }, err: untrusted },
        { name: 'other-authority', tls: { ...good, caFile: stranger.caFile }, err: untrusted },
        {
          name: 'other-name',
          tls: { ...good, serverName: 'lapi.test' },
          err: { message: /not trusted: it is for another name/, remedy: /tls\.serverName/ },
        },
        { name: 'agent', tls: authority.client('agent', '/OU=agents/CN=gateway'), err: forbidden },
        { name: 'revoked', tls: revoked, err: forbidden },
        {
          name: 'forged',
          tls: { ...stranger, caFile: authority.caFile },
          err: { message: /does not answer/, remedy: /trusts the authority of tls\.certFile/ },
        },
        { name: 'in-the-clear', tls: good, err: { message: /answered 400/, remedy: /It speaks TLS: write https:/ } },
      ];
      const lapis = cases.map(({ name, tls }) => {
        const url = name === 'in-the-clear' ? crowdsec.url.replace('https', 'http') : crowdsec.url;
        return { name, url, mode, tls, interval: '1s' };
      });
      const gateway = await startGatewayPeer(t, { bouncer: { lapis } });
      t.equal(await gateway.visit(attacker), 200);
      for (const { name, err } of cases) {
        t.match(await complaint(gateway, name, /cannot be (?:followed|asked)/), { level: 'warn', err }, name);
      }
      t.equal(await gateway.visit(attacker), 200);
      t.strictSame((await callersOf(crowdsec)).bouncers, []);
    },
  );
}

t.test('alerts wait where the certificate of the server or of the gateway is not good', { skip }, async (t) => {
  if (!haveRealPrograms(t, ['crowdsec'])) return;
  const authority = createCertificateAuthority(t);
  const { certFile, keyFile } = authority.client('gateway', '/OU=agents/CN=gateway');
  const crowdsec = await startCrowdsecOverTls(t, authority);
  const revoked = authority.client('revoked', '/OU=agents/CN=gateway');
  authority.revoke('revoked');
  const refused = (why: RegExp) => ({
    message: new RegExp(`answered 403: while trying to validate client cert: .*${why.source}`),
    remedy: /its OU is among `agents_allowed_ou` there/,
  });
  const cases = [
    {
      name: 'unknown',
      tls: { certFile, keyFile },
      err: { message: /not trusted: the authority that signed it is not known/, remedy: /tls\.caFile/ },
    },
    {
      name: 'bouncer',
      tls: authority.client('bouncer', '/OU=bouncers/CN=gateway'),
      err: refused(/OU \(\[bouncers\]\) doesn't match expected OU \(\[agents\]\)/),
    },
    { name: 'revoked', tls: revoked, err: refused(/client certificate is revoked by CRL/) },
  ];
  const lapis = cases.map(({ name, tls }) => ({ name, url: crowdsec.url, tls }));
  const gateway = await startGatewayPeer(t, { agent: { lapis } });
  for (const path of ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd', '/']) {
    await gateway.visit(attacker, path);
  }
  for (const { name, err } of cases) {
    t.match(await complaint(gateway, name, /alerts are not taken; they wait/), { level: 'warn', err }, name);
  }
  t.match(successful(await crowdsec.cscli('alerts', 'list')), /No active alerts/);
  t.strictSame((await callersOf(crowdsec)).machines, ['operator password']);
});
