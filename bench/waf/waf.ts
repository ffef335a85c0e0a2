/**
 * `bench waf`: what inspecting a request with the Core Rule Set costs, beside ModSecurity 2 and 3, in one run on one machine. The
 * measured process has one core, load and origin another. Rounds are interleaved and the order rotated. The run fails unless each
 * peer refuses attacks, every other answer is the origin's, and each request has its line in the access log.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { Teardown } from '../../test/support/servers/process.ts';
import { CleanUp } from '../clean-up.ts';
import { startLoadProcess } from '../load-process.ts';
import { apacheModSecurityPeer } from './apache-modsecurity.ts';
import { bodyFormats, type BodyFormat } from './body-requests.ts';
import {
  addRound,
  enterContender,
  leaveContender,
  measureContender,
  memoryOf,
  noFigures,
  proveThatItInspects,
  type Contender,
  type Figures,
  type WafLoadProcess,
} from './contender.ts';
import { drawGrowth } from './growth-chart.ts';
import type { WafLoadOrder, WafLoadResult } from './load.ts';
import { nginxModSecurityPeer } from './nginx-modsecurity.ts';
import { startWafOrigin } from './origin.ts';
import type { WafPeer } from './peer.ts';
import { portcullisPeer } from './portcullis.ts';
import { readWafOptions, wafUsage, type WafBenchOptions } from './waf-options.ts';
import { printWafReport } from './waf-report.ts';

export interface MixFigures {
  readonly name: string;
  readonly about: string;
  readonly paranoia: number;
  readonly startMs: number;
  /** Measured at the end. */
  memoryBytes: number;
  readonly varying: Figures;
  readonly fixed: Figures;
}

export interface GrowthFigures {
  readonly name: string;
  readonly format: BodyFormat;
  readonly bytes: number;
  readonly figures: Figures;
}

export interface WafFigures {
  readonly mix: readonly MixFigures[];
  readonly growth: readonly GrowthFigures[];
}

/** Few, so that the measured time of slow requests does not end much later than it should. */
const growthConnections = 2;

/** Runs it; the exit status. Throws USAGE on a wrong flag, and whatever makes the run invalid. */
export async function benchWaf(args: readonly string[]): Promise<number> {
  const options = readWafOptions(args);
  if (!options) {
    process.stderr.write(wafUsage);
    return exitStatus.ok;
  }
  if (!existsSync(join(options.coreRules, 'crs-setup.conf.example'))) {
    const remedy = 'set PORTCULLIS_SUITES or --core-rules to a folder with crs-setup.conf.example and rules/';
    throw new GatewayError('USAGE', `no Core Rule Set in ${options.coreRules}: ${remedy}`);
  }
  const cleanUp = new CleanUp();
  try {
    const figures = await measure(cleanUp, options);
    printWafReport(options, figures);
    if (options.chart !== null && figures.growth.length > 0) await writeFile(options.chart, drawGrowth(figures.growth));
    return exitStatus.ok;
  } finally {
    await cleanUp.run();
  }
}

async function measure(t: Teardown, options: WafBenchOptions): Promise<WafFigures> {
  const originPort = await startWafOrigin(t, options.loadCore);
  const script = join(import.meta.dirname, 'load.ts');
  const load = await startLoadProcess<WafLoadOrder, WafLoadResult>(t, script, options.loadCore);
  const contenders: Contender[] = [];
  for (const peer of choosePeers(options)) {
    for (const paranoia of options.paranoia) {
      progress(`starting ${peer.name}, paranoia level ${paranoia}`);
      contenders.push(await enterContender(t, peer, paranoia, originPort, options));
    }
  }
  await warmUp(contenders, load, options);
  for (const contender of contenders) await proveThatItInspects(contender);
  const mix = options.parts.includes('mix') ? await measureMix(contenders, load, options) : [];
  const lowest = contenders.filter((contender) => contender.paranoia === options.paranoia[0]);
  const growth = options.parts.includes('growth') ? await measureGrowth(lowest, load, options) : [];
  for (const contender of contenders) await leaveContender(contender);
  return { mix, growth };
}

