/**
 * Gets one file, from an address or a folder, into a new file on disk, and hashes it on the way. What a server may do is
 * bounded: the size of the file, how long it stays silent, how often it redirects, and where to (never from https to
 * http). What may pass by itself is tried again. The environment's proxies are used (`https_proxy`, `no_proxy`).
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../core/clock.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { isAddress } from './hub-source.ts';

export interface DownloadRequest {
  /** An `http:` or `https:` address, or an absolute path. */
  readonly location: string;
  /** The file that is made, or made anew. Its folder exists. It may be left behind, incomplete, by a failure. */
  readonly to: string;
  readonly maxBytes: number;
  /** Of the copy that is there: the server may then say that nothing changed. */
  readonly etag?: string | null;
  readonly lastModified?: string | null;
  readonly onProgress?: (receivedBytes: number, totalBytes: number | null) => void;
}

export type Download =
  | {
      readonly kind: 'fetched';
      /** Hexadecimal. */
      readonly sha256: string;
      readonly bytes: number;
      readonly etag: string | null;
      readonly lastModified: string | null;
    }
  | { readonly kind: 'unchanged' };

export interface Downloader {
  /** @throws GatewayError HUB_UNREACHABLE, with the location and the reason in its message. */
  download(request: DownloadRequest): Promise<Download>;
  /** Lets go of connections. */
  close(): Promise<void>;
}

export interface DownloaderDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Where `http_proxy`, `https_proxy` and `no_proxy` are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a server may stay silent. */
  readonly timeoutMs: number;
}

const attempts = 3;
const firstPauseMs = 500;
const mostRedirects = 5;
/** A server that sends little but never falls silent is left at last. */
const longestDownloadMs = 30 * 60_000;

/** A failure of one attempt. */
class AttemptError extends Error {
  readonly again: boolean;
  /** False when no answer came at all: other files of that server need not be tried as often. */
  readonly answered: boolean;

  constructor(message: string, again: boolean, answered: boolean, cause?: unknown) {
    super(message, { cause });
    this.again = again;
    this.answered = answered;
  }
}

export function createDownloader(deps: DownloaderDeps): Downloader {
  const { clock, random } = deps;
  const unreachable = new Set<string>();
  let agent: Promise<Dispatcher> | null = null;

  const attempt = async (request: DownloadRequest): Promise<Download> => {
    agent ??= createAgent(deps.env);
    return fetchOnce(request, await agent, deps);
  };

  const overNetwork = async (request: DownloadRequest): Promise<Download> => {
    const { host } = new URL(request.location);
    for (let count = 1; ; count++) {
      try {
        const result = await attempt(request);
        unreachable.delete(host);
        return result;
      } catch (thrown) {
        const failed =
          thrown instanceof AttemptError ? thrown : new AttemptError(messageOf(thrown), false, true, thrown);
        const last = !failed.again || count >= attempts || unreachable.has(host);
        if (last && failed.again && !failed.answered) unreachable.add(host);
        if (last) throw unreachableFault(request.location, failed.message, failed);
      }
      await clock.sleep(firstPauseMs * 2 ** (count - 1) * (0.5 + random.fraction()));
    }
  };

  return {
    download: (request) => (isAddress(request.location) ? overNetwork(request) : copyLocal(request)),
    async close() {
      await (await agent)?.destroy();
    },
  };
}

function unreachableFault(location: string, reason: string, cause?: unknown): GatewayError {
  return new GatewayError('HUB_UNREACHABLE', `${location}: ${reason}`, {
    remedy: isAddress(location) ? 'Try again, or use another hub with --from.' : 'Check the path.',
    cause,
  });
}

