/** `metrics list` */
import type { Call, Command } from '../command.ts';
import { sections } from '../metrics/sections.ts';

export const metricsList: Command = {
  name: 'metrics list',
  summary: 'name the sections of metrics',
  usage: '',
  examples: [['portcullis metrics list', 'what metrics show takes']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output }: Call): Promise<number> {
  switch (output.format) {
    case 'json':
      output.json(sections.map(({ name, title, help }) => ({ type: name, title, description: help })));
      break;
    case 'raw':
      output.csv(
        ['type', 'title', 'description'],
        sections.map(({ name, title, help }) => [name, title, help]),
      );
      break;
    case 'human':
      output.table(
        [
          { title: 'SECTION', value: ({ name }) => name },
          { title: 'WHAT', value: ({ help }) => help, flexible: true },
        ],
        sections,
      );
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
