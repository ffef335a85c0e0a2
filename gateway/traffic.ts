/** Puts the request path together: listener, handler, upstream, upgrades, and what is written down of each exchange. */
import { messageOf } from '../core/errors.ts';
import { formatRange, rangeOf } from '../core/ip.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Alert } from '../detectors/alert.ts';
import type { Engine } from '../detectors/engine/engine.ts';
import type { DecisionIndex } from '../remediation/index/decision-index.ts';
import type { Store } from '../remediation/store/store.ts';
import { createThrottle } from '../remediation/throttle.ts';
import { type AccessLog, createAccessLog } from './access-log.ts';
import type { Client, ClientResolver } from './client-address.ts';
import { type Counters, createCounters } from './counters.ts';
import { createHandler, type Handler, type HandlerDependencies } from './handle.ts';
import type { LiveQuestions } from './live-questions.ts';
import { createRecorder } from './recorder.ts';
import { createRefusalJournal, type RefusalJournal } from './refusal-journal.ts';
import { answerFor, respond } from './respond.ts';
import type { Selftests } from './selftests.ts';
import { createGatewayServer, type GatewayServer } from './server.ts';
import type { Settings } from './settings.ts';
import type { SiteTable } from './sites.ts';
import { createUntrustedForwarders, type UntrustedForwarders } from './untrusted-forwarders.ts';
import { createUpgrader } from './upgrade.ts';
import { createUpstream } from './upstream.ts';
import { answerTo } from './waf/verdict-answer.ts';
import type { Waf } from './waf/waf.ts';

export interface TrafficParts extends Runtime {
  readonly sites: SiteTable;
  readonly clients: ClientResolver;
  readonly index: DecisionIndex;
  readonly engine: Engine;
  readonly decide: (alerts: readonly Alert[]) => void;
  readonly store: Store;
  readonly selftests: Selftests;
  readonly waf: Waf;
  readonly live: LiveQuestions | null;
}

export interface Traffic {
  readonly server: GatewayServer;
  readonly counters: Counters;
  readonly accessLog: AccessLog;
  readonly forwarders: UntrustedForwarders;
  /** Judges for another listener: with its own idea of sites and clients, and everything else shared. */
  handlerFor(parts: Pick<HandlerDependencies, 'sites' | 'clients'>): Handler;
  /** Takes what is refused elsewhere too, until `close`. */
  readonly refusals: RefusalJournal;
  /** Drains the listener, then writes down what is left. */
  close(): Promise<void>;
}

export function createTraffic(settings: Settings, parts: TrafficParts): Traffic {
  const { clock, log } = parts;
  const { limits } = settings;
  const counters = createCounters();
  const { accessLog, refusals } = createRecords(settings, parts, counters);
  const forwarders = createUntrustedForwarders();
  const clientHeader = ownClientHeader(settings.client.header);
  const handlerParts: HandlerDependencies = {
    ...parts,
    limits,
    throttle: createThrottle({ ...settings.remediation.throttle, ratePerSecond: settings.remediation.throttle.rate }),
    recorder: createRecorder({ clock, counters, accessLog, refusals }),
    forwarders,
    counters,
    throttleKey: throttleKeyFor(settings.client.ipv6Prefix),
  };
  const handler = createHandler(handlerParts);
  const upstream = createUpstream(
    {
      bodyBytes: limits.bodyBytes,
      minBodyRate: limits.minBodyRate,
      bodyGraceMs: limits.bodyGrace,
      queueLimit: settings.upstream.queue,
      retries: settings.upstream.retries,
      bodyTimeoutMs: settings.upstream.bodyTimeout,
      clientHeader,
    },
    {
      clock,
      lastAnswer: (exchange) => server.isLastAnswer(exchange),
      onFailure(exchange, { status, reason, cause }) {
        exchange.outcome = status >= 500 ? 'failed' : 'rejected';
        exchange.reason = reason;
        if (status >= 500) {
          const { id: requestId, site } = exchange;
          log.warn({ requestId, site: site?.name, origin: site?.origin, status, cause: messageOf(cause) }, reason);
        }
        respond(
          exchange,
          answerFor(status, status === 503 ? { headers: ['Retry-After', '2'] } : { close: status < 500 }),
          clock,
        );
      },
      onWithheld: (exchange, verdict) => respond(exchange, answerTo(exchange, verdict), clock),
    },
  );
  const upgrader = createUpgrader(
    { connectTimeoutMs: settings.upstream.connectTimeout, idleTimeoutMs: limits.upgradeIdleTimeout, clientHeader },
    parts,
  );
  const server = createGatewayServer(
    {
      ...limits,
      listen: settings.listen,
      headersTimeoutMs: limits.headersTimeout,
      keepAliveTimeoutMs: limits.keepAliveTimeout,
      bodyGraceMs: limits.bodyGrace,
      drainTimeoutMs: limits.drainTimeout,
    },
    { clock, log, counters, clients: parts.clients, handler, upstream, upgrader },
  );
  return {
    server,
    counters,
    accessLog,
    forwarders,
    refusals,
    handlerFor: (own) => createHandler({ ...handlerParts, ...own }),
    async close() {
      await server.drain();
      upstream.close();
      await refusals.close();
      await accessLog.close();
    },
  };
}

function createRecords(
  settings: Settings,
  { clock, log, store }: TrafficParts,
  counters: Counters,
): { accessLog: AccessLog; refusals: RefusalJournal } {
  const accessLog = createAccessLog(settings.accessLog, {
    clock,
    onDrop(lines, cause) {
      if (counters.droppedLogLines === 0)
        log.error({ path: settings.accessLog.path, cause }, 'access log lines are lost');
      counters.droppedLogLines += lines;
    },
  });
  const refusals = createRefusalJournal(store, {
    clock,
    log,
    onDrop: (count) => {
      counters.droppedRefusals += count;
    },
  });
  return { accessLog, refusals };
}

/** A header that only the operator's proxy may send, and that is therefore kept from the origin when others do. */
function ownClientHeader(header: string): string | null {
  return header === 'auto' || header === 'x-forwarded-for' || header === 'forwarded' ? null : header;
}

/** Throttled IPv6 clients share the rate of their prefix, as they share decisions. */
function throttleKeyFor(ipv6Prefix: number): (client: Client) => string {
  return ({ address }) => (address.version === 4 ? address.text : formatRange(rangeOf(address, ipv6Prefix)));
}
