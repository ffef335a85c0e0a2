/**
 * What rules say about each request, for tests through the gateway (`portcullis waf test --http`): kept only while somebody
 * asks, for the newest requests, by the client's port. Everybody else pays one look at a flag.
 */
import type { Clock } from '../../core/clock.ts';
import type { RuleMatch, TransactionRequest } from '../../detectors/waf/engine/transaction-types.ts';
import type { Layer, LayerRun } from './rule-layer.ts';

export interface TracedRequest {
  readonly request: TransactionRequest;
  /** Every layer is through with it, rules that only log too. */
  readonly finished: boolean;
  readonly matches: readonly RuleMatch[];
}

/** The answer to `GET /v1/waf/trace?port=…`. */
export interface WafTraceModel extends Omit<TracedRequest, 'request'> {
  /** Null: no rules have seen a request from there. */
  readonly request: TransactionRequest | null;
}

interface Followed {
  readonly request: TransactionRequest;
  readonly runs: LayerRun[];
  open: number;
}

/** Requests that are kept at a time. */
const mostRequests = 256;
/** Tracing ends by itself when nobody has asked for so long. */
const lapseMs = 60_000;

export class RuleTrace {
  readonly #clock: Clock;
  readonly #byPort = new Map<number, Followed>();
  #askedAt = Number.NEGATIVE_INFINITY;
  #on = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#on = true;
    this.#askedAt = this.#clock.monotonic();
  }

  stop(): void {
    this.#on = false;
    this.#byPort.clear();
  }

  /** The newest request from a port; null: no rules have seen one. */
  of(port: number): TracedRequest | null {
    this.#askedAt = this.#clock.monotonic();
    const found = this.#byPort.get(port);
    if (found === undefined) return null;
    const { request, runs, open } = found;
    return { request, finished: open === 0, matches: runs.flatMap(({ matches }) => matches) };
  }

  /** The layer, its runs followed while tracing is on. */
  follow(layer: Layer): Layer {
    return {
      ...layer,
      begin: (request, site) => {
        const run = layer.begin(request, site);
        return this.#on ? this.#note(request, run) : run;
      },
    };
  }

  #note(request: TransactionRequest, run: LayerRun): LayerRun {
    if (this.#clock.monotonic() - this.#askedAt > lapseMs) {
      this.stop();
      return run;
    }
    let followed = this.#byPort.get(request.clientPort);
    if (followed?.request !== request) {
      followed = { request, runs: [], open: 0 };
      // Deleted first, so that the oldest stays in front.
      this.#byPort.delete(request.clientPort);
      this.#byPort.set(request.clientPort, followed);
      const [oldest] = this.#byPort.keys();
      if (this.#byPort.size > mostRequests && oldest !== undefined) this.#byPort.delete(oldest);
    }
    followed.runs.push(run);
    followed.open++;
    return withEnd(run, followed);
  }
}

/** The run, with its end counted. */
function withEnd(run: LayerRun, followed: Followed): LayerRun {
  let ended = false;
  return {
    requestHeaders: () => run.requestHeaders(),
    get requestBodyBytes() {
      return run.requestBodyBytes;
    },
    requestBody: (body, complete) => run.requestBody(body, complete),
    responseHeaders: (response) => run.responseHeaders(response),
    get responseBodyBytes() {
      return run.responseBodyBytes;
    },
    responseBody: (body, complete) => run.responseBody(body, complete),
    finish() {
      run.finish();
      if (!ended) followed.open--;
      ended = true;
    },
    get exhausted() {
      return run.exhausted;
    },
    get matches() {
      return run.matches;
    },
    get score() {
      return run.score;
    },
    get alerts() {
      return run.alerts;
    },
    get events() {
      return run.events;
    },
  };
}
