/**
 * THE request path, top to bottom, for plain requests and upgrades alike. Nothing here waits for a store, a LAPI or the
 * network: every question is answered from local memory. See `docs/architecture.md`, "The request path".
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../core/log.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Alert } from '../detectors/alert.ts';
import type { Engine } from '../detectors/engine/engine.ts';
import type { Event } from '../detectors/event.ts';
import { enforcedAs } from '../remediation/decision.ts';
import type { DecisionIndex, IndexedDecision } from '../remediation/index/decision-index.ts';
import type { Throttle } from '../remediation/throttle.ts';
import type { Client, ClientResolver, Peer } from './client-address.ts';
import { Exchange } from './exchange.ts';
import type { Counters } from './counters.ts';
import type { Recorder } from './recorder.ts';
import { completeEvent, createRequestEvent } from './request-event.ts';
import { type HeadLimits, readHead } from './request-head.ts';
import { type Answer, answerFor, refusalReason } from './respond.ts';
import { type Selftests, selftestAddress } from './selftests.ts';
import { hostName, type Site, type SiteTable } from './sites.ts';
import { createTimestamps } from './timestamps.ts';
import type { UntrustedForwarders } from './untrusted-forwarders.ts';
import type { LiveQuestions } from './live-questions.ts';
import type { Inspection } from './waf/inspection.ts';
import { answerTo } from './waf/verdict-answer.ts';
import type { Waf } from './waf/waf.ts';

export interface HandlerDependencies extends Runtime {
  readonly limits: HeadLimits;
  readonly sites: SiteTable;
  readonly clients: ClientResolver;
  readonly index: Pick<DecisionIndex, 'lookup' | 'isAllowed'>;
  readonly throttle: Throttle;
  /** Each event is poured once before the request is passed, once after it was answered. */
  readonly engine: Pick<Engine, 'pourRequest' | 'pourResponse'>;
  /** Turns alerts into decisions; those it can make at once are in the index when it returns. */
  readonly decide: (alerts: readonly Alert[]) => void;
  readonly waf: Waf;
  readonly selftests: Selftests;
  /** Null: no bouncer of ours is in live mode. */
  readonly live: LiveQuestions | null;
  readonly recorder: Recorder;
  readonly counters: Pick<Counters, 'poured'>;
  readonly forwarders: UntrustedForwarders;
  /** Decisions about clients behind this length of IPv6 prefix share one throttle. */
  readonly throttleKey: (client: Client) => string;
}

export interface Handler {
  open(request: IncomingMessage, response: ServerResponse, peer: Peer): Exchange;
  /** Reads who asks for what; first of all. A promise: wait for it before `judge`, a moment at most (`live-questions.ts`). */
  meet(exchange: Exchange): Promise<void> | null;
  /** What to answer in the origin's place, or null: pass it on to `exchange.site`. */
  judge(exchange: Exchange): Answer | null;
  /** The same again, for a request that was judged and then had to wait. Nothing is poured twice. */
  reconsider(exchange: Exchange): Answer | null;
  /** The same for bytes that Node's parser refused: nothing is known of them but the connection and the first line. */
  rejectMalformed(exchange: Exchange, status: number, reason: string): Answer;
  /** After the last byte, once for every exchange. */
  close(exchange: Exchange): void;
}

