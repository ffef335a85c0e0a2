/** What `bouncers prune` and `machines prune` share: show who would go, ask, remove. */
import { exitStatus } from '../core/errors.ts';
import type { RemovedModel } from '../gateway/admin/operator-models.ts';
import type { Call } from './command.ts';
import { confirmed } from './confirm.ts';
import { safeText } from './output/safe-text.ts';
import { plural } from './show.ts';

export async function prune(call: Call, path: string, body: object, noun: string): Promise<number> {
  const { output, given, gateway, io } = call;
  const client = await gateway();
  const { deleted: idle } = await client.ask<RemovedModel>('POST', path, { body: { ...body, dryRun: true } });
  if (idle.length === 0) {
    if (output.format === 'human') output.line(`No ${noun}s to prune.`);
    if (output.format === 'json') output.json({ deleted: [] });
    return exitStatus.ok;
  }
  if (!given.flag('force')) {
    for (const name of idle) io.stderr.write(`  ${safeText(name)}\n`);
    if (!(await confirmed(`Delete ${plural(idle.length, noun)} for good?`, io))) {
      io.stderr.write('Nothing has changed.\n');
      return exitStatus.failed;
    }
  }
  const { deleted } = await client.ask<RemovedModel>('POST', path, { body });
  switch (output.format) {
    case 'json':
      output.json({ deleted });
      break;
    case 'raw':
      for (const name of deleted) output.line(safeText(name));
      break;
    case 'human':
      output.line(`Deleted ${plural(deleted.length, noun)}.`);
      break;
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}
