/**
 * `WorkerLink`: the main thread's end of the embedded store's worker. It starts the thread, pairs answers with questions,
 * feeds large writes in slices so that neither side is flooded, and starts another thread when one dies. Whatever was
 * waiting then is refused with STORE_UNAVAILABLE: nobody knows whether it was written.
 */
import { Worker } from 'node:worker_threads';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import { sentAhead } from './embedded-messages.ts';
import type { Fault, FromWorker, ReadName, Reads, ToWorker, WorkerSettings } from './embedded-messages.ts';
import { packWrites } from './embedded-pack.ts';
import type { RecentSlice } from './embedded-recent.ts';
import type { Head } from './follow.ts';
import type { StoreWrite } from './store.ts';
import { limitWrite, writesPerUnit, type LimitedWrite } from './write-limits.ts';

export interface LinkEvents {
  /** The file is open; also after a restart and after a damaged file was replaced. */
  onOpen(head: Head): void;
  /** Writes up to this position are durable, these the last of them. */
  onWritten(head: number, slices: readonly RecentSlice[]): void;
  onSetAside(path: string): void;
  /** Something failed: for health and for the log. */
  onFault(fault: Fault): void;
  onSuccess(): void;
}

/** How the thread is started; tests keep hold of it to kill it. */
export type StartWorker = (settings: WorkerSettings) => Worker;

/** Writes in small parts that may wait. */
const maxQueuedWrites = 50_000;
/** Writes of more than one slice that may wait: their content is in the caller's memory anyway. */
const maxLargeWrites = 8;
const maxPendingReads = 1_000;
const firstRestartMs = 100;
const longestRestartMs = 30_000;
const closeTimeoutMs = 15_000;

interface PendingWrite {
  readonly id: number;
  readonly size: number;
  /** The writes from `start` to `end`, within their limits; throws DECISION_INVALID. */
  readonly slice: (start: number, end: number) => readonly LimitedWrite[];
  sent: number;
  unanswered: number;
  fault: GatewayError | null;
  readonly resolve: () => void;
  readonly reject: (error: GatewayError) => void;
}

/** A slice on its way. */
interface SentSlice {
  readonly write: PendingWrite;
  readonly writes: readonly LimitedWrite[];
  readonly now: number;
}

interface PendingRead {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: GatewayError) => void;
}

export class WorkerLink {
  readonly #settings: Omit<WorkerSettings, 'now'>;
  readonly #runtime: Runtime;
  readonly #events: LinkEvents;
  readonly #startWorker: StartWorker;
  readonly #closing = new AbortController();
  readonly #reads = new Map<number, PendingRead>();
  /** In order of arrival. Those at the front are being sent. */
  readonly #writes = new Map<number, PendingWrite>();
  #worker: Worker | null = null;
  #ready = false;
  #nextId = 1;
  #queuedWrites = 0;
  #largeWrites = 0;
  #whenIdle: (() => void) | null = null;
  readonly #slices = new Map<number, SentSlice>();
  #pumping = false;
  #restarts = 0;
  #closed: Promise<void> | null = null;

