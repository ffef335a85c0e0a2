/**
 * Forgets bouncers that no longer ask and agents that no longer report, as the settings say. Specification: CrowdSec
 * `bouncers_autodelete`, `agents_autodelete`.
 */
import { messageOf } from '../../../core/errors.ts';
import type { Bouncer } from '../../bouncer.ts';
import type { Machine } from '../../machine.ts';
import type { LapiDependencies } from '../lapi-context.ts';
import type { LapiOptions } from '../options.ts';

export interface LapiHousekeeping {
  /** Looks once. Never rejects. */
  sweep(): Promise<void>;
  close(): void;
}

const lookEveryMs = 60_000;

export function startLapiHousekeeping(
  { autoDelete }: Pick<LapiOptions, 'autoDelete'>,
  deps: Pick<LapiDependencies, 'bouncers' | 'machines' | 'store' | 'clock' | 'log'>,
): LapiHousekeeping {
  const { clock, log } = deps;

  async function sweepBouncers(): Promise<void> {
    const { apiKey, cert } = autoDelete.bouncers;
    if (apiKey === null && cert === null) return;
    const now = clock.now();
    for (const bouncer of await deps.bouncers.list()) {
      const idleMs = now - lastSignOfBouncer(bouncer);
      const most = bouncer.authType === 'tls' ? cert : apiKey;
      if (most === null || idleMs <= most) continue;
      await deps.store.apply([{ kind: 'bouncer-deleted', name: bouncer.name }]);
      deps.bouncers.forget(bouncer.name);
      log.info({ bouncer: bouncer.name, idleMs }, 'a bouncer that no longer asks was deleted');
    }
  }

  async function sweepMachines(): Promise<void> {
    const { password, cert } = autoDelete.agents;
    if (password === null && cert === null) return;
    const now = clock.now();
    for (const machine of await deps.machines.list()) {
      const idleMs = now - lastSignOfMachine(machine);
      const most = machine.authType === 'tls' ? cert : password;
      if (most === null || idleMs <= most) continue;
      await deps.machines.remove(machine.id);
      log.info({ machine: machine.id, idleMs }, 'an agent that no longer reports was deleted');
    }
  }

  const sweep = async (): Promise<void> => {
    try {
      await sweepBouncers();
      await sweepMachines();
    } catch (thrown) {
      log.warn({ cause: messageOf(thrown) }, 'idle bouncers and agents cannot be deleted; it is tried again');
    }
  };
  const timer = clock.every(lookEveryMs, () => void sweep());
  return { sweep, close: () => timer.cancel() };
}

function lastSignOfBouncer({ lastPull, createdAt }: Bouncer): number {
  return Math.max(lastPull ?? 0, createdAt);
}

function lastSignOfMachine({ lastHeartbeat, lastPush, updatedAt, createdAt }: Machine): number {
  return Math.max(lastHeartbeat ?? 0, lastPush ?? 0, updatedAt, createdAt);
}
