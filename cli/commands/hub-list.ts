/** `hub list` */
import { exitStatus } from '../../core/errors.ts';
import type { ItemState, LocalState } from '../../detectors/hub/local-state.ts';
import type { Call, Command } from '../command.ts';
import { calledAs } from '../invocation.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';
import { fromOption, typeOption } from '../hub/options.ts';
import { itemColumns, itemsByType, localVersion, statusText } from '../hub/item-columns.ts';

export const hubList: Command = {
  name: 'hub list',
  summary: 'show the installed items: parsers, scenarios, collections…',
  usage: '[--type <type>] [-a]',
  examples: [
    ['portcullis hub list', 'what is installed'],
    ['portcullis hub list -a --type collections', 'every collection of the hub'],
    ['portcullis hub list --json', 'as `cscli hub list -o json` prints it'],
  ],
  options: {
    all: { type: 'boolean', short: 'a', help: 'also what is not installed' },
    type: typeOption,
    from: fromOption,
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given } = call;
  const [{ withHub, chosenType, currentState, installedState }, { allStates }] = await Promise.all([
    import('../hub/with-hub.ts'),
    import('../../detectors/hub/local-state.ts'),
  ]);
  const type = chosenType(call);
  return withHub(call, async (open) => {
    const all = given.flag('all');
    const state = all ? await currentState(open) : await installedState(open);
    const items = allStates(state).filter((item) => (all || item.installed) && (type === null || item.type === type));
    switch (output.format) {
      case 'json':
        output.json(itemsByType(items, type === null ? undefined : [type]));
        break;
      case 'raw':
        output.csv(
          ['name', 'status', 'version', 'description', 'type'],
          items.map((item) => [
            item.name,
            statusText(item),
            localVersion(item),
            item.index?.description ?? '',
            item.type,
          ]),
        );
        break;
      case 'human':
        showItems(output, items, state);
        break;
      default:
        return output.format satisfies never;
    }
    return exitStatus.ok;
  });
}

function showItems(output: Output, items: readonly ItemState[], { faults, folders }: LocalState): void {
  const installed = items.filter((item) => item.installed);
  if (items.length === 0) {
    output.line('Nothing is installed.');
    output.line(`${output.paint('dim', '  →')} ${calledAs} hub search <words>, then ${calledAs} hub install <name>`);
  } else {
    output.table(itemColumns(folders.items), items);
    output.line();
    const outdated = installed.filter((item) => !item.upToDate && item.taintedBy.length === 0).length;
    const tainted = installed.filter((item) => item.taintedBy.length > 0).length;
    const parts = [
      items.length > installed.length
        ? `${plural(items.length, 'item')}, ${installed.length} installed`
        : `${plural(installed.length, 'item')} installed`,
      tainted > 0 ? output.paint('red', `${tainted} tainted`) : '',
      outdated > 0 ? output.paint('yellow', `${outdated} with a newer version`) : '',
    ];
    output.line(`${parts.filter((part) => part !== '').join(', ')}; in ${safeText(folders.items)}`);
    if (outdated > 0) output.line(`${output.paint('dim', '  →')} ${calledAs} hub upgrade`);
    if (tainted > 0)
      output.line(`${output.paint('dim', '  →')} ${calledAs} hub inspect --diff <name> shows what was changed`);
  }
  for (const fault of faults) output.line(`${output.paint('yellow', '!')} ${safeText(fault)}`);
}
