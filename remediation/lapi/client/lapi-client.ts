/**
 * `LapiClient`: asks one Local API that is not ours, over HTTP, TLS with or without a client certificate, or a unix socket;
 * as a bouncer with a key, or as a machine that logs in. Every question has a time limit and every answer a size. What an
 * answer means is for the caller; what kept it from coming is a GatewayError that names cause and remedy and holds no secret.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Dispatcher, Pool } from 'undici';
import type { Clock } from '../../../core/clock.ts';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import { answerInvalid, isClosedByPeer, refusal, unreachable } from './lapi-errors.ts';
import { addressText, type LapiTarget } from './lapi-target.ts';
import { createMachineLogin, type MachineLogin } from './machine-login.ts';
import { createTimeLimit, type TimeLimit } from './time-limit.ts';

export interface LapiQuestion {
  readonly method: 'GET' | 'POST' | 'HEAD' | 'DELETE';
  /** Without leading slash: `v1/decisions?ip=192.0.2.1`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface LapiAnswer {
  readonly status: number;
  /** Parsed JSON; undefined when there was no body or it is none. */
  readonly body: unknown;
  /** `message` of an error or the sentence that it is, "" without one. */
  readonly message: string;
}

export interface LapiClient {
  readonly name: string;
  readonly address: string;
  /** Any answer, those with a status of 400 and more included. Throws LAPI_UNREACHABLE or LAPI_ANSWER_INVALID. */
  ask(question: LapiQuestion): Promise<LapiAnswer>;
  /** As `ask`, and throws LAPI_REFUSED unless the status is one of success. */
  demand(question: LapiQuestion): Promise<LapiAnswer>;
  /**
   * The answer in pieces, each of which is waited for before the next is read. `timeoutMs` is how long the server may stay
   * silent. Resolves with the time when the answer began, in epoch milliseconds, once all of it was taken.
   */
  stream(question: LapiQuestion, onChunk: (chunk: Uint8Array) => Promise<void>): Promise<number>;
  /** Breaks off what is under way. Safe twice. */
  close(): Promise<void>;
}

export interface LapiClientOptions {
  readonly target: LapiTarget;
  readonly clock: Clock;
  /** `name/version`: two parts, or a machine is not let in. */
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** At once; more wait. */
  readonly connections?: number;
  /** Largest answer, in bytes; streams have no such limit. */
  readonly maxAnswerBytes?: number;
  /** What a machine says that it runs, asked at each login. */
  readonly scenarios?: () => readonly string[];
}

/** Bodies from here on are compressed, as CrowdSec's own client does. */
const gzipFrom = 5 * 1024;
const mostLogins = 2;
/** What is read of the answer when only its message matters. */
const errorBytes = 16_384;
/** A server that sends little but never falls silent is left at last. */
const longestStreamMs = 30 * 60_000;
const compress = promisify(gzip);

type Head = Dispatcher.ResponseData;

export function createLapiClient(options: LapiClientOptions): LapiClient {
  return new UndiciLapiClient(options);
}

class UndiciLapiClient implements LapiClient {
  readonly name: string;
  readonly address: string;
  readonly showsCertificate: boolean;
  readonly #options: LapiClientOptions;
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #login: MachineLogin | null;
  /** False once the server did not understand a compressed body. */
  #takesGzip = true;

  constructor(options: LapiClientOptions) {
    const { target } = options;
    this.#options = options;
    this.name = target.name;
    this.address = addressText(target.address);
    this.showsCertificate = target.tls.cert !== null;
    const url = new URL(target.address.kind === 'http' ? target.address.url : 'http://localhost/');
    this.#basePath = url.pathname;
    this.#pool = new Pool(url.origin, poolOptions(options));
    this.#login =
      target.credentials.kind === 'machine'
        ? createMachineLogin({
            credentials: target.credentials,
            clock: options.clock,
            scenarios: options.scenarios ?? (() => []),
            post: (path, body) =>
              this.#within({ method: 'POST', path, body }, {}, (head, limit) => this.#read(head, limit)),
            refused: (answer) => refusal(this, target.credentials, answer),
          })
        : null;
  }

