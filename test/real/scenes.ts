/**
 * What CrowdSec's own programs do with a Local API, whoever's it is: played with CrowdSec's for reference, and with ours. The
 * programs are those of Debian 12, unchanged.
 */
import type { Test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { createRemoteCscli, sshFailures, startCrowdsecAgent } from '../support/servers/crowdsec-agent.ts';
import { successful, type MachineCredentials } from '../support/servers/crowdsec-folder.ts';
import { startCustomBouncer } from '../support/servers/custom-bouncer.ts';
import { startFirewallBouncer } from '../support/servers/firewall-bouncer.ts';

/** A Local API to which bouncers and machines can be added. */
export interface ScenePeer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Answers its key. */
  addBouncer(name: string): Promise<string>;
  addMachine(machineId: string): Promise<MachineCredentials>;
}

export const sceneAttacker = '198.51.100.7';

/** An agent sees an SSH brute force; the address is dropped by the kernel until an operator pardons it with cscli. */
export async function bruteForceScene(t: Test, lapi: ScenePeer): Promise<void> {
  const agent = await startCrowdsecAgent(t, { credentials: await lapi.addMachine('agent') });
  const firewall = await startFirewallBouncer(t, { lapiUrl: lapi.url, apiKey: await lapi.addBouncer('firewall') });
  const custom = await startCustomBouncer(t, { lapiUrl: lapi.url, apiKey: await lapi.addBouncer('custom') });
  const cscli = await createRemoteCscli(t, await lapi.addMachine('operators-laptop'));
  t.same(await firewall.nftSet(), []);
  t.notOk(await firewall.drops(sceneAttacker));

  await agent.write(sshFailures(sceneAttacker, 8, Date.now()));
  const [element] = await eventually(firewall.nftSet, (set) => set.length > 0, 'the address in the set');
  t.equal(element?.value, sceneAttacker);
  t.ok(element !== undefined && element.timeoutSeconds > 14_300 && element.timeoutSeconds <= 14_400, 'for four hours');
  t.ok(await firewall.drops(sceneAttacker));
  const [added] = await eventually(custom.calls, (calls) => calls.length > 0, 'the hook to be called');
  t.match(added, { action: 'add', value: sceneAttacker, scenario: /^crowdsecurity\/ssh-bf/ });
  t.match(added?.decision, { origin: 'crowdsec', scope: 'Ip', type: 'ban', value: sceneAttacker });
  t.ok(added !== undefined && added.seconds > 14_300 && added.seconds <= 14_400, 'the custom bouncer reads as long');

  const listed = successful(await cscli('decisions', 'list', '-o', 'raw'));
  t.match(listed, new RegExp(`,crowdsec,Ip:${sceneAttacker.replaceAll('.', '\\.')},crowdsecurity/ssh-bf`));
  successful(await cscli('decisions', 'delete', '-i', sceneAttacker));
  await eventually(firewall.addresses, (set) => set.length === 0, 'the address to leave the set');
  t.notOk(await firewall.drops(sceneAttacker));
  const calls = await eventually(custom.calls, (calls) => calls.some(({ action }) => action === 'del'), 'its end');
  t.match(calls.at(-1), { action: 'del', value: sceneAttacker });
}

/** What the firewall makes of decisions by hand: families, ranges and twins; and that a new bouncer learns what is in force. */
export async function firewallScene(t: Test, lapi: ScenePeer): Promise<void> {
  const cscli = await createRemoteCscli(t, await lapi.addMachine('operators-laptop'));
  const apiKey = await lapi.addBouncer('firewall');
  const firewall = await startFirewallBouncer(t, { lapiUrl: lapi.url, apiKey });
  const holds = (...values: readonly string[]) =>
    eventually(
      firewall.addresses,
      (set) => JSON.stringify(set) === JSON.stringify(values),
      `the set ${values.join(' ')}`,
    );
  const add = async (...args: readonly string[]) => void successful(await cscli('decisions', 'add', ...args));

  await add('-i', '192.0.2.1', '-d', '1h');
  await add('-i', '2001:db8::1');
  await add('-i', '192.0.2.2', '-t', 'captcha');
  await add('--scope', 'Country', '-v', 'XX');
  await holds('192.0.2.1', '2001:db8::1');
  // Whoever has a range in nftables has its first address: a limit of this bouncer.
  await add('-r', '203.0.113.0/28');
  await holds('192.0.2.1', '2001:db8::1', '203.0.113.0');

  const again = await startFirewallBouncer(t, { lapiUrl: lapi.url, apiKey: await lapi.addBouncer('second') });
  t.same(await eventually(again.addresses, (set) => set.length === 3, 'all three at once'), await firewall.addresses());

  successful(await cscli('decisions', 'delete', '-r', '203.0.113.0/28'));
  await holds('192.0.2.1', '2001:db8::1');
  // An address keeps the time that it came with: trap 18.
  await add('-i', '192.0.2.1', '-d', '8h');
  await add('-i', '192.0.2.9');
  await holds('192.0.2.1', '192.0.2.9', '2001:db8::1');
  const [first] = await firewall.nftSet();
  t.ok(first !== undefined && first.timeoutSeconds <= 3_600, 'the longer ban is not taken over');
  successful(await cscli('decisions', 'delete', '--all'));
  await holds();
}
