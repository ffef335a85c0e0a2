/**
 * The real `crowdsec-custom-bouncer` 0.0.15, whose hook is a script that writes down how it was called.
 */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientFiles } from '../certificate-authority.ts';
import { tlsSettings } from './crowdsec-folder.ts';
import { startProcess, temporaryFolder } from './process.ts';
import { rootOfProgram } from './real-programs.ts';
import { tellOnFailure, type Telling } from './tell-on-failure.ts';

export interface CustomBouncerOptions {
  readonly lapiUrl: string;
  /** Null: its certificate is enough. */
  readonly apiKey: string | null;
  /** Over https. */
  readonly tls?: ClientFiles;
  /** Further settings of its file, for example `origins`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface HookCall {
  readonly action: 'add' | 'del';
  readonly value: string;
  readonly seconds: number;
  readonly scenario: string;
  /** The whole decision, as the bouncer read it. */
  readonly decision: Readonly<Record<string, unknown>>;
}

export interface CustomBouncer {
  /** Every call so far, oldest first. */
  readonly calls: () => Promise<readonly HookCall[]>;
  output(): string;
  stop(): Promise<void>;
}

/** Arguments end with a NUL, calls with a newline: neither is in a value, a scenario or the JSON. */
const hook = `#!/bin/sh
{ printf '%s\\0' "$@"; echo; } >> "$0.calls"
`;

/** Starts it and waits until it asks for decisions. Rejects with what it logged. */
export async function startCustomBouncer(t: Telling, options: CustomBouncerOptions): Promise<CustomBouncer> {
  const folder = await temporaryFolder(t, 'custom-bouncer');
  const script = join(folder, 'hook');
  await writeFile(script, hook);
  await chmod(script, 0o755);
  await writeFile(`${script}.calls`, '');
  const file = join(folder, 'bouncer.yaml');
  await writeFile(file, JSON.stringify(configuration(folder, script, options)));
  const running = await startProcess(t, {
    command: join(rootOfProgram('crowdsec-custom-bouncer'), 'usr/bin/crowdsec-custom-bouncer'),
    args: ['-c', file],
    cwd: folder,
    ready: /Processing new and deleted decisions|resp-api: http/,
  });
  tellOnFailure(t, 'the custom bouncer', () => running.output());
  return {
    calls: async () => callsIn(await readFile(`${script}.calls`, 'utf8')),
    output: () => running.output(),
    stop: () => running.stop(),
  };
}

/** As Debian's file has it, in the foreground and asking five times a second. JSON is YAML. */
function configuration(
  folder: string,
  script: string,
  { lapiUrl, apiKey, tls, settings }: CustomBouncerOptions,
): object {
  return {
    bin_path: script,
    feed_via_stdin: false,
    total_retries: 0,
    scenarios_containing: [],
    scenarios_not_containing: [],
    origins: [],
    piddir: folder,
    update_frequency: '200ms',
    cache_retention_duration: '10s',
    daemonize: false,
    log_mode: 'stdout',
    log_level: 'debug',
    api_url: `${lapiUrl}/`,
    ...(apiKey !== null && { api_key: apiKey }),
    ...tlsSettings(tls),
    prometheus: { enabled: false },
    ...settings,
  };
}

function callsIn(text: string): HookCall[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [action = '', value = '', seconds = '', scenario = '', json = 'null'] = line.split('\0');
      if (action !== 'add' && action !== 'del') throw new Error(`the hook was called with ${JSON.stringify(line)}`);
      return {
        action,
        value,
        seconds: Number(seconds),
        scenario,
        decision: JSON.parse(json) as Readonly<Record<string, unknown>>,
      };
    });
}
