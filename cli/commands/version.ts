/** `version` */
import { exitStatus } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-root.ts';
import type { Call, Command } from '../command.ts';

export const version: Command = {
  name: 'version',
  summary: 'which Portcullis this is',
  usage: '',
  examples: [],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output }: Call): Promise<number> {
  const facts = {
    version: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
  };
  switch (output.format) {
    case 'json':
      output.json(facts);
      break;
    case 'raw':
      output.line(facts.version);
      break;
    case 'human':
      output.line(`Portcullis ${facts.version} on Node ${facts.node}, ${facts.platform}`);
      break;
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}
