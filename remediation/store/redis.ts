/**
 * `createRedisStore`: the store that several gateways share. Each follows the others' decisions through one stream of
 * changes. What `apply` acknowledged is in Redis; whether it survives Redis is for Redis' own persistence. One node;
 * all keys are in one hash slot, so that a cluster can hold them.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Alert } from '../../detectors/alert.ts';
import type { Bouncer } from '../bouncer.ts';
import type { Decision } from '../decision.ts';
import { formatCursor, listingStart } from './cursor.ts';
import { follow, type ChangePage, type ChangeSource } from './follow.ts';
import { maintenancePeriodMs } from './maintenance.ts';
import type { StoreOptions } from './options.ts';
import { byName, matchesAlert, matchesRefusal, pageSize } from './queries.ts';
import { searchedValue } from './searched-value.ts';
import { openRedis, type RedisConnection, type RedisWaiter } from './redis-connection.ts';
import { changesKey, redisScripts, type RedisScript } from './redis-scripts.ts';
import { RedisWrites, scriptArguments } from './redis-writes.ts';
import type {
  AlertQuery,
  AllowlistEntry,
  ChangeBatch,
  DecisionQuery,
  RefusalEvent,
  RefusalQuery,
  Store,
  StoreChange,
  StoredDecision,
  StoreHealth,
  StoreWrite,
} from './store.ts';
import { parseAlert, parseRefusal } from './write-limits.ts';

export type RedisStoreSettings = Pick<StoreOptions, 'retention' | 'redis'>;

/** Rows that one script reads or removes: about two milliseconds of Redis. */
const scriptRows = 500;
/** Followers of one process; each holds a connection. */
const maxFollowers = 64;

/**
 * Resolves when Redis answered or could not be reached for the first time: a gateway starts without it, and the store
 * works as soon as Redis does. Rejects with SETTINGS_INVALID or SETTINGS_UNREADABLE only.
 */
export async function createRedisStore(options: RedisStoreSettings, runtime: Runtime): Promise<Store> {
  const health = new RedisHealth(runtime);
  const connection = await openRedis(options.redis, runtime, health);
  return new RedisStore(options, runtime, connection, health);
}

class RedisStore implements Store {
  readonly name = 'redis';
  readonly #options: RedisStoreSettings;
  readonly #runtime: Runtime;
  readonly #connection: RedisConnection;
  readonly #health: RedisHealth;
  readonly #writes: RedisWrites;
  readonly #closing = new AbortController();
  readonly #maintenance: { cancel(): void };
  #maintaining = false;
  #followers = 0;
  #closed: Promise<void> | null = null;

