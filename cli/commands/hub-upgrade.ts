/** `hub upgrade` */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';
import { dryRunOption, fromOption, typeOption } from '../hub/options.ts';
import { showResult } from '../hub/show-result.ts';

export const hubUpgrade: Command = {
  name: 'hub upgrade',
  summary: 'bring installed items and their data files to the latest version',
  usage: '[<name>…]',
  examples: [
    ['portcullis hub update && portcullis hub upgrade', 'everything that is installed'],
    ['portcullis hub upgrade crowdsecurity/sshd', 'one item, with what it needs'],
    ['portcullis hub upgrade --dry-run', 'what would change'],
    ['portcullis hub upgrade --force', 'also what was changed by hand; fetches every data file anew'],
  ],
  options: {
    type: typeOption,
    from: fromOption,
    'dry-run': dryRunOption,
    force: { type: 'boolean', help: 'overwrite what was changed, restore what is missing, fetch all data files' },
  },
  positionals: { least: 0, most: 1_000 },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given } = call;
  const [{ withHub, chosenType, changeItems, currentState, stateToChange }, { findItem }, { allStates, refOf }] =
    await Promise.all([
      import('../hub/with-hub.ts'),
      import('../../detectors/hub/find-items.ts'),
      import('../../detectors/hub/local-state.ts'),
    ]);
  const type = chosenType(call);
  const dryRun = given.flag('dry-run');
  return withHub(call, async (open) => {
    const state = dryRun ? await currentState(open) : await stateToChange(open);
    const words = given.positionals;
    const ofType = allStates(state).filter((item) => item.installed && (type === null || item.type === type));
    const items =
      words.length > 0
        ? words.map((word) => refOf(findItem(state, word, { type, installedFirst: true })))
        : type === null
          ? null
          : ofType.map(refOf);
    if (words.length === 0 && ofType.length === 0) {
      throw new GatewayError('NOT_FOUND', 'nothing is installed', { remedy: 'See `portcullis hub install`.' });
    }
    const request = { verb: 'upgrade' as const, items, force: given.flag('force') };
    const result = await changeItems(open, state, request, dryRun);
    return showResult(output, result) ? exitStatus.ok : exitStatus.failed;
  });
}
