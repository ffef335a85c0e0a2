/**
 * `createEmbeddedStore`: decisions, alerts and refusals in one SQLite file, written and read by a worker thread. What
 * `apply` acknowledged survives a crash of the process and of the machine (`synchronous=FULL`).
 */
import { GatewayError } from '../../core/errors.ts';
import type { Bouncer } from '../bouncer.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Machine } from '../machine.ts';
import { formatCursor } from './cursor.ts';
import { WorkerLink, type StartWorker } from './embedded-link.ts';
import type { AlertRow, Fault, PackedDecisions, PackedPage } from './embedded-messages.ts';
import { decisionAt, unpackChanges } from './embedded-pack.ts';
import { RecentChanges, type RecentSlice } from './embedded-recent.ts';
import { follow, type ChangePage, type ChangeSource, type Head } from './follow.ts';
import { maintenancePeriodMs } from './maintenance.ts';
import type { StoreOptions } from './options.ts';
import type {
  AlertQuery,
  AllowlistEntry,
  AllowlistRecord,
  ChangeBatch,
  DecisionQuery,
  RefusalEvent,
  RefusalQuery,
  Store,
  StoredAlert,
  StoredDecision,
  StoreHealth,
  StoreWrite,
  UsageQuery,
  UsageReport,
} from './store.ts';
import { createWaiters } from './waiters.ts';
import { parseAlert } from './write-limits.ts';

export type EmbeddedOptions = Pick<StoreOptions, 'file' | 'maxBytes' | 'retention'>;

export interface EmbeddedParts {
  /** Hears of everything that went wrong without failing the process, STORE_CORRUPT above all. The log has it too. */
  readonly report?: (error: GatewayError) => void;
  readonly startWorker?: StartWorker;
}

/**
 * Resolves when the file is open. A damaged file is set aside and a new one started; a file that cannot be opened at all
 * rejects with STORE_UNAVAILABLE.
 */
export async function createEmbeddedStore(
  options: EmbeddedOptions,
  runtime: Runtime,
  parts: EmbeddedParts = {},
): Promise<Store> {
  const store = new EmbeddedStore(options, runtime, parts);
  await store.start();
  return store;
}

class EmbeddedStore implements Store {
  readonly name = 'embedded';
  readonly #options: EmbeddedOptions;
  readonly #runtime: Runtime;
  readonly #report: (error: GatewayError) => void;
  readonly #link: WorkerLink;
  readonly #waiters = createWaiters();
  readonly #closing = new AbortController();
  readonly #source: ChangeSource;
  readonly #recent = new RecentChanges();
  #maintenance: { cancel(): void } | null = null;
  #maintaining = false;
  #head = 0;
  #lastSuccessAt: number | null = null;
  #fault: Fault | null = null;
  /** What health goes on to say after a damaged file was replaced. */
  #notice = '';

