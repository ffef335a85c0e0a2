/**
 * `npm run bench -- decisions`: what the decision index costs. Each size is measured in a fresh process: time to load,
 * memory per entry, and the mean of batches of 1,000 lookups, since one lookup is shorter than the timer's resolution.
 * Targets: 10 million IPv4 entries below 200 MB of resident memory in all; a mean below 1 µs at the 99th percentile.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import process from 'node:process';
import { systemClock } from '../core/clock.ts';
import { ipv4, ipv6, rangeOf, type IpAddress } from '../core/ip.ts';
import { createLog } from '../core/log.ts';
import { createSystemRandom } from '../core/random.ts';
import { createDecisionIndex, type DecisionIndex, type Subject } from '../remediation/index/decision-index.ts';

/** Mean nanoseconds of one lookup in batches of 1,000. */
export interface LookupTimes {
  readonly p50Ns: number;
  readonly p99Ns: number;
  /** Of processor time: what a busy machine does not disturb. */
  readonly cpuP99Ns: number;
  readonly maxNs: number;
  /** The share of lookups that found a decision. */
  readonly hitShare: number;
}

export interface DecisionsResult {
  readonly ipv4Entries: number;
  readonly ipv6Entries: number;
  readonly ranges: number;
  readonly loadSeconds: number;
  /** The longest that 1,000 entries took to load, and the most processor time that they took. */
  readonly longestSliceMs: number;
  readonly longestSliceCpuMs: number;
  /** Resident memory of the whole process when loaded, Node included; and how much of it was there before. */
  readonly rssMegabytes: number;
  readonly rssBeforeMegabytes: number;
  readonly rssBytesPerEntry: number;
  readonly tableBytesPerEntry: number;
  readonly lookups: Readonly<Record<string, LookupTimes>>;
}

export interface DecisionsReport {
  readonly benchmark: 'decisions';
  readonly node: string;
  readonly cpu: string;
  readonly batch: number;
  readonly batches: number;
  readonly results: readonly DecisionsResult[];
}

interface Load {
  readonly ipv4Entries: number;
  readonly ipv6Entries: number;
  readonly ranges: number;
}

const loads: readonly Load[] = [
  { ipv4Entries: 1_200_000, ipv6Entries: 0, ranges: 0 },
  { ipv4Entries: 1_200_000, ipv6Entries: 100_000, ranges: 50_000 },
  { ipv4Entries: 10_000_000, ipv6Entries: 0, ranges: 0 },
];
const batch = 1_000;
const batches = 2_000;

/** `--json` prints the report as JSON, otherwise as a table; `--entries=N` measures N IPv4 entries only. */
export async function benchDecisions(args: readonly string[] = []): Promise<DecisionsReport> {
  const only = args.find((arg) => arg.startsWith('--entries='))?.slice('--entries='.length);
  const wanted = only === undefined ? loads : [{ ipv4Entries: Number(only), ipv6Entries: 0, ranges: 0 }];
  const results: DecisionsResult[] = [];
  for (const load of wanted) results.push(await measureApart(load));
  const cpu = cpus()[0]?.model ?? 'unknown';
  const report: DecisionsReport = { benchmark: 'decisions', node: process.version, cpu, batch, batches, results };
  process.stdout.write(args.includes('--json') ? `${JSON.stringify(report, null, 2)}\n` : tableOf(report));
  return report;
}

async function measureApart(load: Load): Promise<DecisionsResult> {
  const child = fork(import.meta.filename, ['--measure', JSON.stringify(load)], {
    execArgv: ['--enable-experimental-regexp-engine-on-excessive-backtracks'],
  });
  const answered: { result?: DecisionsResult } = {};
  child.on('message', (message) => {
    answered.result = message as DecisionsResult;
  });
  const [code] = await once(child, 'exit');
  if (answered.result === undefined) throw new Error(`the measuring process ended with status ${String(code)}`);
  return answered.result;
}

/** Numbers that look random and are the same in every run. */
function createSequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  };
}

/** Addresses of one kind that are in the index and, from another seed, addresses that hardly are. */
interface Kind {
  readonly count: number;
  readonly scope: 'Ip' | 'Range';
  readonly scenarios: number;
  value(next: () => number): string;
  address(next: () => number): IpAddress;
}

const prefixes = [12, 16, 18, 20, 21, 22, 23, 24, 24, 24, 24, 26, 28, 29];

function kindsOf(load: Load): Readonly<Record<string, Kind>> {
  const v4 = (next: () => number): IpAddress => ipv4(next());
  const v6 = (next: () => number): IpAddress => ipv6(0x20010000 | (next() & 0xffff), next(), next(), next());
  const network = (next: () => number): string => {
    const address = v4(next);
    const { address: first, prefix } = rangeOf(address, prefixes[address.w0 % prefixes.length] ?? 24);
    return `${first.text}/${prefix}`;
  };
  return {
    ipv4: { count: load.ipv4Entries, scope: 'Ip', scenarios: 60, value: (next) => v4(next).text, address: v4 },
    ipv6: { count: load.ipv6Entries, scope: 'Ip', scenarios: 20, value: (next) => v6(next).text, address: v6 },
    range: { count: load.ranges, scope: 'Range', scenarios: 5, value: network, address: v4 },
  };
}

const seedOf = (name: string): number => 1_000_003 * (name.charCodeAt(2) + name.charCodeAt(name.length - 1));

