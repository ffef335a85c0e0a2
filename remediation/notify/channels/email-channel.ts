/**
 * E-mail: one message, in HTML, to all receivers. Keys and defaults: CrowdSec's `email` plugin, and two about the
 * certificate of the server, which is verified.
 */
import { Socket } from 'node:net';
import * as z from 'zod';
import { messageOf } from '../../../core/errors.ts';
import { type ChannelContext, channelType, DeliveryError, shownText } from './channel.ts';
import { connectOptions, readTlsFiles, type TlsMaterial } from './post-message.ts';
import { durationText, filePath, flag, lineText, text, whole } from './setting-types.ts';

const address = lineText(320).regex(/^[^\s@<>,;]+@[^\s@<>,;]+$/, {
  error: 'expected an address such as ops@example.com',
});

const settings = z.strictObject({
  smtp_host: lineText(255),
  smtp_port: whole(1, 65_535).default(25),
  smtp_username: text().default(''),
  smtp_password: text().default(''),
  auth_type: z
    .enum(['none', 'login', 'plain', 'crammd5'], { error: 'expected none, login, plain or crammd5' })
    .default('login'),
  encryption_type: z
    .enum(['none', 'ssltls', 'starttls'], { error: 'expected none, ssltls or starttls' })
    .default('ssltls'),
  helo_host: lineText(255).default('localhost'),
  sender_name: lineText(200).default('Portcullis'),
  sender_email: address.default('portcullis@localhost.localdomain'),
  receiver_emails: z
    .array(address, { error: 'expected a list of addresses' })
    .min(1, { error: 'must name somebody' })
    .max(100),
  email_subject: lineText(500).default('Portcullis notification'),
  connect_timeout: durationText('5m').optional(),
  send_timeout: durationText('5m').optional(),
  skip_tls_verification: flag().default(false),
  ca_cert_path: filePath().optional(),
});
type EmailSettings = z.output<typeof settings>;

export const emailChannel = channelType(
  'email',
  settings,
  (options, context) => {
    const tls = readTlsFiles({ skipVerification: options.skip_tls_verification, caPath: options.ca_cert_path });
    return { send: (html, signal) => sendMail(options, context, tls, html, signal) };
  },
  ({ smtp_password: password }) => [password],
);

async function sendMail(
  options: EmailSettings,
  { timeoutMs }: ChannelContext,
  tls: TlsMaterial,
  html: string,
  signal: AbortSignal,
): Promise<void> {
  // A socket of our own, so that an attempt that takes too long can be ended.
  const socket = new Socket();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    socket.destroy();
    reject(new Error('no answer in time'));
  };
  signal.addEventListener('abort', abort, { once: true });
  // Loaded where somebody has mail sent: it takes some megabytes.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ ...connection(options, tls, timeoutMs), socket });
  try {
    const sent = transport.sendMail({
      from: { name: options.sender_name, address: options.sender_email },
      to: options.receiver_emails,
      subject: options.email_subject,
      html,
    });
    const { rejected } = await Promise.race([sent, aborted]);
    if (rejected.length > 0) {
      throw new Error(`accepted, but not for ${rejected.map(String).join(', ')}`);
    }
  } catch (thrown) {
    throw failure(options, thrown);
  } finally {
    signal.removeEventListener('abort', abort);
    transport.close();
    socket.destroy();
  }
}

function connection(options: EmailSettings, tls: TlsMaterial, timeoutMs: number) {
  const { auth_type: authType, encryption_type: encryption, smtp_username: user, smtp_password: pass } = options;
  const authenticates = authType !== 'none' && user !== '';
  return {
    host: options.smtp_host,
    port: options.smtp_port,
    name: options.helo_host,
    secure: encryption === 'ssltls',
    requireTLS: encryption === 'starttls',
    ignoreTLS: encryption === 'none',
    ...(authenticates && {
      auth: { user, pass },
      authMethod: authType === 'crammd5' ? 'CRAM-MD5' : authType.toUpperCase(),
    }),
    connectionTimeout: options.connect_timeout ?? timeoutMs,
    greetingTimeout: options.connect_timeout ?? timeoutMs,
    dnsTimeout: options.connect_timeout ?? timeoutMs,
    socketTimeout: options.send_timeout ?? timeoutMs,
    tls: { ...connectOptions(tls), minVersion: 'TLSv1.2' as const },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function failure(options: EmailSettings, thrown: unknown): DeliveryError {
  const { smtp_host: host, smtp_port: port, smtp_password: password } = options;
  const encoded = Buffer.from(password, 'utf8').toString('base64');
  const secrets = [password, encoded];
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return new DeliveryError(`${host}:${port}: ${shownText(messageOf(thrown), secrets)}`, remedyOf(code));
}

function remedyOf(code: string): string {
  switch (code) {
    case 'EAUTH':
      return 'Check smtp_username, smtp_password and auth_type.';
    case 'ETLS':
      return 'Check encryption_type (ssltls, starttls or none), smtp_port, and the certificate of the server.';
    case 'EENVELOPE':
      return 'Check sender_email and receiver_emails: the server refuses one of them.';
    case 'EDNS':
      return 'Check smtp_host and the DNS of this machine.';
    default:
      return 'Check smtp_host, smtp_port and encryption_type.';
  }
}
