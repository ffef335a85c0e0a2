/** What a bouncer or a machine reported of itself, as people read it. */
import type { UsageModel } from '../gateway/admin/operator-models.ts';
import type { Output } from './output/output.ts';
import { safeText } from './output/safe-text.ts';
import { absoluteTime } from './output/times.ts';

export function showUsage(output: Output, usage: UsageModel | null, now: number): void {
  if (usage === null) return;
  output.line();
  output.heading('Last report');
  output.pairs([
    ['received', absoluteTime(usage.received_at, now)],
    ['system', safeText(usage.os)],
    ['features', safeText(usage.feature_flags.join(', '))],
  ]);
  if (usage.metrics.length === 0) return;
  output.line();
  output.table(
    [
      { title: 'METRIC', value: ({ name }) => name },
      { title: 'VALUE', value: ({ value }) => String(value), align: 'right' },
      { title: 'UNIT', value: ({ unit }) => unit },
      {
        title: 'LABELS',
        value: ({ labels }) =>
          Object.entries(labels)
            .map(([key, text]) => `${key}=${text}`)
            .join(' '),
        flexible: true,
      },
    ],
    usage.metrics,
  );
}
