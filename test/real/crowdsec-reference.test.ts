/**
 * How CrowdSec's own programs behave together: agent, Local API and bouncers, all real, nothing of ours. This is what our side
 * is held to, and it shows that what the starters of `test/support/servers` tell is so.
 */
import t from 'tap';
import { startCrowdsecLapi } from '../support/servers/crowdsec-lapi.ts';
import { haveRealPrograms } from '../support/servers/real-programs.ts';
import { bruteForceScene, firewallScene } from './scenes.ts';

t.test("CrowdSec's own Local API: an SSH brute force is dropped until it is pardoned", async (t) => {
  if (!haveRealPrograms(t, ['crowdsec', 'crowdsec-firewall-bouncer', 'crowdsec-custom-bouncer'])) return;
  await bruteForceScene(t, await startCrowdsecLapi(t));
});

t.test("CrowdSec's own Local API: what the firewall makes of decisions", async (t) => {
  if (!haveRealPrograms(t, ['crowdsec', 'crowdsec-firewall-bouncer'])) return;
  await firewallScene(t, await startCrowdsecLapi(t));
});