function choosePeers(options: WafBenchOptions): readonly WafPeer[] {
  const all = [nginxModSecurityPeer, apacheModSecurityPeer, portcullisPeer(options.cpuProf)];
  if (options.peers === null) return all;
  return options.peers.map((name) => {
    const peer = all.find((one) => one.name === name);
    if (peer) return peer;
    throw new GatewayError('USAGE', `no peer is called ${name}: ${all.map((one) => one.name).join(', ')}`);
  });
}

/** Just-in-time compilers take some seconds to come to rest. */
async function warmUp(contenders: readonly Contender[], load: WafLoadProcess, options: WafBenchOptions): Promise<void> {
  for (const contender of contenders) {
    progress(`warming up ${contender.peer.name}, level ${contender.paranoia}`);
    const { connections, warmupSeconds, seed, proxyCore } = options;
    const traffic = { kind: 'varying', seed: seed + 1_000_000 } as const;
    const half = warmupSeconds * 5;
    await measureContender(contender, load, proxyCore, { traffic, connections, warmupSeconds: half, seconds: half });
  }
}

async function measureMix(
  contenders: readonly Contender[],
  load: WafLoadProcess,
  options: WafBenchOptions,
): Promise<readonly MixFigures[]> {
  const entries = contenders.map((contender) => ({
    contender,
    figures: {
      name: contender.peer.name,
      about: contender.peer.about,
      paranoia: contender.paranoia,
      startMs: contender.startMs,
      memoryBytes: 0,
      varying: noFigures(),
      fixed: noFigures(),
    },
  }));
  const { rounds, connections, warmupSeconds, seconds, seed, proxyCore } = options;
  for (let round = 1; round <= rounds; round += 1) {
    for (const { contender, figures } of rotated(entries, round)) {
      for (const kind of ['varying', 'fixed'] as const) {
        // All peers get the same requests in one round, and others in the next.
        const traffic = { kind, seed: seed + round };
        const timing = { traffic, connections, warmupSeconds, seconds };
        addRound(figures[kind], await measureContender(contender, load, proxyCore, timing));
      }
      const [varying, fixed] = [figures.varying.cpuUs.at(-1) ?? 0, figures.fixed.cpuUs.at(-1) ?? 0];
      const cost = `${varying.toFixed(0)} µs varying, ${fixed.toFixed(0)} µs fixed`;
      progress(`round ${round}/${rounds}  ${figures.name}  level ${figures.paranoia}  ${cost}`);
    }
  }
  for (const { contender, figures } of entries) figures.memoryBytes = memoryOf(contender);
  return entries.map((entry) => entry.figures);
}

async function measureGrowth(
  contenders: readonly Contender[],
  load: WafLoadProcess,
  options: WafBenchOptions,
): Promise<readonly GrowthFigures[]> {
  const growth: GrowthFigures[] = [];
  const connections = growthConnections;
  for (const format of bodyFormats) {
    for (const bytes of options.sizes) {
      const entries = contenders.map((contender) => ({ contender, figures: noFigures() }));
      for (let round = 1; round <= options.growthRounds; round += 1) {
        for (const { contender, figures } of rotated(entries, round)) {
          const traffic = { kind: 'body', format, bytes, seed: options.seed + round } as const;
          const seconds = options.growthSeconds;
          const timing = { traffic, connections, warmupSeconds: seconds / 5, seconds };
          addRound(figures, await measureContender(contender, load, options.proxyCore, timing));
        }
      }
      progress(`${format} of ${bytes} bytes`);
      for (const { contender, figures } of entries) growth.push({ name: contender.peer.name, format, bytes, figures });
    }
  }
  return growth;
}

/** From another one on in each round, so that a disturbance meets all alike. */
function rotated<T>(all: readonly T[], round: number): readonly T[] {
  const first = round % Math.max(1, all.length);
  return [...all.slice(first), ...all.slice(0, first)];
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
