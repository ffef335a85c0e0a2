/** The settings of the store: `store:` in `portcullis.yaml`. Durations become milliseconds, sizes bytes. */
import * as z from 'zod';
import { bytes, count, duration, path, secret } from '../../core/options.ts';

/** At least one second and one row, so that no mistake makes a store forget what it was just told. */
function limit(maxAge: string, maxRows: number) {
  return z
    .strictObject({
      maxAge: duration({ min: '1s' }).prefault(maxAge).describe('Older records are removed.'),
      maxRows: count({ min: 1 }).default(maxRows).describe('The oldest records beyond this number are removed.'),
    })
    .prefault({});
}

/** How long records outlive their use. */
const retentionOptions = z
  .strictObject({
    alerts: limit('7d', 5_000).describe('Alerts. One with an active decision is kept until the decision ends.'),
    refusals: limit('7d', 100_000).describe('Requests that were refused, which `portcullis why` explains.'),
    decisions: limit('30d', 100_000).describe('Decisions that expired or were deleted; escalation counts them.'),
    usage: limit('7d', 20_000).describe('What bouncers and machines report about their use.'),
  })
  .prefault({});

const redisTlsOptions = z
  .strictObject({
    caFile: path().optional().describe('Certificates of the authority that signed the certificate of Redis (PEM).'),
    certFile: path().optional().describe('Client certificate (PEM), with keyFile.'),
    keyFile: path().optional().describe('Key of the client certificate (PEM).'),
    serverName: z
      .string()
      .optional()
      .describe('The name in the certificate of Redis, when it is not the host of the URL.'),
  })
  .prefault({});

const redisOptions = z
  .strictObject({
    url: z
      .string()
      .regex(/^(?:rediss?:\/\/[^\s]+|unix:\/.+)$/, {
        error: 'expected redis://host:6379/0, rediss://host:6380 (TLS) or unix:/run/redis.sock',
      })
      .default('redis://127.0.0.1:6379')
      .meta({ writeOnly: true })
      .describe('Where Redis is. A password may stand in it, better in password.'),
    username: z.string().optional().describe('ACL user.'),
    password: secret().optional().describe('Password of the user.'),
    tls: redisTlsOptions.describe('For rediss:// only.'),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: 'expected 1 to 64 letters, digits or _ . : -' })
      .default('portcullis')
      .describe('Start of every key. Gateways that share decisions have the same one.'),
    connectTimeout: duration({ min: '10ms', max: '1m' }).prefault('2s').describe('For a new connection.'),
    commandTimeout: duration({ min: '10ms', max: '1m' }).prefault('1s').describe('For the answer to one command.'),
    streamLength: count({ min: 1_000, max: 10_000_000 })
      .default(100_000)
      .describe('Changes that are kept for gateways that were away; who was away longer reads everything again.'),
  })
  .prefault({});

export const storeOptions = z.strictObject({
  type: z.enum(['embedded', 'memory', 'redis']).default('embedded').describe('Where decisions and alerts are kept.'),
  file: path().default('data/store.db').describe('The file of the embedded store.'),
  maxBytes: bytes({ min: 1_048_576 }).prefault('8GiB').describe('The embedded store refuses to grow beyond this size.'),
  maxDecisions: count({ min: 1 }).default(2_000_000).describe('The memory store refuses more decisions than this.'),
  retention: retentionOptions,
  redis: redisOptions,
});

export type StoreOptions = z.infer<typeof storeOptions>;
export type RedisStoreOptions = StoreOptions['redis'];
export type Retention = StoreOptions['retention'];
export type RetentionLimit = Retention['alerts'];
