/**
 * `bench engine`: log lines per CPU second, from process start to the last alert. One generated log through the same items in
 * Portcullis and CrowdSec, whose alerts must be the same; through the whole hub in Portcullis; and through one filter of
 * fail2ban. Each run is a process of its own; rounds are interleaved.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemClock } from '../../core/clock.ts';
import { exitStatus } from '../../core/errors.ts';
import { suitePath } from '../../test/support/suites.ts';
import { runCrowdsec } from './crowdsec.ts';
import { type EngineBenchOptions, engineUsage, readEngineOptions } from './engine-options.ts';
import { type EngineReport, type EngineRow, hubRow, printEngineReport, tenRow } from './engine-report.ts';
import { runFail2ban } from './fail2ban.ts';
import { generateLog } from './generate-log.ts';
import { measureLiveRequests } from './live-requests.ts';
import { installHub, runReplay } from './portcullis.ts';
import { differences, type ReplayedAlert } from './replayed-alert.ts';

/** Runs it; exit status 1 when the alerts are not CrowdSec's. Throws USAGE on a wrong flag. */
export async function benchEngine(args: readonly string[]): Promise<number> {
  const options = readEngineOptions(args);
  if (!options) {
    process.stderr.write(engineUsage);
    return exitStatus.ok;
  }
  const report = await measure(options);
  printEngineReport(report, options.json);
  return (report.comparison?.differences.length ?? 0) === 0 ? exitStatus.ok : exitStatus.failed;
}

interface Places {
  readonly cache: string;
  readonly items: string;
  readonly hub: string;
  readonly lists: string;
}

async function measure(options: EngineBenchOptions): Promise<EngineReport> {
  const cache = resolve(options.cacheFolder ?? join(tmpdir(), 'portcullis-bench'));
  await mkdir(cache, { recursive: true });
  const places: Places = {
    cache,
    items: resolve(options.items ?? suite('oracle-items')),
    hub: resolve(options.hub ?? suite('hub')),
    lists: resolve(options.lists ?? suite('sec-lists')),
  };
  const log = await writeLog(cache, options.seed, options.lines);
  const comparison = options.peers ? await compare(places, options) : null;
  const rows = await measureRows(log, places, options);
  progress('live requests');
  const live = await measureLiveRequests({
    scenarios: join(places.hub, 'scenarios'),
    dataFolder: places.lists,
    seed: options.seed,
    requests: 50_000,
    rounds: options.rounds,
  });
  const crowdsec = comparison === null ? [] : [comparison.row];
  return { rows: [...rows, ...crowdsec], live, comparison: comparison?.found ?? null };
}

async function measureRows(log: string, places: Places, options: EngineBenchOptions): Promise<readonly EngineRow[]> {
  const hub = await installHub(places.hub, places.lists, join(places.cache, 'hub'));
  const replay = (items: string) =>
    runReplay({ log, lines: options.lines, items, core: options.core, clock: systemClock, cpuProf: options.cpuProf });
  const contenders: Contender[] = [
    contender(tenRow, async () => countAlerts(await replay(places.items))),
    contender(hubRow, async () => countAlerts(await replay(hub))),
  ];
  if (options.peers) contenders.push(contender('fail2ban-regex, one filter', () => fail2ban(log, places, options)));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { name, run, runs } of contenders) {
      const found = await run();
      runs.push(found);
      progress(`round ${round + 1}/${options.rounds}  ${name}  ${found.cpuSeconds.toFixed(2)} CPU s`);
    }
  }
  return contenders.map(({ name, runs }) => ({
    name,
    lines: options.lines,
    cpuSeconds: runs.map(({ cpuSeconds }) => cpuSeconds),
    seconds: runs.map(({ seconds }) => seconds),
    peakBytes: runs.map(({ peakBytes }) => peakBytes),
    alerts: runs[0]?.alerts ?? null,
    note: runs[0]?.note ?? '',
  }));
}

interface Run {
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly alerts: number | null;
  readonly note: string;
}

interface Contender {
  readonly name: string;
  readonly run: () => Promise<Run>;
  readonly runs: Run[];
}

