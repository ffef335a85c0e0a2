/** One opened file of the embedded store with everything that is read and written through it. */
import { forget } from './embedded-maintenance.ts';
import { cacheKiB, checkpointPages, isCorruption, openStoreFile, setAside, type StoreFile } from './embedded-file.ts';
import { createAlertRefs, type AlertRefs } from './embedded-alert-refs.ts';
import { createKinds, rowOf, type Kinds } from './embedded-kinds.ts';
import type { ReadName, ReadRequest, Reads, WorkerSettings, WriteRequest, WrittenSlice } from './embedded-messages.ts';
import { answerRead, type Answer, type ReadContext } from './embedded-reads.ts';
import { createWriter, type Writer } from './embedded-writes.ts';
import type { Head } from './follow.ts';

/** Decisions at the start of a transaction from which it is an import. */
const bulkDecisions = 2_000;
const bulkCacheKiB = 32_768;
/** Of an import, see `checkpointPages`. */
const bulkCheckpointPages = 16_000;

export class EmbeddedSession implements ReadContext {
  readonly file: StoreFile;
  readonly kinds: Kinds;
  readonly alerts: AlertRefs;
  readonly hashSeed: number;
  readonly #settings: WorkerSettings;
  readonly #writer: Writer;
  #head: Head;
  #roomy = false;
  #stagedHead: number;

  /** Throws what SQLite throws; `openSession` handles damaged files. */
  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.file = openStoreFile(settings);
    try {
      const row = rowOf(this.file.prepare('SELECT epoch, head, floor, hash_seed FROM history').get());
      const [epoch, head, floor, hashSeed] = row as [string, number, number, number];
      this.#head = { epoch, head, floor };
      this.#stagedHead = head;
      this.hashSeed = hashSeed;
      this.kinds = createKinds(this.file);
      this.alerts = createAlertRefs(this.file);
      this.#writer = createWriter(this.file, this.kinds, this.alerts, hashSeed);
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  get head(): Head {
    return this.#head;
  }

  /** Writes slices into the transaction, which is begun when there is none. Throws after undoing all of it. */
  stage(slices: readonly WriteRequest[]): WrittenSlice[] {
    const { db } = this.file;
    try {
      this.#fitCache(slices);
      if (!db.isTransaction) db.exec('BEGIN IMMEDIATE');
      return slices.map(({ slice, pack, now }) => {
        const written = this.#writer.write(pack, this.#stagedHead, now);
        this.#stagedHead = written.to;
        return { slice, ...written };
      });
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  /** All that was staged is durable when this returns, none of it when it throws. */
  commit(): void {
    const { db } = this.file;
    try {
      this.#writer.flush();
      if (this.#stagedHead !== this.#head.head) this.file.prepare('UPDATE history SET head = ?').run(this.#stagedHead);
      if (db.isTransaction) db.exec('COMMIT');
    } catch (error) {
      this.#undo();
      throw error;
    }
    this.#head = { ...this.#head, head: this.#stagedHead };
  }

  #undo(): void {
    this.kinds.forget();
    this.alerts.forget();
    this.#writer.discard();
    this.#stagedHead = this.#head.head;
    if (this.file.db.isTransaction) this.file.db.exec('ROLLBACK');
  }

  /** Many decisions at once touch the whole index of keys: without room for it each would be read from the file. */
  #fitCache(slices: readonly WriteRequest[]): void {
    const decisions = slices.reduce((sum, { pack }) => sum + pack.decisions.uuids.length, 0);
    const roomy = decisions > bulkDecisions;
    // Pragmas wait for the end of a transaction.
    if (roomy === this.#roomy || this.file.db.isTransaction) return;
    this.#roomy = roomy;
    const shrink = roomy ? '' : 'PRAGMA shrink_memory';
    this.file.db.exec(`
      PRAGMA cache_size = -${roomy ? bulkCacheKiB : cacheKiB};
      PRAGMA wal_autocheckpoint = ${roomy ? bulkCheckpointPages : checkpointPages};
      ${shrink}`);
    if (roomy) this.#writer.expectMany();
  }

  answer(request: ReadRequest): Answer<Reads[ReadName]['answer']> {
    if (request.name !== 'maintain') return answerRead(this, request);
    return forget(this, this.#settings.retention, request.now, (position) => {
      if (position <= this.#head.floor) return;
      this.file.prepare('UPDATE history SET floor = ?').run(position);
      this.#head = { ...this.#head, floor: position };
    });
  }

  close(): void {
    this.file.close();
  }
}

/** Opens the file. A damaged one is set aside, under the path that is returned, and a new one started. */
export function openSession(settings: WorkerSettings): { session: EmbeddedSession; setAside: string | null } {
  try {
    return { session: new EmbeddedSession(settings), setAside: null };
  } catch (error) {
    if (!isCorruption(error)) throw error;
    const path = setAside(settings.file, settings.now);
    return { session: new EmbeddedSession(settings), setAside: path };
  }
}
