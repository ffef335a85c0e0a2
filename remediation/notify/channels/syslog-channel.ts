/**
 * Syslog, which CrowdSec does not have: RFC 5424 over UDP, TCP (octet counting, RFC 6587), TLS (RFC 5425) or the stream
 * socket of a local daemon. A notification is one message: line ends inside it are escaped, so that nothing in an alert
 * can begin a message of its own.
 */
import { createSocket } from 'node:dgram';
import { createConnection } from 'node:net';
import { connect as connectTls } from 'node:tls';
import * as z from 'zod';
import { messageOf } from '../../../core/errors.ts';
import { sliceBytes } from '../templates/values.ts';
import { type ChannelContext, channelType, DeliveryError } from './channel.ts';
import { connectOptions, readTlsFiles, type TlsMaterial } from './post-message.ts';
import { filePath, flag, lineText } from './setting-types.ts';

type Target =
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const defaultPorts = { udp: 514, tcp: 601, tls: 6514 } as const;

const facilities: readonly string[] =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
const severities: readonly string[] = 'emerg alert crit err warning notice info debug'.split(' ');

const settings = z.strictObject({
  address: lineText().transform((written, context): Target => {
    const target = parseTarget(written);
    if (target !== null) return target;
    context.addIssue({
      code: 'custom',
      message: 'expected udp://host:514, tcp://host:601, tls://host:6514 or unix:///run/socket',
    });
    return z.NEVER;
  }),
  facility: oneOf(facilities).default(facilities.indexOf('local0')),
  severity: oneOf(severities).default(severities.indexOf('warning')),
  app_name: lineText(48)
    .regex(/^[\x21-\x7e]+$/, { error: 'expected ASCII characters without spaces' })
    .default('portcullis'),
  skip_tls_verification: flag().default(false),
  ca_cert_path: filePath().optional(),
});

function oneOf(words: readonly string[]) {
  return z.string().transform((written, context): number => {
    const index = words.indexOf(written);
    if (index === -1) context.addIssue({ code: 'custom', message: `expected one of ${words.join(', ')}` });
    return index;
  });
}

function parseTarget(written: string): Target | null {
  if (written.startsWith('unix://')) return written.length > 7 ? { kind: 'unix', path: written.slice(7) } : null;
  const match = /^(udp|tcp|tls):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]]+))(?::([0-9]{1,5}))?$/.exec(written);
  if (!match) return null;
  const kind = match[1] as 'udp' | 'tcp' | 'tls';
  const port = Number(match[4] ?? defaultPorts[kind]);
  return port >= 1 && port <= 65_535 ? { kind, host: match[2] ?? match[3] ?? '', port } : null;
}

/** What a receiver should take over UDP (RFC 5426 §3.2), and what many take at most over TCP. */
const mostBytes = { udp: 2_048, stream: 65_536 } as const;

export const syslogChannel = channelType('syslog', settings, (options, context) => {
  const { address: target, facility, severity, app_name: appName } = options;
  const tls = readTlsFiles({ skipVerification: options.skip_tls_verification, caPath: options.ca_cert_path });
  return {
    async send(text, signal) {
      const header = `<${facility * 8 + severity}>1 ${new Date(context.clock.now()).toISOString()} ${hostName(context)} ${appName} - - - `;
      const message = header + oneLine(text);
      try {
        if (target.kind === 'udp') await sendDatagram(target, cut(message, mostBytes.udp), signal);
        else await sendStream(target, cut(message, mostBytes.stream), tls, signal);
      } catch (thrown) {
        throw failure(target, thrown, signal.aborted);
      }
    },
  };
});

function hostName({ hostname }: ChannelContext): string {
  const plain = hostname.replaceAll(/[^\x21-\x7e]/g, '').slice(0, 255);
  return plain === '' ? '-' : plain;
}

/** Control characters as `#ooo`, the way syslog daemons write them. */
function oneLine(text: string): string {
  return text
    .trim()
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, (sign) => `#${(sign.codePointAt(0) ?? 0).toString(8).padStart(3, '0')}`);
}

function cut(message: string, bytes: number): string {
  return Buffer.byteLength(message) <= bytes ? message : sliceBytes(message, 0, bytes).replace(/\ufffd$/, '');
}

function sendDatagram(
  { host, port }: { readonly host: string; readonly port: number },
  message: string,
  signal: AbortSignal,
): Promise<void> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', signal });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on('error', reject);
  signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  socket.send(message, port, host, (error) => (error === null ? resolve() : reject(error)));
  return promise.finally(() => closeQuietly(() => socket.close()));
}

/** An aborted socket is closed already. */
function closeQuietly(close: () => void): void {
  try {
    close();
  } catch {
    // Nothing is left to close.
  }
}

/** A message is delivered as far as can be known when the other side has taken the bytes and the end. */
function sendStream(target: Target, message: string, tls: TlsMaterial, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket =
    target.kind === 'unix'
      ? createConnection({ path: target.path })
      : target.kind === 'tls'
        ? connectTls({ ...connectOptions(tls), host: target.host, port: target.port, ...sni(target.host) })
        : createConnection({ host: target.host, port: target.port });
  const abort = (): void => {
    reject(new Error('aborted'));
    socket.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('the connection was closed')));
  const framed = `${Buffer.byteLength(message)} ${message}`;
  socket.once(target.kind === 'tls' ? 'secureConnect' : 'connect', () => socket.end(framed, () => resolve()));
  return promise.finally(() => {
    signal.removeEventListener('abort', abort);
    socket.destroySoon();
  });
}

function sni(host: string): { readonly servername?: string } {
  return /^[0-9.]+$|:/.test(host) ? {} : { servername: host };
}

function failure(target: Target, thrown: unknown, timedOut: boolean): DeliveryError {
  const where = target.kind === 'unix' ? target.path : `${target.kind}://${target.host}:${target.port}`;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (target.kind === 'unix' && code === 'EPROTOTYPE') {
    return new DeliveryError(
      `${where}: it is a datagram socket, which this runtime cannot write to`,
      'Let the daemon listen on UDP of 127.0.0.1, and write udp://127.0.0.1:514 as the address.',
    );
  }
  const reason = timedOut ? 'no answer in time' : messageOf(thrown);
  return new DeliveryError(`${where}: ${reason}`, 'Check the address and that the syslog daemon listens there.');
}
