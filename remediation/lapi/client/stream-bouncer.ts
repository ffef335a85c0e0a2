/**
 * `StreamBouncer`: follows the decisions of one Local API and keeps a copy of them in force here. It polls; the first poll,
 * and the first after anything that may have lost a change, asks for all decisions and compares, the others for what
 * changed. An answer takes effect when it was read to its end, or not at all. While the Local API is away the last known
 * decisions stay in force until they end, and nobody is banned for it. Specification: CrowdSec
 * `GET /v1/decisions/stream`, and the bouncers that CrowdSec publishes.
 */
import { setImmediate } from 'node:timers/promises';
import type { TimerHandle } from '../../../core/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { Publisher } from '../../exchange/publish.ts';
import type { LapiClient } from './lapi-client.ts';
import { failureOf, type LapiFailure } from './lapi-errors.ts';
import { applyChanges, applyWhole, type MirrorChange } from './mirror-changes.ts';
import { MirrorTable, type OriginCount } from './mirror-table.ts';
import { createPacedWrites } from './paced-writes.ts';
import { readPoll, type Poll } from './stream-poll.ts';
import { createDecisionFilter, streamPath, type StreamFilters } from './stream-filters.ts';

export interface StreamBouncerStatus {
  readonly name: string;
  readonly address: string;
  readonly mode: 'stream';
  /** The last poll worked. */
  readonly isConnected: boolean;
  /** Epoch milliseconds; null before the first poll that worked. */
  readonly lastSuccessAt: number | null;
  /** How old what is known may be; null before the first poll that worked. */
  readonly ageMs: number | null;
  /** Decisions that are mirrored. */
  readonly decisions: number;
  /** Polls that ended, either way. */
  readonly polls: number;
  /** Failed polls since the last that worked. */
  readonly failures: number;
  readonly lastFailure: LapiFailure | null;
  /** Of the last poll: elements without a readable value or duration, and those that there was no room for. */
  readonly unreadable: number;
  readonly leftOut: number;
  readonly memoryBytes: number;
}

export interface StreamBouncer {
  readonly name: string;
  /** Resolves when the first poll has ended, whether or not it worked. */
  readonly ready: Promise<void>;
  status(): StreamBouncerStatus;
  /** What is in force of this Local API, for usage metrics. */
  countsByOrigin(): readonly OriginCount[];
  /** Resolves when nothing more will be written. Safe twice. */
  close(): Promise<void>;
}

export interface StreamBouncerOptions extends Runtime {
  readonly client: Pick<LapiClient, 'name' | 'address' | 'stream'>;
  readonly publisher: Pick<Publisher, 'commit' | 'status'>;
  /** What the store held of this Local API at start; see `readHeld`. */
  readonly held: Promise<MirrorTable | undefined>;
  readonly filters: StreamFilters;
  readonly intervalMs: number;
  readonly newTable: () => MirrorTable;
}

/** How long the first poll waits for what the store holds. Without that all is written anew, and compared later. */
const heldPatienceMs = 10_000;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;
/** After so long without a poll a server may have forgotten deletions: it flushes once a minute. */
const shortestGapMs = 60_000;
/** A server that reads in pages of this many sends whole pages and then nothing when its database fails in between. */
const serverPage = 30_000;
const confirmMs = 1_000;
const sweepRows = 20_000;
const adoptedRows = 2_000;
const loggedFailures = 20;

export function createStreamBouncer(options: StreamBouncerOptions): StreamBouncer {
  return new PollingBouncer(options);
}

class PollingBouncer implements StreamBouncer {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly #options: StreamBouncerOptions;
  readonly #stop = new AbortController();
  readonly #passes: ReturnType<typeof createDecisionFilter>;
  readonly #ended: Promise<void>;
  #mirror: MirrorTable;
  #late: MirrorTable | null = null;
  /** The next poll asks for everything. */
  #isStartup = true;
  /** What the poll under way asked for. */
  #wasStartup = true;
  #hasWarnedOfRoom = false;
  #polls = 0;
  #failures = 0;
  #lastFailure: LapiFailure | null = null;
  #lastSuccessAt: number | null = null;
  #unreadable = 0;
  #leftOut = 0;

  constructor(options: StreamBouncerOptions) {
    this.#options = options;
    this.name = options.client.name;
    this.#passes = createDecisionFilter(options.filters);
    this.#mirror = options.newTable();
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.#ended = this.#run(ready.resolve).finally(ready.resolve);
  }

  status(): StreamBouncerStatus {
    const { client, clock } = this.#options;
    return {
      name: this.name,
      address: client.address,
      mode: 'stream',
      isConnected: this.#lastSuccessAt !== null && this.#failures === 0,
      lastSuccessAt: this.#lastSuccessAt,
      ageMs: this.#lastSuccessAt === null ? null : Math.max(0, clock.now() - this.#lastSuccessAt),
      decisions: this.#mirror.size,
      polls: this.#polls,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
      unreadable: this.#unreadable,
      leftOut: this.#leftOut,
      memoryBytes: this.#mirror.memoryBytes(),
    };
  }

  countsByOrigin(): readonly OriginCount[] {
    return this.#mirror.countsByOrigin();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(onPolled: () => void): Promise<void> {
    const { clock, random, intervalMs } = this.#options;
    const { signal } = this.#stop;
    await this.#awaitHeld();
    while (!signal.aborted) {
      await this.#attempt();
      onPolled();
      const pauseMs =
        this.#failures === 0
          ? intervalMs * (0.95 + random.fraction() / 10)
          : Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#failures - 1, 16)) *
            (0.5 + random.fraction() / 2);
      await clock.sleep(pauseMs, signal);
    }
  }

