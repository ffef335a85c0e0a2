/** CrowdSec's own programs with our Local API: the scenes that they play with their own. */
import t from 'tap';
import { haveRealPrograms } from '../support/servers/real-programs.ts';
import { startOwnPeer } from './own-peer.ts';
import { bruteForceScene, firewallScene } from './scenes.ts';

t.test('our Local API: an SSH brute force is dropped until it is pardoned', async (t) => {
  if (!haveRealPrograms(t, ['crowdsec', 'crowdsec-firewall-bouncer', 'crowdsec-custom-bouncer'])) return;
  await bruteForceScene(t, await startOwnPeer(t));
});

t.test('our Local API: what the firewall makes of decisions', async (t) => {
  if (!haveRealPrograms(t, ['crowdsec', 'crowdsec-firewall-bouncer'])) return;
  await firewallScene(t, await startOwnPeer(t));
});
