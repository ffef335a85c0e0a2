/** `metrics` */
import type { Call, Command } from '../command.ts';
import { metricsOptions, metricsRefused, showMetrics } from '../metrics/show-metrics.ts';

export const metrics: Command = {
  name: 'metrics',
  summary: 'show what has been counted since the start',
  usage: '[--no-unit]',
  examples: [
    ['portcullis metrics', 'whatever is not empty'],
    [
      'portcullis metrics -o json',
      'for programs, nested as cscli does; Prometheus has its own page on the admin listener',
    ],
  ],
  options: metricsOptions,
  refused: metricsRefused,
  positionals: { least: 0, most: 0 },
  run: (call: Call) => showMetrics(call, []),
};
