/**
 * The worker thread of the embedded store, because node:sqlite blocks its thread. Whatever arrived since the last turn is
 * one turn: first all writes as one transaction (one fsync for all of them), then a step of each question. Only the slices
 * of a large write share a transaction over several turns; no question is answered before it is committed.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { faultOf, isCorruption, setAside } from './embedded-file.ts';
import type {
  FromWorker,
  ReadName,
  ReadRequest,
  Reads,
  ToWorker,
  WorkerSettings,
  WriteRequest,
  WrittenSlice,
} from './embedded-messages.ts';
import { sentAhead } from './embedded-messages.ts';
import type { Answer } from './embedded-reads.ts';
import { openSession, type EmbeddedSession } from './embedded-session.ts';

interface Job {
  readonly id: number;
  readonly steps: Answer<Reads[ReadName]['answer']>;
}

/** Slices of a large write in one transaction; fewer than the main thread sends ahead, or both would wait. */
const slicesPerCommit = sentAhead - 32;
/** With fewer questions wait, a tenth of a second: a follower of an import asks all the time. */
const slicesPerQuestion = 32;
/** More than there can be slices under way. */
const maxBroken = 256;

class StoreWorker {
  readonly #port: MessagePort;
  readonly #settings: WorkerSettings;
  #session: EmbeddedSession;
  #writes: WriteRequest[] = [];
  /** Written, not yet durable: what `commit` acknowledges. */
  #staged: Pick<WriteRequest, 'slice' | 'id' | 'last' | 'now'>[] = [];
  #written: WrittenSlice[] = [];
  #reads: ReadRequest[] = [];
  #jobs: Job[] = [];
  /** Writes of several slices of which one failed: the rest is refused too, since order is promised. */
  readonly #broken = new Set<number>();
  #turnPlanned = false;
  #closing = false;

  constructor(port: MessagePort, settings: WorkerSettings, session: EmbeddedSession) {
    this.#port = port;
    this.#settings = settings;
    this.#session = session;
    port.on('message', (message: ToWorker) => this.#take(message));
  }

  #take(message: ToWorker): void {
    switch (message.kind) {
      case 'write':
        this.#writes.push(message);
        break;
      case 'read':
        this.#reads.push(message);
        break;
      case 'close':
        this.#closing = true;
        break;
      default:
        message satisfies never;
    }
    this.#planTurn();
  }

  #planTurn(): void {
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnPlanned = false;
    this.#stage();
    if (this.#isCommitDue()) this.#commit();
    // The next slice is on its way and makes the next turn.
    if (this.#staged.length > 0) return;
    const reads = this.#reads;
    this.#reads = [];
    for (const request of reads) this.#jobs.push({ id: request.id, steps: this.#session.answer(request) });
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const job of jobs) this.#step(job, reads.at(-1)?.now ?? this.#settings.now);
    if (this.#closing) this.#close();
    else if (this.#jobs.length > 0) this.#planTurn();
  }

  #isCommitDue(): boolean {
    if (this.#closing || !this.#moreToCome()) return true;
    return this.#reads.length + this.#jobs.length > 0 && this.#staged.length >= slicesPerQuestion;
  }

  /** In the middle of a large write a commit would come too early: each one writes most pages of an index again. */
  #moreToCome(): boolean {
    return this.#staged.at(-1)?.last === false && this.#staged.length < slicesPerCommit;
  }

  #stage(): void {
    const arrived = this.#writes;
    this.#writes = [];
    const slices = arrived.filter((slice) => !this.#broken.has(slice.id));
    const refused = arrived.filter((slice) => this.#broken.has(slice.id));
    for (const slice of arrived) if (slice.last) this.#broken.delete(slice.id);
    if (refused.length > 0) this.#refuse(refused, new Error('an earlier part of the same write failed'));
    if (slices.length === 0) return;
    for (const { slice, id, last, now } of slices) this.#staged.push({ slice, id, last, now });
    try {
      this.#written.push(...this.#session.stage(slices));
    } catch (error) {
      this.#failStaged(error);
    }
  }

  #commit(): void {
    if (this.#staged.length === 0) return;
    try {
      this.#session.commit();
    } catch (error) {
      this.#failStaged(error);
      return;
    }
    const slices = this.#written;
    this.#staged = [];
    this.#written = [];
    this.#send({ kind: 'written', slices, head: this.#session.head.head });
  }

  #failStaged(error: unknown): void {
    const slices = this.#staged;
    this.#staged = [];
    this.#written = [];
    for (const slice of slices) this.#broken.add(slice.id);
    for (const slice of slices) if (slice.last) this.#broken.delete(slice.id);
    // The main thread stops sending a write that failed, so its last slice may never come. Ids grow.
    for (const id of this.#broken) if (this.#broken.size > maxBroken) this.#broken.delete(id);
    this.#refuse(slices, error);
    this.#recover(error, slices.at(-1)?.now ?? this.#settings.now);
  }

  #step(job: Job, now: number): void {
    try {
      const step = job.steps.next();
      if (step.done) this.#send({ kind: 'answer', id: job.id, answer: step.value });
      else this.#jobs.push(job);
    } catch (error) {
      this.#send({ kind: 'refused', slices: [], read: job.id, fault: faultOf(error, this.#settings.file) });
      this.#recover(error, now);
    }
  }

  #refuse(refused: readonly { readonly slice: number }[], error: unknown): void {
    const slices = refused.map(({ slice }) => slice);
    this.#send({ kind: 'refused', slices, read: null, fault: faultOf(error, this.#settings.file) });
  }

  /** A damaged file is replaced, and questions under way are refused: they were about the old one. */
  #recover(error: unknown, now: number): void {
    if (!isCorruption(error)) return;
    const fault = faultOf(error, this.#settings.file);
    for (const job of this.#jobs) this.#send({ kind: 'refused', slices: [], read: job.id, fault });
    this.#jobs = [];
    this.#session.close();
    const path = setAside(this.#settings.file, now);
    // Failing to start the new file ends the thread; the main thread starts another after a pause.
    this.#session = openSession({ ...this.#settings, now }).session;
    this.#send({ kind: 'set-aside', path, head: this.#session.head });
  }

  #close(): void {
    this.#session.close();
    this.#port.close();
  }

  #send(message: FromWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin; that rule is for windows
    this.#port.postMessage(message);
  }
}

function start(port: MessagePort, settings: WorkerSettings): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- as above
  const send = (message: FromWorker): void => port.postMessage(message);
  try {
    const { session, setAside } = openSession(settings);
    const worker = new StoreWorker(port, settings, session);
    send({ kind: 'ready', head: session.head, setAside });
    void worker;
  } catch (error) {
    send({ kind: 'failed', fault: faultOf(error, settings.file) });
    port.close();
  }
}

if (parentPort) start(parentPort, workerData as WorkerSettings);
