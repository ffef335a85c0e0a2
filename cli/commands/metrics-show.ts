/** `metrics show` */
import type { Call, Command } from '../command.ts';
import { sections } from '../metrics/sections.ts';
import { metricsOptions, metricsRefused, showMetrics } from '../metrics/show-metrics.ts';

export const metricsShow: Command = {
  name: 'metrics show',
  summary: 'show some of what has been counted',
  usage: '<section>…',
  examples: [['portcullis metrics show scenarios decisions', 'two sections; metrics list names all']],
  options: metricsOptions,
  refused: metricsRefused,
  positionals: { least: 0, most: 100, choices: sections.map(({ name }) => name) },
  run: (call: Call) => showMetrics(call, call.given.positionals),
};
