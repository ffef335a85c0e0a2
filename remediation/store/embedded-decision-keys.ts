/**
 * The `decision_keys` table: how a decision is found by its uuid. An import of a million lists brings a million keys in no order,
 * and entering each of them where it belongs would cost three times what the decisions cost. So they wait for the end of the
 * transaction and are entered in their order.
 */
import type { StoreFile } from './embedded-file.ts';

export interface DecisionKeys {
  /** The key of a decision; it is in the file after `flush`. */
  add(key: number, seq: number): void;
  /** One that does not wait. */
  remove(key: number, seq: number): void;
  /** Whether a decision with this key waits to be entered. */
  isWaiting(key: number): boolean;
  /** False when no decision in the file has this key. */
  mayHave(key: number): boolean;
  flush(): void;
  /** An import begins: it is worth reading all keys once. */
  expectMany(): void;
  /** Forgets what waits. */
  discard(): void;
}

/** The key of a uuid narrows the search for it to a few rows. */
export function uuidKey(uuid: string, seed: number): number {
  // FNV-1a over UTF-16 units. The seed differs from file to file, so that no one can prepare uuids that all collide.
  let hash = seed ^ 0x811c9dc5;
  for (let index = 0; index < uuid.length; index++) hash = Math.imul(hash ^ uuid.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Rows of one INSERT: a statement costs as much as a row. */
const rowsTogether = 64;
/** Keys that wait at most, some megabytes; also what is added to them to sort them with their positions. */
const maxWaiting = 2 ** 17;

export function createDecisionKeys(file: StoreFile): DecisionKeys {
  const insertOne = file.prepare('INSERT INTO decision_keys VALUES (?, ?)');
  const rows = Array.from({ length: rowsTogether }, () => '(?, ?)').join();
  const insertMany = file.prepare(`INSERT INTO decision_keys VALUES ${rows}`);
  const removeOne = file.prepare('DELETE FROM decision_keys WHERE key = ? AND seq = ?');
  let filter: KeyFilter | null = null;
  let waiting = new Set<number>();
  let keys: number[] = [];
  let seqs: number[] = [];

  const discard = (): void => {
    waiting = new Set();
    keys = [];
    seqs = [];
  };
  const flush = (): void => {
    if (keys.length === 0) return;
    // Key and index in one number of less than 53 bits.
    const order = Float64Array.from(keys, (key, index) => key * maxWaiting + index).sort();
    const pairs = Array.from(order, (place) => {
      const index = place - Math.floor(place / maxWaiting) * maxWaiting;
      return [keys[index] as number, seqs[index] as number];
    });
    let at = 0;
    for (; at + rowsTogether <= pairs.length; at += rowsTogether) {
      insertMany.run(...pairs.slice(at, at + rowsTogether).flat());
    }
    for (const [key, seq] of pairs.slice(at)) insertOne.run(key as number, seq as number);
    discard();
  };

  return {
    add(key, seq) {
      if (keys.length === maxWaiting) flush();
      filter?.add(key);
      waiting.add(key);
      keys.push(key);
      seqs.push(seq);
    },
    remove: (key, seq) => void removeOne.run(key, seq),
    isWaiting: (key) => waiting.has(key),
    mayHave: (key) => filter === null || filter.mayHave(key),
    flush,
    expectMany() {
      filter ??= createKeyFilter(file);
    },
    discard,
  };
}

interface KeyFilter {
  mayHave(key: number): boolean;
  add(key: number): void;
}

/**
 * Which keys may be in the file: a bit for each of 2^24 groups of keys, 2 MiB. Most decisions of a list are new, and
 * knowing so spares them a search in a table that does not fit into the cache. Bits are never cleared: one too many costs
 * a search, no more.
 */
function createKeyFilter(file: StoreFile): KeyFilter {
  const bits = new Uint8Array(2 ** 21);
  const add = (key: number): void => {
    const group = key >>> 8;
    bits[group >>> 3] = (bits[group >>> 3] as number) | (1 << (group & 7));
  };
  for (const row of file.prepare('SELECT key FROM decision_keys').iterate()) add((row as unknown as [number])[0]);
  return {
    mayHave: (key) => (((bits[key >>> 11] as number) >> ((key >>> 8) & 7)) & 1) === 1,
    add,
  };
}
