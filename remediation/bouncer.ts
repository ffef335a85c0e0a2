/**
 * Bouncers: programs that enforce what this gateway decides, or have it judge their requests. Each has a key of its own, of
 * which only a hash is kept. Specification: CrowdSec `cscli bouncers`, which hashes keys with SHA-512 too.
 */
import { createHash } from 'node:crypto';

export interface Bouncer {
  /** What an operator calls it; unique. */
  readonly name: string;
  /** SHA-512 of the key, in hexadecimal. */
  readonly keyHash: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** Names as CrowdSec's users choose them; shown in tables and logs. */
export const bouncerName = /^[A-Za-z0-9][A-Za-z0-9._@:-]{0,127}$/;

/** Of a key of ours: as many bits as a SHA-256 has. */
export const keyBytes = 32;

/** Keys are random, so that a plain hash is as good as a slow one. */
export function hashKey(key: string): string {
  return createHash('sha512').update(key).digest('hex');
}
