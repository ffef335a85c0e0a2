/** A sink that keeps what it hears, and fails when it hears more than its contract allows. */
import {
  OriginError,
  type OriginClient,
  type OriginExchange,
  type ResponseSink,
} from '../../../gateway/origin/origin-client.ts';

export interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly body?: AsyncIterable<Buffer> | null;
  readonly contentLength?: string | null;
}

export interface Heard {
  readonly exchange: OriginExchange;
  readonly sink: RecordingSink;
}

/** Dispatches a request, a GET of "/" unless told otherwise. */
export function ask(client: OriginClient, asked: Asked = {}, sink = new RecordingSink()): Heard {
  const { method = 'GET', target = '/', headers = ['Host', 'origin.test'], body = null, contentLength = null } = asked;
  return { exchange: client.dispatch({ method, target, headers, body, contentLength }, sink), sink };
}

export class RecordingSink implements ResponseSink {
  readonly interims: number[] = [];
  status: number | null = null;
  headers: readonly string[] = [];
  bytes = 0;
  error: OriginError | null = null;
  ended = false;
  /** Called with the bytes so far. */
  onProgress: (bytes: number) => void = () => {};
  /** Called within `onEnd`. */
  onEnded: () => void = () => {};
  /** The head has come, or nothing more will. */
  readonly head: Promise<void>;
  /** Ended or failed. */
  readonly done: Promise<void>;
  readonly #chunks: Buffer[] = [];
  readonly #headCame: () => void;
  readonly #isDone: () => void;

  constructor() {
    const head = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    this.head = head.promise;
    this.done = done.promise;
    this.#headCame = head.resolve;
    this.#isDone = done.resolve;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  onInterim(status: number): void {
    this.#mustBeOpen('an interim answer');
    this.interims.push(status);
  }

  onHead(status: number, headers: readonly string[]): void {
    this.#mustBeOpen('a head');
    if (this.status !== null) throw new Error('a second head');
    this.status = status;
    this.headers = headers;
    this.#headCame();
  }

  onData(chunk: Buffer): void {
    this.#mustBeOpen('data');
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
    this.onProgress(this.bytes);
  }

  onEnd(): void {
    this.#mustBeOpen('an end');
    this.ended = true;
    this.onEnded();
    this.#isDone();
  }

  onError(error: OriginError): void {
    this.#mustBeOpen('an error');
    this.error = error;
    this.#headCame();
    this.#isDone();
  }

  #mustBeOpen(what: string): void {
    if (this.ended || this.error !== null) throw new Error(`${what} after the end`);
  }
}
