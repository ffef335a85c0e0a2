/** What bouncers and machines reported of themselves, read back leniently: the reports are stored as they came. */
import type { Store, UsageReport } from '../../remediation/store/store.ts';
import { isoTime } from './input.ts';
import type { UsageMetricModel, UsageModel } from './operator-models.ts';

const mostMetrics = 2_000;

/** The last report of one of them, or null. */
export async function latestUsage(
  side: UsageReport['side'],
  from: string,
  store: Pick<Store, 'usageReports'>,
): Promise<UsageModel | null> {
  const [report] = await store.usageReports({ side, from, limit: 1 });
  return report === undefined ? null : usageModel(report);
}

export function usageModel({ body, receivedAt }: UsageReport): UsageModel {
  const report = recordOf(parsed(body));
  const os = recordOf(report.os);
  return {
    received_at: isoTime(receivedAt),
    os: [textOf(os.name), textOf(os.version)].filter((part) => part !== '').join('/'),
    feature_flags: listOf(report.feature_flags)
      .map(textOf)
      .filter((flag) => flag !== ''),
    metrics: metricsOf(report.metrics).slice(0, mostMetrics),
  };
}

/** A list of measurements with `items` each; some clients send one alone. */
function metricsOf(metrics: unknown): UsageMetricModel[] {
  const groups = Array.isArray(metrics) ? metrics : [metrics];
  return groups.flatMap((group) =>
    listOf(recordOf(group).items).flatMap((item): UsageMetricModel[] => {
      const { name, unit, value, labels } = recordOf(item);
      if (typeof name !== 'string' || typeof value !== 'number') return [];
      const texts = Object.entries(recordOf(labels)).map(([key, text]): [string, string] => [key, textOf(text)]);
      return [{ name, unit: textOf(unit), labels: Object.fromEntries(texts), value }];
    }),
  );
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 256) : '';
}
