/**
 * One request and what became of it. Every field is set at construction, so that the shape never changes and the whole path
 * stays fast; the fields below the line are filled in by the steps of `handle.ts`, in order.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Event } from '../detectors/event.ts';
import type { IndexedDecision } from '../remediation/index/decision-index.ts';
import type { ClientBody } from './body.ts';
import type { Client, Peer } from './client-address.ts';
import { type HeadFault, RequestHead } from './request-head.ts';
import type { Site } from './sites.ts';
import type { WafRecord } from '../detectors/waf/waf-record.ts';
import type { Inspection } from './waf/inspection.ts';

/**
 * What became of a request: passed to the origin, refused by a decision, slowed down (429), rejected by the strict front,
 * failed at the origin, or given up by its own client before it was answered.
 */
export type Outcome = 'pending' | 'passed' | 'refused' | 'throttled' | 'rejected' | 'failed' | 'aborted';

export interface Relayed {
  /** The client went away. */
  abort(): void;
  /** The rest of the request body cannot be read. */
  breakBody(): void;
}

export class Exchange {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly peer: Peer;
  readonly method: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Monotonic milliseconds, for the duration. */
  readonly startedMono: number;
  readonly head: RequestHead;
  // ----
  client: Client;
  /** What is wrong with the head of the request. */
  fault: HeadFault | null = null;
  site: Site | null = null;
  event: Event | null = null;
  outcome: Outcome = 'pending';
  /** Why it was not passed, in the words of the log; "" when it was. */
  reason = '';
  decision: IndexedDecision | null = null;
  /** In observe mode: what would have been done. */
  observed: IndexedDecision | null = null;
  /** The client is on the allowlist: nothing is poured and nothing refused. */
  allowed = false;
  /** Within the rate of its throttled client. */
  admitted = false;
  /** The token of a self-test that this request speaks for, or "". */
  selftest = '';
  /** What the WAF makes of it; null: no rules run for this request. */
  inspection: Inspection | null = null;
  /** What the WAF refused, or would have; known when the exchange is done. */
  findings: readonly WafRecord[] = [];
  /** The request's body, once somebody wants it. */
  body: ClientBody | null = null;
  status = 0;
  /** Body bytes towards the client. */
  bytesSent = 0;
  /** Body bytes from the client. */
  bytesReceived = 0;
  /** The request was handed to the upstream function: the origin may have seen it. */
  forwarded = false;
  upgraded = false;
  /** Another web server asked about this request and serves it itself: what it answers is not known. */
  answeredElsewhere = false;
  /** The answer ends the connection: whatever the client sends behind this request is not read as a request. */
  closes = false;
  /** The origin answered 401 and asks for Basic credentials. */
  basicChallenge = false;
  done = false;
  /** The origin's side, once it was passed on. Both are safe at any time. */
  relay: Relayed | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, peer: Peer, id: string, at: number, mono: number) {
    this.id = id;
    this.request = request;
    this.response = response;
    this.peer = peer;
    this.method = request.method ?? '';
    this.startedAt = at;
    this.startedMono = mono;
    this.head = new RequestHead(request.url ?? '');
    this.client = peer.asClient;
  }
}