export function createHandler(deps: HandlerDependencies): Handler {
  const { clock, random, index, engine } = deps;
  const timestampOf = createTimestamps();
  const enforcement = createEnforcement(deps);

  function identify(exchange: Exchange): void {
    const { head } = exchange;
    exchange.client = deps.clients.clientOf(exchange.peer, head);
    exchange.site = deps.sites.find(head.host);
    deps.forwarders.note(exchange);
    if (head.selftest === '') return;
    const run = deps.selftests.claim(head.selftest);
    if (run === null) return;
    exchange.client = deps.clients.clientAt(selftestAddress, 'selftest');
    exchange.selftest = run.token;
  }

  function eventOf(exchange: Exchange): Event {
    const { head, request } = exchange;
    return createRequestEvent({
      requestId: exchange.id,
      clientIp: exchange.client.address.text,
      method: exchange.method,
      target: head.target,
      httpVersion: request.httpVersion,
      host: hostName(head.host),
      userAgent: head.userAgent,
      referer: head.referer,
      at: exchange.startedAt,
      timestamp: timestampOf(exchange.startedAt),
    });
  }

  function pourRequest(event: Event): readonly Alert[] {
    deps.counters.poured++;
    return engine.pourRequest(event);
  }

  function reject(exchange: Exchange, status: number, reason: string): Answer {
    exchange.outcome = 'rejected';
    exchange.reason = reason;
    return answerFor(status, { close: status !== 421 && status !== 417 });
  }

  /** The rules on the head of the request; those on its body follow here too unless it has one that they want to see. */
  function inspect(exchange: Exchange, site: Site): Answer | null {
    const inspection = deps.waf.begin(exchange, site);
    exchange.inspection = inspection;
    if (inspection === null) return null;
    const { hasBody } = exchange.head;
    let verdict = inspection.requestHeaders();
    if (verdict === null && !(hasBody && inspection.requestBodyBytes > 0))
      verdict = inspection.requestBody(null, !hasBody);
    return verdict && answerTo(exchange, verdict);
  }

  /** The logging rules, and what the scenarios hear of it all. */
  function concludeInspection(exchange: Exchange, inspection: Inspection): void {
    exchange.findings = inspection.finish();
    const { alerts, events } = inspection.consequences;
    if (alerts.length > 0) deps.decide(alerts);
    for (const event of events) deps.decide(pourRequest(event));
  }

  return {
    open: (request, response, peer) =>
      new Exchange(request, response, peer, random.requestId(), clock.now(), clock.monotonic()),

    meet(exchange) {
      exchange.fault = readHead(exchange.request, exchange.head, deps.limits);
      identify(exchange);
      const { address } = exchange.client;
      exchange.allowed = index.isAllowed(address);
      return deps.live === null || exchange.allowed ? null : deps.live.pending(address, clock.now());
    },

    judge(exchange) {
      const { fault } = exchange;
      const refusal = exchange.allowed ? null : enforcement.enforce(exchange);
      if (refusal !== null) return fault === null ? refusal : { ...refusal, close: true };

      exchange.event = eventOf(exchange);
      if (!exchange.allowed) {
        const alerts = pourRequest(exchange.event);
        if (alerts.length > 0) {
          deps.decide(alerts);
          const consequence = enforcement.enforce(exchange);
          if (consequence !== null) return fault === null ? consequence : { ...consequence, close: true };
        }
      }
      if (fault !== null) return reject(exchange, fault.status, fault.reason);
      if (exchange.site === null) return reject(exchange, 421, 'no site of this name');
      return exchange.allowed ? null : inspect(exchange, exchange.site);
    },

    reconsider: (exchange) => (exchange.allowed ? null : enforcement.enforce(exchange)),

    rejectMalformed(exchange, status, reason) {
      const { address } = exchange.client;
      exchange.allowed = index.isAllowed(address);
      const banned = !exchange.allowed && index.lookup(exchange.client, clock.now()) !== null;
      if (!banned && exchange.method !== '') {
        exchange.event = eventOf(exchange);
        exchange.event.Parsed.rawrequest = `${exchange.method} ${exchange.head.target}`;
        if (!exchange.allowed) deps.decide(pourRequest(exchange.event));
      }
      return reject(exchange, status, reason);
    },

    close(exchange) {
      if (exchange.done) return;
      exchange.done = true;
      settleOutcome(exchange);
      if (exchange.inspection !== null) concludeInspection(exchange, exchange.inspection);
      const { event } = exchange;
      if (event !== null && !exchange.allowed && !isRefusedByDecision(exchange) && hasKnownAnswer(exchange)) {
        completeEvent(event, exchange.status, failedBasicUser(exchange));
        const alerts = engine.pourResponse(event);
        if (alerts.length > 0) deps.decide(alerts);
      }
      if (exchange.selftest !== '') countSelftest(deps.selftests, exchange);
      deps.recorder.record(exchange);
    },
  };
}