/** undici takes 28 MB, and a folder needs none of it. */
async function createAgent(env: DownloaderDeps['env']): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent({
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
    // The time limits are this module's own, so that they follow its clock.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** One attempt, with its redirects, under a limit for silence and one for all of it. */
async function fetchOnce(request: DownloadRequest, agent: Dispatcher, deps: DownloaderDeps): Promise<Download> {
  const { clock, timeoutMs } = deps;
  const controller = new AbortController();
  const end = (reason: string) => () => controller.abort(new AttemptError(reason, true, false));
  const silence = (): string => `no answer for ${Math.round(timeoutMs / 1000)} s`;
  let quiet = clock.after(timeoutMs, end(silence()));
  const whole = clock.after(longestDownloadMs, end('it took too long'));
  const alive = (): void => {
    quiet.cancel();
    quiet = clock.after(timeoutMs, end(silence()));
  };
  try {
    const response = await follow(request, agent, controller.signal, alive);
    return await receive(request, response, alive);
  } catch (thrown) {
    const reason: unknown = controller.signal.aborted ? controller.signal.reason : thrown;
    if (reason instanceof AttemptError) throw reason;
    throw new AttemptError(networkReason(reason), true, false, reason);
  } finally {
    quiet.cancel();
    whole.cancel();
    controller.abort();
  }
}

async function follow(
  request: DownloadRequest,
  agent: Dispatcher,
  signal: AbortSignal,
  alive: () => void,
): Promise<Dispatcher.ResponseData> {
  let url = new URL(request.location);
  for (let hops = 0; ; hops++) {
    const response = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: {
        'user-agent': 'portcullis',
        'accept-encoding': 'identity',
        ...(request.etag ? { 'if-none-match': request.etag } : {}),
        ...(request.lastModified ? { 'if-modified-since': request.lastModified } : {}),
      },
      signal,
    });
    alive();
    const location = header(response, 'location');
    if (![301, 302, 303, 307, 308].includes(response.statusCode) || location === null) return response;
    response.body.on('error', () => {}).destroy();
    if (hops >= mostRedirects) throw new AttemptError(`more than ${mostRedirects} redirects`, false, true);
    url = redirected(url, location);
  }
}

function redirected(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  if (to === null || !/^https?:$/.test(to.protocol)) throw new AttemptError('a redirect to no address', false, true);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new AttemptError(`redirects from https to ${to.origin}`, false, true);
  }
  return to;
}

async function receive(
  request: DownloadRequest,
  response: Dispatcher.ResponseData,
  alive: () => void,
): Promise<Download> {
  const { statusCode, body } = response;
  const conditional = Boolean(request.etag) || Boolean(request.lastModified);
  if (statusCode !== 200) {
    body.on('error', () => {}).destroy();
    if (statusCode === 304 && conditional) return { kind: 'unchanged' };
    const again = statusCode >= 500 || statusCode === 408 || statusCode === 429;
    throw new AttemptError(`answered ${statusCode}`, again, true);
  }
  const length = header(response, 'content-length');
  const total = length === null ? null : Number(length);
  if (total !== null && total > request.maxBytes) {
    body.on('error', () => {}).destroy();
    throw tooLarge(request.maxBytes);
  }
  const written = await writeChunks(body, request, total, alive);
  return {
    kind: 'fetched',
    ...written,
    etag: header(response, 'etag'),
    lastModified: header(response, 'last-modified'),
  };
}

function tooLarge(maxBytes: number): AttemptError {
  return new AttemptError(`is larger than the ${maxBytes} bytes that are accepted`, false, true);
}

async function writeChunks(
  chunks: AsyncIterable<Uint8Array>,
  request: DownloadRequest,
  total: number | null,
  alive: () => void,
): Promise<{ sha256: string; bytes: number }> {
  const file = await open(request.to, 'w', 0o644);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of chunks) {
      alive();
      bytes += chunk.length;
      if (bytes > request.maxBytes) throw tooLarge(request.maxBytes);
      hash.update(chunk);
      await writeAll(file, chunk);
      request.onProgress?.(bytes, total);
    }
    await file.sync();
    return { sha256: hash.digest('hex'), bytes };
  } finally {
    await file.close();
  }
}

/** What the disk refuses will not pass by itself. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
  } catch (thrown) {
    throw new AttemptError(`cannot be written: ${messageOf(thrown)}`, false, true, thrown);
  }
}

async function copyLocal(request: DownloadRequest): Promise<Download> {
  try {
    const stats = await stat(request.location);
    // A pipe would be waited for without end.
    if (!stats.isFile()) throw new AttemptError('is not a regular file', false, true);
    const { size } = stats;
    if (size > request.maxBytes) throw tooLarge(request.maxBytes);
    const written = await writeChunks(createReadStream(request.location), request, size, () => {});
    return { kind: 'fetched', ...written, etag: null, lastModified: null };
  } catch (thrown) {
    const reason = isMissing(thrown) ? 'is not there' : messageOf(thrown);
    throw unreachableFault(request.location, reason, thrown);
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
}

function header({ headers }: Dispatcher.ResponseData, name: string): string | null {
  const value = headers[name];
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text.length > 1024 ? null : text;
}

/** undici wraps what the system said. */
function networkReason(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name cannot be resolved';
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'ECONNRESET':
      return 'the connection broke';
    default:
      return messageOf(thrown) || code || 'the connection failed';
  }
}