  /** Takes over what the store holds, now or, when the store is slow, with a later poll that compares everything. */
  async #awaitHeld(): Promise<void> {
    const { held, clock } = this.#options;
    const patience = Promise.withResolvers<null>();
    const timer: TimerHandle = clock.after(heldPatienceMs, () => patience.resolve(null));
    const stopped = (): void => patience.resolve(null);
    this.#stop.signal.addEventListener('abort', stopped, { once: true });
    const table = await Promise.race([held, patience.promise]);
    timer.cancel();
    this.#stop.signal.removeEventListener('abort', stopped);
    if (table !== null) this.#mirror = table ?? this.#mirror;
    else void held.then((found) => (this.#late = found ?? null));
  }

  async #attempt(): Promise<void> {
    try {
      await this.#poll();
      if (!this.#stop.signal.aborted) this.#succeeded();
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.#failed(thrown);
    } finally {
      this.#polls++;
    }
  }

  async #poll(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const askedAt = clock.now();
    if (this.#late !== null) await this.#adopt(this.#late);
    const gapMs = this.#lastSuccessAt === null ? 0 : Math.abs(askedAt - this.#lastSuccessAt);
    if (gapMs > Math.max(shortestGapMs, 3 * intervalMs)) this.#isStartup = true;
    const isStartup = this.#isStartup;
    this.#wasStartup = isStartup;
    // Until it is known to have worked, a change may have been told to a connection that broke.
    this.#isStartup = true;
    let poll = await this.#read(isStartup);
    if (isStartup && this.#mayBeCutOff(poll)) {
      const { size } = poll.added;
      await clock.sleep(confirmMs, this.#stop.signal);
      poll = await this.#read(true);
      if (this.#mayBeCutOff(poll) && poll.added.size < size) {
        throw new GatewayError('LAPI_ANSWER_INVALID', 'two answers in a row differ in how many decisions there are', {
          remedy: 'Look into the log of the Local API: its database may fail in the middle of an answer.',
        });
      }
    }
    await this.#take(poll, isStartup);
    this.#isStartup = false;
    this.#lastSuccessAt = poll.receivedAt;
  }

  async #read(isStartup: boolean): Promise<Poll> {
    const { client, clock, filters, newTable } = this.#options;
    const poll = await readPoll({
      client,
      path: streamPath(filters, isStartup),
      isStartup,
      passes: this.#passes,
      newTable,
      now: () => clock.now(),
      signal: this.#stop.signal,
    });
    this.#unreadable = poll.unreadable;
    this.#leftOut = poll.leftOut;
    return poll;
  }

  /** A complete document that may be a part of the truth: only whole pages, and no list of deletions after them. */
  #mayBeCutOff(poll: Poll): boolean {
    return poll.announced % serverPage === 0 && poll.deletions === 0 && poll.added.size < this.#mirror.size;
  }

  async #take(poll: Poll, isStartup: boolean): Promise<void> {
    const { publisher, clock } = this.#options;
    const { signal } = this.#stop;
    const writes = createPacedWrites({ publisher, clock, signal });
    const change: MirrorChange = { lapi: this.name, poll, mirror: this.#mirror, writes, signal };
    if (isStartup) {
      await applyWhole(change);
      // Stopped half-way: the next start compares with what the store has.
      if (!signal.aborted) this.#mirror = poll.added;
    } else this.#leftOut += await applyChanges(change);
    await writes.flush();
    this.#mirror.sweep(clock.now(), sweepRows);
  }

  async #adopt(late: MirrorTable): Promise<void> {
    this.#late = null;
    this.#isStartup = true;
    for (let row = 0; row < late.rowLimit; row++) {
      if (row % adoptedRows === adoptedRows - 1) await setImmediate();
      if (!late.isUsed(row)) continue;
      const held = late.read(row);
      if (this.#mirror.find(held) === -1) this.#mirror.put(held, held.createdAt);
    }
  }

  #succeeded(): void {
    const { log } = this.#options;
    const detail = { lapi: this.name, decisions: this.#mirror.size };
    if (this.#failures > 0) log.info({ ...detail, failures: this.#failures }, 'the Local API answers again');
    else if (this.#lastFailure === null && this.#polls === 0)
      log.info(detail, 'decisions of the Local API are mirrored');
    this.#failures = 0;
    if (this.#leftOut === 0) this.#hasWarnedOfRoom = false;
    else if (!this.#hasWarnedOfRoom) {
      this.#hasWarnedOfRoom = true;
      log.error(
        { ...detail, leftOut: this.#leftOut },
        'there is no room for all decisions of the Local API: set filters',
      );
    }
  }

  #failed(thrown: unknown): void {
    const { clock, log } = this.#options;
    this.#failures++;
    const failure = failureOf(thrown, clock.now());
    const { code } = failure;
    // A refusal is an answer: the server did not move on, and goes on telling changes from where it was.
    if (code === 'LAPI_REFUSED') this.#isStartup = this.#wasStartup;
    const isNew = this.#lastFailure?.code !== code || this.#failures === 1;
    this.#lastFailure = failure;
    if (!isNew && this.#failures % loggedFailures !== 0) return;
    log.warn(
      { lapi: this.name, code, err: thrown, failures: this.#failures, decisions: this.#mirror.size },
      'the Local API cannot be followed; its last known decisions are enforced',
    );
  }
}
