/**
 * Posts a text over HTTP(S), to a server or a unix socket. Answers are read up to a bound; redirects are never followed,
 * since the request carries secrets.
 */
import { readFileSync } from 'node:fs';
import { request as plainRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as tlsRequest, type RequestOptions as TlsRequestOptions } from 'node:https';
import { type ConnectionOptions, getCACertificates } from 'node:tls';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import { DeliveryError, shownText } from './channel.ts';

export interface TlsFiles {
  readonly skipVerification: boolean;
  readonly certPath?: string | undefined;
  readonly keyPath?: string | undefined;
  /** Trusted besides those of the system. */
  readonly caPath?: string | undefined;
}

export interface TlsMaterial {
  readonly rejectUnauthorized: boolean;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: readonly string[];
}

/** @throws GatewayError NOTIFICATION_INVALID when a file cannot be read. */
export function readTlsFiles({ skipVerification, certPath, keyPath, caPath }: TlsFiles): TlsMaterial {
  const ca = caPath === undefined ? null : read(caPath).toString('utf8');
  return {
    rejectUnauthorized: !skipVerification,
    ...(certPath !== undefined && { cert: read(certPath) }),
    ...(keyPath !== undefined && { key: read(keyPath) }),
    ...(ca !== null && { ca: [...getCACertificates('default'), ca] }),
  };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw new GatewayError('NOTIFICATION_INVALID', `cannot read ${path}: ${messageOf(thrown)}`, {
      remedy: 'Correct the path, or let the user of the gateway read the file.',
      cause: thrown,
    });
  }
}

/** The material in the form that Node's TLS takes. */
export function connectOptions({ ca, ...rest }: TlsMaterial): ConnectionOptions {
  return { ...rest, ...(ca !== undefined && { ca: [...ca] }) };
}

export interface Posting {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly tls: TlsMaterial;
  readonly socketPath?: string | undefined;
  readonly signal: AbortSignal;
  /** What no message may repeat. */
  readonly secrets: readonly string[];
}

export interface PostAnswer {
  readonly status: number;
  readonly body: string;
}

/** Of an answer, read at most; nobody answers a webhook with more. */
const mostAnswerBytes = 65_536;

/** Resolves for statuses 200 to 299. @throws DeliveryError for others, for redirects, and when nobody answers. */
export async function postMessage(posting: Posting): Promise<PostAnswer> {
  const where = posting.socketPath ?? posting.url.origin;
  let answer: PostAnswer & { readonly response: IncomingMessage };
  try {
    answer = await exchange(posting);
  } catch (thrown) {
    const reason = posting.signal.aborted ? 'no answer in time' : shownText(messageOf(thrown), posting.secrets);
    throw new DeliveryError(`${where}: ${reason}`, remedyOf(thrown, posting.signal.aborted));
  }
  const { status, body, response } = answer;
  if (status >= 200 && status < 300) return { status, body };
  if (status >= 300 && status < 400) {
    const location = response.headers.location ?? '';
    const target = URL.parse(location, posting.url.href)?.origin ?? 'elsewhere';
    throw new DeliveryError(
      `${where}: answered with a redirect to ${target}, which is not followed`,
      'Write the address that it redirects to as the url of the notification.',
    );
  }
  const said = shownText(body, posting.secrets);
  throw new DeliveryError(
    `${where}: answered ${status}${said === '' ? '' : `: ${said}`}`,
    statusRemedy(status),
    retryAfter(response.headers['retry-after']),
  );
}

function exchange(posting: Posting): Promise<PostAnswer & { readonly response: IncomingMessage }> {
  const { url, method, headers, body, tls, socketPath, signal } = posting;
  const bytes = Buffer.from(body, 'utf8');
  const { promise, resolve, reject } = Promise.withResolvers<PostAnswer & { readonly response: IncomingMessage }>();
  const options: TlsRequestOptions & RequestOptions = {
    method,
    signal,
    agent: false,
    headers: { 'user-agent': 'portcullis', ...lowerCased(headers), 'content-length': String(bytes.length) },
    ...(socketPath !== undefined && { socketPath }),
  };
  const onResponse = (response: IncomingMessage): void => {
    readAnswer(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text, response }), reject);
  };
  const request: ClientRequest =
    url.protocol === 'https:'
      ? tlsRequest(url, { ...options, ...connectOptions(tls) }, onResponse)
      : plainRequest(url, options, onResponse);
  request.on('error', reject);
  request.end(bytes);
  return promise;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= mostAnswerBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, mostAnswerBytes).toString('utf8');
}

/** Seconds, as services that limit rates give them. */
function retryAfter(header: string | undefined): number | null {
  return header !== undefined && /^[0-9]{1,6}$/.test(header) ? Number(header) * 1000 : null;
}

function statusRemedy(status: number): string {
  if (status === 401 || status === 403) return 'Check the token, the headers and the url of the notification.';
  if (status === 404 || status === 410) return 'Check the url of the notification: nothing is there.';
  if (status === 429) return 'It takes fewer messages: write group_wait and group_threshold.';
  if (status >= 500) return 'The other side has a fault of its own; the message is tried again.';
  return 'It does not take the message: check what format makes of an alert with `notifications test`.';
}

function remedyOf(thrown: unknown, timedOut: boolean): string {
  if (timedOut) return 'Check that it can be reached from here, or write a longer timeout.';
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    return 'Its certificate is not trusted: write the authority that signed it as ca_cert_path.';
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'Check the host name and the DNS of this machine.';
  return 'Check the address and that it can be reached from here.';
}
