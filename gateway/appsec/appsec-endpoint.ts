/**
 * The AppSec endpoint: bouncers of nginx, HAProxy, Traefik and others send each request here before they serve it. Statuses and
 * bodies are those of CrowdSec's protocol: 200 and 403 with a verdict, 401 without a valid key, 500 for what is no question.
 * Any path will do, as upstream. Specification: CrowdSec `pkg/acquisition/modules/appsec`, the documentation's "AppSec protocol".
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from '../../core/errors.ts';
import { parseIp } from '../../core/ip.ts';
import { lingerOnClose } from '../../core/linger-on-close.ts';
import { listening } from '../../core/listening.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { TransactionRequest } from '../../detectors/waf/engine/transaction-types.ts';
import type { Bouncer } from '../../remediation/bouncer.ts';
import type { BouncerKeys } from '../../remediation/callers/bouncer-keys.ts';
import type { DecisionIndex } from '../../remediation/index/decision-index.ts';
import { createThrottle, type Throttle } from '../../remediation/throttle.ts';
import type { ListenAddress } from '../options.ts';
import { apiKeyOf, AppsecRequestError, readAppsecRequest } from './appsec-request.ts';
import { BodyRoom, BodyRoomError, discardRest, QuestionAborted, readQuestionBody } from './question-body.ts';

/** What a bouncer is told. */
export interface AppsecVerdict {
  /** `allow`, `ban`, `captcha` or a remediation of the operator's own. */
  readonly action: string;
  /** What the bouncer should answer its visitor with. */
  readonly userStatus: number;
  /** What this endpoint answers the bouncer with. */
  readonly status: number;
}

export interface AppsecQuestion {
  readonly request: TransactionRequest;
  readonly host: string;
  /** Null: there is none. At most the judge's `bodyBytes`. */
  readonly body: Buffer | null;
  readonly bodyComplete: boolean;
  /** There is more than the judge's `bodyBytes`. */
  readonly bodyIsOver: boolean;
  readonly bouncer: Bouncer;
  /** Where the bouncer asks from, "" on a unix socket. */
  readonly bouncerAddress: string;
}

export interface AppsecJudge {
  /** How much of a body it wants to see. */
  readonly bodyBytes: number;
  /** `later` holds what can wait until the bouncer has its answer, and never raises. */
  judge(question: AppsecQuestion): { readonly verdict: AppsecVerdict; readonly later: () => void };
  /** For a request that no rule looks at, that of an allowlisted client. */
  readonly pass: AppsecVerdict;
}

export interface AppsecEndpointOptions {
  readonly listen: ListenAddress;
  /** Milliseconds. */
  readonly bodyDeadline: number;
}

export interface AppsecEndpointParts extends Runtime {
  readonly keys: Pick<BouncerKeys, 'find'>;
  readonly judge: AppsecJudge;
  readonly index: Pick<DecisionIndex, 'isAllowed'>;
}

export interface AppsecEndpoint {
  /** Resolves with the port, 0 for a unix socket. @throws GatewayError ADDRESS_IN_USE, LISTEN_FAILED */
  listen(): Promise<number>;
  /** Answers what was asked, then stops. Safe before `listen` and twice. */
  close(): Promise<void>;
}

/** Bouncers ask over few connections, each request of theirs a question. */
const mostConnections = 4_096;
/** A client's headers, its target once more, and the facts. */
const headerBytes = 65_536;
const headersTimeoutMs = 10_000;
/** Longer than nginx and Go keep an unused connection, so that it is they who close it. */
const keepAliveMs = 95_000;
/** For the bodies of all questions together. */
const roomBytes = 256 * 1024 ** 2;
/** Wrong keys and unreadable questions of one address: beyond this they are neither logged nor looked up in the store. */
const complaints = { ratePerSecond: 0.1, burst: 10, maxSources: 10_000 } as const;
const drainMs = 5_000;

export function createAppsecEndpoint(options: AppsecEndpointOptions, parts: AppsecEndpointParts): AppsecEndpoint {
  const desk = new Desk(options, parts);
  const server = createServer({
    maxHeaderSize: headerBytes,
    headersTimeout: headersTimeoutMs,
    // Bodies have a deadline of their own.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: 1_000,
    noDelay: true,
    // Upgrades that a visitor asks for are a header like any other.
    shouldUpgradeCallback: () => false,
  });
  server.on('request', (request, response) => void desk.take(request, response, () => {}));
  // An expectation is answered when the key is good.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    void desk.take(request, response, () => response.writeContinue());
  });
  server.maxConnections = mostConnections;
  // Bounded by their bytes; Node would drop what is above its limit without a word.
  server.maxHeadersCount = 0;
  return {
    async listen() {
      const port = await listening(server, options.listen, { setting: 'appsec.listen', socketAccess: 'group' });
      server.on('error', (error) =>
        parts.log.error({ cause: messageOf(error) }, 'the AppSec endpoint reported an error'),
      );
      return port;
    },
    close: () => closed(server, parts),
  };
}

