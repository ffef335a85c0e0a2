/**
 * `createRedisStore`: the store that several gateways share. Each follows the others' decisions through one stream of
 * changes. What `apply` acknowledged is in Redis; whether it survives Redis is for Redis' own persistence. One node;
 * all keys are in one hash slot, so that a cluster can hold them.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Bouncer } from '../bouncer.ts';
import type { Machine } from '../machine.ts';
import { listingStart } from './cursor.ts';
import { follow, type ChangeSource } from './follow.ts';
import { maintenancePeriodMs } from './maintenance.ts';
import type { StoreOptions } from './options.ts';
import { byId, byName, matchesAlert, matchesRefusal, matchesUsage, pageSize } from './queries.ts';
import { searchedValue } from './searched-value.ts';
import { openRedis, type RedisConnection, type RedisWaiter } from './redis-connection.ts';
import { RedisHealth } from './redis-health.ts';
import {
  changePage,
  parseBouncer,
  parseEntry,
  parseLists,
  parseMachine,
  snapshotPage,
  storedOf,
} from './redis-rows.ts';
import { changesKey, type RedisScript } from './redis-script.ts';
import { redisScripts } from './redis-scripts.ts';
import { redisWriteScripts } from './redis-write-scripts.ts';
import { RedisWrites, scriptArguments } from './redis-writes.ts';
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
  /** Every decision is in `byAlert`. */
  #alertsIndexed = false;
  #followers = 0;
  #closed: Promise<void> | null = null;

  constructor(options: RedisStoreSettings, runtime: Runtime, connection: RedisConnection, health: RedisHealth) {
    this.#options = options;
    this.#runtime = runtime;
    this.#connection = connection;
    this.#health = health;
    this.#writes = new RedisWrites(async (writes) => {
      const args = writes.flatMap(scriptArguments);
      await this.#run(redisWriteScripts.apply, this.#epoch(), runtime.clock.now(), options.redis.streamLength, ...args);
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
    const now = this.#runtime.clock.now();
    const state = query.onlyInactive === true ? 'ended' : query.includeInactive === true ? 'all' : 'active';
    const { scope, value, type, origin, scenario, alertUuid } = query;
    const needles = needlesOf({ scope, value, type, origin, scenario, alertUuid });
    const unwanted = (query.exceptOrigins ?? []).flatMap((name) => needlesOf({ origin: name }));
    if (alertUuid !== undefined) await this.#indexAlerts();
    const alert = (alertUuid ?? '').toWellFormed();
    const size = pageSize(query.limit);
    const found: StoredDecision[] = [];
    for (let before = listingStart(query.after, epoch); before > 0 && found.length < size; ) {
      const args = [
        before,
        scriptRows,
        size - found.length,
        now,
        state,
        alert,
        unwanted.length,
        ...unwanted,
        ...needles,
      ];
      const reply = await this.#run(redisScripts.decisions, this.#epoch(), ...args);
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

  async decisionById(id: number): Promise<StoredDecision | null> {
    this.#check();
    if (!Number.isSafeInteger(id)) return null;
    const [epoch, row] = (await this.#run(redisScripts.decisionById, this.#epoch(), id)) as [string, string | null];
    return row === null ? null : storedOf(row, epoch);
  }

  async allowlists(): Promise<readonly AllowlistRecord[]> {
    this.#check();
    return parseLists((await this.#run(redisScripts.allowlists)) as string[]).toSorted(byName);
  }

  async allowlist(): Promise<readonly AllowlistEntry[]> {
    this.#check();
    const now = this.#runtime.clock.now();
    const bodies = (await this.#run(redisScripts.allowlist)) as string[];
    return bodies.map(parseEntry).filter(({ until }) => until === null || until > now);
  }

  async alerts(query: AlertQuery): Promise<readonly StoredAlert[]> {
    this.#check();
    const { scenario, scope, value, since, before } = query;
    if (Number.isNaN(before)) return [];
    // IPv6 addresses and ranges have several spellings, so the text of an alert cannot be searched for one.
    const needles = needlesOf({
      scenario,
      scope,
      value: value === undefined || /[:/]/.test(value) ? undefined : value,
    });
    const size = pageSize(query.limit);
    const found: StoredAlert[] = [];
    for (let highest = before === undefined ? '+inf' : `(${before}`; found.length < size; ) {
      const args = ['-inf', highest, scriptRows, size - found.length, since ?? '', ...needles];
      const [reached, ...rows] = (await this.#run(redisScripts.alerts, ...args)) as [string, ...string[]];
      for (let index = 0; index + 1 < rows.length; index += 2) {
        const stored = alertOf(rows.slice(index, index + 2));
        // `scope` and `value` of an alert are texts that other parts of it may hold too.
        if (stored && isWanted(query, stored)) found.push(stored);
      }
      if (reached === '0') break;
      highest = `(${reached}`;
    }
    return found.slice(0, size);
  }

  async alertByUuid(uuid: string): Promise<StoredAlert | null> {
    this.#check();
    return alertOf((await this.#run(redisScripts.alert, uuid)) as string[]);
  }

  async alertById(id: number): Promise<StoredAlert | null> {
    this.#check();
    return Number.isSafeInteger(id) ? alertOf((await this.#run(redisScripts.alertById, id)) as string[]) : null;
  }

  async refusals(query: RefusalQuery): Promise<readonly RefusalEvent[]> {
    const { clientIp, requestId, since } = query;
    return this.#records('refusals', { clientIp, requestId }, since, query.limit, parseRefusal, (event) =>
      matchesRefusal(query, event),
    );
  }

  async bouncers(): Promise<readonly Bouncer[]> {
    this.#check();
    return ((await this.#run(redisScripts.documents, 'bouncers')) as string[]).map(parseBouncer).toSorted(byName);
  }

  async machines(): Promise<readonly Machine[]> {
    this.#check();
    return ((await this.#run(redisScripts.documents, 'machines')) as string[]).map(parseMachine).toSorted(byId);
  }

  async usageReports(query: UsageQuery): Promise<readonly UsageReport[]> {
    const { side, from, since } = query;
    const parse = (body: string): UsageReport => JSON.parse(body) as UsageReport;
    return this.#records('usage', { side, from }, since, query.limit, parse, (report) => matchesUsage(query, report));
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
        return changePage(reply as string[], this.#runtime.clock.now());
      },
      changed: (after, signal) => waiter.wait(key, after, signal),
    };
  }

  async #head(): Promise<{ epoch: string; head: number; floor: number }> {
    const [epoch, head, floor] = (await this.#run(redisScripts.head, this.#epoch())) as [string, string, string];
    return { epoch, head: Number(head), floor: Number(floor) };
  }

  async #records<T>(
    kind: 'refusals' | 'usage',
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
      // Other parts of a record may hold such a text too.
      for (const record of bodies.map(parse)) if (matches(record)) found.push(record);
      if (looked < scriptRows) break;
    }
    return found.slice(0, size);
  }

  async #indexAlerts(): Promise<void> {
    while (!this.#alertsIndexed) {
      this.#alertsIndexed = (await this.#run(redisWriteScripts.indexAlerts, this.#epoch(), scriptRows)) === 0;
    }
  }

  async #maintain(): Promise<void> {
    if (this.#maintaining || !this.#connection.ready) return;
    this.#maintaining = true;
    const { decisions, alerts, refusals, usage } = this.#options.retention;
    const limits = [decisions, alerts, refusals, usage].flatMap(({ maxAge, maxRows }) => [maxAge, maxRows]);
    try {
      for (let skip = 0, busy = true; busy && !this.#closing.signal.aborted; ) {
        const reply = await this.#run(redisWriteScripts.forget, this.#runtime.clock.now(), scriptRows, ...limits, skip);
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
    this.#health.succeeded(script === redisWriteScripts.apply);
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

/** The answer about one alert: its id and its JSON, or nothing. */
function alertOf([id, body]: readonly string[]): StoredAlert | null {
  return id === undefined || typeof body !== 'string' ? null : { id: Number(id), alert: parseAlert(body) };
}

function isWanted(query: AlertQuery, { id, alert }: StoredAlert): boolean {
  const { source, scenario, createdAt } = alert;
  return matchesAlert(query, id, { scope: source.scope, value: searchedValue(source), scenario, createdAt });
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
