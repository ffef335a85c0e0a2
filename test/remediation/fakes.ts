/** A store and a DNS that do what a test says. */
import type { DnsResolver } from '../../core/dns-resolver.ts';
import type {
  ChangeBatch,
  DecisionQuery,
  StoredDecision,
  StoreHealth,
  StoreWrite,
} from '../../remediation/store/store.ts';

export interface FakeStore {
  readonly applied: StoreWrite[];
  readonly batches: number[];
  /** Rejects writes with this as long as it is set; a function decides by batch. */
  failure: unknown;
  /** Never answers while set. */
  hangs: boolean;
  apply(writes: readonly StoreWrite[]): Promise<void>;
}

export function createFakeStore(): FakeStore {
  return {
    applied: [],
    batches: [],
    failure: null,
    hangs: false,
    async apply(writes) {
      if (this.hangs) await new Promise(() => undefined);
      const failure: unknown = typeof this.failure === 'function' ? this.failure(writes) : this.failure;
      if (failure !== null) throw failure;
      this.batches.push(writes.length);
      this.applied.push(...writes);
    },
  };
}

/** One life of a change stream: tests push batches into it, end it or break it. */
export interface FakeStream {
  readonly cursor: string | null;
  push(batch: ChangeBatch): void;
  break(error: Error): void;
}

export interface FakeChanges {
  readonly streams: FakeStream[];
  ok: boolean;
  lastSuccessAt: number | null;
  health(): StoreHealth;
  changes(cursor: string | null, signal: AbortSignal): AsyncIterable<ChangeBatch>;
  /** What the store has of ended decisions, last written first. */
  ended: StoredDecision[];
  decisions(query: DecisionQuery): Promise<readonly StoredDecision[]>;
}

export function createFakeChanges(): FakeChanges {
  const streams: FakeStream[] = [];
  return {
    streams,
    ok: true,
    lastSuccessAt: null,
    ended: [],
    async decisions({ after, limit }) {
      const start = after === undefined ? 0 : this.ended.findIndex(({ cursor }) => cursor === after) + 1;
      return this.ended.slice(start, start + limit);
    },
    health() {
      return { ok: this.ok, lastSuccessAt: this.lastSuccessAt, message: '' };
    },
    async *changes(cursor, signal) {
      const queue: (ChangeBatch | Error)[] = [];
      let wake: () => void = () => undefined;
      const put = (item: ChangeBatch | Error): void => {
        queue.push(item);
        wake();
      };
      signal.addEventListener('abort', () => wake());
      streams.push({ cursor, push: put, break: put });
      while (!signal.aborted) {
        const item = queue.shift();
        if (item instanceof Error) throw item;
        if (item !== undefined) yield item;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

export interface FakeDns extends DnsResolver {
  readonly asked: string[];
  readonly ptr: Map<string, readonly string[]>;
  readonly hosts: Map<string, readonly string[]>;
  /** `hang`: never answers, not even to an abort; `fail`: SERVFAIL. */
  mode: 'answer' | 'hang' | 'fail';
}

export function createFakeDns(): FakeDns {
  const answer = async (dns: FakeDns, table: Map<string, readonly string[]>, key: string) => {
    dns.asked.push(key);
    if (dns.mode === 'hang') await new Promise(() => undefined);
    if (dns.mode === 'fail') throw Object.assign(new Error('queryPtr ESERVFAIL'), { code: 'ESERVFAIL' });
    return table.get(key) ?? [];
  };
  return {
    asked: [],
    ptr: new Map(),
    hosts: new Map(),
    mode: 'answer',
    reverse(address) {
      return answer(this, this.ptr, address);
    },
    forward(name) {
      return answer(this, this.hosts, name);
    },
  };
}
