/** How the verbs that change items show what changed, or would. */
import type { DataOutcome } from '../../detectors/hub/data-files.ts';
import { refText } from '../../detectors/hub/item-type.ts';
import type { Change, Plan, PlanNote } from '../../detectors/hub/plan.ts';
import { calledAs } from '../invocation.ts';
import type { Colour, Column, Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { sizeText } from '../output/sizes.ts';
import { plural } from '../show.ts';

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
      `${output.paint('dim', '  →')} Until it is there, what reads it finds nothing. Try again: ${calledAs} hub upgrade`,
    );
  }
}
