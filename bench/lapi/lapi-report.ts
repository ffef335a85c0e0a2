/** The figures of `bench lapi` as people read them. */
import { describeMachine, formatNumber, formatTable, summarise } from '../report.ts';
import type { LapiFigures } from './lapi-figures.ts';
import type { LapiBenchOptions } from './lapi-options.ts';
import type { LapiLoadResult } from './load.ts';

export function printLapiReport(options: LapiBenchOptions, figures: readonly LapiFigures[]): void {
  const machine = describeMachine();
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ machine, options, figures }, null, 2)}\n`);
    return;
  }
  const say = (text: string): boolean => process.stdout.write(text);
  say(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}\n`,
  );
  say(`median (least – most) of ${options.rounds} rounds; the measured process on one core, but for the import\n\n`);
  for (const { name, about } of figures) say(`${name}: ${about}\n`);
  const rows: [string, (figures: LapiFigures) => string][] = [
    ['decisions', ({ decisions }) => formatNumber(decisions)],
    ['import, s', ({ importSeconds }) => formatNumber(importSeconds, 1)],
    ['import, CPU s of the server', ({ importCpuSeconds }) => formatNumber(importCpuSeconds, 1)],
    [
      'memory before, after and later, MB',
      ({ bytesBefore, bytesAfter, bytesSettled }) => [bytesBefore, bytesAfter, bytesSettled].map(megabytes).join(', '),
    ],
    ['live questions a second', ({ live }) => spread(live, ({ answers, elapsedMs }) => (answers * 1_000) / elapsedMs)],
    ['CPU µs of one', ({ live }) => spread(live, ({ answers, cpuUs }) => cpuUs / answers)],
    ['stream from the start, s', ({ start }) => spread(start, ({ elapsedMs }) => elapsedMs / 1_000, 2)],
    [
      'its decisions a second',
      ({ start }) => spread(start, ({ decisions, elapsedMs }) => (decisions * 1_000) / elapsedMs),
    ],
    ['its decisions a CPU second', ({ start }) => spread(start, ({ decisions, cpuUs }) => (decisions * 1e6) / cpuUs)],
    [
      'memory that it takes, MB',
      ({ start }) => spread(start, ({ peakBytes, startBytes }) => (peakBytes - startBytes) / 1e6, 1),
    ],
    ['delta of 1,000, ms', ({ delta }) => spread(delta, ({ elapsedMs }) => elapsedMs, 1)],
    ['an alert, median, ms', ({ alerts }) => spread(alerts, ({ latencies }) => quantile(latencies, 0.5), 2)],
    ['an alert, p99, ms', ({ alerts }) => spread(alerts, ({ latencies }) => quantile(latencies, 0.99), 2)],
    ['alerts that had to be sent again', ({ alerts }) => spread(alerts, ({ refused }) => refused)],
    [
      'the disk alone, median and p99, ms',
      ({ diskSync }) => [0.5, 0.99].map((share) => formatNumber(quantile(diskSync, share), 2)).join(', '),
    ],
    [
      'a visitor, p99, ms',
      ({ visitors }) => (visitors ? spread(visitors.alone, ({ latencies }) => quantile(latencies, 0.99), 2) : '–'),
    ],
    [
      '… during streams',
      ({ visitors }) => (visitors ? spread(visitors.streaming, ({ latencies }) => quantile(latencies, 0.99), 2) : '–'),
    ],
  ];
  const table = [
    ['', ...figures.map(({ name }) => name)],
    ...rows.map(([title, cell]) => [title, ...figures.map(cell)]),
  ];
  say(`\n${formatTable(table)}`);
}

function spread(results: readonly LapiLoadResult[], figure: (result: LapiLoadResult) => number, digits = 0): string {
  const { min, median, max } = summarise(results.map(figure));
  const text = (value: number): string => formatNumber(value, digits);
  return `${text(median)} (${text(min)} – ${text(max)})`;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function megabytes(bytes: number): string {
  return formatNumber(bytes / 1e6);
}
