/** The access log of the plain Node peers: combined format, written in blocks as nginx does with `buffer=`. */
import { openSync, writeSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';

const blockLength = 65_536;

export interface PeerLog {
  write(client: string, request: IncomingMessage, status: number, bodyBytes: number): void;
}

/** Flushes each second and on SIGTERM, with which it ends the process. */
export function openPeerLog(path: string): PeerLog {
  const file = openSync(path, 'a');
  let block = '';
  const flush = (): void => {
    if (block !== '') writeSync(file, block);
    block = '';
  };
  setInterval(flush, 1000).unref();
  process.once('SIGTERM', () => {
    flush();
    process.exit(0);
  });
  return {
    write(client, request, status, bodyBytes) {
      const { method, url, httpVersion, headers } = request;
      const head = `${client} - - [${new Date().toISOString()}] "${method} ${url} HTTP/${httpVersion}"`;
      block += `${head} ${status} ${bodyBytes} "${headers.referer ?? '-'}" "${headers['user-agent'] ?? '-'}"\n`;
      if (block.length >= blockLength) flush();
    },
  };
}

/** The client's address: the last of X-Forwarded-For, because the only peer is the trusted loopback. */
export function forwardedClient(request: IncomingMessage): string {
  const chain = request.headers['x-forwarded-for'];
  if (typeof chain !== 'string') return request.socket.remoteAddress ?? '';
  return chain.slice(chain.lastIndexOf(',') + 1).trim();
}
