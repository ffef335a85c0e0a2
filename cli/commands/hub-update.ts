/** `hub update` */
import { exitStatus } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';
import { calledAs } from '../invocation.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';
import { fromOption } from '../hub/options.ts';

export const hubUpdate: Command = {
  name: 'hub update',
  summary: "fetch the hub's index: which items there are, in which versions",
  usage: '[--from <address|folder>]',
  examples: [
    ['portcullis hub update', 'from the hub of the settings'],
    ['portcullis hub update --from /mnt/hub', 'from a copy of a hub; items come from there from then on'],
  ],
  options: { from: fromOption },
  positionals: { least: 0, most: 0 },
  run,
};

/** More mistakes of a hub than that are in `--json`. */
const mostFaults = 10;

async function run(call: Call): Promise<number> {
  const { output } = call;
  const { withHub } = await import('../hub/with-hub.ts');
  const { allStates } = await import('../../detectors/hub/local-state.ts');
  return withHub(call, async ({ hub, progress, endProgress }) => {
    const { index, location, changed, added, updated, removed } = await hub.update(progress);
    endProgress();
    const states = allStates(await hub.state('stored'));
    const items = states.filter((item) => item.index !== null).length;
    const outdated = states.filter((item) => item.installed && !item.upToDate).length;
    switch (output.format) {
      case 'json':
        output.json({ location, changed, items, added, updated, removed, outdated, faults: index.faults });
        break;
      case 'raw':
        output.line(String(items));
        break;
      case 'human': {
        const news = [`${added} new`, `${updated} updated`, `${removed} gone`].filter((text) => !text.startsWith('0 '));
        const what = changed ? (news.length > 0 ? `: ${news.join(', ')}` : '') : ', as before';
        output.line(
          `${output.paint('green', '✓')} ${plural(items, 'item')} in the hub at ${safeText(location)}${what}.`,
        );
        for (const fault of index.faults.slice(0, mostFaults))
          output.line(`${output.paint('yellow', '!')} ${safeText(fault)}`);
        if (outdated > 0) {
          const have = outdated === 1 ? '1 installed item has' : `${outdated} installed items have`;
          output.line(`${output.paint('dim', '  →')} ${have} a newer version: ${calledAs} hub upgrade`);
        }
        break;
      }
      default:
        return output.format satisfies never;
    }
    return exitStatus.ok;
  });
}
