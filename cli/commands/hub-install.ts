/** `hub install` */
import { exitStatus } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';
import { dryRunOption, fromOption, typeOption } from '../hub/options.ts';
import { showResult } from '../hub/show-result.ts';

export const hubInstall: Command = {
  name: 'hub install',
  summary: 'install items with everything that they need',
  usage: '<name>… [--type <type>]',
  examples: [
    ['portcullis hub install crowdsecurity/sshd', 'a collection, with its parsers and scenarios'],
    ['portcullis hub install scenarios:crowdsecurity/modsecurity', 'where several items bear the name'],
    ['portcullis hub install crowdsecurity/linux --dry-run', 'what that would bring'],
    ['portcullis hub install crowdsecurity/nginx --from /mnt/hub', 'from a copy of a hub'],
  ],
  options: {
    type: typeOption,
    from: fromOption,
    'dry-run': dryRunOption,
    'download-only': { type: 'boolean', short: 'd', help: 'fetch the files, put nothing to use' },
    force: { type: 'boolean', help: 'also overwrite what was changed by hand' },
  },
  positionals: { least: 1, most: 1_000, missing: 'no item was named' },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given } = call;
  const [{ withHub, chosenType, changeItems, currentState, stateToChange }, { findItem }, { refOf }] =
    await Promise.all([
      import('../hub/with-hub.ts'),
      import('../../detectors/hub/find-items.ts'),
      import('../../detectors/hub/local-state.ts'),
    ]);
  const type = chosenType(call);
  const dryRun = given.flag('dry-run');
  return withHub(call, async (open) => {
    const state = dryRun ? await currentState(open) : await stateToChange(open);
    const items = given.positionals.map((word) => refOf(findItem(state, word, { type, installedFirst: false })));
    const request = {
      verb: 'install' as const,
      items,
      force: given.flag('force'),
      downloadOnly: given.flag('download-only'),
    };
    const result = await changeItems(open, state, request, dryRun);
    return showResult(output, result) ? exitStatus.ok : exitStatus.failed;
  });
}