  constructor(options: EmbeddedOptions, runtime: Runtime, parts: EmbeddedParts) {
    this.#options = options;
    this.#runtime = runtime;
    this.#report = parts.report ?? (() => undefined);
    const { file, maxBytes, retention } = options;
    const events = {
      onOpen: ({ epoch, head }: Head) => {
        this.#fault = null;
        this.#recent.begin(epoch, head);
        this.#advance(head);
      },
      onWritten: (head: number, slices: readonly RecentSlice[]) => {
        for (const slice of slices) this.#recent.note(slice);
        this.#advance(head);
      },
      onSetAside: (path: string) => this.#noteSetAside(path),
      onFault: (fault: Fault) => this.#noteFault(fault),
      onSuccess: () => {
        this.#lastSuccessAt = runtime.clock.now();
      },
    };
    this.#link = new WorkerLink({ file, maxBytes, retention }, runtime, events, parts.startWorker);
    this.#source = {
      head: () => this.#link.ask('head', {}),
      snapshot: async (after, end) => unpackPage(await this.#link.ask('snapshot', { after, end })),
      since: async (after) => this.#recent.after(after) ?? unpackPage(await this.#link.ask('since', { after })),
      changed: async (after, signal) => {
        if (this.#head <= after) await this.#waiters.wait(signal);
      },
    };
  }

  async start(): Promise<void> {
    try {
      await this.#link.start();
    } catch (error) {
      await this.#link.close();
      throw error;
    }
    this.#maintenance = this.#runtime.clock.every(maintenancePeriodMs, () => void this.#maintain());
  }

  async apply(writes: readonly StoreWrite[]): Promise<void> {
    await this.#link.write(writes);
    // Reads work on a full disk too, so only a write shows that one works again.
    this.#fault = null;
  }

  changes(cursor: string | null, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    return follow(this.#source, this.#runtime.clock, cursor, AbortSignal.any([signal, this.#closing.signal]));
  }

  async decisions(query: DecisionQuery): Promise<readonly StoredDecision[]> {
    return unpackDecisions(await this.#link.ask('decisions', query));
  }

  async decisionByUuid(uuid: string): Promise<StoredDecision | null> {
    return unpackDecisions(await this.#link.ask('decisionByUuid', { uuid }))[0] ?? null;
  }

  async decisionById(id: number): Promise<StoredDecision | null> {
    return unpackDecisions(await this.#link.ask('decisionById', { id }))[0] ?? null;
  }

  allowlists(): Promise<readonly AllowlistRecord[]> {
    return this.#link.ask('allowlists', {});
  }

  allowlist(): Promise<readonly AllowlistEntry[]> {
    return this.#link.ask('allowlist', {});
  }

  bouncers(): Promise<readonly Bouncer[]> {
    return this.#link.ask('bouncers', {});
  }

  machines(): Promise<readonly Machine[]> {
    return this.#link.ask('machines', {});
  }

  usageReports(query: UsageQuery): Promise<readonly UsageReport[]> {
    return this.#link.ask('usageReports', query);
  }

  async alerts(query: AlertQuery): Promise<readonly StoredAlert[]> {
    return (await this.#link.ask('alerts', query)).map(storedAlert);
  }

  async alertByUuid(uuid: string): Promise<StoredAlert | null> {
    const row = await this.#link.ask('alertByUuid', { uuid });
    return row === null ? null : storedAlert(row);
  }

  async alertById(id: number): Promise<StoredAlert | null> {
    const row = await this.#link.ask('alertById', { id });
    return row === null ? null : storedAlert(row);
  }

  refusals(query: RefusalQuery): Promise<readonly RefusalEvent[]> {
    return this.#link.ask('refusals', query);
  }

  decisionCounts(since: number, limit: number): Promise<readonly { value: string; count: number }[]> {
    return this.#link.ask('decisionCounts', { since, limit });
  }

  health(): StoreHealth {
    const lastSuccessAt = this.#lastSuccessAt;
    if (this.#closing.signal.aborted) return { ok: false, lastSuccessAt, message: 'closed' };
    if (this.#fault) return { ok: false, lastSuccessAt, message: this.#fault.message };
    return { ok: true, lastSuccessAt, message: this.#notice };
  }

  async close(): Promise<void> {
    this.#maintenance?.cancel();
    const closed = this.#link.close();
    this.#closing.abort();
    await closed;
  }

  async #maintain(): Promise<void> {
    if (this.#maintaining) return;
    this.#maintaining = true;
    try {
      const removed = await this.#link.ask('maintain', {});
      if (removed > 0) this.#runtime.log.debug({ removed }, 'store forgot old records');
    } catch {
      // The link has noted the fault; the next round tries again.
    } finally {
      this.#maintaining = false;
    }
  }

  #advance(head: number): void {
    this.#head = head;
    this.#waiters.wake();
  }

  #noteSetAside(path: string): void {
    const message = `the store file ${this.#options.file} was damaged: it was set aside as ${path} and a new one started`;
    const error = new GatewayError('STORE_CORRUPT', message, { remedy: 'Look for a failing disk.' });
    this.#fault = null;
    this.#notice = message;
    this.#runtime.log.error({ code: error.code, file: this.#options.file, setAside: path }, 'store file was damaged');
    this.#report(error);
  }

  #noteFault(fault: Fault): void {
    if (fault.code === 'DECISION_INVALID') return;
    const repeated = this.#fault?.code === fault.code;
    this.#fault = fault;
    // Under attack every refusal would repeat it.
    if (repeated) return;
    const { code, message, remedy, cause } = fault;
    this.#runtime.log.error({ code, file: this.#options.file, reason: message, cause }, 'store failed');
    this.#report(new GatewayError(code, message, { ...(remedy !== null && { remedy }), cause }));
  }
}

function unpackPage({ epoch, floor, position, pack }: PackedPage): ChangePage {
  return { epoch, floor, position, changes: unpackChanges(pack) };
}

function unpackDecisions({ epoch, columns, seqs }: PackedDecisions): StoredDecision[] {
  return seqs.map((seq, row) => ({
    id: columns.ids[row] as number,
    decision: decisionAt(columns, row),
    deletedAt: columns.deletedAt[row] ?? null,
    cursor: formatCursor(epoch, seq),
  }));
}

function storedAlert({ id, body }: AlertRow): StoredAlert {
  return { id, alert: parseAlert(body) };
}
