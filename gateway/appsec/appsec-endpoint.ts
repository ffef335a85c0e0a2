/**
 * The AppSec endpoint: bouncers of nginx, HAProxy, Traefik and others send each request here before they serve it. Statuses and
 * bodies are those of CrowdSec's protocol: 200 and 403 with a verdict, 401 without a valid key, 500 for what is no question.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../core/errors.ts';
import { parseIp } from '../../core/ip.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { TransactionRequest } from '../../detectors/waf/engine/transaction-types.ts';
import type { Bouncer } from '../../remediation/bouncer.ts';
import type { BouncerKeys } from '../../remediation/bouncer-keys.ts';
import type { DecisionIndex } from '../../remediation/decision-index.ts';
import type { ListenAddress } from '../options.ts';
import { apiKeyOf, AppsecRequestError, readAppsecRequest } from './appsec-request.ts';

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
  /** Null: there is none, or it was left out. */
  readonly body: Buffer | null;
  readonly bodyComplete: boolean;
  readonly bouncer: Bouncer;
  /** Where the bouncer asks from. */
  readonly bouncerAddress: string;
}

export interface AppsecJudge {
  /** `later` holds what can wait until the bouncer has its answer. Never raises. */
  judge(question: AppsecQuestion): { readonly verdict: AppsecVerdict; readonly later: () => void };
  /** For a request that no rule looks at: an allowlisted client, a body that was let through. */
  readonly pass: AppsecVerdict;
  /** For a body above the limit, where those are dropped. */
  readonly drop: AppsecVerdict;
}

export interface AppsecEndpointOptions {
  readonly listen: ListenAddress;
  readonly bodyBytes: number;
  readonly bodyOver: 'drop' | 'partial' | 'allow';
  readonly bodyDeadline: number;
}

export interface AppsecEndpointParts extends Runtime {
  readonly keys: Pick<BouncerKeys, 'find'>;
  readonly judge: AppsecJudge;
  readonly index: Pick<DecisionIndex, 'isAllowed'>;
}

export interface AppsecEndpoint {
  /** Resolves once questions are taken. Rejects with the system's error. */
  listen(): Promise<void>;
  /** 0 on a unix socket. */
  readonly port: number;
  close(): Promise<void>;
}

/** Bouncers ask over few connections, each request of theirs a question. */
const mostConnections = 4_096;
const headerBytes = 65_536;

export function createAppsecEndpoint(options: AppsecEndpointOptions, parts: AppsecEndpointParts): AppsecEndpoint {
  const server = createServer({ maxHeaderSize: headerBytes, keepAliveTimeout: 65_000 }, (request, response) => {
    answer(request, response, options, parts).catch((thrown: unknown) => {
      if (!(thrown instanceof AppsecRequestError)) {
        parts.log.error({ cause: messageOf(thrown) }, 'a question to the AppSec endpoint failed');
      } else parts.log.warn({ cause: thrown.message }, 'a question to the AppSec endpoint cannot be read');
      end(response, 500);
    });
  });
  server.maxConnections = mostConnections;
  server.maxHeadersCount = 0;
  return {
    async listen() {
      const { listen } = options;
      if ('socketPath' in listen) server.listen(listen.socketPath);
      else server.listen(listen.host === null ? { port: listen.port } : { port: listen.port, host: listen.host });
      await once(server, 'listening');
    },
    get port() {
      const address = server.address() as AddressInfo | string | null;
      return address !== null && typeof address === 'object' ? address.port : 0;
    },
    close: () => closed(server),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: AppsecEndpointOptions,
  { keys, judge, index, clock, random }: AppsecEndpointParts,
): Promise<void> {
  if (request.url?.split('?', 1)[0] !== '/') return end(response, 404);
  const bouncer = await keys.find(apiKeyOf(request.rawHeaders));
  if (bouncer === null) return end(response, 401);
  const body = await readBody(request, options, clock);
  const { request: described, host } = readAppsecRequest({
    rawHeaders: request.rawHeaders,
    bodyBytes: body.bytes.length,
    now: clock.now(),
    id: random.uuid(),
  });
  const address = parseIp(described.clientAddress);
  if (address !== null && index.isAllowed(address)) return tell(response, judge.pass);
  if (body.isOver && options.bodyOver === 'drop') return tell(response, judge.drop);
  const leavesOut = body.isOver && options.bodyOver === 'allow';
  const { verdict, later } = judge.judge({
    request: described,
    host,
    body: leavesOut || body.bytes.length === 0 ? null : body.bytes,
    bodyComplete: body.complete,
    bouncer,
    bouncerAddress: request.socket.remoteAddress ?? '',
  });
  tell(response, verdict);
  later();
}

interface ReadBody {
  readonly bytes: Buffer;
  readonly complete: boolean;
  /** There is more than may be read. */
  readonly isOver: boolean;
}

/** What arrives within the limit and the deadline. */
async function readBody(
  request: IncomingMessage,
  { bodyBytes, bodyDeadline }: AppsecEndpointOptions,
  clock: Runtime['clock'],
): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    const finish = (complete: boolean): void => {
      deadline.cancel();
      request.off('data', onData).off('end', onEnd).off('error', reject);
      // The rest is read and thrown away, so that the connection can be used again.
      request.resume();
      const bytes = Buffer.concat(chunks);
      resolve({ bytes: bytes.subarray(0, bodyBytes), complete, isOver: length > bodyBytes });
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > bodyBytes) finish(false);
    };
    const onEnd = (): void => finish(true);
    const deadline = clock.after(bodyDeadline, () => finish(false));
    request.on('data', onData).on('end', onEnd).on('error', reject);
  });
}

function tell(response: ServerResponse, { action, userStatus, status }: AppsecVerdict): void {
  end(response, status, JSON.stringify({ action, http_status: userStatus }));
}

function end(response: ServerResponse, status: number, body = ''): void {
  if (response.headersSent) return;
  const type = body === '' ? [] : ['Content-Type', 'application/json'];
  response.writeHead(status, [...type, 'Content-Length', String(Buffer.byteLength(body))]).end(body);
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return;
  const over = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await over;
}