function contender(name: string, run: () => Promise<Run>): Contender {
  return { name, run, runs: [] };
}

function countAlerts(run: Omit<Run, 'alerts' | 'note'> & { readonly alerts: readonly ReplayedAlert[] }): Run {
  return { ...run, alerts: run.alerts.length, note: '' };
}

async function fail2ban(log: string, { cache }: Places, { lines, core }: EngineBenchOptions): Promise<Run> {
  const run = await runFail2ban(log, cache, { core, clock: systemClock });
  if (run.lines !== lines) throw new Error(`fail2ban-regex read ${run.lines} of ${lines} lines`);
  return {
    ...run,
    alerts: null,
    note: `${run.version}, filter nginx-botsearch, no state, ${run.matched} lines matched`,
  };
}

/** CrowdSec and Portcullis on the beginning of the log. */
async function compare(places: Places, options: EngineBenchOptions) {
  const { cache, items } = places;
  const { core, peerLines: lines, fresh } = options;
  const log = await writeLog(cache, options.seed, lines);
  progress(`CrowdSec, ${lines} lines: minutes, unless its result is kept`);
  const theirs = await runCrowdsec({ log, items, cacheFolder: cache, core, fresh, clock: systemClock });
  const ours = await runReplay({ log, lines, items, core, clock: systemClock, cpuProf: null });
  const { version, cpuSeconds, seconds, peakBytes, alerts, cached } = theirs;
  const row: EngineRow = {
    name: 'CrowdSec, ten scenarios',
    lines,
    cpuSeconds: [cpuSeconds],
    seconds: [seconds],
    peakBytes: [peakBytes],
    alerts: alerts.length,
    note: `${version}, ${seconds.toFixed(0)} s by the clock, one run${cached ? ', kept from an earlier run' : ''}`,
  };
  const first = differences(ours.alerts, alerts);
  const counts = { lines, ours: ours.alerts.length, theirs: alerts.length };
  if (first.length === 0) return { row, found: { ...counts, again: null, differences: first } };
  const again = await compareSources(log, new Set(first.map(({ source }) => source)), places, options);
  return {
    row,
    found: { ...counts, again: { differences: first.length, ...again.what }, differences: again.differences },
  };
}

/**
 * CrowdSec ends idle buckets by the wall clock in a replay too, so where it is slower than the log's own pace it ends some too
 * early. The sources whose alerts differ are therefore looked at once more, by themselves: then it keeps the pace.
 */
async function compareSources(
  log: string,
  sources: ReadonlySet<string>,
  { cache, items }: Places,
  { core, fresh }: EngineBenchOptions,
) {
  const kept = (await readFile(log, 'utf8')).split('\n').filter((line) => sources.has(line.split(' ', 1)[0] ?? ''));
  const part = join(cache, 'access-again.log');
  await writeFile(part, `${kept.join('\n')}\n`);
  progress(`CrowdSec, the ${kept.length} lines of the ${sources.size} sources whose alerts differ`);
  const theirs = await runCrowdsec({ log: part, items, cacheFolder: cache, core, fresh, clock: systemClock });
  const ours = await runReplay({ log: part, lines: kept.length, items, core, clock: systemClock, cpuProf: null });
  const what = { sources: sources.size, lines: kept.length };
  return { what, differences: differences(ours.alerts, theirs.alerts) };
}

async function writeLog(folder: string, seed: number, lines: number): Promise<string> {
  const path = join(folder, `access-${seed}-${lines}.log`);
  async function* blocks(): AsyncGenerator<string> {
    let block: string[] = [];
    for (const line of generateLog({ seed, lines })) {
      block.push(line, '\n');
      if (block.length < 8_192) continue;
      yield block.join('');
      block = [];
    }
    yield block.join('');
  }
  await pipeline(Readable.from(blocks()), createWriteStream(path));
  return path;
}

function suite(name: string): string {
  const absent = (message: string): never => {
    throw new Error(message);
  };
  return suitePath({ fail: absent, pass: absent }, name) ?? '';
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
