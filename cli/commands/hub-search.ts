/** `hub search` */
import { exitStatus } from '../../core/errors.ts';
import type { ItemState } from '../../detectors/hub/local-state.ts';
import type { Call, Command } from '../command.ts';
import { calledAs } from '../invocation.ts';
import type { Column } from '../output/output.ts';
import { plural } from '../show.ts';
import { fromOption, typeOption } from '../hub/options.ts';
import { itemsByType, statusColour, statusText } from '../hub/item-columns.ts';

export const hubSearch: Command = {
  name: 'hub search',
  summary: 'find items of the hub by name and description',
  usage: '<words>… [--type <type>]',
  examples: [
    ['portcullis hub search nginx', 'everything about nginx, collections first'],
    ['portcullis hub search ssh brute --type scenarios', 'scenarios with both words'],
  ],
  options: { type: typeOption, from: fromOption },
  positionals: { least: 1, most: 32, missing: 'nothing to search for was given' },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given } = call;
  const [{ withHub, chosenType, currentState }, { allStates }] = await Promise.all([
    import('../hub/with-hub.ts'),
    import('../../detectors/hub/local-state.ts'),
  ]);
  const type = chosenType(call);
  const words = given.positionals.map((word) => word.toLowerCase());
  return withHub(call, async (open) => {
    const found = allStates(await currentState(open))
      .filter((item) => (type === null || item.type === type) && matches(item, words))
      .sort((left, right) => rank(left, words) - rank(right, words));
    switch (output.format) {
      case 'json':
        output.json(itemsByType(found, type === null ? undefined : [type]));
        break;
      case 'raw':
        output.csv(
          ['name', 'status', 'version', 'description', 'type'],
          found.map((item) => [item.name, statusText(item), item.index?.version ?? '', describe(item), item.type]),
        );
        break;
      case 'human':
        if (found.length === 0) output.line('No item has all these words in its name or description.');
        else {
          output.table(columns, found);
          output.line();
          output.line(
            output.paint('dim', `${plural(found.length, 'item')}. ${calledAs} hub inspect <name> tells more.`),
          );
        }
        break;
      default:
        return output.format satisfies never;
    }
    return exitStatus.ok;
  });
}

const columns: readonly Column<ItemState>[] = [
  { title: 'TYPE', value: ({ type }) => type, colour: () => 'dim' },
  { title: 'NAME', value: ({ name }) => name },
  { title: 'VERSION', value: ({ index }) => index?.version ?? '' },
  {
    title: 'STATUS',
    value: (item) => (item.installed ? statusText(item).replaceAll(',', ', ') : ''),
    colour: statusColour,
  },
  { title: 'DESCRIPTION', value: describe, flexible: true },
];

function describe({ index }: ItemState): string {
  return index?.description.trim() ?? '';
}

function matches(item: ItemState, words: readonly string[]): boolean {
  const text = `${item.name} ${describe(item)}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Collections first, since they are what people install, then what bears the words in its name. */
function rank(item: ItemState, words: readonly string[]): number {
  const inName = words.every((word) => item.name.toLowerCase().includes(word));
  return (inName ? 0 : 2) + (item.type === 'collections' ? 0 : 1);
}
