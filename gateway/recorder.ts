/** What is written down of a finished exchange: counters, the access log, and a stored event when it was not passed. */
import type { Clock } from '../core/clock.ts';
import type { AccessLog } from './access-log.ts';
import { type Counters, durationBounds } from './counters.ts';
import type { Exchange } from './exchange.ts';
import { type RefusalJournal, refusalOf } from './refusal-journal.ts';

export interface Recorder {
  record(exchange: Exchange): void;
}

export function createRecorder(deps: {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly accessLog: AccessLog;
  readonly refusals: RefusalJournal;
}): Recorder {
  const { clock, counters, accessLog, refusals } = deps;
  return {
    record(exchange) {
      const durationMs = clock.monotonic() - exchange.startedMono;
      count(counters, exchange, durationMs);
      accessLog.write(exchange, durationMs);
      switch (exchange.outcome) {
        case 'refused':
        case 'throttled':
        case 'rejected':
          refusals.add(refusalOf(exchange));
          break;
        case 'pending':
        case 'passed':
        case 'failed':
        case 'aborted':
          if (exchange.findings.length > 0) refusals.add(refusalOf(exchange));
          break;
      }
    },
  };
}

function count(counters: Counters, exchange: Exchange, durationMs: number): void {
  if (exchange.outcome !== 'pending') counters.byOutcome[exchange.outcome]++;
  const { decision, outcome, client } = exchange;
  counters.byVersion[client.address.version]++;
  if (decision !== null && (outcome === 'refused' || outcome === 'throttled')) {
    counters.dropped.add(decision.origin, decision.type, client.address.version);
  }
  const statusClass = Math.min(5, Math.floor(exchange.status / 100));
  counters.byStatusClass[statusClass] = (counters.byStatusClass[statusClass] ?? 0) + 1;
  if (exchange.observed !== null) counters.observed++;
  counters.bytesReceived += exchange.bytesReceived;
  counters.bytesSent += exchange.bytesSent;
  counters.durationMs += durationMs;
  let bucket = 0;
  while (bucket < durationBounds.length && durationMs > (durationBounds[bucket] ?? 0)) bucket++;
  counters.durationBuckets[bucket] = (counters.durationBuckets[bucket] ?? 0) + 1;
}
