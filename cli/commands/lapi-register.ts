/** `lapi register`: makes this gateway known to another Local API, as an agent that reports there. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-root.ts';
import type { Call, Command } from '../command.ts';
import { credentialsYaml, writeCredentials } from '../machines/credentials-file.ts';
import { randomPassword } from '../machines/random-password.ts';
import { safeText } from '../output/safe-text.ts';

export const lapiRegister: Command = {
  name: 'lapi register',
  summary: 'make this gateway known to another Local API, to report alerts there',
  usage: '--url <url>',
  examples: [
    [
      'portcullis lapi register --url http://10.0.0.5:8080 --machine edge-1',
      'somebody there must agree: cscli machines validate edge-1',
    ],
    ['portcullis lapi register --url https://lapi.example -f lapi.yaml', 'the credentials go to a file'],
  ],
  options: {
    url: { type: 'string', short: 'u', placeholder: '<url>', help: 'where the other Local API is' },
    machine: { type: 'string', placeholder: '<name>', help: "what this gateway is called there (this host's name)" },
    token: { type: 'string', placeholder: '<token>', help: 'registration token, where they have one' },
    file: { type: 'string', short: 'f', placeholder: '<file>', help: 'write the credentials there, mode 0600' },
    force: { type: 'boolean', help: 'although the file exists' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

const patienceMs = 10_000;
const longestAnswer = 4_096;

async function run({ output, given, io }: Call): Promise<number> {
  const url = urlOf(given.text('url'));
  const login = given.text('machine') ?? hostname();
  const file = given.text('file');
  const path = file === undefined || file === '-' ? null : resolve(io.cwd, file);
  if (path !== null && existsSync(path) && !given.flag('force')) {
    throw new GatewayError('USAGE', `${path} exists already`, {
      remedy: 'Replace it with --force, or name another with --file.',
    });
  }
  const credentials = { url: url.href, login, password: randomPassword() };
  const isValidated = await register(url, login, credentials.password, given.text('token'));
  if (path !== null) await writeCredentials(path, credentials, given.flag('force'));
  switch (output.format) {
    case 'json':
      output.json({ machine: login, validated: isValidated, ...(path === null ? credentials : { file: path }) });
      break;
    case 'raw':
      output.text(path === null ? credentialsYaml(credentials) : `${safeText(path)}\n`);
      break;
    case 'human':
      output.line(
        isValidated
          ? 'Registered, and agreed to.'
          : `Registered. Somebody there must agree: cscli machines validate ${safeText(login)}`,
      );
      if (path !== null) output.line(`The credentials are in ${safeText(path)}.`);
      else output.line(`\n${safeLines(credentialsYaml(credentials))}\nKeep them: the password is not shown again.`);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}

function safeLines(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `   ${safeText(line)}`))
    .join('\n');
}

/** @throws GatewayError USAGE */
function urlOf(text: string | undefined): URL {
  const url = text === undefined ? null : URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol)) {
    if (!url.pathname.endsWith('/')) url.pathname += '/';
    return url;
  }
  throw new GatewayError(
    'USAGE',
    text === undefined ? 'nothing says where' : `"${text}" is no address of a Local API`,
    {
      remedy: 'Say --url http://10.0.0.5:8080.',
    },
  );
}

/** True when the machine may log in at once. @throws GatewayError LAPI_UNREACHABLE, GATEWAY_REFUSED */
async function register(url: URL, login: string, password: string, token: string | undefined): Promise<boolean> {
  const body = JSON.stringify({
    machine_id: login,
    password,
    ...(token === undefined ? {} : { registration_token: token }),
  });
  let response: Response;
  try {
    response = await fetch(new URL('v1/watchers', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': `portcullis/${packageVersion()}` },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(patienceMs),
    });
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    throw new GatewayError('LAPI_UNREACHABLE', `${url.origin} does not answer: ${reason}`, {
      remedy: 'Look whether it listens there, and for this machine.',
      cause,
    });
  }
  if (response.status === 202) return true;
  if (response.status === 201) return false;
  const message = messageIn((await response.text()).slice(0, longestAnswer));
  throw new GatewayError(
    'GATEWAY_REFUSED',
    `${url.origin} answered ${response.status}${message === '' ? '' : `: ${message}`}`,
    {
      remedy: 'Choose another name with --machine, or look at its log.',
    },
  );
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    return '';
  }
}
