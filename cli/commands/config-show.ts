/** `config show` */
import { stringify } from 'yaml';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';
import { settingsHere } from '../settings-here.ts';

export const configShow: Command = {
  name: 'config show',
  summary: 'show the settings as they are read here, without secrets',
  usage: '[--key <path>]',
  examples: [
    ['portcullis config show', 'everything, defaults included; durations in milliseconds, sizes in bytes'],
    ['portcullis config show --key store.type', 'one value'],
  ],
  options: { key: { type: 'string', placeholder: '<path>', help: 'only this, by its path: store.type' } },
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, given, io }: Call): Promise<number> {
  const settings = await settingsHere(given.text('config'), io);
  const { redactedSettings } = await import('../../gateway/settings.ts');
  const shown = valueAt(redactedSettings(settings), given.text('key'));
  if (output.format === 'json') output.json(shown);
  else if (typeof shown === 'object' && shown !== null) output.text(stringify(shown));
  else output.line(safeText(String(shown)));
  return exitStatus.ok;
}

/** @throws GatewayError NOT_FOUND */
function valueAt(settings: unknown, path: string | undefined): unknown {
  let found = settings;
  for (const step of path?.split('.') ?? []) {
    const isHere = typeof found === 'object' && found !== null && Object.hasOwn(found, step);
    if (!isHere) {
      throw new GatewayError('NOT_FOUND', `there is no setting ${path}`, {
        remedy: 'See `config show` for all of them.',
      });
    }
    found = (found as Record<string, unknown>)[step];
  }
  return found;
}