  async ask(question: LapiQuestion): Promise<LapiAnswer> {
    const exchange = (headers: Readonly<Record<string, string>>): Promise<LapiAnswer> =>
      this.#within(question, headers, (head, limit) => this.#read(head, limit));
    return this.#authorized(async (headers) => {
      try {
        return await exchange(headers);
      } catch (thrown) {
        // A server that restarts closes connections that we hold open: who only asks may ask once more.
        if (question.method !== 'GET' || !isClosedByPeer(thrown)) throw thrown;
        return exchange(headers);
      }
    });
  }

  async demand(question: LapiQuestion): Promise<LapiAnswer> {
    const answer = await this.ask(question);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusal(this, this.#options.target.credentials, answer);
  }

  async stream(question: LapiQuestion, onChunk: (chunk: Uint8Array) => Promise<void>): Promise<number> {
    let beganAt = 0;
    const answer = await this.#authorized((headers) =>
      this.#within(question, headers, async (head, limit) => {
        if (head.statusCode !== 200) return this.#read(head, limit, errorBytes);
        beganAt = this.#options.clock.now();
        this.#requirePlain(head);
        for await (const chunk of head.body) {
          limit.renew();
          await onChunk(chunk as Uint8Array);
          limit.renew();
        }
        return { status: 200, body: undefined, message: '' };
      }),
    );
    if (answer.status !== 200) throw refusal(this, this.#options.target.credentials, answer);
    return beganAt;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** A machine whose token is no longer taken logs in anew, as CrowdSec's own agents do. */
  async #authorized(exchange: (headers: Record<string, string>) => Promise<LapiAnswer>): Promise<LapiAnswer> {
    const { credentials } = this.#options.target;
    if (this.#login === null) return exchange(credentials.kind === 'key' ? { 'X-Api-Key': credentials.key } : {});
    for (let logins = 0; ; logins++) {
      const token = await this.#login.token();
      const answer = await exchange({ Authorization: `Bearer ${token}` });
      if ((answer.status !== 401 && answer.status !== 403) || logins === mostLogins) return answer;
      this.#login.forget(token);
    }
  }

  /** One exchange within its time limit; everything that can go wrong on the way becomes a GatewayError. */
  async #within(
    question: LapiQuestion,
    headers: Readonly<Record<string, string>>,
    take: (head: Head, limit: TimeLimit) => Promise<LapiAnswer>,
  ): Promise<LapiAnswer> {
    const { clock, timeoutMs } = this.#options;
    const limit = createTimeLimit({
      clock,
      silenceMs: question.timeoutMs ?? timeoutMs,
      totalMs: longestStreamMs,
      ...(question.signal && { signal: question.signal }),
    });
    try {
      const plain = question.body === undefined ? null : Buffer.from(`${JSON.stringify(question.body)}\n`);
      if (plain === null || plain.length < gzipFrom || !this.#takesGzip) {
        return await take(await this.#send(question, headers, plain, limit), limit);
      }
      const packed = await compress(plain);
      const answer = await take(
        await this.#send(question, { ...headers, 'Content-Encoding': 'gzip' }, packed, limit),
        limit,
      );
      if (!isGzipMisread(answer)) return answer;
      this.#takesGzip = false;
      return await take(await this.#send(question, headers, plain, limit), limit);
    } catch (thrown) {
      if (thrown instanceof GatewayError) throw thrown;
      throw unreachable(this, limit.reason ?? thrown);
    } finally {
      limit.end();
    }
  }

  async #send(
    { method, path }: LapiQuestion,
    headers: Readonly<Record<string, string>>,
    body: Buffer | null,
    limit: TimeLimit,
  ): Promise<Head> {
    const head = await this.#pool.request({
      method,
      path: this.#basePath + path,
      headers: {
        'User-Agent': this.#options.userAgent,
        ...headers,
        ...(body && { 'Content-Type': 'application/json' }),
      },
      body,
      signal: limit.signal,
    });
    // Whoever reads it hears of a failure; one that is left unread, or read in part, has nobody to tell.
    head.body.on('error', () => undefined);
    limit.renew();
    return head;
  }

  async #read(head: Head, limit: TimeLimit, maxBytes = this.#options.maxAnswerBytes ?? 1_048_576): Promise<LapiAnswer> {
    const { statusCode: status } = head;
    if (status < 300) this.#requirePlain(head);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of head.body) {
      limit.renew();
      bytes += (chunk as Uint8Array).length;
      if (bytes > maxBytes) {
        // What a failure had to say is only for people; what an answer holds must be whole.
        if (status >= 300) break;
        throw answerInvalid(this, `it is longer than ${maxBytes} bytes`);
      }
      chunks.push(chunk as Uint8Array);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    if (text === '') return { status, body: undefined, message: '' };
    try {
      const body: unknown = JSON.parse(text);
      return { status, body, message: messageIn(body) };
    } catch (thrown) {
      if (status >= 300) return { status, body: undefined, message: messageInText(text) };
      throw answerInvalid(this, `it is not JSON (${messageOf(thrown).slice(0, 100)})`);
    }
  }

  /** We never offer to take compressed answers; a proxy that sends one all the same would give us noise. */
  #requirePlain(head: Head): void {
    const encoding = head.headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') return;
    head.body.destroy();
    throw answerInvalid(this, `it is compressed (${String(encoding).slice(0, 40)}), which nobody asked for`);
  }
}

function poolOptions({ target, timeoutMs, connections = 4 }: LapiClientOptions): Pool.Options {
  const { ca, cert, key, serverName, isVerified } = target.tls;
  return {
    connections,
    pipelining: 1,
    allowH2: false,
    // Time is kept by the clock that we were handed.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: timeoutMs,
      rejectUnauthorized: isVerified,
      ...(ca !== null && { ca }),
      ...(cert !== null && { cert }),
      ...(key !== null && { key }),
      ...(serverName !== null && { servername: serverName }),
      ...(target.address.kind === 'unix' && { socketPath: target.address.socketPath }),
    },
  };
}

/** CrowdSec before 1.5 reads the first byte of the compressed body as JSON. */
function isGzipMisread({ status, message }: LapiAnswer): boolean {
  return status === 415 || (status === 400 && /invalid character '\\x1f'/.test(message));
}

function messageIn(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('message' in body)) return '';
  return typeof body.message === 'string' ? body.message : '';
}

/** What a failure says that is not JSON. CrowdSec 1.4 refuses certificates with two documents: the latter says why. */
function messageInText(text: string): string {
  if (text.length > 4_096) return '';
  try {
    return messageIn(JSON.parse(text.slice(text.lastIndexOf('}{') + 1)));
  } catch {
    const [line = ''] = text.trim().split('\n', 1);
    return line.startsWith('<') ? '' : line;
  }
}
