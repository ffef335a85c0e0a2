/** What went wrong with another Local API, in words that say what to do about it. No message holds a key or a password. */
import { GatewayError, messageOf, type ErrorCode } from '../../../core/errors.ts';
import type { LapiCredentials } from './lapi-target.ts';

/** A failure as status and doctor show it. */
export interface LapiFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What was thrown, for status. Anything but a GatewayError is an answer that nobody foresaw. */
export function failureOf(thrown: unknown, at: number): LapiFailure {
  const message = messageOf(thrown);
  if (thrown instanceof GatewayError) return { code: thrown.code, message, remedy: thrown.remedy, at };
  return { code: 'LAPI_ANSWER_INVALID', message, remedy: null, at };
}

export interface NamedLapi {
  readonly name: string;
  readonly address: string;
}

/** Codes of Node and OpenSSL for a certificate that is not trusted. */
const certificateCodes: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** No answer came, or not all of it. */
export function unreachable({ name, address }: NamedLapi, cause: unknown): GatewayError {
  const code = codeOf(cause);
  const where = `the Local API ${name} (${address})`;
  if (certificateCodes.has(code)) {
    return new GatewayError(
      'LAPI_UNREACHABLE',
      `${where} shows a certificate that is not trusted: ${messageOf(cause)}`,
      {
        remedy: 'Name the authority that signed it in tls.caFile, and the name that stands in it in tls.serverName.',
        cause,
      },
    );
  }
  const remedy =
    code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? 'Check the host name in its url, and the name servers of this machine.'
      : 'Check that it runs, that its url is right, and that no firewall is between.';
  return new GatewayError('LAPI_UNREACHABLE', `${where} does not answer: ${reasonOf(cause, code)}`, { remedy, cause });
}

/** The connection ended before the answer did. */
export function isClosedByPeer(thrown: unknown): boolean {
  const code = thrown instanceof GatewayError ? codeOf(thrown.cause) : '';
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** An answer came that cannot be what a Local API says. */
export function answerInvalid({ name, address }: NamedLapi, why: string): GatewayError {
  return new GatewayError(
    'LAPI_ANSWER_INVALID',
    `the answer of the Local API ${name} (${address}) is not usable: ${why}`,
    {
      remedy: 'Check that its url is that of a CrowdSec Local API, and that nothing between changes its answers.',
    },
  );
}

/** It answered with a status that is not success. */
export function refusal(
  { name, address }: NamedLapi,
  credentials: LapiCredentials,
  { status, message }: { readonly status: number; readonly message: string },
): GatewayError {
  const said = message === '' ? '' : `: ${plain(message)}`;
  return new GatewayError('LAPI_REFUSED', `the Local API ${name} (${address}) answered ${status}${said}`, {
    remedy: remedyOf(status, message, credentials),
  });
}

function remedyOf(status: number, message: string, credentials: LapiCredentials): string {
  if (status >= 300 && status < 400) return 'Its url leads somewhere else: write the address that it redirects to.';
  if (status === 401 || status === 403) return accessRemedy(message, credentials);
  if (status === 404) return 'It does not know what was asked: check the path of its url, or its version.';
  if (status === 429) return 'It was asked too often: make the interval longer.';
  return 'Look into its log: it could not do what was asked.';
}

function accessRemedy(message: string, credentials: LapiCredentials): string {
  switch (credentials.kind) {
    case 'key':
      return 'Make a key there (`cscli bouncers add NAME`) and write it into `key` or `keyFile`.';
    case 'none':
      return 'Check what it asks of those who register.';
    case 'certificate':
      return 'Check that the certificate is valid and that its OU is among `bouncers_allowed_ou` there.';
    case 'machine':
      if (message.includes('not validated')) {
        return `The machine waits for consent: run \`cscli machines validate ${credentials.machineId}\` there.`;
      }
      return credentials.machineId === ''
        ? 'Check that the certificate is valid and that its OU is among `agents_allowed_ou` there.'
        : `Check machineId and password; \`cscli machines add ${credentials.machineId}\` makes it there.`;
    default:
      return credentials satisfies never;
  }
}

function reasonOf(cause: unknown, code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'it closed the connection';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name is not known';
    case 'ENOENT':
      return 'there is no such socket';
    case 'EACCES':
      return 'this user may not open the socket';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no connection in time';
    default:
      return plain(messageOf(cause));
  }
}

function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return '';
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  // Several addresses were tried: the first failure stands for all.
  return thrown instanceof AggregateError ? codeOf(thrown.errors[0]) : '';
}

/** What others wrote, fit for a line of a log. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, ' ').slice(0, 200);
}