/** Where questions are taken and answered. */
class Desk {
  readonly #options: AppsecEndpointOptions;
  readonly #parts: AppsecEndpointParts;
  readonly #room = new BodyRoom(roomBytes);
  readonly #complaints: Throttle = createThrottle(complaints);

  constructor(options: AppsecEndpointOptions, parts: AppsecEndpointParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Never rejects. `welcome`: the key is good, and the body may come. */
  async take(request: IncomingMessage, response: ServerResponse, welcome: () => void): Promise<void> {
    try {
      const address = parseIp(request.socket.remoteAddress ?? '')?.text ?? '';
      const bouncer = await this.#admit(request, address);
      if (bouncer === null) {
        // Whoever has no key does not get to keep a connection, or to have a body read.
        lingerOnClose(request.socket, this.#parts.clock);
        end(response, 401, '', true);
        return;
      }
      welcome();
      await this.#answer(request, response, bouncer, address);
    } catch (thrown) {
      this.#complain(thrown, request);
      end(response, 500);
    }
    discardRest(request, this.#parts.judge.bodyBytes, this.#parts.clock);
  }

  async #admit(request: IncomingMessage, address: string): Promise<Bouncer | null> {
    const { keys, clock, log } = this.#parts;
    const key = apiKeyOf(request.rawHeaders);
    let isNews: boolean | null = null;
    const admit = (): boolean => (isNews ??= this.#complaints.admit(address, clock.now()).admitted);
    const bouncer = await keys.find(key, admit);
    if (bouncer !== null || !admit()) return bouncer;
    const what = key === '' ? 'asked without a key' : 'asked with a key that no bouncer has';
    log.warn({ bouncerAddress: address }, `a question to the AppSec endpoint was refused: it was ${what}`);
    return null;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, bouncer: Bouncer, address: string): Promise<void> {
    const { judge, index, clock, random } = this.#parts;
    const limits = { bodyBytes: judge.bodyBytes, bodyDeadline: this.#options.bodyDeadline };
    const body = await readQuestionBody(request, limits, { clock, room: this.#room });
    const { bytes } = body;
    const giveBack = (): void => this.#room.free(bytes.buffer.byteLength);
    try {
      const { request: described, host } = readAppsecRequest({
        rawHeaders: request.rawHeaders,
        bodyBytes: bytes.length,
        now: clock.now(),
        id: random.uuid(),
      });
      const client = parseIp(described.clientAddress);
      if (client !== null && index.isAllowed(client)) {
        tell(response, judge.pass);
        giveBack();
        return;
      }
      const { verdict, later } = judge.judge({
        request: described,
        host,
        body: bytes.length === 0 ? null : bytes,
        bodyComplete: body.complete,
        bodyIsOver: body.isOver,
        bouncer,
        bouncerAddress: address,
      });
      const afterwards = (): void => {
        later();
        giveBack();
      };
      if (response.destroyed) afterwards();
      else response.once('close', afterwards);
      tell(response, verdict);
    } catch (thrown) {
      giveBack();
      throw thrown;
    }
  }

  #complain(thrown: unknown, { socket }: IncomingMessage): void {
    const { log, clock } = this.#parts;
    if (thrown instanceof QuestionAborted) return;
    const cause = messageOf(thrown);
    if (thrown instanceof AppsecRequestError || thrown instanceof BodyRoomError) {
      const address = socket.remoteAddress ?? '';
      if (!this.#complaints.admit(address, clock.now()).admitted) return;
      log.warn({ bouncerAddress: address, cause }, 'a question to the AppSec endpoint cannot be answered');
    } else log.error({ cause }, 'a question to the AppSec endpoint failed');
  }
}

function tell(response: ServerResponse, { action, userStatus, status }: AppsecVerdict): void {
  end(response, status, JSON.stringify({ action, http_status: userStatus }));
}

function end(response: ServerResponse, status: number, body = '', close = false): void {
  if (response.headersSent || response.destroyed) return;
  const headers = ['Content-Length', String(Buffer.byteLength(body))];
  if (body !== '') headers.push('Content-Type', 'application/json');
  if (close) headers.push('Connection', 'close');
  response.writeHead(status, headers).end(body);
}

async function closed(server: Server, { clock }: AppsecEndpointParts): Promise<void> {
  if (!server.listening) return;
  const over = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = clock.every(50, () => server.closeIdleConnections());
  const late = clock.after(drainMs, () => server.closeAllConnections());
  await over;
  idle.cancel();
  late.cancel();
}