interface Enforcement {
  /** The answer that the decision about this client demands, or null. */
  enforce(exchange: Exchange): Answer | null;
}

function createEnforcement(deps: HandlerDependencies): Enforcement {
  const { clock, index, throttle } = deps;
  const captchaNotice = createCaptchaNotice(deps.log);

  function refuse(exchange: Exchange, { origin }: IndexedDecision): Answer {
    exchange.outcome = 'refused';
    return answerFor(403, { detail: refusalReason(origin) });
  }

  function answerTo(exchange: Exchange, decision: IndexedDecision): Answer | null {
    const remediation = enforcedAs(decision.type);
    switch (remediation) {
      case 'ban':
        return refuse(exchange, decision);
      case 'captcha':
        captchaNotice();
        return refuse(exchange, decision);
      case 'throttle': {
        // A request may be asked about more than once; it takes one token.
        if (exchange.admitted) return null;
        const admission = throttle.admit(deps.throttleKey(exchange.client), clock.now());
        exchange.admitted = admission.admitted;
        if (admission.admitted) return null;
        exchange.outcome = 'throttled';
        return answerFor(429, { headers: ['Retry-After', String(admission.retryAfterSeconds)] });
      }
      default: {
        const unhandled: never = remediation;
        return unhandled;
      }
    }
  }

  return {
    enforce(exchange) {
      const decision = index.lookup(exchange.client, clock.now());
      if (decision === null) return null;
      if (exchange.site?.mode === 'observe') {
        exchange.observed = decision;
        return null;
      }
      exchange.decision = decision;
      const answer = answerTo(exchange, decision);
      if (answer !== null) exchange.reason = decision.scenario;
      return answer;
    },
  };
}

function createCaptchaNotice(log: Log): () => void {
  let said = false;
  return () => {
    if (said) return;
    said = true;
    log.warn({ remediation: 'captcha' }, 'captcha decisions are enforced as bans: there are no challenge pages yet');
  };
}

/** Such a request is never poured, so that bans do not feed themselves. What rules refused is: it is a probe like any other. */
function isRefusedByDecision({ decision, outcome }: Exchange): boolean {
  return decision !== null && (outcome === 'refused' || outcome === 'throttled');
}

/** What another web server answers is not ours to know, and scenarios must not take our leave to pass for its status. */
function hasKnownAnswer({ answeredElsewhere, outcome }: Exchange): boolean {
  return !answeredElsewhere || outcome === 'refused' || outcome === 'rejected';
}

/** nginx's word for a client that closed before it was answered: dashboards and scenarios know the number. */
const clientClosedRequest = 499;

function settleOutcome(exchange: Exchange): void {
  if (exchange.outcome !== 'pending') return;
  const complete = exchange.upgraded || exchange.response.writableFinished;
  exchange.outcome = complete ? 'passed' : 'aborted';
  if (complete) return;
  if (exchange.status === 0) exchange.status = clientClosedRequest;
  if (exchange.reason === '') exchange.reason = 'client went away';
}

/** The user name of Basic credentials that the origin did not accept, or null. */
function failedBasicUser(exchange: Exchange): string | null {
  if (!exchange.basicChallenge) return null;
  const match = /^basic\s+([A-Za-z0-9+/=_-]{1,1024})$/i.exec(exchange.request.headers.authorization ?? '');
  if (match === null) return null;
  const [user = ''] = Buffer.from(match[1] ?? '', 'base64')
    .toString('utf8')
    .split(':', 1);
  return user;
}

function countSelftest(selftests: Selftests, exchange: Exchange): void {
  const run = selftests.find(exchange.selftest);
  if (run === null) return;
  if (exchange.forwarded) run.forwarded++;
  else run.refused++;
}