  constructor(options: RedisStoreSettings, runtime: Runtime, connection: RedisConnection, health: RedisHealth) {
    this.#options = options;
    this.#runtime = runtime;
    this.#connection = connection;
    this.#health = health;
    this.#writes = new RedisWrites(async (writes) => {
      const args = writes.flatMap(scriptArguments);
      await this.#run(redisScripts.apply, this.#epoch(), runtime.clock.now(), options.redis.streamLength, ...args);
    });
    this.#maintenance = runtime.clock.every(maintenancePeriodMs, () => void this.#maintain());
  }

  async apply(writes: readonly StoreWrite[]): Promise<void> {
    this.#check();
    await this.#writes.write(writes);
  }

  async *changes(cursor: string | null, signal: AbortSignal): AsyncGenerator<ChangeBatch, void, undefined> {
    if (this.#followers >= maxFollowers) {
      throw new GatewayError('STORE_UNAVAILABLE', `more than ${maxFollowers} followers of one store`);
    }
    this.#followers += 1;
    const waiter = this.#connection.waiter();
    try {
      const ended = AbortSignal.any([signal, this.#closing.signal]);
      yield* follow(this.#source(waiter), this.#runtime.clock, cursor, ended);
    } finally {
      waiter.close();
      this.#followers -= 1;
    }
  }

  async decisions(query: DecisionQuery): Promise<readonly StoredDecision[]> {
    this.#check();
    const { epoch } = await this.#head();
    const now = query.includeInactive === true ? '' : this.#runtime.clock.now();
    const { scope, value, type, origin, scenario } = query;
    const needles = needlesOf({ scope, value, type, origin, scenario });
    const size = pageSize(query.limit);
    const found: StoredDecision[] = [];
    for (let before = listingStart(query.after, epoch); before > 0 && found.length < size; ) {
      const reply = await this.#run(
        redisScripts.decisions,
        this.#epoch(),
        before,
        scriptRows,
        size - found.length,
        now,
        ...needles,
      );
      const [, reached, ...rows] = reply as [string, string, ...string[]];
      for (const row of rows) found.push(storedOf(row, epoch));
      before = Number(reached);
    }
    return found;
  }

  async decisionByUuid(uuid: string): Promise<StoredDecision | null> {
    this.#check();
    const [epoch, row] = (await this.#run(redisScripts.decision, this.#epoch(), uuid)) as [string, string | null];
    return row === null ? null : storedOf(row, epoch);
  }

  async allowlist(): Promise<readonly AllowlistEntry[]> {
    this.#check();
    const now = this.#runtime.clock.now();
    const bodies = (await this.#run(redisScripts.allowlist)) as string[];
    return bodies.map(parseEntry).filter(({ until }) => until === null || until > now);
  }

  async alerts(query: AlertQuery): Promise<readonly Alert[]> {
    const { scenario, scope, value, since } = query;
    // IPv6 addresses and ranges have several spellings, so the text of an alert cannot be searched for one.
    const needle = value === undefined || /[:/]/.test(value) ? {} : { value };
    return this.#records('alerts', { scenario, scope, ...needle }, since, query.limit, parseAlert, (alert) => {
      const { source, createdAt } = alert;
      const record = { scope: source.scope, value: searchedValue(source), scenario: alert.scenario, createdAt };
      return matchesAlert(query, record);
    });
  }

  async alertByUuid(uuid: string): Promise<Alert | null> {
    this.#check();
    const body = (await this.#run(redisScripts.alert, uuid)) as string | null;
    return body === null ? null : parseAlert(body);
  }

  async refusals(query: RefusalQuery): Promise<readonly RefusalEvent[]> {
    const { clientIp, requestId, since } = query;
    return this.#records('refusals', { clientIp, requestId }, since, query.limit, parseRefusal, (event) =>
      matchesRefusal(query, event),
    );
  }

  async bouncers(): Promise<readonly Bouncer[]> {
    this.#check();
    const bodies = (await this.#run(redisScripts.bouncers)) as string[];
    return bodies.map((body) => JSON.parse(body) as Bouncer).toSorted(byName);
  }

  async decisionCounts(since: number, limit: number): Promise<readonly { value: string; count: number }[]> {
    this.#check();
    const counts = new Map<string, number>();
    const size = pageSize(limit);
    for (let offset = 0; ; offset += scriptRows) {
      const rows = (await this.#run(redisScripts.own, since, offset, scriptRows)) as (string | null)[];
      for (const row of rows) {
        if (row === null) continue;
        const { value } = storedOf(row, '').decision;
        const known = counts.get(value);
        if (known !== undefined || counts.size < size) counts.set(value, (known ?? 0) + 1);
      }
      if (rows.length < scriptRows) break;
    }
    return [...counts].map(([value, count]) => ({ value, count }));
  }

  health(): StoreHealth {
    return this.#health.report(this.#closing.signal.aborted, this.#connection.ready);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#maintenance.cancel();
    this.#closing.abort();
    await this.#writes.drain();
    this.#connection.close();
  }

  #source(waiter: RedisWaiter): ChangeSource {
    const key = changesKey(this.#options.redis.prefix);
    return {
      head: () => this.#head(),
      snapshot: async (after, end) => {
        const reply = await this.#run(redisScripts.snapshot, this.#epoch(), after, end, scriptRows);
        return snapshotPage(reply as string[], this.#runtime.clock.now());
      },
      since: async (after) => {
        const reply = await this.#run(redisScripts.since, this.#epoch(), after, scriptRows);
        return changePage(reply as string[]);
      },
      changed: (after, signal) => waiter.wait(key, after, signal),
    };
  }

  async #head(): Promise<{ epoch: string; head: number; floor: number }> {
    const [epoch, head, floor] = (await this.#run(redisScripts.head, this.#epoch())) as [string, string, string];
    return { epoch, head: Number(head), floor: Number(floor) };
  }

  async #records<T>(
    kind: 'alerts' | 'refusals',
    fields: Readonly<Record<string, string | undefined>>,
    since: number | undefined,
    limit: number,
    parse: (body: string) => T,
    matches: (record: T) => boolean,
  ): Promise<readonly T[]> {
    this.#check();
    const size = pageSize(limit);
    const needles = needlesOf(fields);
    const found: T[] = [];
    for (let offset = 0; found.length < size; offset += scriptRows) {
      const reply = await this.#run(redisScripts.records, kind, since ?? '-inf', offset, scriptRows, ...needles);
      const [looked, ...bodies] = reply as [number, ...string[]];
      // `scope` and `value` of an alert are texts that other parts of it may hold too.
      for (const record of bodies.map(parse)) if (matches(record)) found.push(record);
      if (looked < scriptRows) break;
    }
    return found.slice(0, size);
  }

  async #maintain(): Promise<void> {
    if (this.#maintaining || !this.#connection.ready) return;
    this.#maintaining = true;
    const { decisions, alerts, refusals } = this.#options.retention;
    const limits = [decisions, alerts, refusals].flatMap(({ maxAge, maxRows }) => [maxAge, maxRows]);
    try {
      for (let skip = 0, busy = true; busy && !this.#closing.signal.aborted; ) {
        const reply = await this.#run(redisScripts.forget, this.#runtime.clock.now(), scriptRows, ...limits, skip);
        const [removed, skipped] = reply as [number, number];
        skip += skipped;
        busy = removed > 0 || skipped > 0;
      }
    } catch {
      // The connection has reported it; the next round tries again.
    } finally {
      this.#maintaining = false;
    }
  }

  async #run(script: RedisScript, ...args: (string | number)[]): Promise<unknown> {
    const reply = await this.#connection.run(script, args);
    this.#health.succeeded(script === redisScripts.apply);
    return reply;
  }

  /** Offered to Redis with every question; used only when there is no history yet. */
  #epoch(): string {
    return this.#runtime.random.uuid().replaceAll('-', '');
  }

  #check(): void {
    if (this.#closing.signal.aborted) throw new GatewayError('STORE_CLOSED', 'the store is closed');
  }
}

/** What health says, and one log line for each change of it. */
class RedisHealth {
  readonly #runtime: Runtime;
  #lastSuccessAt: number | null = null;
  #fault: GatewayError | null = null;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  onReady(): void {
    if (this.#fault) this.#runtime.log.info({}, 'redis answers again');
    this.#fault = null;
  }

  onFault(error: GatewayError): void {
    const repeated = this.#fault?.message === error.message;
    this.#fault = error;
    if (repeated) return;
    this.#runtime.log.warn({ code: error.code, reason: error.message }, 'redis store failed');
  }

  succeeded(wrote: boolean): void {
    this.#lastSuccessAt = this.#runtime.clock.now();
    // A Redis that is full still answers questions, so only a write shows that it has room again.
    if (wrote || this.#fault?.code !== 'STORE_FULL') this.#fault = null;
  }

  report(closed: boolean, ready: boolean): StoreHealth {
    const lastSuccessAt = this.#lastSuccessAt;
    if (closed) return { ok: false, lastSuccessAt, message: 'closed' };
    if (this.#fault) return { ok: false, lastSuccessAt, message: this.#fault.message };
    return { ok: ready, lastSuccessAt, message: ready ? '' : 'Redis does not answer' };
  }
}

function snapshotPage([epoch = '', position, ...rows]: string[], now: number): ChangePage {
  const changes: StoreChange[] = [];
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const body = rows[index + 1] as string;
    if (rows[index] === 'decision') {
      const { decision, deletedAt } = storedOf(body, epoch);
      if (deletedAt === null && decision.until > now) changes.push({ kind: 'decision-added', decision });
    } else {
      const entry = parseEntry(body);
      if (entry.until === null || entry.until > now) changes.push({ kind: 'allowlist-added', entry });
    }
  }
  return { epoch, floor: 0, position: Number(position), changes };
}

function changePage([epoch = '', floor, position, ...rows]: string[]): ChangePage {
  const changes: StoreChange[] = [];
  for (let index = 0; index + 1 < rows.length; index += 2) {
    changes.push(changeOf(rows[index] as string, rows[index + 1] as string));
  }
  return { epoch, floor: Number(floor), position: Number(position), changes };
}

function changeOf(kind: string, body: string): StoreChange {
  switch (kind) {
    case 'added':
      return { kind: 'decision-added', decision: parseDecision(body) };
    case 'deleted':
      return { kind: 'decision-deleted', decision: parseDecision(body) };
    case 'entry':
      return { kind: 'allowlist-added', entry: parseEntry(body) };
    default:
      return { kind: 'allowlist-deleted', value: body };
  }
}

/** A row is `deletedAt|seq|JSON`. */
function storedOf(row: string, epoch: string): StoredDecision {
  const first = row.indexOf('|');
  const second = row.indexOf('|', first + 1);
  const deletedAt = first === 0 ? null : Number(row.slice(0, first));
  const cursor = formatCursor(epoch, Number(row.slice(first + 1, second)));
  return { decision: parseDecision(row.slice(second + 1)), deletedAt, cursor };
}

/**
 * `"value":"192.0.2.1"`: how a field stands in the JSON that we wrote. A quote within a string is escaped there, so the text
 * cannot be part of another string.
 */
function needlesOf(fields: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify(value.toWellFormed())}`],
  );
}

function parseDecision(body: string): Decision {
  return JSON.parse(body) as Decision;
}

function parseEntry(body: string): AllowlistEntry {
  return JSON.parse(body) as AllowlistEntry;
}
