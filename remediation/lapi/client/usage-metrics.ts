/**
 * `UsageReporter`: tells another Local API now and then what this gateway did with its decisions, or as a machine what it
 * read. Counters are totals since the start; a report holds what came since the last one that was taken. Old Local APIs
 * have no such route, which is no fault. Specification: CrowdSec `POST /v1/usage-metrics`.
 */
import { messageOf } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { LapiClient } from './lapi-client.ts';
import { bouncerUsage, machineUsage, type HubItemUse, type UsageIdentity, type UsageItem } from './usage-models.ts';

/** What the rest of the gateway counts. Items with the name `active_decisions` are numbers of now, the others totals. */
export interface UsageSource {
  items(): readonly UsageItem[];
  /** For machines. */
  readonly datasources?: () => Readonly<Record<string, number>>;
  readonly hubItems?: () => Readonly<Record<string, readonly HubItemUse[]>>;
}

export interface UsageReporterStatus {
  readonly sent: number;
  /** Epoch milliseconds; null before the first. */
  readonly lastSentAt: number | null;
  /** False once the other side did not know the route. */
  readonly isSupported: boolean;
  readonly lastFailure: string | null;
}

export interface UsageReporter {
  status(): UsageReporterStatus;
  /** Sends a last report, for at most `graceMs` (2 s). Safe twice. */
  close(graceMs?: number): Promise<void>;
}

export interface UsageReporterOptions extends Runtime {
  readonly client: Pick<LapiClient, 'name' | 'ask'>;
  readonly side: 'bouncer' | 'machine';
  readonly identity: UsageIdentity;
  readonly source: UsageSource;
  readonly periodMs: number;
}

/** CrowdSec's own periods. */
export const bouncerUsagePeriodMs = 15 * 60_000;
export const machineUsagePeriodMs = 30 * 60_000;
const defaultGraceMs = 2_000;
/** Different items of one report. */
const mostItems = 1_000;

export function createUsageReporter(options: UsageReporterOptions): UsageReporter {
  const { client, side, identity, source, periodMs, clock, log } = options;
  const stop = new AbortController();
  /** Totals that were reported. */
  let reported = new Map<string, number>();
  let reportedAt = clock.now();
  let sent = 0;
  let lastSentAt: number | null = null;
  let isSupported = true;
  let lastFailure: string | null = null;
  let sending: Promise<void> | null = null;
  let closing: Promise<void> | null = null;

  const report = async (): Promise<void> => {
    const totals = new Map<string, number>();
    const items: UsageItem[] = [];
    for (const item of source.items().slice(0, mostItems)) {
      if (item.name === 'active_decisions') {
        items.push(item);
        continue;
      }
      const key = keyOf(item);
      const value = item.value - (reported.get(key) ?? 0);
      totals.set(key, item.value);
      if (value > 0) items.push({ ...item, value });
    }
    const endedAt = clock.now();
    const window = { items, endedAt, windowSeconds: Math.max(1, Math.round((endedAt - reportedAt) / 1_000)) };
    const body =
      side === 'bouncer'
        ? bouncerUsage(identity, window)
        : machineUsage(identity, window, {
            datasources: source.datasources?.() ?? {},
            hubItems: source.hubItems?.() ?? {},
          });
    const answer = await client.ask({ method: 'POST', path: 'v1/usage-metrics', body, signal: stop.signal });
    isSupported = answer.status !== 404;
    if (answer.status < 200 || answer.status >= 300) {
      lastFailure = isSupported ? `${answer.status} ${answer.message}`.trim() : null;
      if (isSupported) log.debug({ lapi: client.name, status: answer.status }, 'usage metrics are not taken');
      return;
    }
    sent++;
    lastSentAt = endedAt;
    lastFailure = null;
    reported = totals;
    reportedAt = endedAt;
  };
  const send = (): Promise<void> => {
    sending ??= report()
      .catch((thrown: unknown) => {
        lastFailure = messageOf(thrown);
        log.debug({ lapi: client.name, err: thrown }, 'usage metrics cannot be sent');
      })
      .finally(() => (sending = null));
    return sending;
  };
  const timer = clock.every(periodMs, () => void send());
  // A machine reports when it starts, so that the other side knows it; a bouncer has nothing to tell yet.
  if (side === 'machine') void send();

  return {
    status: () => ({ sent, lastSentAt, isSupported, lastFailure }),
    close(graceMs = defaultGraceMs) {
      closing ??= (async () => {
        timer.cancel();
        const limit = clock.after(graceMs, () => stop.abort());
        await sending;
        if (isSupported && !stop.signal.aborted) await send();
        limit.cancel();
        stop.abort();
      })();
      return closing;
    },
  };
}

function keyOf({ name, unit, origin, ipType, remediation, source }: UsageItem): string {
  return JSON.stringify([name, unit, origin, ipType, remediation, source]);
}
