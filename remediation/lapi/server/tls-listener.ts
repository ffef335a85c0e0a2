/**
 * TLS of the Local API: certificate and key, the authorities of client certificates and their revocation lists, all noticed when
 * their files change. A client certificate that does not verify ends the connection; one that does is noted for the guards, and so is a
 * revoked one, which they answer.
 * Sessions are not resumed where certificates are asked for, since a resumed one would not be verified again.
 */
import { constants } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { PeerCertificate, SecureContextOptions, TLSSocket } from 'node:tls';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { LapiOptions } from '../options.ts';
import type { ClientCertificate, Peers } from './peers.ts';

export type LapiTlsOptions = NonNullable<LapiOptions['tls']>;

export interface TlsListener {
  readonly server: Server;
  /** Counts up when authorities or lists are read anew: what was verified before has to be verified again. */
  readonly generation: number;
  close(): void;
}

export interface TlsListenerParts extends Pick<Runtime, 'clock' | 'log'> {
  readonly peers: Peers;
  /** Whether one more refusal of this address is worth a line. */
  readonly isNews: (address: string) => boolean;
}

const lookEveryMs = 30_000;

/** @throws GatewayError LISTEN_FAILED when a file cannot be used. */
export async function createTlsListener(
  tls: LapiTlsOptions,
  serverOptions: ServerOptions,
  parts: TlsListenerParts,
): Promise<TlsListener> {
  const { clock, log, peers } = parts;
  const asks = tls.caFile !== null && tls.clientVerification !== 'none';
  let generation = 0;
  let seen = await stateOf(tls);
  const server = await makeServer(tls, { ...serverOptions, ...(asks && clientVerification(tls)) });
  server.on('secureConnection', (socket: TLSSocket) => {
    const shown = asks ? socket.getPeerCertificate() : null;
    if (shown === null || shown.subject === undefined) return peers.verified(socket, null);
    const fault = socket.authorized ? null : String(socket.authorizationError);
    const isRevoked = fault === 'CERT_REVOKED';
    const address = socket.remoteAddress ?? '';
    if (fault !== null && parts.isNews(address)) {
      log.warn({ clientIp: address, cause: fault }, 'a certificate that a client of the Local API showed is not good');
    }
    if (fault === null || isRevoked) {
      peers.verified(socket, { ...certificateOf(shown, clock.now(), generation), isRevoked });
    } else socket.destroy();
    return undefined;
  });

  const look = async (): Promise<void> => {
    const now = await stateOf(tls);
    if (now === seen) return;
    try {
      server.setSecureContext(await contextOf(tls));
      seen = now;
      generation++;
      server.closeIdleConnections();
      log.info({ certFile: tls.certFile }, 'the TLS files of the Local API were read anew');
    } catch (thrown) {
      // Perhaps only one of two files is there yet. It is tried again, and said once for each change.
      if (failedAt !== now)
        log.error({ cause: messageOf(thrown) }, 'the new TLS files of the Local API cannot be used');
      failedAt = now;
    }
  };
  let failedAt = '';
  const watch = clock.every(lookEveryMs, () => void look());
  return {
    server,
    get generation() {
      return generation;
    },
    close: () => watch.cancel(),
  };
}

function clientVerification({ clientVerification }: LapiTlsOptions): ServerOptions {
  return { requestCert: true, rejectUnauthorized: clientVerification === 'required' };
}

async function makeServer(tls: LapiTlsOptions, options: ServerOptions): Promise<Server> {
  const context = await contextOf(tls);
  try {
    return createServer({ ...options, ...context });
  } catch (cause) {
    throw unusable(cause);
  }
}

async function contextOf(tls: LapiTlsOptions): Promise<SecureContextOptions> {
  const read = async (file: string): Promise<Buffer> => {
    try {
      return await readFile(file);
    } catch (cause) {
      throw unusable(cause);
    }
  };
  const [cert, key] = [await read(tls.certFile), await read(tls.keyFile)];
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (tls.caFile === null ? 0 : constants.SSL_OP_NO_TICKET),
    ...(tls.caFile !== null && { ca: await read(tls.caFile) }),
    ...(tls.crlFile !== null && { crl: await read(tls.crlFile) }),
  };
}

function unusable(cause: unknown): GatewayError {
  return new GatewayError('LISTEN_FAILED', `the Local API has no TLS: ${messageOf(cause)}`, {
    remedy: 'Check the files below `lapi.tls`, or remove that key.',
    cause,
  });
}

/** Changes when any of the files does. */
async function stateOf(tls: LapiTlsOptions): Promise<string> {
  const files = [tls.certFile, tls.keyFile, tls.caFile, tls.crlFile].filter((file) => file !== null);
  const states = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ ino, size, mtimeMs }) => `${ino}:${size}:${mtimeMs}`,
        () => '-',
      ),
    ),
  );
  return states.join(' ');
}

function certificateOf(
  { subject, valid_to }: PeerCertificate,
  now: number,
  generation: number,
): Omit<ClientCertificate, 'isRevoked'> {
  const names: unknown = subject.CN;
  const units: unknown = subject.OU;
  return {
    commonName: typeof names === 'string' ? names : '',
    organizationalUnits: [units].flat().filter((unit) => typeof unit === 'string'),
    validTo: Date.parse(valid_to),
    verifiedAt: now,
    generation,
  };
}
