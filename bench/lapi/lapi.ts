/**
 * `bench lapi`: what a Local API costs, beside CrowdSec's own, in one run on one machine: importing, answering bouncers in live and
 * stream mode, taking alerts, and what visitors of the gateway notice of it. The measured process has one core, the load another.
 * The run fails when an answer is not what it must be.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import { temporaryFolder } from '../../test/support/servers/process.ts';
import { CleanUp } from '../clean-up.ts';
import { bindToCore } from './bind-to-core.ts';
import { startLoadProcess, type LoadProcess } from '../load-process.ts';
import { processTreeBytes, processTreeCpuUs } from '../process-cpu.ts';
import { addressAt, type LapiContender, type StartContender } from './contender.ts';
import { startCrowdsec } from './crowdsec.ts';
import { measureDiskSync } from './disk-sync.ts';
import type { LapiLoadOrder, LapiLoadResult } from './load.ts';
import { lapiUsage, type LapiBenchOptions, readLapiOptions } from './lapi-options.ts';
import type { LapiFigures } from './lapi-figures.ts';
import { printLapiReport } from './lapi-report.ts';
import { startPortcullis } from './portcullis.ts';

type Load = LoadProcess<LapiLoadOrder, LapiLoadResult>;

const deltaDecisions = 1_000;
const liveQuestions = 2_000;
const settleMs = 20_000;
const diskSyncs = 500;

/** Runs it; the exit status. Throws USAGE on a wrong flag, and whatever makes the run invalid. */
export async function benchLapi(args: readonly string[]): Promise<number> {
  const options = readLapiOptions(args);
  if (!options) {
    process.stderr.write(lapiUsage);
    return exitStatus.ok;
  }
  const figures: LapiFigures[] = [];
  for (const start of choosePeers(options)) figures.push(await measurePeer(start, options));
  printLapiReport(options, figures);
  return exitStatus.ok;
}

/** One after the other: neither shall hold memory or file caches that the other wants. */
async function measurePeer(start: StartContender, options: LapiBenchOptions): Promise<LapiFigures> {
  const cleanUp = new CleanUp();
  try {
    const contender = await start(cleanUp, options);
    progress(`${contender.name} runs`);
    const script = join(import.meta.dirname, 'load.ts');
    const load = await startLoadProcess<LapiLoadOrder, LapiLoadResult>(cleanUp, script, options.loadCore);
    return await measure(contender, load, await temporaryFolder(cleanUp, 'bench-import'), options);
  } finally {
    await cleanUp.run();
  }
}

function choosePeers(options: LapiBenchOptions): readonly StartContender[] {
  const all = { crowdsec: startCrowdsec, portcullis: startPortcullis };
  const names = options.peers ?? Object.keys(all);
  return names.map((name) => {
    if (Object.hasOwn(all, name)) return all[name as keyof typeof all];
    throw new GatewayError('USAGE', `no peer is called ${name}: ${Object.keys(all).join(', ')}`);
  });
}

async function measure(
  contender: LapiContender,
  load: Load,
  folder: string,
  options: LapiBenchOptions,
): Promise<LapiFigures> {
  const { port, pid, decisions, sitePort, keys } = contender;
  const [key = ''] = keys;
  const server = { port, pid, core: options.serverCore, key };
  const bytesBefore = processTreeBytes(pid);
  const file = join(folder, 'decisions.txt');
  await writeFile(file, Array.from({ length: decisions }, (_, index) => `${addressAt(index)}\n`).join(''));
  const cpuBefore = processTreeCpuUs(pid);
  const startedAt = performance.now();
  await contender.importDecisions(file);
  await knows(contender, addressAt(decisions - 1));
  const importSeconds = (performance.now() - startedAt) / 1_000;
  const importCpuSeconds = (processTreeCpuUs(pid) - cpuBefore) / 1e6;
  // An import may use all cores; what is asked afterwards is measured for one.
  bindToCore(pid, options.serverCore);
  const bytesAfter = processTreeBytes(pid);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  progress(`${contender.name}  ${decisions} decisions imported in ${importSeconds.toFixed(1)} s`);
  const figures: LapiFigures = {
    name: contender.name,
    about: contender.about,
    decisions,
    importSeconds,
    importCpuSeconds,
    bytesBefore,
    bytesAfter,
    bytesSettled: processTreeBytes(pid),
    diskSync: measureDiskSync(folder, diskSyncs),
    live: [],
    start: [],
    delta: [],
    alerts: [],
    visitors: sitePort === null ? null : { alone: [], streaming: [] },
  };
  const stride = Math.max(1, Math.floor(decisions / liveQuestions));
  const hits = Array.from({ length: liveQuestions }, (_, index) => addressAt((index * stride) % decisions));
  const [warmupMs, measureMs] = [options.warmupSeconds * 1_000, options.seconds * 1_000];
  for (let round = 1; round <= options.rounds; round += 1) {
    const { connections } = options;
    figures.live.push(await load.run({ kind: 'live', ...server, hits, connections, warmupMs, measureMs }));
    const start = await load.run({ kind: 'stream', ...server, startup: true });
    if (start.decisions < decisions) throw new Error(`${contender.name} streamed ${start.decisions} of ${decisions}`);
    figures.start.push(start);
    figures.delta.push(await measureDelta(contender, load, server, round));
    figures.alerts.push(await measureAlerts(contender, load, server, round, options));
    if (sitePort !== null && figures.visitors !== null) {
      const visit = { kind: 'visitors', ...server, sitePort, perSecond: options.visitorsPerSecond, measureMs } as const;
      await load.run({ ...visit, measureMs: warmupMs, streams: 0 });
      figures.visitors.alone.push(await load.run({ ...visit, streams: 0 }));
      figures.visitors.streaming.push(await load.run({ ...visit, streams: 1 }));
    }
    progress(`${contender.name}  round ${round}/${options.rounds}`);
  }
  return figures;
}

