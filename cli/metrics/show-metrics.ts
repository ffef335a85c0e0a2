/** Shows sections of metrics: what `metrics` and `metrics show` share. */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { Call, CommandOptions, RefusedOption } from '../command.ts';
import type { Output } from '../output/output.ts';
import { type MetricsAnswer, type Section, sections, type SectionTable } from './sections.ts';

export const metricsOptions: CommandOptions = {
  'no-unit': { type: 'boolean', help: 'whole numbers instead of 12.3k' },
};

export const metricsRefused: Readonly<Record<string, RefusedOption>> = {
  url: {
    type: 'string',
    short: 'u',
    because: 'The numbers come over the admin socket: name another gateway with --socket.',
  },
};

/** @throws GatewayError USAGE for a section that there is none of. */
export async function showMetrics(call: Call, names: readonly string[]): Promise<number> {
  const { output, gateway, given } = call;
  const unknown = names.find((name) => !sections.some((section) => section.name === name));
  if (unknown !== undefined) {
    throw new GatewayError('USAGE', `there are no metrics called "${unknown}"`, { remedy: 'See `metrics list`.' });
  }
  const answer = await (await gateway()).ask<MetricsAnswer>('GET', '/v1/metrics');
  const wanted = sections.filter(({ name }) => names.length === 0 || names.includes(name));
  const shown = wanted.map((section) => ({ section, table: section.table(answer) }));
  switch (output.format) {
    case 'json':
      output.json(Object.fromEntries(wanted.map((section) => [section.name, section.tree(answer)])));
      break;
    case 'raw':
      output.csv(['section', 'name', 'metric', 'value'], shown.flatMap(rawRows));
      break;
    case 'human': {
      const filled = shown.filter(({ table }) => table.rows.length > 0 || names.length > 0);
      if (filled.length === 0) output.line('Nothing has been counted yet.');
      for (const [index, { section, table }] of filled.entries()) {
        if (index > 0) output.line();
        output.heading(section.title);
        showTable(output, table, given.flag('no-unit'));
      }
      break;
    }
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}

function showTable(output: Output, { keys, values, rows }: SectionTable, exact: boolean): void {
  if (rows.length === 0) {
    output.line(output.paint('dim', 'nothing yet'));
    return;
  }
  type Row = SectionTable['rows'][number];
  output.table<Row>(
    [
      ...keys.map((title, index) => ({
        title: title.toUpperCase(),
        value: (row: Row) => row.keys[index] ?? '',
        flexible: true,
      })),
      ...values.map((title, index) => ({
        title: title.toUpperCase(),
        value: (row: Row) => countText(row.values[index] ?? 0, exact),
        align: 'right' as const,
      })),
    ],
    rows,
  );
}

function rawRows({
  section,
  table,
}: {
  readonly section: Section;
  readonly table: SectionTable;
}): (string | number)[][] {
  return table.rows.flatMap(({ keys, values }) =>
    values.map((value, index) => [section.name, keys.join(' '), table.values[index] ?? '', value]),
  );
}

const units = ['', 'k', 'M', 'G', 'T'] as const;

/** `12.34k`, as cscli shows large numbers. */
export function countText(value: number, exact: boolean): string {
  if (exact || Math.abs(value) < 1_000) return String(value);
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.abs(value)) / 3));
  return `${(value / 1_000 ** power).toFixed(2)}${units[power] ?? ''}`;
}
