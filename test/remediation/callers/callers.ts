/** Bouncers and machines for tests. */
import { type Bouncer, hashKey } from '../../../remediation/bouncer.ts';
import type { Machine } from '../../../remediation/machine.ts';

/** A bouncer that has not asked yet. */
export function bouncerOf(name: string, key: string, over: Partial<Bouncer> = {}): Bouncer {
  return {
    name,
    keyHash: hashKey(key),
    createdAt: 0,
    authType: 'api-key',
    autoCreated: false,
    ip: '',
    type: '',
    version: '',
    lastPull: null,
    ...over,
  };
}

/** A validated machine that has not logged in yet. */
export function machineOf(id: string, over: Partial<Machine> = {}): Machine {
  return {
    id,
    passwordHash: '',
    authType: 'password',
    validated: true,
    createdAt: 0,
    updatedAt: 0,
    ip: '',
    version: '',
    scenarios: [],
    lastPush: null,
    lastHeartbeat: null,
    os: '',
    ...over,
  };
}
