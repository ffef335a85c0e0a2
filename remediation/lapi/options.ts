/** Settings of the Local API, CrowdSec's protocol between bouncers, agents and whoever decides. */
import * as z from 'zod';
import {
  bytes,
  cidr,
  count,
  duration,
  type ListenAddress,
  listenAddressOrOff,
  path,
  secret,
  textOption,
} from '../../core/options.ts';

const place = () => {
  const expected = 'an address to listen on such as 127.0.0.1:8080, admin, or off';
  return textOption<ListenAddress | 'admin' | null>({
    title: 'listen address, admin or off',
    expected,
    pattern: String.raw`^(?:off|admin|unix:.+|(?:\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]*):\d{1,5})$`,
    example: '127.0.0.1:8080',
    read(text) {
      if (text === 'admin') return { value: text };
      const parsed = listenAddressOrOff().safeParse(text);
      if (parsed.success) return { value: parsed.data };
      const [issue] = parsed.error.issues;
      const suggestion = issue?.code === 'custom' ? (issue.params?.suggestion as string | undefined) : undefined;
      return { problem: issue?.message ?? `expected ${expected}`, ...(suggestion && { suggestion }) };
    },
  });
};

/** Shorter ones can be guessed; CrowdSec asks for as many. */
export const secretBytes = 64;
const longSecret = () =>
  secret().refine((text) => Buffer.byteLength(text) >= secretBytes, {
    error: `must have ${secretBytes} bytes or more`,
  });

const tls = z.strictObject({
  certFile: path().describe('Certificate of this API, PEM, with those between it and its authority.'),
  keyFile: path().describe('Its private key, PEM.'),
  caFile: path()
    .nullable()
    .prefault(null)
    .describe('Authorities, PEM, whose certificates bouncers and agents may show instead of a key or a password.'),
  clientVerification: z
    .enum(['none', 'ifGiven', 'required'])
    .prefault('ifGiven')
    .describe(
      'With `caFile`: `none` asks no client for a certificate, `ifGiven` checks the one that a client shows, `required` turns clients without one away. CrowdSec calls the latter two VerifyClientCertIfGiven and RequireAndVerifyClientCert.',
    ),
  agentsAllowedOu: z
    .array(z.string().min(1).max(256))
    .max(100)
    .prefault([])
    .describe('Organizational units of certificates that agents may show. None by default.'),
  bouncersAllowedOu: z
    .array(z.string().min(1).max(256))
    .max(100)
    .prefault([])
    .describe('Organizational units of certificates that bouncers may show. None by default.'),
  crlFile: path()
    .nullable()
    .prefault(null)
    .describe(
      'Revoked certificates, PEM: one list for each authority of the chain. With a list that is out of date no certificate is good.',
    ),
  cacheExpiration: duration({ min: '1m', max: '24h' })
    .prefault('1h')
    .describe('How long a connection may go on before its certificate is checked anew.'),
});

const autoRegistration = z
  .strictObject({
    enabled: z.boolean().prefault(false).describe('Whether agents with the token are validated at once.'),
    token: secret()
      .min(32, { error: 'must have 32 characters or more' })
      .max(255, { error: 'must have 255 characters or less' })
      .nullable()
      .prefault(null)
      .describe('What such an agent has to know: 32 to 255 characters.'),
    allowedRanges: z.array(cidr()).max(1_000).prefault([]).describe('Networks that it has to register from.'),
  })
  .superRefine(({ enabled, token, allowedRanges }, context) => {
    if (!enabled) return;
    if (token === null) context.addIssue({ code: 'custom', path: ['token'], message: 'is required when enabled' });
    if (allowedRanges.length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['allowedRanges'],
        message: 'at least one network is required when enabled',
      });
    }
  })
  .prefault({})
  .describe('Agents that register with a token.');

const idle = (who: string) =>
  duration({ min: '1m', max: '3650d' })
    .nullable()
    .prefault(null)
    .describe(`Delete ${who} that have not been heard of for so long. Never without it.`);

const autoDelete = z
  .strictObject({
    bouncers: z
      .strictObject({ apiKey: idle('bouncers with a key'), cert: idle('bouncers with a certificate') })
      .prefault({})
      .describe('Bouncers that no longer ask.'),
    agents: z
      .strictObject({ password: idle('agents with a password'), cert: idle('agents with a certificate') })
      .prefault({})
      .describe('Agents that no longer report.'),
  })
  .prefault({})
  .describe('Who is forgotten.');

const limits = z
  .strictObject({
    connections: count({ min: 1, max: 100_000 }).prefault(4_096).describe('Connections at the same time.'),
    bodyBytes: bytes({ min: 65_536, max: 512 * 1024 ** 2 })
      .prefault('50MiB')
      .describe('The largest request body of a bouncer or agent, unpacked.'),
    bodiesInMemory: bytes({ min: 1024 ** 2 })
      .prefault('256MiB')
      .describe(
        'Memory for the request bodies of all clients together, and for what becomes of them while they are worked on.',
      ),
    bodyPause: duration({ min: '1s', max: '5m' })
      .prefault('10s')
      .describe('How long a client may send next to nothing in the middle of a request.'),
    idle: duration({ min: '1s', max: '1h' }).prefault('95s').describe('How long an unused connection is kept.'),
  })
  .prefault({})
  .describe('Bounds of what clients may take up.');

export const lapiOptions = z
  .strictObject({
    listen: place()
      .prefault('off')
      .describe(
        'Where CrowdSec’s bouncers, agents and cscli reach the Local API: an address (`127.0.0.1:8080` is its usual place), or `admin` for the paths below `/v1/` of the admin listener.',
      ),
    socket: path().nullable().prefault(null).describe('A unix socket besides, for clients on this machine.'),
    tls: tls.nullable().prefault(null).describe('TLS at `listen`. Renewed files are noticed within half a minute.'),
    trustedIps: z.array(cidr()).max(1_000).prefault([]).describe('Who may delete alerts, besides this machine itself.'),
    trustedProxies: z
      .array(cidr())
      .max(1_000)
      .prefault([])
      .describe(
        'Proxies in front of the Local API whose X-Forwarded-For, else X-Real-IP, is taken for the client. Read from the right; of nobody by default.',
      ),
    secret: longSecret()
      .nullable()
      .prefault(null)
      .describe(
        'Signs the tokens of agents: 64 bytes or more, the same for all gateways behind one address. Without it each start makes one, and agents log in again.',
      ),
    autoRegistration,
    disableRemoteRegistration: z.boolean().prefault(false).describe('Agents may register from this machine only.'),
    autoDelete,
    limits,
  })
  .prefault({})
  .describe('The Local API for CrowdSec’s bouncers, agents and cscli.');

export type LapiOptions = z.output<typeof lapiOptions>;
