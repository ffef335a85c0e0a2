/** The results of `bench proxy` as a table or JSON. */
import type { ProxyBenchOptions } from './proxy-options.ts';
import { describeMachine, formatNumber, formatTable, summarise } from './report.ts';

export interface PeerFigures {
  readonly name: string;
  readonly about: string;
  /** One value per round, as in the others. */
  readonly requestsPerSecond: number[];
  readonly cpuUsPerRequest: number[];
  /** What the load generator itself spent per request: where it nears 1e6 / requests per second, it was the limit. */
  readonly loadUsPerRequest: number[];
  /** Share of the proxy's core that others took meanwhile: what makes a round doubtful. */
  readonly othersPercent: number[];
}

const comparedWith = ['nginx', 'caddy'] as const;

/** Writes to standard output. */
export function printProxyReport(options: ProxyBenchOptions, peers: readonly PeerFigures[]): void {
  process.stdout.write(options.json ? `${JSON.stringify(asJson(options, peers), null, 2)}\n` : asText(options, peers));
}

function asJson(options: ProxyBenchOptions, peers: readonly PeerFigures[]): object {
  return {
    measuredAt: new Date().toISOString(),
    machine: describeMachine(),
    options,
    peers: peers.map((peer) => ({
      ...peer,
      summary: {
        requestsPerSecond: summarise(peer.requestsPerSecond),
        cpuUsPerRequest: summarise(peer.cpuUsPerRequest),
        cpuRatio: Object.fromEntries(comparedWith.map((name) => [name, ratioTo(peers, peer, name)])),
      },
    })),
  };
}

function asText(options: ProxyBenchOptions, peers: readonly PeerFigures[]): string {
  const heading = ['peer', 'CPU µs/request', 'min', 'max', 'req/s', 'min', 'max', 'others %'];
  const rows = peers.map((peer) => {
    const cpu = summarise(peer.cpuUsPerRequest);
    const speed = summarise(peer.requestsPerSecond);
    const ratios = comparedWith.map((name) => {
      const ratio = ratioTo(peers, peer, name);
      return ratio === null ? '-' : `${ratio.toFixed(2)}x`;
    });
    const cpuCells = [cpu.median, cpu.min, cpu.max].map((value) => formatNumber(value, 1));
    const speedCells = [speed.median, speed.min, speed.max].map((value) => formatNumber(value));
    const others = formatNumber(summarise(peer.othersPercent).median);
    return [peer.name, ...cpuCells, ...speedCells, others, ...ratios];
  });
  const { cpu, cores, kernel, node } = describeMachine();
  const table = formatTable([[...heading, ...comparedWith.map((name) => `CPU/${name}`)], ...rows]);
  const how = `medians of ${options.rounds} rounds of ${options.seconds} s, ${options.connections} connections`;
  const about = peers.map((peer) => `  ${peer.name}: ${peer.about}`).join('\n');
  return `${table}\n${how}; ${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}\n${about}\n`;
}

/** The CPU time of one peer over that of another, of medians; null when the other did not run. */
function ratioTo(peers: readonly PeerFigures[], peer: PeerFigures, name: string): number | null {
  const other = peers.find((one) => one.name === name);
  if (!other) return null;
  return summarise(peer.cpuUsPerRequest).median / summarise(other.cpuUsPerRequest).median;
}
