/**
 * The access log of nginx and Apache as tests read it: one `LoggedRequest` per request that the origin saw, pipelined and
 * smuggled ones included. Both write the same tab-separated fields and escape bytes in the same way.
 */
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';

export interface LoggedRequest {
  /** `GET /a?b HTTP/1.1`, as received. */
  readonly requestLine: string;
  readonly status: number;
  /** The header as received; "" without one. */
  readonly host: string;
  readonly contentLength: string;
  readonly transferEncoding: string;
  readonly forwardedFor: string;
  /** What tells one connection from another; two requests with the same value shared one. */
  readonly connection: string;
  /** The body after decoding (latin1). Null where the server cannot log it (Apache). */
  readonly body: string | null;
}

/** The order in which both servers write their fields. */
export const loggedFields = [
  'requestLine',
  'status',
  'host',
  'contentLength',
  'transferEncoding',
  'forwardedFor',
  'connection',
  'body',
] as const;

export interface OriginLog {
  /**
   * Every request logged so far. A marker request of our own is sent to the server first and its line awaited, so lines of
   * answers that have arrived are there; with Apache's threads use `waitFor` when a line must not be missed.
   */
  requests(): Promise<readonly LoggedRequest[]>;
  /** Waits until at least `count` requests are logged. Rejects after 10 s with what was logged. */
  waitFor(count: number): Promise<readonly LoggedRequest[]>;
}

const markerPath = '/portcullis-log-marker-';
const waitMs = 10_000;

/** Reads the log that the server on `port` writes to `path`. The file must exist. */
export function openOriginLog(path: string, port: number): OriginLog {
  let markers = 0;
  const read = async (): Promise<readonly LoggedRequest[]> => parseLog(await readFile(path, 'latin1'));
  const withoutMarkers = (all: readonly LoggedRequest[]): readonly LoggedRequest[] =>
    all.filter((one) => !one.requestLine.includes(markerPath));
  return {
    async requests() {
      markers += 1;
      const marker = `${markerPath}${markers}`;
      await get(port, marker);
      const isThere = (all: readonly LoggedRequest[]): boolean =>
        all.some((one) => one.requestLine.includes(`${marker} `));
      return withoutMarkers(await readUntil(path, read, isThere));
    },
    async waitFor(count) {
      return withoutMarkers(await readUntil(path, read, (all) => withoutMarkers(all).length >= count));
    },
  };
}

/** Complete lines only: the last one may still be on its way. */
export function parseLog(text: string): LoggedRequest[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

function parseLine(line: string): LoggedRequest {
  const fields = line.split('\t');
  if (fields.length !== loggedFields.length) throw new Error(`a log line has ${fields.length} fields: ${line}`);
  const [requestLine, status, host, contentLength, transferEncoding, forwardedFor, connection, body] = fields.map(
    (field) => (field === '-' ? '' : unescape(field)),
  );
  return {
    requestLine: requestLine ?? '',
    status: Number(status),
    host: host ?? '',
    contentLength: contentLength ?? '',
    transferEncoding: transferEncoding ?? '',
    forwardedFor: forwardedFor ?? '',
    connection: connection ?? '',
    body: body === 'unlogged' ? null : (body ?? ''),
  };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };

function unescape(field: string): string {
  return field.replaceAll(/\\(?:x([0-9A-Fa-f]{2})|(.))/g, (_, hex: string | undefined, letter: string | undefined) =>
    hex === undefined ? (escapes[letter ?? ''] ?? letter ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

async function readUntil(
  path: string,
  read: () => Promise<readonly LoggedRequest[]>,
  enough: (all: readonly LoggedRequest[]) => boolean,
): Promise<readonly LoggedRequest[]> {
  const watcher = watch(path);
  try {
    for (const deadline = performance.now() + waitMs; ; ) {
      const changed = new Promise<void>((resolve) => {
        watcher.once('change', () => resolve());
      });
      const all = await read();
      if (enough(all)) return all;
      const rest = deadline - performance.now();
      const inTime = rest > 0 && (await Promise.race([changed.then(() => true), expired(rest)]));
      if (!inTime) throw new Error(`the origin's log did not get there in ${waitMs} ms: ${JSON.stringify(all)}`);
    }
  } finally {
    watcher.close();
  }
}

function expired(ms: number): Promise<false> {
  return new Promise((resolve) => void setTimeout(() => resolve(false), ms).unref());
}

function get(port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ port, path, agent: false, host: '127.0.0.1' }, (response) => {
      response.resume().once('end', resolve);
    })
      .once('error', reject)
      .end();
  });
}
