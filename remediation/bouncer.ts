/**
 * Bouncers: programs that enforce what this gateway decides, or have it judge their requests. Each has a key of its own, of
 * which only a hash is kept. Specification: CrowdSec `cscli bouncers`, which hashes keys with SHA-512 too.
 */
import { hash } from 'node:crypto';

export interface Bouncer {
  /** What an operator calls it; unique. */
  readonly name: string;
  /** SHA-512 of the key, in hexadecimal. */
  readonly keyHash: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** `tls`: known by its certificate, without a key. */
  readonly authType: 'api-key' | 'tls';
  /** Made by itself, because a known key or certificate was used from another address. */
  readonly autoCreated: boolean;
  /** Where it asked from last, "" before it did. */
  readonly ip: string;
  /** From its User-Agent, "" before it asked. */
  readonly type: string;
  readonly version: string;
  /** When its last answered question was asked, in epoch milliseconds: what deltas of the decision stream start from. */
  readonly lastPull: number | null;
}

/** What changes of a bouncer when it asks. */
export type BouncerSighting = Partial<Pick<Bouncer, 'ip' | 'type' | 'version' | 'lastPull'>>;

/** One that has not asked yet, with a key of its own. */
export function newBouncer(name: string, keyHash: string, createdAt: number): Bouncer {
  const unseen = { ip: '', type: '', version: '', lastPull: null };
  return { name, keyHash, createdAt, authType: 'api-key', autoCreated: false, ...unseen };
}

/** Names as CrowdSec's users choose them; shown in tables and logs. */
export const bouncerName = /^[A-Za-z0-9][A-Za-z0-9._@:-]{0,127}$/;

/** Of a key of ours: as many bits as a SHA-256 has. */
export const keyBytes = 32;

/** Keys are random, so that a plain hash is as good as a slow one. */
export function hashKey(key: string): string {
  return hash('sha512', key, 'hex');
}
