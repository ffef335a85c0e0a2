/**
 * Collections that outlive a transaction: `initcol:ip=…` opens the record of one client, `setvar:ip.…` and `expirevar` change
 * it. Kept in memory and bounded: of too many records those go that were used longest ago. A record is forgotten when it has not been
 * changed for `SecCollectionTimeout`. ModSecurity Reference Manual, "Persistent Storage".
 */
import type { Clock } from '../../../core/clock.ts';
import { OldestFirstMap } from '../../../core/oldest-first-map.ts';
import type { PersistentCollection } from '../seclang/definition.ts';

/** Values in one record; setting more has no effect. */
const mostValues = 1_000;

interface StoredValue {
  value: string;
  /** Epoch milliseconds; `Infinity`: it lives as long as its record. */
  expiresAt: number;
}

/** One record, as a transaction holds it open. Keys are lower case. */
export class PersistentRecord {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #values = new Map<string, StoredValue>();
  #expiresAt: number;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#expiresAt = clock.now() + timeoutMs;
  }

  get expired(): boolean {
    return this.#clock.now() >= this.#expiresAt;
  }

  get(key: string): string | null {
    const stored = this.#values.get(key);
    if (stored === undefined) return null;
    if (this.#clock.now() < stored.expiresAt) return stored.value;
    this.#values.delete(key);
    return null;
  }

  set(key: string, value: string): void {
    const stored = this.#values.get(key);
    if (stored !== undefined) stored.value = value;
    else if (this.#values.size < mostValues) this.#values.set(key, { value, expiresAt: Infinity });
    this.#touch();
  }

  unset(key: string): void {
    this.#values.delete(key);
    this.#touch();
  }

  /** Without effect on a value that is not set. */
  expire(key: string, seconds: number): void {
    const stored = this.#values.get(key);
    if (stored !== undefined) stored.expiresAt = this.#clock.now() + seconds * 1_000;
  }

  /** Names and values that have not expired, in the order in which they were first set. */
  *entries(): Iterable<readonly [string, string]> {
    for (const key of this.#values.keys()) {
      const value = this.get(key);
      if (value !== null) yield [key, value];
    }
  }

  #touch(): void {
    this.#expiresAt = this.#clock.now() + this.#timeoutMs;
  }
}

export class PersistentStore {
  readonly #clock: Clock;
  readonly #mostRecords: number;
  readonly #records = new OldestFirstMap<string, PersistentRecord>();

  constructor(clock: Clock, mostRecords = 100_000) {
    this.#clock = clock;
    this.#mostRecords = mostRecords;
  }

  get size(): number {
    return this.#records.size;
  }

  /** The record of that key, a new one when there is none or it is too old. */
  open(collection: PersistentCollection, key: string, timeoutSeconds: number): PersistentRecord {
    const name = `${collection}\n${key}`;
    const known = this.#records.get(name);
    const record =
      known === undefined || known.expired ? new PersistentRecord(this.#clock, timeoutSeconds * 1_000) : known;
    // Set again, so that the map's order is the order of use.
    this.#records.set(name, record);
    const oldest = this.#records.size > this.#mostRecords ? this.#records.oldest() : undefined;
    if (oldest !== undefined) this.#records.delete(oldest);
    return record;
  }
}
