/**
 * An HTTP/1.1 client that costs little: one kept connection, one request in flight, prebuilt bytes. It reads Content-Length and
 * chunked bodies, keeps the small ones and counts the bytes and decisions of all.
 */
import { connect, type Socket } from 'node:net';

export interface BenchAnswer {
  readonly status: number;
  /** Empty for bodies above 64 KiB. */
  readonly body: string;
  readonly bytes: number;
  /** How often `"id":` occurs in the body. */
  readonly ids: number;
}

const keptBytes = 65_536;
const marker = Buffer.from('"id":');
const lastChunk = '\r\n0\r\n\r\n';

export class KeepAliveClient {
  readonly #socket: Socket;
  #waiting: { resolve: (answer: BenchAnswer) => void; reject: (cause: Error) => void } | null = null;
  #reader = new AnswerReader();

  static async open(port: number): Promise<KeepAliveClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    return new KeepAliveClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const failed = (cause: Error): void => {
      this.#waiting?.reject(cause);
      this.#waiting = null;
    };
    socket.on('error', failed);
    socket.on('close', () => failed(new Error('the server closed the connection')));
  }

  ask(request: Buffer): Promise<BenchAnswer> {
    this.#reader = new AnswerReader();
    const answer = new Promise<BenchAnswer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#socket.write(request);
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const answer = this.#reader.take(chunk);
    if (answer === null) return;
    this.#waiting?.resolve(answer);
    this.#waiting = null;
  }
}

/** One answer from its bytes. */
class AnswerReader {
  #head = '';
  #status = 0;
  /** Bytes of the body that are still to come; null: chunked. */
  #left: number | null = 0;
  #inBody = false;
  #tail = Buffer.alloc(0);
  #kept: Buffer[] = [];
  #bytes = 0;
  #ids = 0;
  #ending = '';

  take(chunk: Buffer): BenchAnswer | null {
    if (this.#inBody) return this.#takeBody(chunk);
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return null;
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    const head = this.#head.slice(0, end);
    this.#status = Number(head.slice(9, 12));
    this.#left = /transfer-encoding: *chunked/i.test(head)
      ? null
      : Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    this.#inBody = true;
    return this.#takeBody(rest);
  }

  /** Chunk headers are counted with the body: they are a few bytes in 64 KiB. */
  #takeBody(chunk: Buffer): BenchAnswer | null {
    this.#bytes += chunk.length;
    if (this.#bytes <= keptBytes) this.#kept.push(chunk);
    const searched = Buffer.concat([this.#tail, chunk]);
    for (let at = searched.indexOf(marker); at !== -1; at = searched.indexOf(marker, at + 1)) this.#ids += 1;
    // Shorter than the marker, so that none is counted twice.
    this.#tail = searched.subarray(-(marker.length - 1));
    this.#ending = `${this.#ending}${chunk.subarray(-lastChunk.length).toString('latin1')}`.slice(-lastChunk.length);
    const isWhole = this.#left === null ? `\r\n${this.#ending}`.endsWith(lastChunk) : this.#bytes >= this.#left;
    if (!isWhole) return null;
    const body = this.#bytes <= keptBytes ? Buffer.concat(this.#kept).toString('utf8') : '';
    return { status: this.#status, body, bytes: this.#bytes, ids: this.#ids };
  }
}

/** `headers` without Host and framing. */
export function requestOf(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | null = null,
): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1'];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== null) lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}
