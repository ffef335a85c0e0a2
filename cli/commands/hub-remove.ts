/** `hub remove` */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { ItemRef, ItemType } from '../../detectors/hub/item-type.ts';
import type { LocalState } from '../../detectors/hub/local-state.ts';
import type { Call, Command } from '../command.ts';
import { dryRunOption, typeOption } from '../hub/options.ts';
import { showResult } from '../hub/show-result.ts';

export const hubRemove: Command = {
  name: 'hub remove',
  aliases: ['hub uninstall', 'hub delete'],
  summary: 'remove items, and what only they needed',
  usage: '<name>… | --all [--type <type>]',
  examples: [
    ['portcullis hub remove crowdsecurity/sshd', 'a collection, and what nothing else needs'],
    ['portcullis hub remove crowdsecurity/sshd --keep-dependencies', 'the collection alone'],
    ['portcullis hub remove --all --purge', 'everything, with the downloaded files'],
  ],
  options: {
    type: typeOption,
    all: { type: 'boolean', short: 'a', help: 'everything that is installed; local files stay' },
    'dry-run': dryRunOption,
    'keep-dependencies': { type: 'boolean', help: 'remove nothing but what is named' },
    purge: { type: 'boolean', help: 'delete the downloaded files too' },
    force: { type: 'boolean', help: 'also what was changed by hand, or is part of a collection' },
  },
  positionals: { least: 0, most: 1_000 },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given } = call;
  const { withHub, chosenType, changeItems, installedState } = await import('../hub/with-hub.ts');
  const type = chosenType(call);
  const dryRun = given.flag('dry-run');
  return withHub(call, async (open) => {
    const state = await installedState(open);
    const request = {
      verb: 'remove' as const,
      items: await itemsToRemove(call, state, type),
      force: given.flag('force'),
      purge: given.flag('purge'),
      keepDependencies: given.flag('keep-dependencies'),
    };
    const result = await changeItems(open, state, request, dryRun);
    return showResult(output, result) ? exitStatus.ok : exitStatus.failed;
  });
}

async function itemsToRemove({ given }: Call, state: LocalState, type: ItemType | null): Promise<ItemRef[]> {
  const [{ findItem }, { allStates, refOf }] = await Promise.all([
    import('../../detectors/hub/find-items.ts'),
    import('../../detectors/hub/local-state.ts'),
  ]);
  const words = given.positionals;
  if (given.flag('all') === words.length > 0) {
    throw new GatewayError(
      'USAGE',
      words.length > 0 ? '--all cannot be given together with names' : 'no item was named',
      {
        remedy: 'Name the items, or give --all.',
      },
    );
  }
  if (words.length > 0) return words.map((word) => refOf(findItem(state, word, { type, installedFirst: true })));
  return allStates(state)
    .filter((item) => item.installed && !item.local && (type === null || item.type === type))
    .map(refOf);
}
