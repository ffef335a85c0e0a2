/**
 * A client without manners: sends exactly the bytes it is given and returns exactly what came back. It waits for events
 * (answers, the end of the connection), never for time; a wait that gets nowhere fails with what had arrived.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readResponses, type RawResponse } from './http-response.ts';

/**
 * What to do next: send bytes (text is latin1), wait until the received text contains something, end our side of the
 * connection, or reset it.
 */
export type RawStep =
  | string
  | Uint8Array
  | { readonly waitFor: string | RegExp }
  | { readonly half: 'close' }
  | { readonly abort: true };

export interface RawOptions {
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** Our own address, to be another client: any of 127.0.0.0/8. */
  readonly localAddress?: string;
  /** Finished once this many final responses are complete (1), or only when the server closes the connection. */
  readonly until?: number | 'close';
  /** Methods of the requests in order, where one is HEAD. */
  readonly methods?: readonly string[];
  /** With TLS, any certificate accepted; the value is the server name sent. */
  readonly serverName?: string;
  /** The bound of the whole exchange (10,000). */
  readonly timeoutMs?: number;
}

export interface RawResult {
  readonly bytes: Buffer;
  /** `bytes` as latin1. */
  readonly text: string;
  /** The server ended the connection, in order or by a reset, before we did. */
  readonly closed: boolean;
  readonly reset: boolean;
  /** Of every response, interim ones included, in order. */
  readonly statusLines: readonly string[];
  readonly responses: readonly RawResponse[];
}

/** Sends the steps over one connection. Rejects when it cannot connect, on a time-out, and on bytes that are not HTTP. */
export async function send(
  port: number,
  steps: RawStep | readonly RawStep[],
  options: RawOptions = {},
): Promise<RawResult> {
  const conversation = new Conversation(open(port, options), options);
  try {
    return await conversation.run(isList(steps) ? steps : [steps]);
  } finally {
    conversation.end();
  }
}

function isList(steps: RawStep | readonly RawStep[]): steps is readonly RawStep[] {
  return Array.isArray(steps);
}

function open(port: number, options: RawOptions): Socket {
  const where = { port, host: options.host ?? '127.0.0.1', noDelay: true, allowHalfOpen: true };
  const from = options.localAddress === undefined ? {} : { localAddress: options.localAddress };
  if (options.serverName === undefined) return connect({ ...where, ...from });
  return connectTls({ ...where, ...from, servername: options.serverName, rejectUnauthorized: false });
}

class Conversation {
  readonly #socket: Socket;
  readonly #options: RawOptions;
  readonly #failed: Promise<never>;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #connected = false;
  #closed = false;
  #reset = false;
  #changed: () => void = () => {};

  constructor(socket: Socket, options: RawOptions) {
    this.#socket = socket;
    this.#options = options;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#failed = promise;
    // Without a waiting step the failure is reported by the next one.
    promise.catch(() => {});
    const limit = options.timeoutMs ?? 10_000;
    this.#timer = setTimeout(() => reject(new Error(`no end within ${limit} ms; received: ${this.#shown()}`)), limit);
    socket.once(options.serverName === undefined ? 'connect' : 'secureConnect', () => {
      this.#connected = true;
      this.#changed();
    });
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#changed();
    });
    socket.once('end', () => this.#end(false));
    socket.once('close', () => this.#end(false));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#connected) return reject(error);
      this.#end(error.code === 'ECONNRESET' || error.code === 'EPIPE');
    });
  }

  async run(steps: readonly RawStep[]): Promise<RawResult> {
    await this.#until(() => this.#connected);
    for (const step of steps) {
      if (!(await this.#take(step))) break;
    }
    const wanted = this.#options.until ?? 1;
    const aborted = this.#socket.destroyed && !this.#closed;
    if (!aborted) await this.#until(() => this.#closed || (wanted !== 'close' && this.#finals() >= wanted));
    return this.#result();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  /** False when there is nobody left to talk to. */
  async #take(step: RawStep): Promise<boolean> {
    if (typeof step === 'string') return this.#write(Buffer.from(step, 'latin1'));
    if (step instanceof Uint8Array) return this.#write(step);
    if ('half' in step) {
      this.#socket.end();
      return true;
    }
    if ('abort' in step) {
      this.#socket.resetAndDestroy();
      return false;
    }
    const { waitFor } = step;
    const found = (): boolean => {
      const text = this.#text();
      return typeof waitFor === 'string' ? text.includes(waitFor) : waitFor.test(text);
    };
    await this.#until(() => found() || this.#closed);
    if (!found()) throw new Error(`closed before ${String(waitFor)} came; received: ${this.#shown()}`);
    return true;
  }

  /** Waits until the kernel has the bytes, so that the next step leaves in a segment of its own. */
  async #write(bytes: Uint8Array): Promise<boolean> {
    if (this.#reset || !this.#socket.writable) return false;
    let done = false;
    this.#socket.write(bytes, () => {
      done = true;
      this.#changed();
    });
    // A server that has closed its side may never take the rest.
    await this.#until(() => done || this.#closed);
    return !this.#reset;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#changed = resolve;
      await Promise.race([promise, this.#failed]);
    }
  }

  #end(reset: boolean): void {
    this.#closed = true;
    this.#reset ||= reset;
    this.#changed();
  }

  #responses(): RawResponse[] {
    const methods = this.#options.methods;
    return readResponses(Buffer.concat(this.#chunks), {
      closed: this.#closed,
      ...(methods === undefined ? {} : { methods }),
    });
  }

  #finals(): number {
    return this.#responses().filter((one) => one.complete && (one.status >= 200 || one.status === 101)).length;
  }

  #text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  #shown(): string {
    return JSON.stringify(this.#text().slice(0, 2000));
  }

  #result(): RawResult {
    const responses = this.#responses();
    return {
      bytes: Buffer.concat(this.#chunks),
      text: this.#text(),
      closed: this.#closed,
      reset: this.#reset,
      statusLines: responses.map((one) => one.statusLine),
      responses,
    };
  }
}
