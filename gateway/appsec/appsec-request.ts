/**
 * A request as a bouncer describes it: its own headers, and the facts of the original one in `X-Crowdsec-Appsec-…`. All of
 * those are taken out before anything is judged. Specification: CrowdSec `pkg/appsec/request.go`.
 */
import { parseIp } from '../../core/ip.ts';
import { headerOf } from '../../detectors/waf/engine/header-of.ts';
import type { TransactionRequest } from '../../detectors/waf/engine/transaction-types.ts';

export const appsecPrefix = 'x-crowdsec-appsec-';

export interface AppsecRequest {
  readonly request: TransactionRequest;
  /** Host of the original request, "" when the bouncer does not say. */
  readonly host: string;
}

/** What a bouncer has to say, and did not. */
export class AppsecRequestError extends Error {}

export interface AppsecArrival {
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  /** Of the body that was read. */
  readonly bodyBytes: number;
  /** Epoch milliseconds. */
  readonly now: number;
  /** When the bouncer gives no transaction id. */
  readonly id: string;
}

/** The key that the bouncer shows, "" when none. */
export function apiKeyOf(rawHeaders: readonly string[]): string {
  return factOf(rawHeaders, 'api-key');
}

/** @throws AppsecRequestError that names what is missing or wrong. */
export function readAppsecRequest({ rawHeaders, bodyBytes, now, id }: AppsecArrival): AppsecRequest {
  const ip = required(rawHeaders, 'ip');
  const address = parseIp(ip);
  if (address === null) throw new AppsecRequestError(`${appsecPrefix}ip is not an IP address`);
  const host = factOf(rawHeaders, 'host');
  const userAgent = factOf(rawHeaders, 'user-agent');
  const request: TransactionRequest = {
    id: transactionId(factOf(rawHeaders, 'transaction-id')) ?? id,
    clientAddress: address.text,
    clientPort: 0,
    serverAddress: '',
    serverPort: 0,
    method: required(rawHeaders, 'verb'),
    target: required(rawHeaders, 'uri'),
    protocol: protocolOf(factOf(rawHeaders, 'http-version')),
    headers: originalHeaders(rawHeaders, host, userAgent, bodyBytes),
    startedAt: now,
  };
  return { request, host };
}

/** A UUID as a rule. It goes into logs and the store, so that what is too long or strange is replaced. */
function transactionId(given: string): string | null {
  return /^[\x21-\x7e]{1,100}$/.test(given) ? given : null;
}

function required(rawHeaders: readonly string[], name: string): string {
  const value = factOf(rawHeaders, name);
  if (value === '') throw new AppsecRequestError(`the header ${appsecPrefix}${name} is missing`);
  return value;
}

function factOf(rawHeaders: readonly string[], name: string): string {
  return headerOf(rawHeaders, appsecPrefix + name);
}

/** `11` is HTTP/1.1, `20` HTTP/2.0; anything else counts as HTTP/1.1, as upstream does. */
function protocolOf(version: string): string {
  return /^[0-9]{2}$/.test(version) ? `HTTP/${version[0]}.${version[1]}` : 'HTTP/1.1';
}

/** Headers of the connection between bouncer and endpoint; the original ones are in the facts. */
const ofThisHop: ReadonlySet<string> = new Set([
  'host',
  'user-agent',
  'connection',
  'transfer-encoding',
  'content-length',
  'expect',
]);

function originalHeaders(
  rawHeaders: readonly string[],
  host: string,
  userAgent: string,
  bodyBytes: number,
): readonly string[] {
  const headers: string[] = [];
  if (host !== '') headers.push('Host', host);
  if (userAgent !== '') headers.push('User-Agent', userAgent);
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const lower = name.toLowerCase();
    if (ofThisHop.has(lower) || lower.startsWith(appsecPrefix)) continue;
    headers.push(name, rawHeaders[index + 1] as string);
  }
  const encoding = factOf(rawHeaders, 'transfer-encoding');
  const length = headerOf(rawHeaders, 'content-length') || (bodyBytes > 0 ? String(bodyBytes) : '');
  if (encoding !== '') headers.push('Transfer-Encoding', encoding);
  else if (length !== '') headers.push('Content-Length', length);
  return headers;
}
