/** `bouncers add` */
import { GatewayError } from '../../core/errors.ts';
import type { NewBouncerModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const bouncersAdd: Command = {
  name: 'bouncers add',
  aliases: ['bouncer add'],
  summary: 'let a program ask this gateway, with a key of its own',
  usage: '<name>',
  examples: [
    ['portcullis bouncers add nginx-edge', 'shows the key once; only its hash is kept'],
    ['portcullis bouncers add nginx-edge -o raw', 'the key alone, without a line end, for a script'],
  ],
  options: {
    key: {
      type: 'string',
      short: 'k',
      placeholder: '<key>',
      help: 'a key that is in use elsewhere, instead of a new one',
    },
    length: { type: 'string', short: 'l', placeholder: '<bytes>', help: 'random bytes of a new key (32)' },
  },
  positionals: { least: 1, most: 1, missing: 'the bouncer needs a name' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const [name = ''] = given.positionals;
  const key = given.text('key');
  const length = given.text('length');
  if (length !== undefined && !/^\d{1,4}$/.test(length)) {
    throw new GatewayError('USAGE', `"${length}" is no number of bytes`, { remedy: 'Say --length 32.' });
  }
  const body = {
    name,
    ...(key === undefined ? {} : { key }),
    ...(length === undefined ? {} : { length: Number(length) }),
  };
  const added = await (await gateway()).ask<NewBouncerModel>('POST', '/v1/bouncers', { body });
  switch (output.format) {
    case 'json':
      output.json({ ...added.bouncer, key: added.key });
      break;
    case 'raw':
      output.text(safeText(added.key));
      break;
    case 'human':
      output.line(`The key of ${safeText(added.bouncer.name)}:`);
      output.line();
      output.line(`   ${safeText(added.key)}`);
      output.line();
      output.line('Keep it: it is not shown again.');
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
