/** `hub inspect` */
import { readFile } from 'node:fs/promises';
import { exitStatus } from '../../core/errors.ts';
import type { Hub } from '../../detectors/hub/hub.ts';
import { type ItemRef, refText } from '../../detectors/hub/item-type.ts';
import type { ItemState, LocalState } from '../../detectors/hub/local-state.ts';
import type { Call, Command } from '../command.ts';
import type { Colour, Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { fromOption, typeOption } from '../hub/options.ts';
import { localVersion, shownPath, statusColour, statusText } from '../hub/item-columns.ts';

export const hubInspect: Command = {
  name: 'hub inspect',
  summary: 'tell everything about an item: versions, what it needs, what was changed',
  usage: '<name>… [--type <type>] [--diff]',
  examples: [
    ['portcullis hub inspect crowdsecurity/sshd', 'a collection, with all that it holds'],
    ['portcullis hub inspect --diff crowdsecurity/ssh-bf', 'how the installed file differs from the latest version'],
  ],
  options: {
    type: typeOption,
    from: fromOption,
    diff: { type: 'boolean', help: 'show how the installed file differs from the latest version' },
  },
  positionals: { least: 1, most: 100, missing: 'no item was named' },
  run,
};

/** What is shown of one item, besides its state. */
interface Details {
  readonly item: ItemState;
  /** Installed collections that hold it. */
  readonly holders: readonly string[];
  /** Null when it was not asked for. */
  readonly diff: readonly string[] | null;
}

async function run(call: Call): Promise<number> {
  const { output, given } = call;
  const [{ withHub, chosenType, currentState }, { findItem }, { holdersOf }] = await Promise.all([
    import('../hub/with-hub.ts'),
    import('../../detectors/hub/find-items.ts'),
    import('../../detectors/hub/local-state.ts'),
  ]);
  const type = chosenType(call);
  return withHub(call, async (open) => {
    const state = await currentState(open);
    const shown: Details[] = [];
    for (const word of given.positionals) {
      const item = findItem(state, word, { type, installedFirst: true });
      const diff = given.flag('diff') ? await diffOf(item, state, open.hub) : null;
      shown.push({ item, holders: holdersOf(state, item).map(({ name }) => name), diff });
    }
    open.endProgress();
    switch (output.format) {
      case 'json':
        output.json(shown.length === 1 ? shown.map(detailsModel)[0] : shown.map(detailsModel));
        break;
      case 'raw':
        output.csv(
          ['type', 'name', 'status', 'local_version', 'version', 'path'],
          shown.map(({ item }) => [
            item.type,
            item.name,
            statusText(item),
            localVersion(item),
            item.index?.version ?? '',
            item.path ?? '',
          ]),
        );
        break;
      case 'human':
        for (const [index, details] of shown.entries()) {
          if (index > 0) output.line();
          showDetails(output, details, state);
        }
        break;
      default:
        return output.format satisfies never;
    }
    return exitStatus.ok;
  });
}

/** From the latest version to what is on disk: what was changed here has a plus. */
async function diffOf(item: ItemState, state: LocalState, hub: Hub): Promise<readonly string[]> {
  const { unifiedDiff } = await import('../../detectors/hub/line-diff.ts');
  if (item.index === null || !item.downloaded) return [];
  const path = item.path ?? `${state.folders.hub}/${item.index.path}`;
  return unifiedDiff(await hub.text(item.index), await readFile(path, 'utf8'));
}

/** CrowdSec's names where it has them (`cscli … inspect -o json`). */
function detailsModel({ item, holders, diff }: Details): Record<string, unknown> {
  const { index } = item;
  return {
    type: item.type,
    ...(item.stage === null ? {} : { stage: item.stage }),
    name: item.name,
    file_name: index?.fileName ?? item.path?.split('/').at(-1) ?? '',
    description: index?.description ?? '',
    author: index?.author ?? '',
    path: index?.path ?? '',
    version: index?.version ?? '',
    ...Object.fromEntries(dependenciesByType(item.dependencies)),
    local_path: item.path ?? '',
    local_version: localVersion(item),
    installed: item.installed,
    local: item.local,
    downloaded: item.downloaded,
    up_to_date: item.upToDate,
    tainted: item.taintedBy.length > 0,
    tainted_by: item.taintedBy.map(({ ref, reason }) => ({ item: refText(ref), reason })),
    belongs_to_collections: holders,
    data: item.document()?.data.map(({ destFile, url }) => ({ file: destFile, url })) ?? [],
    ...(diff === null ? {} : { diff }),
  };
}

function dependenciesByType(dependencies: readonly ItemRef[]): Map<string, string[]> {
  const byType = new Map<string, string[]>();
  for (const { type, name } of dependencies) byType.set(type, [...(byType.get(type) ?? []), name]);
  return byType;
}

function showDetails(output: Output, { item, holders, diff }: Details, state: LocalState): void {
  const { index } = item;
  output.heading(safeText(refText(item)));
  const local = localVersion(item);
  const latest = index?.version ?? '';
  const installed = item.installed && !item.local && local !== latest;
  output.pairs(
    [
      ['about', safeText(index?.description.trim() ?? '')],
      ['author', safeText(index?.author ?? '')],
      ['status', output.paint(statusColour(item), statusText(item).replaceAll(',', ', '))],
      [
        'version',
        safeText(installed ? `${local === '?' ? 'changed by hand' : local}; the latest is ${latest}` : latest),
      ],
      ['file', safeText(shownPath(item.path, state.folders.items))],
      ['part of', safeText(holders.join(', '))],
      [
        'data',
        safeText(
          item
            .document()
            ?.data.map(({ destFile }) => destFile)
            .join(', ') ?? '',
        ),
      ],
    ],
    '  ',
  );
  if (item.dependencies.length > 0) {
    output.line(`  ${output.paint('dim', 'holds')}`);
    showMembers(output, item.dependencies, state, '    ', new Set([refText(item)]));
  }
  for (const { ref, reason } of item.taintedBy) {
    const what = reason === 'modified' ? 'was changed by hand' : 'is missing';
    output.line(`${output.paint('red', '!')} ${safeText(refText(ref))} ${what}`);
  }
  if (diff !== null) showDiff(output, item, diff);
}

const signs = { good: ['✓', 'green'], old: ['↑', 'yellow'], bad: ['✗', 'red'], absent: ['·', 'dim'] } as const;

/** Each with its own mark; a collection with its members below it, once. */
function showMembers(
  output: Output,
  members: readonly ItemRef[],
  state: LocalState,
  indent: string,
  shown: Set<string>,
): void {
  for (const ref of members) {
    const item = state.items.get(ref.type)?.get(ref.name);
    const kind =
      item?.installed !== true ? 'absent' : item.taintedBy.length > 0 ? 'bad' : item.upToDate ? 'good' : 'old';
    const [sign, colour]: readonly [string, Colour] = signs[kind];
    const version = item === undefined ? 'not in the hub' : localVersion(item) || (item.index?.version ?? '');
    const name = `${output.paint('dim', `${ref.type}:`)}${safeText(ref.name)}`;
    output.line(`${indent}${output.paint(colour, sign)} ${name} ${output.paint('dim', safeText(version))}`);
    if (item === undefined || shown.has(refText(ref))) continue;
    shown.add(refText(ref));
    showMembers(output, item.dependencies, state, `${indent}  `, shown);
  }
}

function showDiff(output: Output, item: ItemState, diff: readonly string[]): void {
  output.line();
  if (item.index === null || !item.downloaded)
    output.line('There is nothing to compare: it is not a downloaded item of the hub.');
  else if (diff.length === 0) output.line('The file is that of the latest version.');
  else {
    output.line(output.paint('dim', `--- ${item.index.version}, as the hub has it`));
    output.line(output.paint('dim', `+++ ${safeText(item.path ?? item.index.path)}`));
    for (const line of diff) output.line(output.paint(diffColours[line[0] ?? ' '] ?? null, safeText(line)));
  }
}

const diffColours: Readonly<Record<string, Colour>> = { '+': 'green', '-': 'red', '@': 'cyan' };
