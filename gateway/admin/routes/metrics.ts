/** `/v1/metrics`: what the Prometheus page shows, as data, and what bouncers reported last. */
import type { FastifyInstance } from 'fastify';
import type { AdminDependencies } from '../dependencies.ts';
import type { HistogramReading } from '../metric.ts';
import { metrics } from '../metrics.ts';
import type { MetricModel, UsageModel } from '../operator-models.ts';
import { usageModel } from '../usage-reports.ts';

/** Of bouncers, the newest of each: as many as are known, within reason. */
const mostBouncers = 1_000;

export function metricsRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get(
    '/v1/metrics',
    async (): Promise<{ metrics: MetricModel[]; bouncers: Record<string, UsageModel> }> => ({
      metrics: metrics.map((metric) => ({
        name: metric.name,
        type: metric.type,
        help: metric.help,
        samples:
          metric.type === 'histogram'
            ? metric.read(deps).flatMap(histogramSamples)
            : metric.read(deps).map(([labels, value]) => ({ labels, value })),
      })),
      bouncers: await bouncerUsage(deps),
    }),
  );
}

/** The number of observations and their sum; the distribution is for programs that draw it. */
function histogramSamples({ labels, count, sum }: HistogramReading): MetricModel['samples'] {
  return [
    { labels: { ...labels, of: 'count' }, value: count },
    { labels: { ...labels, of: 'sum' }, value: sum },
  ];
}

async function bouncerUsage({ store }: AdminDependencies): Promise<Record<string, UsageModel>> {
  const bouncers = (await store.bouncers()).slice(0, mostBouncers);
  const found: Record<string, UsageModel> = Object.create(null) as Record<string, UsageModel>;
  for (const { name } of bouncers) {
    const [report] = await store.usageReports({ side: 'bouncer', from: name, limit: 1 });
    if (report !== undefined) found[name] = usageModel(report);
  }
  return found;
}