  constructor(
    settings: Omit<WorkerSettings, 'now'>,
    runtime: Runtime,
    events: LinkEvents,
    startWorker: StartWorker = startStoreWorker,
  ) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#events = events;
    this.#startWorker = startWorker;
  }

  /** Resolves when the file is open; rejects when it cannot be. */
  start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#launch({ resolve, reject });
    return promise;
  }

  async write(writes: readonly StoreWrite[]): Promise<void> {
    const refused = this.#unavailable() ?? this.#overflow(writes);
    if (refused) throw refused;
    if (writes.length === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const id = this.#nextId++;
    const size = writes.length;
    let slice: PendingWrite['slice'] = (start, end) => writes.slice(start, end).map(limitWrite);
    if (size <= writesPerUnit) {
      const limited = writes.map(limitWrite);
      slice = () => limited;
      this.#queuedWrites += size;
    } else this.#largeWrites += 1;
    this.#writes.set(id, { id, size, slice, sent: 0, unanswered: 0, fault: null, resolve, reject });
    this.#planPump();
    return promise;
  }

  ask<Name extends ReadName>(name: Name, ask: Reads[Name]['ask']): Promise<Reads[Name]['answer']> {
    const refused = this.#unavailable();
    if (refused) return Promise.reject(refused);
    if (this.#reads.size >= maxPendingReads)
      return Promise.reject(unavailable('the store has too many questions waiting'));
    const { promise, resolve, reject } = Promise.withResolvers<Reads[Name]['answer']>();
    const id = this.#nextId++;
    this.#reads.set(id, { resolve, reject });
    // `name` and `ask` belong together by the signature, which a union of pairs cannot see.
    this.#post({ kind: 'read', id, now: this.#runtime.clock.now(), name, ask } as ToWorker);
    return promise;
  }

  /** Lets what was accepted finish, then ends the thread. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const { clock } = this.#runtime;
    const deadline = new AbortController();
    const patience = clock.sleep(closeTimeoutMs, deadline.signal);
    await Promise.race([this.#drained(), patience]);
    const worker = this.#worker;
    if (worker) {
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      this.#post({ kind: 'close' });
      await Promise.race([exited, patience]);
      // A thread that has ended ignores this; one that hangs must not hold the process.
      await worker.terminate();
    }
    deadline.abort();
    this.#refuseAll(new GatewayError('STORE_CLOSED', 'the store is closed'));
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
      this.#noteIdle();
    });
  }

  #noteIdle(): void {
    if (this.#writes.size === 0) this.#whenIdle?.();
  }

  #launch(first: { resolve: () => void; reject: (error: GatewayError) => void } | null): void {
    const worker = this.#startWorker({ ...this.#settings, now: this.#runtime.clock.now() });
    this.#worker = worker;
    let fault: GatewayError | null = null;
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'failed') fault = errorOf(message.fault);
      else if (message.kind === 'ready') first?.resolve();
      this.#take(message);
    });
    worker.on('error', (error) => {
      fault = unavailable(`the store's thread failed: ${messageOf(error)}`, error);
    });
    worker.once('exit', () => {
      const started = this.#ready;
      this.#ready = false;
      this.#worker = null;
      const reason = fault ?? unavailable("the store's thread ended");
      this.#refuseAll(this.#closing.signal.aborted ? new GatewayError('STORE_CLOSED', 'the store is closed') : reason);
      if (this.#closing.signal.aborted) return;
      this.#events.onFault({ code: reason.code, message: reason.message, remedy: reason.remedy, cause: '' });
      // A store that never opened is the caller's to handle: retrying would hide a wrong path.
      if (first && !started) first.reject(reason);
      else void this.#restart();
    });
  }

  async #restart(): Promise<void> {
    const { clock, random } = this.#runtime;
    const pauseMs = Math.min(firstRestartMs * 2 ** this.#restarts, longestRestartMs) * (0.5 + random.fraction() / 2);
    this.#restarts += 1;
    await clock.sleep(pauseMs, this.#closing.signal);
    if (!this.#closing.signal.aborted) this.#launch(null);
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.#ready = true;
        if (message.setAside !== null) this.#events.onSetAside(message.setAside);
        this.#events.onOpen(message.head);
        return;
      case 'failed':
        return;
      case 'written': {
        const recent = message.slices.flatMap(({ slice, from, to, known }): RecentSlice[] => {
          const sent = this.#slices.get(slice);
          return sent === undefined ? [] : [{ from, to, known, writes: sent.writes, now: sent.now }];
        });
        this.#settle(
          message.slices.map(({ slice }) => slice),
          null,
        );
        this.#succeed();
        this.#events.onWritten(message.head, recent);
        return;
      }
      case 'answer': {
        const read = this.#reads.get(message.id);
        this.#reads.delete(message.id);
        this.#succeed();
        read?.resolve(message.answer as never);
        return;
      }
      case 'refused': {
        this.#events.onFault(message.fault);
        this.#settle(message.slices, errorOf(message.fault));
        if (message.read !== null) this.#reads.get(message.read)?.reject(errorOf(message.fault));
        if (message.read !== null) this.#reads.delete(message.read);
        return;
      }
      case 'set-aside':
        this.#events.onSetAside(message.path);
        this.#events.onOpen(message.head);
        return;
      default:
        message satisfies never;
    }
  }

  #succeed(): void {
    this.#restarts = 0;
    this.#events.onSuccess();
  }

  #settle(slices: readonly number[], fault: GatewayError | null): void {
    for (const slice of slices) {
      const write = this.#slices.get(slice)?.write;
      this.#slices.delete(slice);
      if (!write) continue;
      write.unanswered -= 1;
      write.fault ??= fault;
      // What was not sent yet stays unsent: the worker would refuse it.
      if (write.fault) this.#giveUp(write, write.fault);
      else if (write.unanswered === 0 && write.sent === write.size) this.#finish(write)?.resolve();
    }
    this.#noteIdle();
    this.#planPump();
  }

  #giveUp(write: PendingWrite, fault: GatewayError): void {
    write.fault = fault;
    this.#finish(write)?.reject(fault);
  }

  #finish(write: PendingWrite): PendingWrite | null {
    if (!this.#writes.delete(write.id)) return null;
    if (write.size > writesPerUnit) this.#largeWrites -= 1;
    else if (write.sent === 0) this.#queuedWrites -= write.size;
    return write;
  }

  #planPump(): void {
    if (this.#pumping || !this.#ready) return;
    this.#pumping = true;
    // A slice per turn: limiting and packing one takes about a millisecond of the main thread.
    queueMicrotask(() => this.#pump());
  }

  #pump(): void {
    this.#pumping = false;
    let budget = writesPerUnit;
    for (const write of this.#writes.values()) {
      while (write.sent < write.size && write.fault === null) {
        if (!this.#ready || this.#slices.size >= sentAhead) return;
        if (budget <= 0) {
          this.#pumping = true;
          setImmediate(() => this.#pump());
          return;
        }
        budget -= this.#sendSlice(write);
      }
    }
  }

  #sendSlice(write: PendingWrite): number {
    const start = write.sent;
    const end = Math.min(write.size, start + writesPerUnit);
    let slice: readonly LimitedWrite[];
    try {
      slice = write.slice(start, end);
    } catch (error) {
      this.#giveUp(write, error instanceof GatewayError ? error : unavailable(messageOf(error), error));
      // The worker keeps a transaction open for the rest of a write.
      if (write.sent > 0) this.#postSlice(write, [], true);
      return end - start;
    }
    write.sent = end;
    write.unanswered += 1;
    if (write.size <= writesPerUnit) this.#queuedWrites -= write.size;
    this.#postSlice(write, slice, end === write.size);
    return end - start;
  }

  #postSlice(write: PendingWrite, writes: readonly LimitedWrite[], last: boolean): void {
    const slice = this.#nextId++;
    const now = this.#runtime.clock.now();
    this.#slices.set(slice, { write, writes, now });
    this.#post({ kind: 'write', slice, id: write.id, last, now, pack: packWrites(writes) });
  }

  #post(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin; that rule is for windows
    this.#worker?.postMessage(message);
  }

  #unavailable(): GatewayError | null {
    if (this.#closing.signal.aborted) return new GatewayError('STORE_CLOSED', 'the store is closed');
    return this.#ready ? null : unavailable("the store's thread is being started again");
  }

  /** Refusals come by the thousand under attack and may not displace decisions: they get half of the queue. */
  #overflow(writes: readonly StoreWrite[]): GatewayError | null {
    const share = writes.every((write) => write.kind === 'refusal') ? maxQueuedWrites / 2 : maxQueuedWrites;
    const large = writes.length > writesPerUnit;
    if (large ? this.#largeWrites < maxLargeWrites : this.#queuedWrites + writes.length <= share) return null;
    return unavailable('the store is too many writes behind');
  }

  #refuseAll(error: GatewayError): void {
    const writes = [...this.#writes.values()];
    const reads = [...this.#reads.values()];
    this.#writes.clear();
    this.#reads.clear();
    this.#queuedWrites = 0;
    this.#largeWrites = 0;
    this.#slices.clear();
    this.#noteIdle();
    for (const write of writes) write.reject(error);
    for (const read of reads) read.reject(error);
  }
}

/** The thread from the sources or from `build/`, whichever this file is part of. Flags of V8 are the process's own. */
export function startStoreWorker(settings: WorkerSettings): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./embedded-worker.${extension}`, import.meta.url), {
    name: 'store',
    workerData: settings,
    resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 },
  });
}

function unavailable(message: string, cause?: unknown): GatewayError {
  return new GatewayError('STORE_UNAVAILABLE', message, {
    remedy: 'The last known decisions go on being enforced. Look for the cause in the log.',
    cause,
  });
}

function errorOf(fault: Fault): GatewayError {
  return new GatewayError(fault.code, fault.message, {
    ...(fault.remedy !== null && { remedy: fault.remedy }),
    cause: fault.cause,
  });
}
