/**
 * CrowdSec as Debian packages it, run over one log and then ended (`-dsn`, its own replay): a configuration of its own with the
 * given items, one parser routine, no connection to anybody, alerts into SQLite and read from there. A run takes minutes, so
 * what it found is kept beside its log's and its items' digests.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import { freePort } from '../../test/support/servers/process.ts';
import { unpackDebianPackage } from '../../test/support/debian-program.ts';
import type { ReplayedAlert } from './replayed-alert.ts';
import { runWell } from './run-program.ts';

export interface CrowdsecOptions {
  readonly log: string;
  /** Laid out as CrowdSec's configuration folder, with `data/`. */
  readonly items: string;
  readonly cacheFolder: string;
  readonly core: number | null;
  /** Runs it even when the result is known. */
  readonly fresh: boolean;
  readonly clock: Clock;
}

export interface CrowdsecRun {
  readonly version: string;
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly alerts: readonly ReplayedAlert[];
}

/** Runs it, or gives what an earlier run on the same log, items and version found. Rejects when it cannot be had or fails. */
export async function runCrowdsec(options: CrowdsecOptions): Promise<CrowdsecRun & { readonly cached: boolean }> {
  const { log, items, cacheFolder } = options;
  const program = await unpackDebianPackage('crowdsec', cacheFolder);
  const digest = await digestOf([log, ...(await filesBelow(items))], program.version);
  const kept = join(cacheFolder, `crowdsec-${digest.slice(0, 16)}.json`);
  if (!options.fresh) {
    const known = await readFile(kept, 'utf8').catch(() => null);
    if (known !== null) return { ...(JSON.parse(known) as CrowdsecRun), cached: true };
  }
  const folder = join(cacheFolder, 'crowdsec.run');
  await rm(folder, { recursive: true, force: true });
  try {
    await configure(folder, items, program.root);
    const run = await replay(folder, program.root, options);
    const found = { version: program.version, ...run, alerts: readAlerts(join(folder, 'data', 'crowdsec.db')) };
    await writeFile(kept, JSON.stringify(found));
    return { ...found, cached: false };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its `-dsn` takes the file's own time for the buckets, as our replay does. */
async function replay(folder: string, root: string, { log, core, clock }: CrowdsecOptions) {
  const config = join(folder, 'config.yaml');
  const common = { cwd: folder, core, clock, env: { TZ: 'UTC' } };
  const credentials = join(folder, 'credentials.yaml');
  const machine = ['machines', 'add', 'bench', '--password', 'bench', '--file', credentials];
  await runWell({ ...common, command: join(root, 'usr/bin/cscli'), args: ['-c', config, ...machine] });
  const url = /listen_uri: (.*)/.exec(await readFile(config, 'utf8'))?.[1] ?? '';
  await writeFile(credentials, `url: http://${url}\nlogin: bench\npassword: bench\n`);
  const args = ['-c', config, '-dsn', `file://${log}`, '-type', 'nginx', '-no-capi'];
  const { cpuSeconds, seconds, peakBytes } = await runWell({
    ...common,
    command: join(root, 'usr/bin/crowdsec'),
    args,
  });
  return { cpuSeconds, seconds, peakBytes };
}

async function configure(folder: string, items: string, root: string): Promise<void> {
  await mkdir(join(folder, 'hub'), { recursive: true });
  for (const name of ['parsers', 'scenarios', 'postoverflows', 'data']) {
    await cp(join(items, name), join(folder, name), { recursive: true, dereference: true }).catch(() =>
      mkdir(join(folder, name), { recursive: true }),
    );
  }
  await cp(join(root, 'etc/crowdsec/patterns'), join(folder, 'patterns'), { recursive: true });
  await writeFile(
    join(folder, 'hub', '.index.json'),
    '{"parsers":{},"scenarios":{},"postoverflows":{},"collections":{}}',
  );
  await writeFile(join(folder, 'simulation.yaml'), 'simulation: false\n');
  // No decisions: they cost the peer time that nobody asked for here.
  await writeFile(
    join(folder, 'profiles.yaml'),
    'name: none\nfilters: ["false"]\ndecisions: [{type: ban, duration: 1h}]\non_success: break\n',
  );
  await writeFile(join(folder, 'config.yaml'), configuration(folder, await freePort()));
}

/** Without `flush` the database keeps every alert. */
function configuration(folder: string, port: number): string {
  return `common:
  daemonize: false
  log_media: stdout
  log_level: warning
  working_dir: ${folder}
config_paths:
  config_dir: ${folder}/
  data_dir: ${folder}/data/
  simulation_path: ${folder}/simulation.yaml
  hub_dir: ${folder}/hub/
  index_path: ${folder}/hub/.index.json
crowdsec_service:
  parser_routines: 1
db_config:
  log_level: error
  type: sqlite
  db_path: ${folder}/data/crowdsec.db
  use_wal: true
api:
  client:
    credentials_path: ${folder}/credentials.yaml
  server:
    log_level: error
    listen_uri: 127.0.0.1:${port}
    profiles_path: ${folder}/profiles.yaml
prometheus:
  enabled: false
`;
}

function readAlerts(path: string): ReplayedAlert[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = database
      .prepare(
        'select scenario, source_scope, source_value, events_count, started_at, stopped_at from alerts order by id',
      )
      .all();
    return rows.map((row) => ({
      scenario: String(row.scenario),
      source: { scope: String(row.source_scope), value: String(row.source_value) },
      events_count: Number(row.events_count),
      start_at: new Date(String(row.started_at)).toISOString(),
      stop_at: new Date(String(row.stopped_at)).toISOString(),
    }));
  } finally {
    database.close();
  }
}

async function digestOf(files: readonly string[], version: string): Promise<string> {
  const hash = createHash('sha256').update(version);
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex');
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
