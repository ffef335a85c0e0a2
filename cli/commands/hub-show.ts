/** How the verbs of the hub show items, plans and what came of them. */
import { isAbsolute, relative } from 'node:path';
import type { DataOutcome } from '../../detectors/hub/data-files.ts';
import { type ItemRef, itemTypes, refText } from '../../detectors/hub/item-type.ts';
import type { ItemState } from '../../detectors/hub/local-state.ts';
import type { Change, Plan, PlanNote } from '../../detectors/hub/plan.ts';
import type { Colour, Column, Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

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

interface ChangeModel {
  readonly change: string;
  readonly type: string;
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

function changeModel(change: Change): ChangeModel {
  if (change.kind === 'remove') {
    const { type, name, version } = change.state;
    return { change: change.purge ? 'purge' : 'remove', type, name, from: version, to: null };
  }
  const { type, name, version } = change.item;
  return { change: change.kind, type, name, from: change.from, to: version };
}

const changeColours: Readonly<Record<string, Colour>> = {
  install: 'green',
  upgrade: 'yellow',
  download: 'cyan',
  remove: 'red',
  purge: 'red',
};

export interface PlanResult {
  readonly plan: Plan;
  readonly data: readonly DataOutcome[];
  readonly dryRun: boolean;
}

/** What a verb changed, or would change. Returns false when something that was asked for by name was not done. */
export function showResult(output: Output, { plan, data, dryRun }: PlanResult): boolean {
  const changes = plan.changes.map(changeModel);
  switch (output.format) {
    case 'json':
      output.json({
        dry_run: dryRun,
        changes,
        data: data.map(({ destFile, url, kind, problem }) => ({ file: destFile, url, outcome: kind, problem })),
        notes: plan.notes.map(({ level, ref, text }) => ({ level, item: refText(ref), text })),
      });
      break;
    case 'raw':
      output.csv(
        ['change', 'type', 'name', 'from', 'to'],
        changes.map(({ change, type, name, from, to }) => [change, type, name, from ?? '', to ?? '']),
      );
      break;
    case 'human':
      showForPeople(output, changes, { plan, data, dryRun });
      break;
    default:
      return output.format satisfies never;
  }
  return !plan.notes.some(({ level }) => level === 'refused');
}

function showForPeople(output: Output, changes: readonly ChangeModel[], { plan, data, dryRun }: PlanResult): void {
  if (changes.length > 0) {
    output.table(changeColumns, changes);
    output.line();
  }
  for (const note of plan.notes) showNote(output, note);
  showDataProblems(output, data);
  const fetched = data.filter(({ kind }) => kind === 'fetched');
  if (changes.length + fetched.length === 0) {
    output.line(dryRun ? 'Nothing would change.' : 'Nothing to do.');
    return;
  }
  const sum = sumText(changes);
  if (dryRun) {
    output.line(`${output.paint('yellow', '!')} Nothing was changed. Without --dry-run: ${sum}.`);
    return;
  }
  const bytes = fetched.reduce((total, one) => total + one.bytes, 0);
  const files = fetched.length === 0 ? '' : `${plural(fetched.length, 'data file')} fetched (${sizeText(bytes)})`;
  output.line(`${output.paint('green', '✓')} ${[sum, files].filter((part) => part !== '').join(', ')}.`);
  if (changes.some(({ change }) => change !== 'download') || fetched.length > 0) {
    output.line(`${output.paint('dim', '  →')} Restart the gateway to use ${changes.length > 0 ? 'this' : 'them'}.`);
  }
}

const changeColumns: readonly Column<ChangeModel>[] = [
  { title: 'CHANGE', value: ({ change }) => change, colour: ({ change }) => changeColours[change] ?? null },
  { title: 'TYPE', value: ({ type }) => type, colour: () => 'dim' },
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  {
    title: 'VERSION',
    value: ({ from, to }) => (to === null ? (from ?? '') : from === null || from === to ? to : `${from} → ${to}`),
  },
];

const pastWords: Readonly<Record<string, string>> = {
  install: 'installed',
  upgrade: 'upgraded',
  download: 'downloaded',
  remove: 'removed',
  purge: 'removed for good',
};

/** `20 items installed, 2 upgraded` */
function sumText(changes: readonly ChangeModel[]): string {
  const counts = new Map<string, number>();
  for (const { change } of changes) counts.set(change, (counts.get(change) ?? 0) + 1);
  return [...counts]
    .map(([change, count], index) => `${index === 0 ? plural(count, 'item') : count} ${pastWords[change] ?? change}`)
    .join(', ');
}

function showNote(output: Output, { level, ref, text }: PlanNote): void {
  const mark = level === 'info' ? output.paint('dim', '·') : output.paint('yellow', '!');
  output.line(`${mark} ${safeText(refText(ref))} ${safeText(text)}`);
}

/** Items work without a data file, but find less: the verb has done its part all the same. */
function showDataProblems(output: Output, data: readonly DataOutcome[]): void {
  const failed = data.filter(({ kind }) => kind === 'failed');
  for (const { destFile, problem, kept } of failed) {
    const what = kept ? 'is not refreshed' : 'is missing';
    output.line(`${output.paint('yellow', '!')} data file ${safeText(destFile)} ${what}: ${safeText(problem)}`);
  }
  if (failed.some(({ kept }) => !kept)) {
    output.line(
      `${output.paint('dim', '  →')} Until it is there, what reads it finds nothing. Try again: portcullis hub upgrade`,
    );
  }
}

/** `3.7 MB`, in units of 1000 as downloads are counted. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

export function refsText(refs: readonly ItemRef[]): string {
  return refs.map(refText).join(', ');
}
