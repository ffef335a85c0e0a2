/**
 * Writes on their way to Redis: one script at a time keeps their order, and everything that arrived meanwhile goes with the
 * next one, so that many small writes cost few round trips.
 */
import { GatewayError } from '../../core/errors.ts';
import { isOwn, type Decision } from '../decision.ts';
import { documentText, entryMember } from './redis-rows.ts';
import type { StoreWrite } from './store.ts';
import { limitWrite, writesPerUnit, type LimitedWrite } from './write-limits.ts';

/** Sends up to `writesPerUnit` writes as one atomic operation. */
export type SendWrites = (writes: readonly LimitedWrite[]) => Promise<void>;

/** Writes in small parts that may wait. */
const maxQueuedWrites = 50_000;
/** Writes of more than one unit that may wait: their content is in the caller's memory anyway. */
const maxLargeWrites = 8;

interface Pending {
  readonly size: number;
  /** Within limits already when it is one unit. */
  readonly take: (start: number, end: number) => readonly LimitedWrite[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class RedisWrites {
  readonly #send: SendWrites;
  readonly #queue: Pending[] = [];
  #queuedWrites = 0;
  #large = 0;
  #running: Promise<void> | null = null;

  constructor(send: SendWrites) {
    this.#send = send;
  }

  async write(writes: readonly StoreWrite[]): Promise<void> {
    const size = writes.length;
    if (size === 0) return;
    const large = size > writesPerUnit;
    this.#refuseOverflow(writes, large);
    const limited = large ? null : writes.map(limitWrite);
    const take: Pending['take'] = (start, end) => limited ?? writes.slice(start, end).map(limitWrite);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ size, take, resolve, reject });
    if (large) this.#large += 1;
    else this.#queuedWrites += size;
    this.#running ??= this.#run();
    await promise;
  }

  /** Resolves when everything that was accepted is done, one way or the other. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // One turn later, so that what arrives in the same turn goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const first = this.#queue[0] as Pending;
      if (first.size > writesPerUnit) await this.#runLarge();
      else await this.#runSmall();
    }
    this.#running = null;
  }

  async #runLarge(): Promise<void> {
    const { size, take, resolve, reject } = this.#queue.shift() as Pending;
    try {
      for (let start = 0; start < size; start += writesPerUnit) {
        await this.#send(take(start, Math.min(size, start + writesPerUnit)));
      }
      resolve();
    } catch (error) {
      reject(error);
    } finally {
      this.#large -= 1;
    }
  }

  async #runSmall(): Promise<void> {
    const unit: LimitedWrite[] = [];
    const together: Pending[] = [];
    for (let next = this.#queue[0]; next && unit.length + next.size <= writesPerUnit; next = this.#queue[0]) {
      together.push(next);
      unit.push(...next.take(0, next.size));
      this.#queue.shift();
      this.#queuedWrites -= next.size;
    }
    try {
      await this.#send(unit);
      for (const { resolve } of together) resolve();
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  /** Refusals come by the thousand under attack and may not displace decisions: they get half of the queue. */
  #refuseOverflow(writes: readonly StoreWrite[], large: boolean): void {
    const share = writes.every((write) => write.kind === 'refusal') ? maxQueuedWrites / 2 : maxQueuedWrites;
    if (large ? this.#large < maxLargeWrites : this.#queuedWrites + writes.length <= share) return;
    throw new GatewayError('STORE_UNAVAILABLE', 'the store is too many writes behind');
  }
}

/** A write as the `apply` script takes it. */
export function scriptArguments(write: LimitedWrite): (string | number)[] {
  switch (write.kind) {
    case 'decision-added':
      return ['added', ...decisionArguments(write.decision)];
    case 'decision-deleted':
      return ['deleted', ...decisionArguments(write.decision)];
    case 'allowlist-added': {
      const { list, value, until } = write.entry;
      return ['entry', entryMember(list, value), list, value, JSON.stringify(write.entry), until ?? ''];
    }
    case 'allowlist-deleted':
      return ['entryDeleted', entryMember(write.list, write.value), write.list, write.value];
    case 'allowlist-created': {
      const { name, description, createdAt, updatedAt } = write.list;
      return ['list', name, `${createdAt}|${updatedAt}|${description}`];
    }
    case 'allowlist-removed':
      return ['listRemoved', write.name, `[${JSON.stringify(write.name)},`];
    case 'alert':
      return ['alert', write.record.uuid, write.record.body, write.record.createdAt];
    case 'alert-deleted':
      return ['alertDeleted', write.uuid];
    case 'refusal':
      return ['refusal', JSON.stringify(write.event), write.event.at];
    case 'bouncer-added':
      return ['document', 'bouncer', write.bouncer.name, documentText(write.bouncer)];
    case 'bouncer-deleted':
      return ['documentDeleted', 'bouncer', write.name];
    case 'bouncer-seen':
      return ['seen', 'bouncer', write.name, documentText(write.seen)];
    case 'machine-added':
      return ['document', 'machine', write.machine.id, documentText(write.machine)];
    case 'machine-deleted':
      return ['documentDeleted', 'machine', write.id];
    case 'machine-seen':
      return ['seen', 'machine', write.id, documentText(write.seen)];
    case 'usage-reported':
      return ['usage', JSON.stringify(write.report), write.report.receivedAt];
    default:
      return write satisfies never;
  }
}

function decisionArguments(decision: Decision): (string | number)[] {
  return [
    decision.uuid,
    JSON.stringify(decision),
    decision.until,
    decision.createdAt,
    isOwn(decision) ? 1 : 0,
    decision.alertUuid ?? '',
  ];
}
