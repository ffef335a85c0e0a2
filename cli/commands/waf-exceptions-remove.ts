/** `waf exceptions remove` */
import type { WafExceptionModel } from '../../gateway/admin/waf-exception-models.ts';
import type { Call, Command } from '../command.ts';
import { placeText } from '../waf/exception-lines.ts';

export const wafExceptionsRemove: Command = {
  name: 'waf exceptions remove',
  aliases: ['waf exceptions delete', 'waf exception remove', 'waf exception delete'],
  summary: 'let a core rule look again',
  usage: '<id>…',
  examples: [['portcullis waf exceptions remove 1f0c9a3e', 'the id stands in `waf exceptions list`']],
  options: {},
  positionals: { least: 1, most: 1_000, missing: 'no exception was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const client = await gateway();
  const removed: WafExceptionModel[] = [];
  for (const id of given.positionals) {
    const { deleted } = await client.ask<{ deleted: WafExceptionModel }>('DELETE', '/v1/waf/exceptions', {
      query: { id },
    });
    removed.push(deleted);
    if (output.format === 'human') output.line(`Rule ${deleted.rule} looks at ${placeText(deleted)} again.`);
  }
  if (output.format === 'json') output.json({ deleted: removed });
  if (output.format === 'raw') for (const { id } of removed) output.line(id);
  return 0;
}
