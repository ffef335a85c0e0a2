/**
 * Passwords of machines. Kept as scrypt (RFC 7914) in the string form of the Password Hashing Competition,
 * `$scrypt$ln=15,r=8,p=1$salt$key`, and in no other form. One at a time is computed in the thread pool and few wait, so that a
 * flood of logins cannot keep the store or DNS from their threads.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../core/random.ts';

export interface PasswordHasher {
  /** @throws PasswordQueueFull */
  hash(password: string): Promise<string>;
  /**
   * Takes as long for a hash that is null or in another form (there is no such machine, it has no password): false then.
   * @throws PasswordQueueFull
   */
  matches(password: string, stored: string | null): Promise<boolean>;
}

/** Too many passwords wait to be hashed. */
export class PasswordQueueFull extends Error {}

interface Cost {
  /** Binary logarithm of N. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

interface ScryptHash extends Cost {
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** 32 MiB and about a tenth of a second. */
const cost: Cost = { logN: 15, r: 8, p: 1 };
/** A hash that asks for more than this is not computed. */
const mostLogN = 17;
const saltBytes = 16;
const keyBytes = 32;
/** Longer passwords than this are nobody's. */
export const longestPassword = 1_024;

const form = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

export function createPasswordHasher(random: Random, { maxQueued = 64 } = {}): PasswordHasher {
  const queue = new OneAtATime(maxQueued);
  const nobody: ScryptHash = {
    ...cost,
    salt: Buffer.from(random.bytes(saltBytes)),
    key: Buffer.from(random.bytes(keyBytes)),
  };
  return {
    async hash(password) {
      const salt = Buffer.from(random.bytes(saltBytes));
      const key = await queue.run(() => derive(password, salt, cost));
      return `$scrypt$ln=${cost.logN},r=${cost.r},p=${cost.p}$${base64(salt)}$${base64(key)}`;
    },
    async matches(password, stored) {
      const hash = stored === null ? null : parseHash(stored);
      const against = hash ?? nobody;
      const key = await queue.run(() => derive(password, against.salt, against));
      return timingSafeEqual(key, against.key) && hash !== null && password.length <= longestPassword;
    },
  };
}

/** Null for what is not a hash of ours. */
export function parseHash(text: string): ScryptHash | null {
  const match = form.exec(text);
  if (match === null) return null;
  const [, logN = '', r = '', p = '', salt = '', key = ''] = match;
  const parsed = { logN: Number(logN), r: Number(r), p: Number(p) };
  if (parsed.logN < 10 || parsed.logN > mostLogN || parsed.r < 1 || parsed.r > 16 || parsed.p < 1) return null;
  return { ...parsed, salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') };
}

function derive(password: string, salt: Buffer, { logN, r, p }: Cost): Promise<Buffer> {
  const N = 2 ** logN;
  const bounded = password.slice(0, longestPassword);
  return new Promise((resolve, reject) => {
    scrypt(bounded, salt, keyBytes, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

class OneAtATime {
  readonly #maxQueued: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(maxQueued: number) {
    this.#maxQueued = maxQueued;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#maxQueued) throw new PasswordQueueFull('too many passwords wait to be checked');
    this.#waiting++;
    const mine = this.#last.then(work, work);
    this.#last = mine;
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }
}
