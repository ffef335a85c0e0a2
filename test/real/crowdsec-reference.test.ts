/**
 * How CrowdSec's own programs behave together: agent, Local API and bouncers, all real, nothing of ours. This is what our side
 * is held to in `end-to-end.test.ts`, and it shows that what the starters of `test/support/servers` tell is so.
 */
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { startCrowdsecAgent, sshFailures } from '../support/servers/crowdsec-agent.ts';
import { startCrowdsecLapi } from '../support/servers/crowdsec-lapi.ts';
import { startCustomBouncer } from '../support/servers/custom-bouncer.ts';
import { startFirewallBouncer } from '../support/servers/firewall-bouncer.ts';
import { haveRealPrograms } from '../support/servers/real-programs.ts';

const attacker = '198.51.100.7';

t.test('an SSH brute force is banned in the kernel until it is pardoned', async (t) => {
  if (!haveRealPrograms(t, ['crowdsec', 'crowdsec-firewall-bouncer', 'crowdsec-custom-bouncer'])) return;
  const lapi = await startCrowdsecLapi(t);
  const agent = await startCrowdsecAgent(t, { credentials: await lapi.addMachine('agent') });
  const firewall = await startFirewallBouncer(t, { lapiUrl: lapi.url, apiKey: await lapi.addBouncer('firewall') });
  const custom = await startCustomBouncer(t, { lapiUrl: lapi.url, apiKey: await lapi.addBouncer('custom') });
  t.same(await firewall.nftSet(), []);
  t.notOk(await firewall.drops(attacker));

  await agent.write(sshFailures(attacker, 8, Date.now()));
  const [element] = await eventually(firewall.nftSet, (set) => set.length > 0, 'the address in the set');
  t.equal(element?.value, attacker);
  t.ok(element !== undefined && element.timeoutSeconds > 14_000 && element.timeoutSeconds <= 14_400, 'for four hours');
  t.ok(await firewall.drops(attacker));
  const [added] = await eventually(custom.calls, (calls) => calls.length > 0, 'the hook to be called');
  t.match(added, { action: 'add', value: attacker, scenario: /^crowdsecurity\/ssh-bf/ });

  const listed = await lapi.cscli('decisions', 'list', '-o', 'raw');
  t.match(listed.stdout, new RegExp(`,crowdsec,Ip:${attacker.replaceAll('.', '\\.')},crowdsecurity/ssh-bf`));
  const pardoned = await lapi.cscli('decisions', 'delete', '-i', attacker);
  t.match(pardoned.stderr, /decision\(s\) deleted/);
  await eventually(firewall.addresses, (set) => set.length === 0, 'the address to leave the set');
  t.notOk(await firewall.drops(attacker));
  const calls = await eventually(
    custom.calls,
    (calls) => calls.some(({ action }) => action === 'del'),
    'the hook again',
  );
  t.match(calls.at(-1), { action: 'del', value: attacker });
});
