/**
 * CrowdSec's own Local API, the real 1.4.6, alone: no agent, no online API, SQLite. What our server is compared with, and what
 * our bouncer and our agent connect to.
 */
import { join } from 'node:path';
import { askOverTls } from '../ask-over-tls.ts';
import type { ClientFiles } from '../certificate-authority.ts';
import { eventually } from '../eventually.ts';
import { createCrowdsecFolder, successful } from './crowdsec-folder.ts';
import type { CrowdsecFolder, Cscli, MachineCredentials } from './crowdsec-folder.ts';
import { freePort, ProcessFailure, startProcess, type ServerProcess, type Teardown } from './process.ts';
import { rootOfProgram } from './real-programs.ts';
import { tellOnFailure, type Telling } from './tell-on-failure.ts';

export interface CrowdsecLapiOptions {
  /** `profiles.yaml`; default: a ban of four hours for every alert with remediation and an address. */
  readonly profiles?: string;
  /** More settings below `api.server`, for example `trusted_ips`. */
  readonly server?: Readonly<Record<string, unknown>>;
  /** Default: a free one. */
  readonly port?: number;
  /** Its own certificate: it then speaks https, and asks for certificates that this authority signed. */
  readonly tls?: Required<ClientFiles> & {
    readonly agentsAllowedOu: readonly string[];
    readonly bouncersAllowedOu: readonly string[];
    readonly crlFile?: string;
  };
}

export interface CrowdsecLapi {
  /** `http://127.0.0.1:<port>`, or `https:` */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** Of the running server. */
  readonly pid: () => number;
  /** As its operator: with its database, and over HTTP as the machine `operator`. */
  readonly cscli: Cscli;
  /** Answers its key. */
  addBouncer(name: string, key?: string): Promise<string>;
  addMachine(machineId: string, password?: string): Promise<MachineCredentials>;
  /** Standard output and error of the running server. */
  output(): string;
  /** Ends it. The database stays: `start` is the same server on the same port again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const defaultProfiles = `name: default_ip_remediation
filters: ['Alert.Remediation == true && Alert.GetScope() == "Ip"']
decisions: [{type: ban, duration: 4h}]
on_success: break
`;

/** Starts it and waits until it answers `/health`. Rejects with what it logged. */
export async function startCrowdsecLapi(t: Telling, options: CrowdsecLapiOptions = {}): Promise<CrowdsecLapi> {
  for (let attempt = 1; ; attempt += 1) {
    const lapi = await prepareLapi(t, options.port ?? (await freePort()), options);
    try {
      await lapi.start();
      return lapi;
    } catch (error) {
      const taken = error instanceof ProcessFailure && /address already in use/i.test(error.output);
      if (!taken || options.port !== undefined || attempt === 5) throw error;
    }
  }
}

async function prepareLapi(t: Telling, port: number, options: CrowdsecLapiOptions): Promise<CrowdsecLapi> {
  const { tls } = options;
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const trust = tls === undefined ? {} : { tls: { caFile: tls.caFile } };
  const operator = { url, machineId: 'operator', password: 'operator', ...trust };
  const folder = await createCrowdsecFolder(t, {
    credentials: operator,
    server: (path) => ({
      log_level: 'info',
      listen_uri: `127.0.0.1:${port}`,
      profiles_path: `${path}/profiles.yaml`,
      ...(tls !== undefined && { tls: serverTls(tls) }),
      ...options.server,
    }),
    items: [],
    files: { 'profiles.yaml': options.profiles ?? defaultProfiles },
  });
  const addMachine = async (machineId: string, password: string): Promise<MachineCredentials> => {
    const file = join(folder.path, `machine-${machineId}.yaml`);
    successful(await folder.cscli('machines', 'add', machineId, '--password', password, '--file', file));
    return { url, machineId, password, ...trust };
  };
  await addMachine(operator.machineId, operator.password);
  let running: ServerProcess | null = null;
  tellOnFailure(t, 'crowdsec, the Local API', () => running?.output() ?? '');
  return {
    url,
    port,
    folder: folder.path,
    pid: () => running?.pid ?? 0,
    cscli: folder.cscli,
    addMachine: (machineId, password = `password-of-${machineId}`) => addMachine(machineId, password),
    async addBouncer(name, key = `key-of-${name}`) {
      successful(await folder.cscli('bouncers', 'add', name, '--key', key));
      return key;
    },
    output: () => running?.output() ?? '',
    async stop() {
      await running?.stop();
    },
    async start() {
      running = await startServer(t, folder);
      await answersHealth(url, running, tls && { caFile: tls.caFile });
    },
  };
}

function serverTls(tls: NonNullable<CrowdsecLapiOptions['tls']>): object {
  return {
    cert_file: tls.certFile,
    key_file: tls.keyFile,
    ca_cert_path: tls.caFile,
    agents_allowed_ou: tls.agentsAllowedOu,
    bouncers_allowed_ou: tls.bouncersAllowedOu,
    ...(tls.crlFile !== undefined && { crl_path: tls.crlFile }),
  };
}

function startServer(t: Teardown, folder: CrowdsecFolder): Promise<ServerProcess> {
  return startProcess(t, {
    command: join(rootOfProgram('crowdsec'), 'usr/bin/crowdsec'),
    args: ['-c', folder.config, '-no-cs'],
    cwd: folder.path,
    env: { TZ: 'UTC' },
    ready: /Local API listening on/,
  });
}

/** It says that it listens a moment before it does. */
async function answersHealth(url: string, running: ServerProcess, tls?: ClientFiles): Promise<void> {
  const ended = running.exited.then((how) => {
    throw new ProcessFailure(`crowdsec ended with ${how} before it answered`, running.output());
  });
  const health = eventually(
    async () => (await (tls === undefined ? fetch(`${url}/health`) : askOverTls(`${url}/health`, tls))).status,
    (status) => status === 200,
    'the Local API to answer /health',
  );
  await Promise.race([health, ended]);
  ended.catch(() => {});
}
