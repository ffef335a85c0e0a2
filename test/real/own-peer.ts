/** Our Local API as the scenes want it: real programs log in with names, and time is the system's. */
import { systemClock } from '../../core/clock.ts';
import { startOwnLapiOn } from '../support/own-lapi.ts';
import { keyOf, passwordOf } from './lapi/exchange.ts';
import type { ScenePeer } from './scenes.ts';

export async function startOwnPeer(t: { teardown(run: () => unknown): unknown }): Promise<ScenePeer> {
  const lapi = await startOwnLapiOn(t, systemClock);
  return {
    url: lapi.url,
    async addBouncer(name) {
      await lapi.addBouncer(name);
      return keyOf(name);
    },
    async addMachine(machineId) {
      await lapi.addMachine(machineId);
      return { url: lapi.url, machineId, password: passwordOf(machineId) };
    },
  };
}
