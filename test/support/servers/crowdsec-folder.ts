/**
 * A configuration folder of CrowdSec 1.4.6, in the layout that Debian gives it, for a server, an agent or `cscli` alone: a
 * database of its own, nothing of the online API, no metrics listener. And `cscli` on such a folder.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientFiles } from '../certificate-authority.ts';
import { temporaryFolder, type Teardown } from './process.ts';
import { rootOfProgram } from './real-programs.ts';

/** How a machine knocks at a Local API. */
export interface MachineCredentials {
  readonly url: string;
  readonly machineId: string;
  readonly password: string;
  /** Over https: whom it trusts. */
  readonly tls?: Pick<ClientFiles, 'caFile'>;
}

/** How one knocks that has a certificate instead of a name and a password. */
export interface MachineCertificate {
  readonly url: string;
  readonly tls: Required<ClientFiles>;
}

export interface CrowdsecFolder {
  readonly path: string;
  readonly config: string;
  /** Runs `cscli` to its end, whatever it says. */
  readonly cscli: Cscli;
}

export type Cscli = (...args: string[]) => Promise<CscliRun>;

export interface CscliRun {
  readonly status: number;
  readonly stdout: string;
  /** Where it logs, errors among it. */
  readonly stderr: string;
}

export interface CrowdsecFolderOptions {
  /** Of the client: what `cscli` and the agent log in with. */
  readonly credentials: MachineCredentials | MachineCertificate | null;
  /** Settings below `api.server`, given the folder's path; null: no server. */
  readonly server: ((folder: string) => Readonly<Record<string, unknown>>) | null;
  /** Items of the Debian package, as paths below its hub. */
  readonly items: readonly string[];
  /** Files beside the configuration: name to content. */
  readonly files: Readonly<Record<string, string>>;
}

/** Writes the folder; it is removed with the test. */
export async function createCrowdsecFolder(t: Teardown, options: CrowdsecFolderOptions): Promise<CrowdsecFolder> {
  const path = await temporaryFolder(t, 'crowdsec');
  const root = rootOfProgram('crowdsec');
  for (const name of ['data', 'hub', 'notifications', 'parsers', 'scenarios', 'postoverflows'])
    await mkdir(join(path, name));
  await cp(join(root, 'etc/crowdsec/patterns'), join(path, 'patterns'), { recursive: true });
  for (const item of options.items) await install(item, join(root, 'usr/share/crowdsec/hub'), path);
  const files = {
    'hub/.index.json': '{"parsers":{},"scenarios":{},"postoverflows":{},"collections":{}}',
    'simulation.yaml': 'simulation: false\n',
    ...options.files,
    // JSON is YAML.
    'config.yaml': JSON.stringify(configuration(path, options)),
    ...(options.credentials === null ? {} : { 'credentials.yaml': credentialsFile(options.credentials) }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  const config = join(path, 'config.yaml');
  return { path, config, cscli: (...args) => runCscli(root, config, args) };
}

export function credentialsFile(credentials: MachineCredentials | MachineCertificate): string {
  const { url, tls } = credentials;
  const login =
    'machineId' in credentials ? { login: credentials.machineId, password: credentials.password } : undefined;
  return JSON.stringify({ url: `${url}/`, ...login, ...tlsSettings(tls) });
}

/** As agents and bouncers have them in their files. */
export function tlsSettings(tls: ClientFiles | undefined): Readonly<Record<string, string>> {
  if (tls === undefined) return {};
  const { caFile, certFile, keyFile } = tls;
  return {
    ca_cert_path: caFile,
    ...(certFile !== undefined && { cert_path: certFile }),
    ...(keyFile !== undefined && { key_path: keyFile }),
  };
}

/** What it said, of a run that must succeed. */
export function successful(run: CscliRun): string {
  if (run.status !== 0) throw new Error(`cscli ended with status ${run.status}: ${run.stdout}${run.stderr}`);
  return run.stdout;
}

/** An item that stands in the folder of its stage, and is no link into the hub, is one of the owner's own: CrowdSec loads it as it is. */
async function install(item: string, hub: string, folder: string): Promise<void> {
  const [kind = '', ...rest] = item.split('/');
  const stage = kind === 'scenarios' ? [] : rest.slice(0, 1);
  await mkdir(join(folder, kind, ...stage), { recursive: true });
  await cp(join(hub, item), join(folder, kind, ...stage, rest.at(-1) ?? ''));
}

function configuration(folder: string, { server, credentials }: CrowdsecFolderOptions): object {
  return {
    common: { daemonize: false, log_media: 'stdout', log_level: 'info', working_dir: folder },
    config_paths: {
      config_dir: `${folder}/`,
      data_dir: `${folder}/data/`,
      simulation_path: `${folder}/simulation.yaml`,
      hub_dir: `${folder}/hub/`,
      index_path: `${folder}/hub/.index.json`,
      notification_dir: `${folder}/notifications/`,
    },
    crowdsec_service: { acquisition_path: `${folder}/acquis.yaml`, parser_routines: 1 },
    cscli: { output: 'human' },
    db_config: { log_level: 'info', type: 'sqlite', db_path: `${folder}/data/crowdsec.db`, use_wal: true },
    api: {
      ...(credentials === null ? {} : { client: { credentials_path: `${folder}/credentials.yaml` } }),
      ...(server === null ? {} : { server: server(folder) }),
    },
    prometheus: { enabled: false },
  };
}

function runCscli(root: string, config: string, args: readonly string[]): Promise<CscliRun> {
  return new Promise((resolve, reject) => {
    const command = join(root, 'usr/bin/cscli');
    const env = { ...process.env, TZ: 'UTC' };
    execFile(command, ['-c', config, ...args], { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      // A number is its exit status; anything else says that it did not run to its end.
      if (error !== null && typeof error.code !== 'number') return reject(error);
      resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}
