/** undici alone, in its fastest correct form: flat header arrays both ways and one handler class of fixed shape. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool, type Dispatcher } from 'undici';
import { forwardedClient, openPeerLog } from '../access-log.ts';

const [port, originPort, logPath] = process.argv.slice(2);
const log = openPeerLog(logPath ?? '');
const pool = new Pool(`http://127.0.0.1:${originPort}`, {
  connections: 64,
  pipelining: 1,
  allowH2: false,
  headersTimeout: 60_000,
  bodyTimeout: 0,
});
/** Hop-by-hop (RFC 9110 §7.6.1), and the one we set ourselves. */
const notForwarded = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'x-forwarded-for']);

class Answer implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #client: string;
  #status = 0;
  #expected = -1;
  #sent = 0;

  constructor(request: IncomingMessage, response: ServerResponse, client: string) {
    this.#request = request;
    this.#response = response;
    this.#client = client;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) controller.abort(new Error('the client has gone'));
    });
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    const raw = controller.rawHeaders as readonly Uint8Array[];
    const headers: string[] = [];
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const name = (raw[index] as Buffer).toString('latin1');
      const lower = name.toLowerCase();
      if (notForwarded.has(lower)) continue;
      const value = (raw[index + 1] as Buffer).toString('latin1');
      if (lower === 'content-length') this.#expected = Number(value);
      headers.push(name, value);
    }
    this.#status = status;
    this.#response.writeHead(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sent += chunk.length;
    // One system call for headers and body where the first chunk is the whole body.
    if (this.#sent === this.#expected) this.#response.end(chunk);
    else if (!this.#response.write(chunk)) {
      controller.pause();
      this.#response.once('drain', () => controller.resume());
    }
  }

  onResponseEnd(): void {
    if (!this.#response.writableEnded) this.#response.end();
    log.write(this.#client, this.#request, this.#status, this.#sent);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#response.headersSent) this.#response.writeHead(502).end(error.message);
    else this.#response.destroy();
  }
}

createServer({ optimizeEmptyRequests: true, keepAliveTimeout: 3_600_000 }, (request, response) => {
  const client = forwardedClient(request);
  const headers: string[] = [];
  const raw = request.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    if (!notForwarded.has(name.toLowerCase())) headers.push(name, raw[index + 1] ?? '');
  }
  headers.push('X-Forwarded-For', client);
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  pool.dispatch(
    {
      path: request.url ?? '/',
      method: request.method as Dispatcher.HttpMethod,
      headers,
      body: hasBody ? request : null,
    },
    new Answer(request, response, client),
  );
}).listen(Number(port), '127.0.0.1');
