/**
 * The whole house with CrowdSec's programs around it. They report to it and enforce what it decides; it enforces what CrowdSec
 * decides; and it reports to CrowdSec.
 */
import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { sshFailures, startCrowdsecAgent } from '../support/servers/crowdsec-agent.ts';
import { successful } from '../support/servers/crowdsec-folder.ts';
import { startCrowdsecLapi } from '../support/servers/crowdsec-lapi.ts';
import { startCustomBouncer } from '../support/servers/custom-bouncer.ts';
import { startFirewallBouncer } from '../support/servers/firewall-bouncer.ts';
import { freePort, temporaryFolder } from '../support/servers/process.ts';
import { haveRealPrograms } from '../support/servers/real-programs.ts';
import { startGatewayPeer } from './gateway-peer.ts';
import { bruteForceScene, firewallScene, sceneAttacker as attacker } from './scenes.ts';

const everything = ['crowdsec', 'crowdsec-firewall-bouncer', 'crowdsec-custom-bouncer'] as const;
const neighbour = '198.51.100.8';

t.test('who forces SSH is refused by kernel, hook and gateway, and pardoned in all of them', async (t) => {
  if (!haveRealPrograms(t, everything)) return;
  const gateway = await startGatewayPeer(t);
  const agent = await startCrowdsecAgent(t, { credentials: await gateway.addMachine('agent') });
  const firewall = await startFirewallBouncer(t, {
    lapiUrl: gateway.url,
    apiKey: await gateway.addBouncer('firewall'),
  });
  const custom = await startCustomBouncer(t, { lapiUrl: gateway.url, apiKey: await gateway.addBouncer('custom') });
  t.equal(await gateway.visit(attacker), 200);
  t.notOk(await firewall.drops(attacker));

  await agent.write(sshFailures(attacker, 8, Date.now()));
  const [element] = await eventually(firewall.nftSet, (set) => set.length > 0, 'the address in the set');
  t.equal(element?.value, attacker);
  t.ok(await firewall.drops(attacker));
  await eventually(custom.calls, (calls) => calls.some(({ value }) => value === attacker), 'the hook to be called');
  t.equal(await gateway.visit(attacker), 403);
  t.equal(await gateway.visit(neighbour), 200);
  t.match(await gateway.cli('decisions', 'list', '-o', 'raw'), /Ip:198\.51\.100\.7,crowdsecurity\/ssh-bf/);
  t.match(await gateway.cli('alerts', 'list', '-o', 'raw'), /crowdsecurity\/ssh-bf/);
  const lists = async (what: string): Promise<string> => gateway.cli(what, 'list', '-o', 'raw');
  // What is noticed of them is written down within a second or so.
  const seen = (what: string, line: RegExp) =>
    eventually(
      () => lists(what),
      (text) => line.test(text),
      `${what} to tell`,
    );
  await seen('machines', /^agent,127\.0\.0\.1,/m);
  await seen('bouncers', /^firewall,127\.0\.0\.1,.*,crowdsec-firewall-bouncer,'?-,/m);

  await gateway.cli('decisions', 'delete', '--ip', attacker);
  t.equal(await gateway.visit(attacker), 200);
  await eventually(firewall.addresses, (set) => set.length === 0, 'the address to leave the set');
  t.notOk(await firewall.drops(attacker));
  await eventually(custom.calls, (calls) => calls.at(-1)?.action === 'del', 'the hook to hear of it');
});

t.test('the scenes that CrowdSec plays with its own Local API', async (t) => {
  if (!haveRealPrograms(t, everything)) return;
  await t.test('an SSH brute force', async (t) => bruteForceScene(t, await startGatewayPeer(t)));
  await t.test('what the firewall makes of decisions', async (t) => firewallScene(t, await startGatewayPeer(t)));
});

t.test('bouncers and agents outlive a restart of the gateway', async (t) => {
  if (!haveRealPrograms(t, ['crowdsec', 'crowdsec-firewall-bouncer'])) return;
  const dataDir = await temporaryFolder(t, 'data');
  const settings = {
    dataDir,
    store: { type: 'embedded', file: join(dataDir, 'store.db') },
    lapi: { listen: `127.0.0.1:${await freePort()}` },
  };
  const before = await startGatewayPeer(t, settings);
  const agent = await startCrowdsecAgent(t, { credentials: await before.addMachine('agent') });
  const firewall = await startFirewallBouncer(t, { lapiUrl: before.url, apiKey: await before.addBouncer('firewall') });
  const holds = (...values: readonly string[]) =>
    eventually(firewall.addresses, (set) => set.join() === values.join(), `the set ${values.join(' ')}`);
  await before.cli('decisions', 'add', '--ip', '192.0.2.1');
  await before.cli('decisions', 'add', '--ip', '192.0.2.2');
  await holds('192.0.2.1', '192.0.2.2');
  await before.stop();

  const after = await startGatewayPeer(t, settings);
  t.equal(await after.visit('192.0.2.1'), 403);
  // The bouncer asks for what has changed since its last question, which was to the gateway before.
  await after.cli('decisions', 'delete', '--ip', '192.0.2.1');
  await holds('192.0.2.2');
  // The agent's token has ended with the gateway that gave it.
  await agent.write(sshFailures(attacker, 8, Date.now()));
  await holds('192.0.2.2', attacker);
  t.equal(await after.visit(attacker), 403);
});

for (const mode of ['stream', 'live'] as const) {
  t.test(`what CrowdSec decides is enforced here: ${mode}`, async (t) => {
    if (!haveRealPrograms(t, ['crowdsec'])) return;
    const crowdsec = await startCrowdsecLapi(t);
    const key = await crowdsec.addBouncer('portcullis');
    const agent = await startCrowdsecAgent(t, { credentials: await crowdsec.addMachine('agent') });
    const followed = { name: 'crowdsec', url: crowdsec.url, key, mode, interval: '1s', cleanFor: '0s', hitFor: '0s' };
    const gateway = await startGatewayPeer(t, { bouncer: { lapis: [followed], live: { wait: '5s' } } });
    const becomes = (address: string, status: number) =>
      eventually(
        () => gateway.visit(address),
        (found) => found === status,
        `${address} to get ${status}`,
      );
    t.equal(await gateway.visit(attacker), 200);

    await agent.write(sshFailures(attacker, 8, Date.now()));
    await becomes(attacker, 403);
    t.equal(await gateway.visit(neighbour), 200);
    successful(await crowdsec.cscli('decisions', 'delete', '-i', attacker));
    await becomes(attacker, 200);

    successful(await crowdsec.cscli('decisions', 'add', '-r', '203.0.113.0/24', '-d', '1h'));
    await becomes('203.0.113.77', 403);
    t.equal(await gateway.visit('203.0.112.77'), 200);
    await crowdsec.stop();
    t.equal(await gateway.visit('203.0.113.77'), 403, 'what is known stays in force while CrowdSec is away');
    t.equal(await gateway.visit(neighbour), 200, 'and nobody is refused for it');
    await crowdsec.start();
    successful(await crowdsec.cscli('decisions', 'delete', '-r', '203.0.113.0/24'));
    await becomes('203.0.113.77', 200);
  });
}

t.test('what is found here is told to CrowdSec, which decides and has it enforced', async (t) => {
  if (!haveRealPrograms(t, ['crowdsec', 'crowdsec-firewall-bouncer'])) return;
  const crowdsec = await startCrowdsecLapi(t);
  const firewall = await startFirewallBouncer(t, {
    lapiUrl: crowdsec.url,
    apiKey: await crowdsec.addBouncer('firewall'),
  });
  const { url, machineId, password } = await crowdsec.addMachine('portcullis');
  const gateway = await startGatewayPeer(t, { agent: { lapis: [{ name: 'crowdsec', url, machineId, password }] } });
  for (const path of ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd', '/']) {
    await gateway.visit(attacker, path);
  }
  t.equal(await gateway.visit(attacker), 403);
  await eventually(firewall.addresses, (set) => set.includes(attacker), 'CrowdSec to have it dropped');
  const alerts = successful(await crowdsec.cscli('alerts', 'list', '-o', 'raw'));
  t.match(alerts, /,Ip,198\.51\.100\.7,portcullis\//);
});
