/**
 * Logs sent over HTTP: a POST whose body is a stream of JSON values (each is a line) or, as `text/…`, of lines; gzip is
 * understood. The answer comes when the engine has taken everything, so a sender that waits for it loses nothing.
 * Specification: CrowdSec `pkg/acquisition/modules/http`.
 */
import { once } from 'node:events';
import { lstat, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../../core/errors.ts';
import { parseIp } from '../../core/ip.ts';
import { orAborted } from './abortable.ts';
import type { HttpDocument, HttpTls } from './acquisition-document.ts';
import type { AcquisitionSource } from './acquisition-source.ts';
import { createAuthorizer } from './http-auth.ts';
import { JsonValues } from './json-values.ts';
import type { LineOutlet } from './line-outlet.ts';
import { LineSplitter } from './line-splitter.ts';
import { createManagedSource, type SourceRun } from './managed-source.ts';
import { outletOf, type SourceParts } from './source-parts.ts';

const mostConnections = 128;
const headersWithinMs = 10_000;
/** How often the server looks for requests that take too long. */
const checkPeriodMs = 1_000;
const longestValue = 1_048_576;

export function createHttpSource(document: HttpDocument, parts: SourceParts): AcquisitionSource {
  return createManagedSource(
    {
      kind: 'http',
      name: document.name,
      async run(run) {
        const receiver = new HttpReceiver(document, outletOf(document, document.labels, parts, run), run);
        await receiver.serve();
      },
    },
    parts.runtime,
  );
}

/** What is answered instead of the usual, and why. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
  }
}

class HttpReceiver {
  private readonly document: HttpDocument;
  private readonly outlet: LineOutlet;
  private readonly run: SourceRun;
  private readonly isAuthorized: ReturnType<typeof createAuthorizer>;

  constructor(document: HttpDocument, outlet: LineOutlet, run: SourceRun) {
    this.document = document;
    this.outlet = outlet;
    this.run = run;
    this.isAuthorized = createAuthorizer(document.auth);
  }

  async serve(): Promise<void> {
    const { listen, socketPath } = this.document;
    const servers: Server[] = [];
    try {
      const failures: Promise<never>[] = [];
      for (const place of [listen, socketPath === '' ? null : { socketPath }]) {
        if (place === null) continue;
        const server = await this.createServer();
        servers.push(server);
        failures.push(failureOf(server));
        if ('socketPath' in place) await removeStaleSocket(place.socketPath);
        server.listen(
          'socketPath' in place ? place.socketPath : { port: place.port, ...(place.host && { host: place.host }) },
        );
        await orAborted(Promise.race([once(server, 'listening'), ...failures]), this.run.signal);
      }
      if (this.run.signal.aborted) return;
      this.run.meter.listens(servers.map(addressOf).join(' '));
      this.run.meter.running();
      await orAborted(Promise.race(failures), this.run.signal);
    } finally {
      this.run.meter.listens(null);
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    }
  }

  private async createServer(): Promise<Server> {
    const options = {
      requestTimeout: this.document.timeoutMs,
      headersTimeout: Math.min(headersWithinMs, this.document.timeoutMs),
      connectionsCheckingInterval: checkPeriodMs,
      keepAliveTimeout: this.document.timeoutMs,
    };
    const handle: RequestListener = (request, response) => void this.handle(request, response);
    const { tls, auth } = this.document;
    const server =
      tls === null
        ? createServer(options, handle)
        : createTlsServer({ ...options, ...(await tlsFiles(tls, auth.type === 'mtls')) }, handle);
    server.maxConnections = mostConnections;
    return server;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { document, run } = this;
    try {
      if (pathOf(request.url ?? '') !== document.path) throw new Refusal(404, 'Not found');
      if (!this.isAuthorized(request.headers)) throw new Refusal(401, 'Unauthorized');
      if (request.method === 'POST') await this.ingest(request);
      else if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal(405, 'Method not allowed');
      response.writeHead(document.statusCode, document.headers).end();
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 400;
      run.meter.trouble(`a request was answered ${status}: ${messageOf(error)}`);
      if (response.headersSent || response.destroyed) return void response.destroy();
      const more = status === 401 && document.auth.type === 'basic_auth' ? { 'www-authenticate': 'Basic' } : {};
      // What was not read of the body would be taken for the next request.
      response
        .writeHead(status, { ...more, 'content-type': 'text/plain', connection: 'close' })
        .end(`${messageOf(error)}\n`);
    }
  }

  private async ingest(request: IncomingMessage): Promise<void> {
    const { maxBodyBytes } = this.document;
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw new Refusal(413, 'The body is too large');
    const src = parseIp(request.socket.remoteAddress ?? '')?.text ?? '';
    const isText = /^text\//i.test(request.headers['content-type'] ?? '');
    const reader = isText ? new TextLines(this.run) : new JsonValues(longestValue);
    const body = bodyOf(request);
    let length = 0;
    try {
      // It is not destroyed when reading ends early: the answer goes over the same connection.
      for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxBodyBytes) throw new Refusal(413, 'The body is too large');
        for (const line of reader.feed(chunk)) await this.take(line, src);
      }
    } finally {
      if (body !== request) body.destroy();
    }
    const last = reader.end();
    if (last !== null) await this.take(last, src);
  }

  private async take(line: string, src: string): Promise<void> {
    if (!(await this.outlet.deliver(line, src))) throw new Refusal(503, 'Closing');
  }
}

/** A body of lines, with the interface of `JsonValues`. */
class TextLines {
  private readonly splitter = new LineSplitter();
  private readonly run: SourceRun;

  constructor(run: SourceRun) {
    this.run = run;
  }

  *feed(chunk: Buffer): Iterable<string> {
    this.splitter.feed(chunk);
    for (let line = this.splitter.next(); line !== null; line = this.splitter.next()) {
      if (line.truncated) this.run.meter.truncate();
      yield line.text;
    }
  }

  end(): string | null {
    return this.splitter.last()?.text ?? null;
  }
}

/** The body, unpacked. */
function bodyOf(request: IncomingMessage): Readable {
  const coding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (coding === 'identity') return request;
  if (coding === 'gzip') return unpacked(request);
  throw new Refusal(415, `Content-Encoding ${coding.slice(0, 40)} is not understood`);
}

function unpacked(request: IncomingMessage): Readable {
  const gunzip = createGunzip();
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('the request ended early'));
  });
  return request.pipe(gunzip);
}

function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

async function tlsFiles(tls: HttpTls, askForCertificate: boolean): Promise<Record<string, unknown>> {
  const [cert, key] = await Promise.all([readFile(tls.certFile), readFile(tls.keyFile)]);
  if (!askForCertificate) return { cert, key };
  return { cert, key, ca: await readFile(tls.caFile), requestCert: true, rejectUnauthorized: true };
}

function failureOf(server: Server): Promise<never> {
  const failure = new Promise<never>((_, reject) => {
    server.on('error', reject);
  });
  failure.catch(() => undefined);
  return failure;
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? '';
  const { address: host, port }: AddressInfo = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A socket file that nobody listens on any more is in the way. */
async function removeStaleSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats === null || !stats.isSocket()) return;
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (!isAlive) await rm(path, { force: true });
}
