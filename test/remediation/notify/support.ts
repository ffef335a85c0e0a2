/** Servers, certificates and runtimes for the tests of notifications. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Runtime } from '../../../core/runtime.ts';
import type { ChannelContext, Channel } from '../../../remediation/notify/channels/channel.ts';
import { channelTypes } from '../../../remediation/notify/channels/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { countingRandom } from './templates/support.ts';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Webhook {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  readonly received: Received[];
}

export async function listening(server: NetServer, path?: string): Promise<number> {
  server.listen(path ?? { port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

/** An HTTP server that keeps what it gets and answers as it is told. */
export async function webhook(
  t: { teardown(run: () => void): void },
  answer: (request: Received, response: ServerResponse) => void = (_, response) => void response.end('ok'),
): Promise<Webhook> {
  const received: Received[] = [];
  const server = createServer(
    (request, response) => void keep(request, received).then((each) => answer(each, response)),
  );
  const port = await listening(server);
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port, url: `http://127.0.0.1:${port}`, received };
}

export async function keep(request: IncomingMessage, received: Received[]): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { method = '', url = '', headers } = request;
  const each = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
  received.push(each);
  return each;
}

export function quietRuntime(): Runtime {
  return { clock: createManualClock(), random: countingRandom(), log: pino({ level: 'silent' }) };
}

/** A channel of a type from the keys of its document, as texts. */
export function channelOf(
  type: string,
  values: Readonly<Record<string, unknown>>,
  over: Partial<ChannelContext> = {},
): Channel {
  const found = channelTypes.find((each) => each.type === type);
  const read = found?.read(values);
  if (read === undefined || 'issues' in read) throw new Error(`not read: ${JSON.stringify(read)}`);
  return read.open({ ...quietRuntime(), name: 'test', hostname: 'gw.example', timeoutMs: 5_000, ...over });
}

export function issuesOf(type: string, values: Readonly<Record<string, unknown>>): readonly string[] {
  const read = channelTypes.find((each) => each.type === type)?.read(values);
  return read !== undefined && 'issues' in read
    ? read.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    : [];
}

/** For attempts that nobody ends. */
export const never: AbortSignal = new AbortController().signal;

/** Short enough for a socket, wherever the tests run. */
export function socketPath(t: { teardown(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'n-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return join(folder, 's');
}

export interface Certificates {
  readonly folder: string;
  readonly ca: Buffer;
  readonly server: { readonly cert: Buffer; readonly key: Buffer };
}

/** An authority, a server `localhost` and 127.0.0.1, and a client, made afresh in a folder: `ca.pem`, `client.pem`… */
export function certificates(folder: string): Certificates {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority', '-days', '2');
  for (const name of ['server', 'client']) {
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    openssl('req', ...ec, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`, ...names);
    const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...sign, '-out', `${name}.pem`);
  }
  const file = (name: string): Buffer => readFileSync(join(folder, name));
  return { folder, ca: file('ca.pem'), server: { cert: file('server.pem'), key: file('server.key') } };
}
