/** Serves a folder over HTTP, as a hub's web server would, with faults where a test wants them. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Answers in the server's place; false lets the file be served. `visit` counts the requests for that path, from 1. */
export type Fault = (request: IncomingMessage, response: ServerResponse, visit: number) => boolean;

export interface HubServer {
  readonly url: string;
  /** Paths in the order in which they were asked for. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** By path without its slash at the front. */
  readonly faults: Map<string, Fault>;
  close(): Promise<void>;
}

export async function serveFolder(folder: string): Promise<HubServer> {
  const faults = new Map<string, Fault>();
  const requests: HubServer['requests'] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').slice(1).split('?', 1)[0] ?? '');
    requests.push({ path, headers: request.headers });
    const visit = requests.filter((one) => one.path === path).length;
    if (faults.get(path)?.(request, response, visit) === true) return;
    serveFile(join(folder, path), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    faults,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function serveFile(path: string, request: IncomingMessage, response: ServerResponse): void {
  let content: Buffer;
  let modified: Date;
  try {
    content = readFileSync(path);
    modified = statSync(path).mtime;
  } catch {
    response.writeHead(404).end('not here\n');
    return;
  }
  const etag = `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
  const since = request.headers['if-modified-since'];
  const sameTag = request.headers['if-none-match'] === etag;
  const notSince = since !== undefined && Math.floor(modified.getTime() / 1000) <= Date.parse(since) / 1000;
  if (sameTag || (request.headers['if-none-match'] === undefined && notSince)) {
    response.writeHead(304, { etag }).end();
    return;
  }
  response
    .writeHead(200, { 'content-length': content.length, 'last-modified': modified.toUTCString(), etag })
    .end(content);
}

/** Ready-made faults. */
export const fault = {
  status: (code: number, visits = Number.POSITIVE_INFINITY): Fault => {
    return (_, response, visit) => visit <= visits && (response.writeHead(code).end('no\n'), true);
  },
  body: (text: string): Fault => {
    return (_, response) => (response.end(text), true);
  },
  /** Promises more than it sends. */
  truncated: (visits = Number.POSITIVE_INFINITY): Fault => {
    return (_, response, visit) => {
      if (visit > visits) return false;
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('half of it', () => response.destroy());
      return true;
    };
  },
  /** Sends a beginning, then nothing more. */
  silent: (): Fault => {
    return (_, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('a beginning');
      return true;
    };
  },
  redirect: (to: string): Fault => {
    return (_, response) => (response.writeHead(302, { location: to }).end(), true);
  },
  /** Sends without end. */
  flood: (): Fault => {
    return (_, response) => {
      const chunk = Buffer.alloc(65_536, 'x');
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      response.on('error', () => {});
      pour();
      return true;
    };
  },
};
