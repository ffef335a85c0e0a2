/**
 * One stored event for each request that was not passed, on its way to the store: gathered, written in batches, never
 * awaited by a request. A flood of refused requests fills a bounded queue; what does not fit is counted, not kept.
 */
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { RefusalEvent, Store } from '../remediation/store/store.ts';
import type { Exchange } from './exchange.ts';

export interface RefusalJournal {
  add(event: RefusalEvent): void;
  /** Writes what waits. */
  close(): Promise<void>;
}

const mostWaiting = 10_000;
const batchSize = 1_000;
const flushMs = 100;

export function createRefusalJournal(
  store: Pick<Store, 'apply'>,
  deps: { clock: Clock; log: Log; onDrop: (count: number) => void },
): RefusalJournal {
  let waiting: RefusalEvent[] = [];
  let writing: Promise<void> | null = null;

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchSize);
      waiting = waiting.slice(batchSize);
      try {
        await store.apply(batch.map((event) => ({ kind: 'refusal', event })));
      } catch (thrown) {
        deps.onDrop(batch.length);
        deps.log.warn({ dropped: batch.length, cause: messageOf(thrown) }, 'refused requests could not be stored');
        return;
      }
    }
  }

  function flush(): Promise<void> {
    writing ??= write().finally(() => {
      writing = null;
    });
    return writing;
  }

  const timer = deps.clock.every(flushMs, () => {
    if (waiting.length > 0) void flush();
  });
  return {
    add(event) {
      if (waiting.length < mostWaiting) waiting.push(event);
      else deps.onDrop(1);
    },
    async close() {
      timer.cancel();
      await flush();
      await flush();
    },
  };
}

/** Cut to what a person can read in a table; the access log has the whole. */
export const longestTarget = 2_048;
export const longestUserAgent = 512;

export function refusalOf(exchange: Exchange): RefusalEvent {
  const { head, client, decision } = exchange;
  return {
    requestId: exchange.id,
    at: exchange.startedAt,
    clientIp: client.address.text,
    clientFrom: client.from,
    peerIp: exchange.peer.address.text,
    site: exchange.site?.name ?? '',
    method: exchange.method,
    target: head.target.slice(0, longestTarget),
    status: exchange.status,
    reason: reasonOf(exchange),
    remediation: decision?.type ?? '',
    decisionUuid: null,
    scenario: decision?.scenario ?? '',
    userAgent: (head.userAgent ?? '').slice(0, longestUserAgent),
    detail: decision === null ? exchange.reason : `${decision.scope} ${decision.value}`,
    findings: exchange.findings,
  };
}

function reasonOf({ decision, findings, status }: Exchange): string {
  if (decision !== null) return 'decision';
  if (findings.length > 0) return findings.some(({ enforced }) => enforced) ? 'waf' : 'waf-observed';
  return status === 421 ? 'unknown-host' : 'rejected';
}