async function measure(load: Load): Promise<DecisionsResult> {
  const index = createDecisionIndex({ clock: systemClock, random: createSystemRandom(), log: createLog('silent') });
  globalThis.gc?.();
  const rssBefore = process.memoryUsage.rss();
  const startedAt = performance.now();
  let longestSliceMs = 0;
  let longestSliceCpuMs = 0;
  let number = 0;
  for (const [name, kind] of Object.entries(kindsOf(load))) {
    const next = createSequence(seedOf(name));
    for (let done = 0; done < kind.count; ) {
      const sliceAt = performance.now();
      const cpuAt = process.cpuUsage();
      for (let end = Math.min(kind.count, done + batch); done < end; done++) addOne(index, kind, next, number++);
      longestSliceMs = Math.max(longestSliceMs, performance.now() - sliceAt);
      longestSliceCpuMs = Math.max(longestSliceCpuMs, cpuSince(cpuAt) / 1000);
      if (done % 20_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const loadSeconds = (performance.now() - startedAt) / 1000;
  const rss = process.memoryUsage.rss();
  const entries = index.size.total;
  const lookups: Record<string, LookupTimes> = {};
  for (const [name, kind] of Object.entries(kindsOf(load))) {
    if (kind.count === 0) continue;
    lookups[`${name} hit`] = time(index, kind, createSequence(seedOf(name)));
    lookups[`${name} miss`] = time(index, kind, createSequence(seedOf(name) + 12_345));
  }
  return {
    ...load,
    loadSeconds,
    longestSliceMs,
    longestSliceCpuMs,
    rssMegabytes: rss / 1e6,
    rssBeforeMegabytes: rssBefore / 1e6,
    rssBytesPerEntry: (rss - rssBefore) / entries,
    tableBytesPerEntry: index.memoryBytes() / entries,
    lookups,
  };
}

function addOne(index: DecisionIndex, kind: Kind, next: () => number, number: number): void {
  const now = systemClock.now();
  index.add({
    uuid: `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
    origin: 'lists',
    scenario: `list-${number % kind.scenarios}`,
    scope: kind.scope,
    value: kind.value(next),
    type: 'ban',
    until: now + 86_400_000 + (number % 86_400) * 1_000,
    createdAt: now,
    simulated: false,
    alertUuid: null,
  });
}

/** Subjects are made before the clock starts, and each is asked about once, so that no cache is warm by chance. */
function time(index: DecisionIndex, kind: Kind, next: () => number): LookupTimes {
  const now = systemClock.now();
  const times = new Float64Array(batches);
  const cpuTimes = new Float64Array(batches);
  let hits = 0;
  const subjects: Subject[] = Array.from({ length: batch });
  const rounds = Math.min(batches, Math.max(10, Math.floor(kind.count / batch)));
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < batch; n++) subjects[n] = { address: kind.address(next) };
    const cpuAt = process.cpuUsage();
    const startedAt = performance.now();
    for (let n = 0; n < batch; n++) if (index.lookup(subjects[n] as Subject, now) !== null) hits++;
    times[round] = ((performance.now() - startedAt) * 1e6) / batch;
    cpuTimes[round] = (cpuSince(cpuAt) * 1e3) / batch;
  }
  const at = (all: Float64Array, share: number): number =>
    all.subarray(0, rounds).toSorted()[Math.min(rounds - 1, Math.floor(share * rounds))] ?? 0;
  return {
    p50Ns: at(times, 0.5),
    p99Ns: at(times, 0.99),
    cpuP99Ns: at(cpuTimes, 0.99),
    maxNs: at(times, 1),
    hitShare: hits / (rounds * batch),
  };
}

/** Microseconds of processor time. */
function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

function tableOf(report: DecisionsReport): string {
  const lines = [`decision index, ${report.node}, ${report.cpu}; lookups: mean of batches of ${report.batch}`, ''];
  for (const result of report.results) {
    const { ipv4Entries, ipv6Entries, ranges, loadSeconds, longestSliceMs, longestSliceCpuMs } = result;
    lines.push(
      `${ipv4Entries} IPv4, ${ipv6Entries} IPv6, ${ranges} ranges`,
      `  load            ${loadSeconds.toFixed(1)} s, longest 1,000 entries ${longestSliceMs.toFixed(1)} ms, ${longestSliceCpuMs.toFixed(1)} ms of it CPU`,
      `  memory          ${result.rssMegabytes.toFixed(0)} MB resident, ${result.rssBeforeMegabytes.toFixed(0)} MB of it before loading`,
      `  per entry       ${result.rssBytesPerEntry.toFixed(1)} B resident, ${result.tableBytesPerEntry.toFixed(1)} B of typed arrays`,
    );
    for (const [name, times] of Object.entries(result.lookups)) {
      const share = `${(times.hitShare * 100).toFixed(1)} % found`;
      const spread = `p50 ${times.p50Ns.toFixed(0)} ns, p99 ${times.p99Ns.toFixed(0)} ns (CPU ${times.cpuP99Ns.toFixed(0)}), max ${times.maxNs.toFixed(0)} ns`;
      lines.push(`  ${name.padEnd(15)} ${spread}, ${share}`);
    }
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

if (process.argv[2] === '--measure') {
  const result = await measure(JSON.parse(process.argv[3] ?? '{}') as Load);
  process.send?.(result);
  process.disconnect?.();
}
