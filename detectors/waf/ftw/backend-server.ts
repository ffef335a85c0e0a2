/** The simulated backend as a server of its own, for tests through a gateway (`simulated-backend.ts`). */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import { simulatedResponse } from './simulated-backend.ts';

export interface BackendServer {
  /** `127.0.0.1:8001` */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The largest description of a response has some kilobytes; uploads are read to their end and forgotten. */
const keptBytes = 16 * 1024 * 1024;
/** Tests of header limits pass through a gateway that allows more than Node's default. */
const headerBytes = 1024 * 1024;

/** `port` 0: any free one. Rejects with GatewayError LISTEN_FAILED. */
export function startBackend(host: string, port: number): Promise<BackendServer> {
  const server = createServer({ maxHeaderSize: headerBytes }, (request, response) => void answer(request, response));
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `the simulated backend cannot listen on ${host}:${port}: ${messageOf(cause)}`;
      reject(new GatewayError('LISTEN_FAILED', message, { remedy: 'Give another address with --backend.', cause }));
    });
    server.listen(port, host, () => {
      const bound = (server.address() as AddressInfo).port;
      resolve({
        address: `${host}:${bound}`,
        port: bound,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = await bodyOf(request);
    const { status, headers, body: text } = simulatedResponse(request.method ?? '', request.url ?? '', body);
    response.sendDate = !headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'date');
    response.writeHead(status, [...headers]);
    response.end(Buffer.from(text, 'latin1'));
  } catch (thrown) {
    // A header that HTTP does not allow, or a request that broke off.
    if (!response.headersSent) response.writeHead(400);
    response.end(messageOf(thrown));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= keptBytes) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('latin1');
}
