/**
 * Machines: agents that report alerts here, each with a name and a password of its own or a certificate. Specification:
 * CrowdSec `cscli machines`.
 */

/** As many characters as a store keeps of a name. */
export const longestMachineId = 256;

export interface Machine {
  /** Unique. */
  readonly id: string;
  /** See `password-hash.ts`; "" for one that is known by its certificate. */
  readonly passwordHash: string;
  readonly authType: 'password' | 'tls';
  /** One that registered itself may not log in before an operator has agreed. */
  readonly validated: boolean;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Where it logged in from last, "" before it did. */
  readonly ip: string;
  readonly version: string;
  /** The scenarios that it runs, as it told at its last login. */
  readonly scenarios: readonly string[];
  readonly lastPush: number | null;
  readonly lastHeartbeat: number | null;
  /** Name and version of its operating system, "" when it did not tell. */
  readonly os: string;
}

/** What changes of a machine in use. */
export type MachineSighting = Partial<Omit<Machine, 'id' | 'authType' | 'createdAt'>>;

/** One with a password that may log in and has not been heard of yet. */
export function newMachine(id: string, passwordHash: string, createdAt: number): Machine {
  const unseen = { ip: '', version: '', scenarios: [], lastPush: null, lastHeartbeat: null, os: '' };
  return { id, passwordHash, authType: 'password', validated: true, createdAt, updatedAt: createdAt, ...unseen };
}
