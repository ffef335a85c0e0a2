/**
 * One question to a web server on behalf of an expression, as Go's HTTP client asks it: redirects are followed, the body is
 * read as it comes. The target may have been put together from a log line, which strangers write: each hop is resolved here
 * and connected to by the very address that was looked at, so that no name can lead inside.
 */
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import type { DnsResolver } from '../../core/dns-resolver.ts';
import { lookUpAddresses } from '../../core/host-resolver.ts';
import { parseIp } from '../../core/ip.ts';
import { isPublic } from '../../core/public-address.ts';
import type { HttpAnswer, HttpQuestion } from '../expr/dependencies.ts';

/** `any` reaches the private network too. */
export type HttpReach = 'public' | 'any';

export interface HttpRequestParts {
  readonly reach: HttpReach;
  readonly dns: DnsResolver;
  /** Room for bytes of a body; false when there is none left. */
  readonly takeBytes: (count: number) => boolean;
  readonly signal: AbortSignal;
}

const mostRedirects = 5;
const mostBodyBytes = 10 * 1_048_576;
const mostHeaderBytes = 65_536;

/** @throws Error in words for people */
export async function requestHttp(question: HttpQuestion, parts: HttpRequestParts): Promise<HttpAnswer> {
  let asked = question;
  for (let hop = 0; ; hop++) {
    const url = targetOf(asked.url);
    const addresses = await addressesOf(url.hostname, parts);
    const response = await send(asked, url, addresses, parts.signal);
    const next = redirected(asked, url, response);
    if (next === null) return { ...headOf(response), Body: await bodyOf(response, parts) };
    response.destroy();
    if (hop === mostRedirects) throw new Error(`more than ${mostRedirects} redirects`);
    asked = next;
  }
}

/** However an address is written (`0x7f.1`), its `hostname` is in the one normal form. */
function targetOf(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new Error(`${JSON.stringify(text.slice(0, 200))} is no http or https address`);
}

function send(
  { method, headers, body }: HttpQuestion,
  url: URL,
  addresses: readonly HostAddress[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const start = url.protocol === 'https:' ? secureRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const request = start({
      ...urlToHttpOptions(url),
      method,
      headers: ownHeaders(headers, method, body),
      agent: false,
      maxHeaderSize: mostHeaderBytes,
      signal,
      lookup: lookupAmong(addresses),
    });
    request.once('response', resolve);
    request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    // Nobody asked for another protocol, and Node hands such a connection over.
    request.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the server changed the protocol'));
    });
    request.end(body);
  });
}

/** What the client itself decides about, and Go's ignores too when it is given. */
const decidedHere: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function ownHeaders(given: HttpQuestion['headers'], method: string, body: string): Record<string, string | number> {
  const headers: Record<string, string | number> = { 'User-Agent': 'Portcullis' };
  for (const [name, value] of Object.entries(given)) if (!decidedHere.has(name.toLowerCase())) headers[name] = value;
  if (body !== '' || !/^(?:GET|HEAD)$/.test(method)) headers['Content-Length'] = Buffer.byteLength(body);
  return headers;
}

interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * The addresses of a host that may be asked. By the DNS, not by the system's own resolver: that keeps a thread for each name
 * that does not answer, and files are read by the same threads.
 */
async function addressesOf(host: string, { reach, dns, signal }: HttpRequestParts): Promise<readonly HostAddress[]> {
  const written = parseIp(host.replace(/^\[|\]$/g, ''));
  const found = written === null ? await lookUpAddresses(dns, host, signal) : [written.text];
  if (found.length === 0) throw new Error(`${host} has no address`);
  const allowed = found.flatMap((text) => {
    const address = parseIp(text);
    const isAllowed = address !== null && (reach === 'any' || isPublic(address));
    return isAllowed ? [{ address: address.text, family: address.version }] : [];
  });
  if (allowed.length > 0) return allowed;
  throw new Error(`${host} is not on the public internet, and \`detection.httpHelpers\` is \`public\``);
}

function lookupAmong(addresses: readonly HostAddress[]): LookupFunction {
  const [first] = addresses;
  return (_host, { all }, done) => {
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
}

/** Names that must not go along to another server. */
const secrets = /^(?:authorization|cookie|proxy-authorization)$/i;
const ofBody = /^content-/i;

/** The question to ask instead, or null when this is the answer. As Go: 301 to 303 become GET, 307 and 308 stay what they are. */
function redirected(asked: HttpQuestion, url: URL, response: IncomingMessage): HttpQuestion | null {
  const { statusCode = 0, headers } = response;
  const isRedirect = [301, 302, 303, 307, 308].includes(statusCode);
  if (!isRedirect || headers.location === undefined) return null;
  const target = URL.parse(headers.location, url.href);
  if (target === null) throw new Error('the server redirects to something that is no address');
  const keepsMethod = statusCode >= 307 || asked.method === 'GET' || asked.method === 'HEAD';
  const isElsewhere = target.origin !== url.origin;
  const kept = Object.entries(asked.headers).filter(
    ([name]) => !(isElsewhere && secrets.test(name)) && (keepsMethod || !ofBody.test(name)),
  );
  return {
    method: keepsMethod ? asked.method : 'GET',
    url: target.href,
    headers: Object.fromEntries(kept),
    body: keepsMethod ? asked.body : '',
  };
}

function headOf({ statusCode = 0, rawHeaders }: IncomingMessage): Omit<HttpAnswer, 'Body'> {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = canonical(rawHeaders[index] ?? '');
    const values = headers.get(name) ?? [];
    values.push(rawHeaders[index + 1] ?? '');
    headers.set(name, values);
  }
  return { StatusCode: BigInt(statusCode), Headers: Object.fromEntries(headers) };
}

/** `content-type` is `Content-Type` in Go. */
function canonical(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

async function bodyOf(response: IncomingMessage, { takeBytes, signal }: HttpRequestParts): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBodyBytes) throw new Error(`the answer is larger than ${mostBodyBytes / 1_048_576} MiB`);
      if (!takeBytes(chunk.length)) throw new Error('all answers together are too large');
      chunks.push(chunk);
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
  return Buffer.concat(chunks).toString('utf8');
}