/** An import is over when bouncers are told of its last decision. */
async function knows({ port, keys, name }: LapiContender, address: string): Promise<void> {
  const headers = { 'x-api-key': keys[0] ?? '' };
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/decisions?ip=${address}`, { headers });
    if ((await answer.text()) !== 'null') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${name} does not know ${address}`);
}

/** New decisions, and how long the next poll takes that hears of them. */
async function measureDelta(
  { name, port, machine }: LapiContender,
  load: Load,
  server: { readonly port: number; readonly pid: number; readonly core: number; readonly key: string },
  round: number,
): Promise<LapiLoadResult> {
  const token = await logIn(port, machine);
  await load.run({ kind: 'stream', ...server, startup: false });
  // `created_at > last_pull`, in some implementations with a resolution of a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const values = Array.from({ length: deltaDecisions }, (_, index) => `9.${round}.${index >> 8}.${index & 255}`);
  const answer = await fetch(`http://127.0.0.1:${port}/v1/alerts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'crowdsec/v1.6.3', 'content-type': 'application/json' },
    body: alertOf(values, true),
  });
  if (answer.status !== 201) throw new Error(`${name} answered ${answer.status}: ${await answer.text()}`);
  const delta = await load.run({ kind: 'stream', ...server, startup: false });
  if (delta.decisions !== deltaDecisions) throw new Error(`${name} told of ${delta.decisions} of ${deltaDecisions}`);
  return delta;
}

async function measureAlerts(
  { port, machine, keys }: LapiContender,
  load: Load,
  server: { readonly port: number; readonly pid: number; readonly core: number; readonly key: string },
  round: number,
  { alerts }: LapiBenchOptions,
): Promise<LapiLoadResult> {
  const token = await logIn(port, machine);
  const bodies = Array.from({ length: alerts }, (_, index) =>
    alertOf([`8.${round}.${index >> 8}.${index & 255}`], false),
  );
  return load.run({ kind: 'alerts', ...server, token, alerts: bodies, pollers: keys, pollMs: 1_000 });
}

async function logIn(port: number, { id, password }: LapiContender['machine']): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/watchers/login`, {
    method: 'POST',
    headers: { 'user-agent': 'crowdsec/v1.6.3', 'content-type': 'application/json' },
    body: JSON.stringify({ machine_id: id, password, scenarios: [] }),
  });
  if (answer.status !== 200) throw new Error(`the login was answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { token: string }).token;
}

/** As an agent or `cscli` posts it: with its decisions, or for the profiles to decide. */
function alertOf(values: readonly string[], decided: boolean): string {
  const now = new Date().toISOString();
  const [value = ''] = values;
  const event = {
    timestamp: now,
    meta: Array.from({ length: 8 }, (_, index) => ({ key: `key_${index}`, value: `a value of some length ${index}` })),
  };
  const alert = {
    capacity: 10,
    decisions: decided
      ? values.map((one) => ({
          duration: '4h',
          origin: 'cscli',
          scenario: 'bench',
          scope: 'Ip',
          type: 'ban',
          value: one,
        }))
      : null,
    events: decided ? [] : Array.from({ length: 11 }, () => event),
    events_count: 11,
    labels: null,
    leakspeed: '10s',
    message: `Ip ${value} performed 'bench' (11 events over 10ms)`,
    remediation: true,
    scenario: 'bench',
    scenario_hash: '',
    scenario_version: '',
    simulated: false,
    source: { scope: 'Ip', value, ip: value },
    start_at: now,
    stop_at: now,
  };
  return JSON.stringify([alert]);
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
