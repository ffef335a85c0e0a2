/** How the verbs of the hub show items: status, version and file, as a table and as models for programs. */
import { isAbsolute, relative } from 'node:path';
import { itemTypes } from '../../detectors/hub/item-type.ts';
import type { ItemState } from '../../detectors/hub/local-state.ts';
import type { Colour, Column } from '../output/output.ts';

/** CrowdSec's words, in its order: `enabled,tainted`. */
export function statusText(item: ItemState): string {
  const words = [item.installed ? 'enabled' : 'disabled'];
  if (item.local) words.push('local');
  if (item.taintedBy.length > 0) words.push('tainted');
  else if (item.installed && !item.upToDate) words.push('update-available');
  return words.join(',');
}

export function statusColour(item: ItemState): Colour {
  if (item.taintedBy.length > 0) return 'red';
  if (item.installed && !item.upToDate) return 'yellow';
  if (item.local) return 'cyan';
  return item.installed ? 'green' : 'dim';
}

/** The version that is there: "?" when the file was changed, "" when there is none to tell. */
export function localVersion(item: ItemState): string {
  return item.modified ? '?' : (item.version ?? '');
}

/** One item as CrowdSec's `list -o json` has it, for scripts that read that. */
export interface ItemModel {
  readonly name: string;
  readonly local_version: string;
  readonly local_path: string;
  readonly description: string;
  readonly utd_version: string;
  readonly status: string;
}

export function itemModel(item: ItemState): ItemModel {
  return {
    name: item.name,
    local_version: localVersion(item),
    local_path: item.path ?? '',
    description: item.index?.description ?? '',
    utd_version: item.index?.version ?? '',
    status: statusText(item),
  };
}

/** By type, every type there, as CrowdSec has it. */
export function itemsByType(
  items: readonly ItemState[],
  types: readonly string[] = itemTypes,
): Record<string, ItemModel[]> {
  return Object.fromEntries(
    types.map((type) => [type, items.filter((item) => item.type === type).map(itemModel)] as const),
  );
}

export function itemColumns(itemsFolder: string): readonly Column<ItemState>[] {
  return [
    { title: 'TYPE', value: ({ type }) => type, colour: () => 'dim' },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'STATUS', value: (item) => statusText(item).replaceAll(',', ', '), colour: statusColour },
    { title: 'VERSION', value: versionText },
    { title: 'FILE', value: ({ path }) => shownPath(path, itemsFolder), colour: () => 'dim', flexible: true },
  ];
}

/** `0.3`, or `0.2 → 0.3` when there is a newer one. */
function versionText(item: ItemState): string {
  const local = localVersion(item);
  const newest = item.index?.version ?? '';
  if (!item.installed) return newest;
  return local === newest || newest === '' || item.local ? local : `${local || 'none'} → ${newest}`;
}

/** Inside the items folder, paths start there. */
export function shownPath(path: string | null, itemsFolder: string): string {
  if (path === null) return '';
  const below = relative(itemsFolder, path);
  return below.startsWith('..') || isAbsolute(below) ? path : below;
}
