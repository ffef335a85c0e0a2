/**
 * What the routes of the Local API are handed, and what they may say. The server (`server/`) knows who asks and how errors look
 * on the wire; a family of routes knows its own subject and nothing of transports.
 */
import type { FastifyInstance, preHandlerAsyncHookHandler } from 'fastify';
import type { Runtime } from '../../core/runtime.ts';
import type { AllowlistItem } from '../allowed/allowlists.ts';
import type { Bouncer } from '../bouncer.ts';
import type { BouncerDesk } from '../callers/bouncer-keys.ts';
import type { Decider } from '../decider/decider.ts';
import type { DecisionIndex } from '../index/decision-index.ts';
import type { DecisionLedger } from '../ledger/decision-ledger.ts';
import type { Machine } from '../machine.ts';
import type { MachineDesk } from '../callers/machine-desk.ts';
import type { Publisher } from '../exchange/publish.ts';
import type { Store } from '../store/store.ts';

/** Who asks, once a guard let the request through. */
export type LapiCaller =
  | { readonly kind: 'bouncer'; readonly bouncer: Bouncer }
  | { readonly kind: 'machine'; readonly machine: Machine };

declare module 'fastify' {
  interface FastifyRequest {
    /** Null before a guard ran, and on routes without one. */
    lapiCaller: LapiCaller | null;
    /** The client behind trusted proxies, the peer otherwise; `127.0.0.1` on a unix socket. */
    lapiClientIp: string;
    /** When the request began, in epoch milliseconds: what `lastPull` becomes. */
    lapiStartedAt: number;
  }
}

/**
 * Hooks that refuse whoever may not ask: 403 for bouncers, 401 for machines. A route names them in `preHandler`; they, and what
 * stands before them there, run before the body is read, which reaches the route as bytes, unpacked.
 */
export interface LapiGuards {
  readonly bouncer: preHandlerAsyncHookHandler;
  readonly machine: preHandlerAsyncHookHandler;
  readonly either: preHandlerAsyncHookHandler;
  /** After `machine`: only loopback, the unix socket and `lapi.trustedIps`. */
  readonly trustedIp: preHandlerAsyncHookHandler;
}

export interface LapiDependencies extends Runtime {
  readonly store: Store;
  readonly bouncers: BouncerDesk;
  readonly machines: MachineDesk;
  readonly publisher: Pick<Publisher, 'write' | 'commit' | 'publish' | 'oldestPendingAt'>;
  readonly ledger: DecisionLedger;
  readonly decider: Pick<Decider, 'decide' | 'accept'>;
  readonly index: Pick<DecisionIndex, 'allowedRange'>;
  /** Entries of the settings' allowlist, shown as the list `portcullis-settings`. */
  readonly settingsAllowlist: readonly AllowlistItem[];
  readonly version: string;
  /** What `machine_id` says of alerts that this gateway raised itself. */
  readonly gatewayName: string;
}

/** Adds one family of routes. */
export type LapiRoutes = (app: FastifyInstance, deps: LapiDependencies, guards: LapiGuards) => void;

/** An answer other than success: `{"message":…}` with this status. */
export class LapiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'LapiError';
    this.status = status;
  }
}
