/** The settings of this gateway towards other Local APIs: `bouncer` follows them, `agent` reports to them. */
import * as z from 'zod';
import { count, duration, path, secret, textOption } from '../../../core/options.ts';
import type { LapiAddress } from './lapi-target.ts';

/** `http://127.0.0.1:8080`, `https://lapi.example.com/crowdsec/` or `unix:/run/crowdsec.sock`. */
function lapiUrl() {
  const expected = 'the address of a Local API such as http://127.0.0.1:8080, or unix:/run/crowdsec.sock';
  return textOption<LapiAddress>({
    title: 'address of a Local API',
    expected,
    pattern: String.raw`^(?:unix:/.+|[Hh][Tt][Tt][Pp][Ss]?://[^?#@\s]+)$`,
    example: 'http://127.0.0.1:8080',
    read(text) {
      if (text.startsWith('unix:')) {
        const socketPath = text.slice('unix:'.length);
        return socketPath.startsWith('/')
          ? { value: { kind: 'unix', socketPath } }
          : { problem: 'an absolute path must follow unix:' };
      }
      if (!/^https?:\/\//i.test(text)) {
        const isBare = /^[^\s/:?#@]+(?::\d{1,5})?$/.test(text) && URL.canParse(`http://${text}`);
        return { problem: `expected ${expected}`, ...(isBare && { suggestion: `http://${text}` }) };
      }
      const url = URL.parse(text);
      if (url === null) return { problem: `expected ${expected}` };
      // The text would otherwise be repeated in messages: it holds a password.
      if (url.username !== '' || url.password !== '') return { problem: 'it holds no user name and no password' };
      if (/[?#]/.test(text)) return { problem: 'it has no query', suggestion: `${url.origin}${url.pathname}` };
      const base = url.pathname.replace(/\/(?:v1\/?)?$/, '');
      return { value: { kind: 'http', url: `${url.origin}${base}/` } };
    },
  });
}

const lapiName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, { error: 'expected 1 to 32 letters, digits or . _ -' })
  .describe('What logs, status and the decisions that come from it call it. Its decisions are lifted under this name.');

const tlsOptions = z
  .strictObject({
    caFile: path().optional().describe('Certificates of the authority that signed its certificate (PEM).'),
    certFile: path().optional().describe('Client certificate (PEM), with keyFile: instead of a key or password.'),
    keyFile: path().optional().describe('Key of the client certificate (PEM).'),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe('The name in its certificate, when it is not the host of the url.'),
    verify: z.boolean().default(true).describe('Off: any certificate is taken. For tries only.'),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    error: 'certFile and keyFile belong together',
  })
  .prefault({});

const timeout = duration({ min: '100ms', max: '10m' })
  .prefault('10s')
  .describe('How long it may stay silent before a question counts as failed.');

const words = z
  .array(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^[^,]+$/, { error: 'one word without commas' }),
  )
  .max(100);

const bouncerLapi = z
  .strictObject({
    name: lapiName,
    url: lapiUrl().describe('Where it is.'),
    key: secret().optional().describe('Key of this bouncer, from `cscli bouncers add`.'),
    keyFile: path().optional().describe('A file with the key.'),
    tls: tlsOptions.describe('For https://.'),
    mode: z
      .enum(['stream', 'live'])
      .default('stream')
      .describe('`stream`: keep a copy of all decisions. `live`: ask about each address when it comes.'),
    interval: duration({ min: '1s', max: '1h' }).prefault('10s').describe('Time between two polls of the stream.'),
    timeout,
    cleanFor: duration({ max: '1h' })
      .prefault('60s')
      .describe('Live: how long an address without a decision is not asked about again.'),
    hitFor: duration({ max: '1h' })
      .prefault('60s')
      .describe('Live: how long a decision is not asked about again, at most as long as it lasts.'),
    scopes: words
      .min(1)
      .prefault(['Ip', 'Range', 'AS', 'Country'])
      .describe('Scopes of decisions that are wanted. Custom ones are written exactly as they are there.'),
    origins: words.prefault([]).describe('Origins that are wanted, such as `CAPI` or `lists`. Empty: all.'),
    scenariosContaining: words.prefault([]).describe('Parts of the names of scenarios that are wanted. Empty: all.'),
    scenariosNotContaining: words.prefault([]).describe('Parts of the names of scenarios that are not wanted.'),
    types: words.prefault([]).describe('Types that are wanted, such as `ban`. Empty: all.'),
  })
  .superRefine(({ key, keyFile, tls }, context) => {
    const given = [key, keyFile, tls.certFile].filter((each) => each !== undefined).length;
    if (given === 1) return;
    context.addIssue({
      code: 'custom',
      path: ['key'],
      message: given === 0 ? 'needs one of key, keyFile and tls.certFile' : 'only one of key, keyFile and tls.certFile',
    });
  });

function uniqueNames(lapis: readonly { readonly name: string }[]): boolean {
  return new Set(lapis.map(({ name }) => name)).size === lapis.length;
}

/** `bouncer:` in `portcullis.yaml`. */
export const bouncerOptions = z
  .strictObject({
    lapis: z
      .array(bouncerLapi)
      .max(16)
      .refine(uniqueNames, { error: 'two of them have the same name' })
      .prefault([])
      .describe('Local APIs of CrowdSec, or of other gateways, whose decisions are enforced here. The severest wins.'),
    maxDecisions: count({ min: 1_000, max: 20_000_000 })
      .prefault(5_000_000)
      .describe('Decisions that are mirrored of each; about a hundred bytes of memory for each that is there.'),
    usageMetrics: z.boolean().prefault(true).describe('Tell them every 15 minutes what was done with their decisions.'),
    live: z
      .strictObject({
        wait: duration({ min: '10ms', max: '5s' })
          .prefault('200ms')
          .describe(
            'How long a request waits for the answer about its address. Then the last known one counts, or none.',
          ),
        maxRemembered: count({ min: 100, max: 5_000_000 }).prefault(100_000).describe('Answers that are remembered.'),
        maxQuestions: count({ min: 1, max: 1_000 }).prefault(64).describe('Questions under way at once.'),
      })
      .prefault({})
      .describe('For those with `mode: live`.'),
  })
  .prefault({})
  .describe('Local APIs whose decisions are enforced here.');

const agentLapi = z
  .strictObject({
    name: lapiName.default('main'),
    url: lapiUrl().describe('Where it is.'),
    machineId: z.string().min(1).max(255).optional().describe('Name of this machine there.'),
    password: secret().optional().describe('Its password.'),
    passwordFile: path().optional().describe('A file with the password.'),
    tls: tlsOptions.describe('For https://.'),
    timeout,
    decide: z
      .enum(['there', 'here'])
      .default('there')
      .describe('Whose profiles decide about the alerts. `here`: our decisions go along.'),
    maxQueued: count({ min: 1, max: 100_000 })
      .prefault(10_000)
      .describe('Alerts that wait while it is away; then the oldest are dropped.'),
  })
  .superRefine(({ machineId, password, passwordFile, tls }, context) => {
    const passwords = [password, passwordFile].filter((each) => each !== undefined).length;
    const problem =
      tls.certFile !== undefined
        ? passwords > 0 && 'only one of password, passwordFile and tls.certFile'
        : (machineId === undefined && 'needs machineId, or tls.certFile') ||
          (passwords !== 1 && 'needs one of password and passwordFile');
    if (problem !== false) context.addIssue({ code: 'custom', path: ['machineId'], message: problem });
  });

/** `agent:` in `portcullis.yaml`. */
export const agentOptions = z
  .strictObject({
    lapis: z
      .array(agentLapi)
      .max(16)
      .refine(uniqueNames, { error: 'two of them have the same name' })
      .prefault([])
      .describe('Local APIs of CrowdSec that the alerts of this gateway are reported to.'),
    usageMetrics: z.boolean().prefault(true).describe('Tell them every 30 minutes how much was read.'),
  })
  .prefault({})
  .describe('Local APIs that alerts are reported to.');

export type BouncerOptions = z.infer<typeof bouncerOptions>;
export type AgentOptions = z.infer<typeof agentOptions>;
