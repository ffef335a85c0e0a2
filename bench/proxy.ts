/**
 * `bench proxy`: requests per second and CPU time per request of each peer, in one run on one machine. The measured process
 * has one core, load and origin another; rounds are interleaved and the order rotated, so that a disturbance meets all
 * alike; a first round only warms up. The run fails unless every answer is the origin's, every request has its line in the peer's access log, and
 * Portcullis says that it has poured every one.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { exitStatus, GatewayError } from '../core/errors.ts';
import { temporaryFolder, withFreePort, type Teardown } from '../test/support/servers/process.ts';
import { AccessLogCount } from './access-log-count.ts';
import { CleanUp } from './clean-up.ts';
import { listPeers } from './peers/index.ts';
import type { Peer, StartedPeer } from './peers/peer.ts';
import { probeIdle } from './probe-idle.ts';
import { startLoad, type LoadProcess } from './proxy-load-process.ts';
import { proxyUsage, readProxyOptions, type ProxyBenchOptions } from './proxy-options.ts';
import { startBenchOrigin } from './proxy-origin.ts';
import { printProxyReport, type PeerFigures } from './proxy-report.ts';

interface Contender {
  readonly peer: Peer;
  readonly port: number;
  readonly started: StartedPeer;
  readonly log: AccessLogCount;
  readonly figures: PeerFigures;
  /** Answers over all rounds. */
  answers: number;
}

/** Runs it; the exit status. Throws USAGE on a wrong flag, and whatever makes the run invalid. */
export async function benchProxy(args: readonly string[]): Promise<number> {
  const options = readProxyOptions(args);
  if (!options) {
    process.stderr.write(proxyUsage);
    return exitStatus.ok;
  }
  const cleanUp = new CleanUp();
  try {
    if (options.probeIdle) await probeIdle(cleanUp, options);
    else printProxyReport(options, await measure(cleanUp, options));
    return exitStatus.ok;
  } finally {
    await cleanUp.run();
  }
}

async function measure(t: Teardown, options: ProxyBenchOptions): Promise<readonly PeerFigures[]> {
  const peers = choosePeers(options);
  const originPort = await startBenchOrigin(t, options.loadCore);
  const load = await startLoad(t, options.loadCore);
  const contenders: Contender[] = [];
  for (const peer of peers) {
    progress(`starting ${peer.name}`);
    contenders.push(await enter(t, peer, originPort, options));
  }
  // Round 0 is not counted: just-in-time compilers take some seconds to come to rest.
  for (let round = 0; round <= options.rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(round + turn) % contenders.length];
      if (contender) await measureOnce(contender, load, options, round);
    }
  }
  for (const contender of contenders) await checkAccessLog(contender);
  return contenders.map((contender) => contender.figures);
}

function choosePeers(options: ProxyBenchOptions): readonly Peer[] {
  const all = listPeers(options);
  if (options.peers === null) return all;
  return options.peers.map((name) => {
    const peer = all.find((one) => one.name === name);
    if (peer) return peer;
    throw new GatewayError('USAGE', `no peer is called ${name}: ${all.map((one) => one.name).join(', ')}`);
  });
}

async function enter(t: Teardown, peer: Peer, originPort: number, options: ProxyBenchOptions): Promise<Contender> {
  const folder = await temporaryFolder(t, `bench-${peer.name}`);
  const accessLog = join(folder, 'access.log');
  await mkdir(folder, { recursive: true });
  await writeFile(accessLog, '');
  return withFreePort(async (port) => {
    const started = await peer.start(t, { folder, accessLog, port, originPort, core: options.proxyCore });
    const figures = {
      name: peer.name,
      about: peer.about,
      requestsPerSecond: [],
      cpuUsPerRequest: [],
      loadUsPerRequest: [],
      othersPercent: [],
    };
    return { peer, port, started, log: new AccessLogCount(accessLog), figures, answers: 0 };
  });
}

async function measureOnce(
  who: Contender,
  load: LoadProcess,
  options: ProxyBenchOptions,
  round: number,
): Promise<void> {
  const { peer, port, started, figures } = who;
  const inspectedBefore = (await started.inspected?.()) ?? 0;
  const result = await load.run({
    port,
    connections: options.connections,
    warmupMs: options.warmupSeconds * 1000,
    measureMs: options.seconds * 1000,
    proxyPid: started.process.pid,
    proxyCore: options.proxyCore,
  });
  who.answers += result.total;
  if (started.inspected) await checkInspected(peer.name, started.inspected, inspectedBefore + result.total);
  await who.log.countAndEmpty();
  if (round === 0) return progress(`warmed up ${peer.name}`);
  const perSecond = (result.measured / result.elapsedMs) * 1000;
  const cpuUs = result.proxyCpuUs / result.measured;
  figures.requestsPerSecond.push(perSecond);
  figures.cpuUsPerRequest.push(cpuUs);
  figures.loadUsPerRequest.push(result.loadCpuUs / result.measured);
  figures.othersPercent.push(result.othersUs / result.elapsedMs / 10);
  progress(
    `round ${round}/${options.rounds}  ${peer.name}  ${Math.round(perSecond)} req/s  ${cpuUs.toFixed(1)} µs CPU`,
  );
}

/** The count follows the answer, so it is given five seconds to arrive; a single request too few or too many is a fault. */
async function checkInspected(name: string, inspected: () => Promise<number>, wanted: number): Promise<void> {
  let seen = await inspected();
  for (let attempt = 0; seen < wanted && attempt < 50; attempt += 1) {
    await systemClock.sleep(100);
    seen = await inspected();
  }
  if (seen !== wanted) throw new Error(`${name} says that it inspected ${seen} requests; it was sent ${wanted}`);
}

async function checkAccessLog({ peer, started, log, answers }: Contender): Promise<void> {
  await started.process.stop();
  const lines = await log.countAndEmpty();
  if (lines !== answers) throw new Error(`the access log of ${peer.name} has ${lines} lines for ${answers} requests`);
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
