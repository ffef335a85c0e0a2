/** The results of `bench engine` as tables or JSON. */
import { describeMachine, formatNumber, formatTable, summarise } from '../report.ts';
import type { LiveRun } from './live-requests.ts';
import type { AlertDifference } from './replayed-alert.ts';

/** One program on one log. */
export interface EngineRow {
  readonly name: string;
  readonly lines: number;
  /** One for each round. */
  readonly cpuSeconds: readonly number[];
  readonly seconds: readonly number[];
  readonly peakBytes: readonly number[];
  readonly alerts: number | null;
  readonly note: string;
}

export interface EngineReport {
  readonly rows: readonly EngineRow[];
  readonly live: LiveRun | null;
  /** Null when no peer ran. */
  readonly comparison: {
    readonly lines: number;
    readonly ours: number;
    readonly theirs: number;
    /** Set when alerts differed at first: how many, and what was then compared once more. */
    readonly again: { readonly differences: number; readonly sources: number; readonly lines: number } | null;
    readonly differences: readonly AlertDifference[];
  } | null;
}

/** What is to be reached: issue 3, "How fast". */
const goals = { linesPerCpuSecond: 100_000, hubFactor: 3, peakBytes: 150e6, liveMicroseconds: 10 } as const;

const shownDifferences = 40;

export function printEngineReport(report: EngineReport, json: boolean): void {
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ benchmark: 'engine', machine: describeMachine(), ...report }, null, 2)}\n`,
    );
    return;
  }
  const { cpu, cores, memoryGiB, kernel, node } = describeMachine();
  process.stdout.write(
    [
      `machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}\n\n`,
      rowsTable(report.rows),
      '\n',
      liveText(report.live),
      goalsTable(report),
      '\n',
      comparisonText(report.comparison),
    ].join(''),
  );
}

function rowsTable(rows: readonly EngineRow[]): string {
  const slowest = Math.min(...rows.map(speed));
  const heading = ['program', 'lines', 'CPU s, median', 'min–max', 'lines per CPU s', 'ratio', 'peak MB', 'alerts'];
  const body = rows.map((row) => {
    const { median, min, max } = summarise(row.cpuSeconds);
    return [
      row.name,
      formatNumber(row.lines),
      formatNumber(median, 2),
      min === max ? '' : `${formatNumber(min, 2)}–${formatNumber(max, 2)}`,
      formatNumber(speed(row)),
      `${formatNumber(speed(row) / slowest, speed(row) / slowest < 10 ? 1 : 0)}×`,
      formatNumber(summarise(row.peakBytes).max / 1e6),
      row.alerts === null ? '' : formatNumber(row.alerts),
    ];
  });
  const notes = rows.filter(({ note }) => note !== '').map(({ name, note }) => `${name}: ${note}\n`);
  return `${formatTable([heading, ...body])}\n${notes.join('')}`;
}

function speed({ lines, cpuSeconds }: EngineRow): number {
  return lines / summarise(cpuSeconds).median;
}

function liveText(live: LiveRun | null): string {
  if (live === null) return '';
  const { median, min, max } = summarise(live.microseconds);
  const spread = `${formatNumber(min, 2)}–${formatNumber(max, 2)}`;
  return `live requests: ${live.scenarios} scenarios, ${formatNumber(live.requests)} requests, ${formatNumber(median, 2)} µs each (${spread}), ${live.alerts} alerts\n\n`;
}

function goalsTable({ rows, live }: EngineReport): string {
  const ten = rows.find(({ name }) => name === tenRow);
  const hub = rows.find(({ name }) => name === hubRow);
  const body: string[][] = [];
  const add = (goal: string, wanted: string, found: string, reached: boolean): void => {
    body.push([goal, wanted, found, reached ? 'yes' : 'no']);
  };
  if (ten) {
    const peak = summarise(ten.peakBytes).max;
    add(
      'lines per CPU second',
      `≥ ${formatNumber(goals.linesPerCpuSecond)}`,
      formatNumber(speed(ten)),
      speed(ten) >= goals.linesPerCpuSecond,
    );
    add('peak memory', `< ${goals.peakBytes / 1e6} MB`, `${formatNumber(peak / 1e6)} MB`, peak < goals.peakBytes);
  }
  if (ten && hub) {
    const factor = (summarise(hub.cpuSeconds).median / hub.lines) * speed(ten);
    add(
      'whole hub, against the ten',
      `≤ ${goals.hubFactor}×`,
      `${formatNumber(factor, 1)}×`,
      factor <= goals.hubFactor,
    );
  }
  if (live) {
    const { median } = summarise(live.microseconds);
    add(
      'a live request',
      `≤ ${goals.liveMicroseconds} µs`,
      `${formatNumber(median, 2)} µs`,
      median <= goals.liveMicroseconds,
    );
  }
  return body.length === 0 ? '' : formatTable([['goal', 'wanted', 'found', 'reached'], ...body]);
}

function comparisonText(comparison: EngineReport['comparison']): string {
  if (comparison === null) return '';
  const { lines, ours, theirs, again, differences } = comparison;
  const first = `alerts of the first ${formatNumber(lines)} lines: ours ${ours}, CrowdSec's ${theirs}`;
  const what =
    again === null
      ? first
      : `${first}, ${again.differences} different; once more with only the ${again.lines} lines of their ${again.sources} sources, so that CrowdSec keeps the log's pace`;
  if (differences.length === 0) return `${what}: the same\n`;
  const listed = differences
    .slice(0, shownDifferences)
    .map(({ alert, ours: mine, theirs: others }) => `  ours ${mine}, CrowdSec's ${others}: ${alert}\n`);
  const more = differences.length > shownDifferences ? `  and ${differences.length - shownDifferences} more\n` : '';
  return `${what}: ${differences.length} DIFFER\n${listed.join('')}${more}`;
}

export const tenRow = 'Portcullis, ten scenarios';
export const hubRow = 'Portcullis, whole hub';
