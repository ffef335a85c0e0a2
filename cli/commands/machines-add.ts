/** `machines add` */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { GatewayError } from '../../core/errors.ts';
import type { LapiModel, MachineModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command, Given } from '../command.ts';
import { nextLine } from '../confirm.ts';
import type { ControlClient } from '../control-client.ts';
import type { Io } from '../io.ts';
import { type Credentials, credentialsYaml, writeCredentials } from '../machines/credentials-file.ts';
import { randomPassword, randomText } from '../machines/random-password.ts';
import { safeText } from '../output/safe-text.ts';

export const machinesAdd: Command = {
  name: 'machines add',
  aliases: ['machine add'],
  summary: 'let an agent report here, with a password of its own',
  usage: '[name] --auto | --password <password> | --interactive',
  examples: [
    ['portcullis machines add web-1 --auto', 'shows the credentials once; only a hash is kept'],
    ['portcullis machines add web-1 --auto -f local_api_credentials.yaml', "for the agent's /etc/crowdsec"],
    ['portcullis machines add web-1 --auto --force', 'a new password for one that is there'],
  ],
  options: {
    auto: { type: 'boolean', short: 'a', help: 'make up a password, and a name where none is given' },
    password: { type: 'string', short: 'p', placeholder: '<password>', help: 'a password of your own' },
    interactive: { type: 'boolean', short: 'i', help: 'read the password from standard input' },
    file: {
      type: 'string',
      short: 'f',
      placeholder: '<file>',
      help: 'write the credentials there, mode 0600; - to show them',
    },
    url: { type: 'string', short: 'u', placeholder: '<url>', help: 'where the agent reaches this gateway' },
    force: { type: 'boolean', help: 'although there is one of this name, or the file exists' },
  },
  positionals: { least: 0, most: 1 },
  run,
};

/** As long as cscli's. */
const nameLength = 48;

async function run({ output, given, gateway, io }: Call): Promise<number> {
  const name = nameOf(given);
  const password = await passwordOf(given, io);
  const file = given.text('file');
  const path = file === undefined || file === '-' ? null : resolve(io.cwd, file);
  if (path !== null && existsSync(path) && !given.flag('force')) {
    throw new GatewayError('USAGE', `${path} exists already`, {
      remedy: 'Replace it with --force, or name another with --file.',
    });
  }
  const client = await gateway();
  const credentials = { url: given.text('url') ?? (await usualUrl(client, io)), login: name, password };
  const body = { name, password, force: given.flag('force') };
  const { machine } = await client.ask<{ machine: MachineModel }>('POST', '/v1/machines', { body });
  if (path !== null) await writeCredentials(path, credentials, given.flag('force'));
  switch (output.format) {
    case 'json':
      output.json({ ...machine, ...(path === null ? credentials : { file: path }) });
      break;
    case 'raw':
      output.text(path === null ? credentialsYaml(credentials) : `${safeText(path)}\n`);
      break;
    case 'human':
      output.line(`Machine ${safeText(machine.machineId)} may report here.`);
      if (path === null) showCredentials(output.line.bind(output), credentials);
      else output.line(`Its credentials are in ${safeText(path)}.`);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}

function showCredentials(line: (text?: string) => void, credentials: Credentials): void {
  line();
  for (const text of credentialsYaml(credentials).trimEnd().split('\n')) line(`   ${safeText(text)}`);
  line();
  line('Keep them: the password is not shown again.');
}

/** @throws GatewayError USAGE */
function nameOf(given: Given): string {
  const [name] = given.positionals;
  if (name !== undefined) return name;
  if (given.flag('auto')) return `${machineId()}${randomText(nameLength)}`.slice(0, nameLength);
  throw new GatewayError('USAGE', 'the machine needs a name', { remedy: 'Give one, or say --auto.' });
}

/** systemd's, without which a name is all random: so that people recognise their machines. */
function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8')
      .replace(/[^0-9a-f]/g, '')
      .slice(0, 32);
  } catch {
    return '';
  }
}

async function passwordOf(given: Given, io: Io): Promise<string> {
  const password = given.text('password');
  const ways = [password !== undefined, given.flag('interactive'), given.flag('auto')].filter(Boolean).length;
  if (ways !== 1) {
    throw new GatewayError('USAGE', ways === 0 ? 'nothing says which password' : 'there can be only one password', {
      remedy: 'Say --auto, --password or --interactive.',
    });
  }
  if (password !== undefined) return password;
  if (given.flag('auto')) return randomPassword();
  io.stderr.write('Password: ');
  const typed = await nextLine(io);
  if (typed === null || typed === '')
    throw new GatewayError('USAGE', 'no password was given', { remedy: 'Say --auto.' });
  return typed;
}

async function usualUrl(client: ControlClient, { stderr }: Io): Promise<string> {
  const { serving } = await client.ask<LapiModel>('GET', '/v1/lapi');
  const [address] = serving?.addresses ?? [];
  if (address !== undefined) return address;
  stderr.write('warning: this gateway serves no Local API yet; set `lapi.listen`\n');
  return 'http://127.0.0.1:8080';
}
