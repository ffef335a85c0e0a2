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
  /** Whether it is shown a client certificate, which it may not like. */
  readonly showsCertificate?: boolean;
}

interface CertificateFault {
  readonly why: string;
  readonly remedy: string;
}

const unknownAuthority: CertificateFault = {
  why: 'the authority that signed it is not known here',
  remedy: 'Name the authority that signed it in tls.caFile.',
};
const outOfDate = 'Renew it there; if it is in date, set the clock of this machine right.';

/** Codes of Node and OpenSSL for a certificate that is not trusted. */
const certificateFaults: ReadonlyMap<string, CertificateFault> = new Map([
  ['CERT_HAS_EXPIRED', { why: 'it has expired', remedy: outOfDate }],
  ['CERT_NOT_YET_VALID', { why: 'it is not valid yet', remedy: outOfDate }],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', { why: 'it has signed itself', remedy: 'Name it in tls.caFile.' }],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    {
      why: 'it is for another name',
      remedy: 'Write a name that stands in it into its url or into tls.serverName.',
    },
  ],
  ['INVALID_PURPOSE', { why: 'it is not for servers', remedy: 'Have one made for it that may serve.' }],
  ['CERT_SIGNATURE_FAILURE', unknownAuthority],
  ['SELF_SIGNED_CERT_IN_CHAIN', unknownAuthority],
  ['UNABLE_TO_GET_ISSUER_CERT', unknownAuthority],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', unknownAuthority],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', unknownAuthority],
]);

/** No answer came, or not all of it. */
export function unreachable(lapi: NamedLapi, cause: unknown): GatewayError {
  const code = codeOf(cause);
  const where = `the Local API ${lapi.name} (${lapi.address})`;
  const fault = certificateFaults.get(code);
  if (fault !== undefined) {
    const { why, remedy } = fault;
    const message = `${where} shows a certificate that is not trusted: ${why}`;
    return new GatewayError('LAPI_UNREACHABLE', message, { remedy, cause });
  }
  const message = `${where} does not answer: ${reasonOf(cause, code)}`;
  return new GatewayError('LAPI_UNREACHABLE', message, { remedy: silenceRemedy(lapi, code), cause });
}

function silenceRemedy({ showsCertificate = false }: NamedLapi, code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return 'Check the host name in its url, and the name servers of this machine.';
  }
  if (showsCertificate && (closedCodes.has(code) || code.startsWith('ERR_SSL_'))) {
    return 'Check that it trusts the authority of tls.certFile, and that this certificate is in date and not revoked.';
  }
  return 'Check that it runs, that its url is right, and that no firewall is between.';
}

/** The other end has closed the connection. */
const closedCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** The connection ended before the answer did. */
export function isClosedByPeer(thrown: unknown): boolean {
  const code = thrown instanceof GatewayError ? codeOf(thrown.cause) : '';
  return closedCodes.has(code);
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
  if (status === 400 && /HTTP request.* HTTPS/i.test(message)) return 'It speaks TLS: write https:// in its url.';
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
