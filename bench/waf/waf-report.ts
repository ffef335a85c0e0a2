/** The results of `bench waf` as tables or JSON. */
import { describeMachine, formatNumber, formatTable, summarise } from '../report.ts';
import type { Figures } from './contender.ts';
import type { GrowthFigures, MixFigures, WafFigures } from './waf.ts';
import type { WafBenchOptions } from './waf-options.ts';

const comparedWith = 'nginx+modsecurity3';

/** Writes to standard output. */
export function printWafReport(options: WafBenchOptions, figures: WafFigures): void {
  process.stdout.write(
    options.json ? `${JSON.stringify(asJson(options, figures), null, 2)}\n` : asText(options, figures),
  );
}

function asJson(options: WafBenchOptions, { mix, growth }: WafFigures): object {
  return {
    measuredAt: new Date().toISOString(),
    machine: describeMachine(),
    options,
    mix: mix.map((one) => ({
      ...one,
      summary: { varyingCpuUs: summarise(one.varying.cpuUs), fixedCpuUs: summarise(one.fixed.cpuUs) },
    })),
    growth: growth.map((one) => ({ ...one, summary: { cpuUs: summarise(one.figures.cpuUs) } })),
  };
}

function asText(options: WafBenchOptions, { mix, growth }: WafFigures): string {
  const { cpu, cores, kernel, node } = describeMachine();
  const parts: string[] = [];
  if (mix.length > 0) {
    const how = `medians of ${options.rounds} rounds of ${options.seconds} s, ${options.connections} connections`;
    const about = mix.filter((one) => one.paranoia === mix[0]?.paranoia).map((one) => `  ${one.name}: ${one.about}`);
    parts.push(`CPU µs per request: 7 page views to 1 form post\n\n${mixTable(mix)}\n${how}\n${about.join('\n')}\n`);
  }
  if (growth.length > 0)
    parts.push(`CPU µs per request by body, paranoia level ${options.paranoia[0]}\n\n${growthTable(growth)}`);
  return `${parts.join('\n')}\n${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}\n`;
}

function mixTable(mix: readonly MixFigures[]): string {
  const heading = [
    'peer',
    'level',
    'varying',
    'min',
    'max',
    'fixed',
    'min',
    'max',
    'req/s',
    'others %',
    'MB',
    'start ms',
    'ratio',
  ];
  const rows = mix.map((one) => {
    const other = mix.find(({ name, paranoia }) => name === comparedWith && paranoia === one.paranoia);
    const ratio = other ? `${(median(one.varying) / median(other.varying)).toFixed(3)}x` : '-';
    return [
      one.name,
      String(one.paranoia),
      ...spread(one.varying.cpuUs),
      ...spread(one.fixed.cpuUs),
      formatNumber(summarise(one.varying.requestsPerSecond).median),
      formatNumber(summarise([...one.varying.othersPercent, ...one.fixed.othersPercent]).median),
      formatNumber(one.memoryBytes / 1e6),
      formatNumber(one.startMs),
      ratio,
    ];
  });
  return formatTable([heading, ...rows]);
}

function growthTable(growth: readonly GrowthFigures[]): string {
  const names = [...new Set(growth.map((one) => one.name))];
  const heading = ['body', ...names.flatMap((name) => [name, 'min', 'max'])];
  const cells = new Map<string, string[]>();
  for (const { format, bytes, figures } of growth) {
    const key = `${format}, ${formatNumber(bytes / 1000, 1)} KB`;
    cells.set(key, [...(cells.get(key) ?? [key]), ...spread(figures.cpuUs)]);
  }
  return formatTable([heading, ...cells.values()]);
}

function spread(values: readonly number[]): readonly string[] {
  const { median: middle, min, max } = summarise(values);
  return [middle, min, max].map((value) => formatNumber(value));
}

function median(figures: Figures): number {
  return summarise(figures.cpuUs).median;
}
