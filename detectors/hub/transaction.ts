/**
 * Changes of many files and links as one: all of it happens or none. Everything is made ready beside its place first; then a
 * journal is written that says what goes where and what was there before; only then are files renamed into place. A crash
 * before the journal leaves the old state; one after it is made good by whoever opens the hub next. A step that fails turns
 * the journal round, and everything goes back. Every step can be repeated, so a crash while recovering does no harm.
 */
import { lstat, readFile, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { HubDisk } from './hub-disk.ts';
import { type HubFolders, journalFile } from './hub-folders.ts';

/** What shall be where. Paths are relative to their folder. */
export type Wanted =
  | {
      readonly kind: 'file';
      readonly folder: 'hub' | 'data';
      readonly path: string;
      /** The name of the new content in that folder's staging folder; null removes the file. */
      readonly staged: string | null;
    }
  /** A link in the items folder; null removes it. */
  | { readonly kind: 'link'; readonly path: string; readonly target: string | null };

const relative = z.string().regex(/^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$)).+$/);
const journalSchema = z.object({
  direction: z.enum(['forward', 'back']),
  steps: z.array(
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('file'),
        folder: z.enum(['hub', 'data']),
        path: relative,
        staged: relative.nullable(),
        /** The name of what was there before, in the staging folder; null when nothing was. */
        backup: relative.nullable(),
      }),
      z.object({
        kind: z.literal('link'),
        path: relative,
        target: z.string().nullable(),
        before: z.string().nullable(),
      }),
    ]),
  ),
});

type Journal = z.output<typeof journalSchema>;
type Step = Journal['steps'][number];

/** Where new content is made ready. Emptied by `recover`, which must have run before anything is put there. */
export function stagingFolder(folders: HubFolders, folder: 'hub' | 'data'): string {
  return join(folders[folder], '.staging');
}

/** True when a change was interrupted and `recover` has something to do. */
export async function isInterrupted(folders: HubFolders): Promise<boolean> {
  return (await kindOf(journalFile(folders))) !== null;
}

/**
 * Makes all the changes, or none and throws what went wrong. When even going back fails, the journal stays, and the next
 * `recover` does it. The staging folders are left to be cleared.
 */
export async function commit(wanted: readonly Wanted[], folders: HubFolders, disk: HubDisk): Promise<void> {
  if (wanted.length === 0) return;
  const steps: Step[] = [];
  for (const [number, one] of wanted.entries()) steps.push(await prepare(one, number, folders, disk));
  try {
    await writeJournal({ direction: 'forward', steps }, folders, disk);
    await walk(steps, 'forward', folders, disk);
  } catch (thrown) {
    await goBack(steps, folders, disk).catch((cause: unknown) => {
      throw halfWay(thrown, cause);
    });
    throw thrown;
  }
  await closeJournal(folders, disk).catch((cause: unknown) => {
    throw halfWay(cause, cause);
  });
}

/** Also right when the journal was not written or nothing was done yet: every step back then changes nothing. */
async function goBack(steps: readonly Step[], folders: HubFolders, disk: HubDisk): Promise<void> {
  await writeJournal({ direction: 'back', steps: [...steps] }, folders, disk);
  await walk(steps, 'back', folders, disk);
  await closeJournal(folders, disk);
}

function halfWay(reason: unknown, cause: unknown): GatewayError {
  return new GatewayError('HUB_REFUSED', `the change stopped half way: ${messageOf(reason)}`, {
    remedy: 'Run any hub command again: it first completes the change or takes it back.',
    cause,
  });
}

/** Completes or undoes what was interrupted, and clears what was left lying. Run it first, while holding the lock. */
export async function recover(folders: HubFolders, disk: HubDisk): Promise<void> {
  const text = await readFile(journalFile(folders), 'utf8').catch(() => null);
  if (text !== null) {
    const { direction, steps } = readJournal(text, folders);
    await walk(steps, direction, folders, disk);
    await closeJournal(folders, disk);
  }
  await clearStaging(folders, disk);
}

function readJournal(text: string, folders: HubFolders): Journal {
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new GatewayError('HUB_REFUSED', `${journalFile(folders)} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Delete that file, then see `portcullis hub list` for items that are incomplete.',
      cause,
    });
  }
}

/** Notes what is there now, and keeps it. */
async function prepare(wanted: Wanted, number: number, folders: HubFolders, disk: HubDisk): Promise<Step> {
  switch (wanted.kind) {
    case 'file': {
      const path = join(folders[wanted.folder], wanted.path);
      const kind = await kindOf(path);
      if (kind === null) return { ...wanted, backup: null };
      if (kind === 'folder') throw inTheWay(path);
      const backup = `old-${number}`;
      const staging = stagingFolder(folders, wanted.folder);
      await disk.makeFolder(staging);
      await disk.keepCopy(path, join(staging, backup));
      return { ...wanted, backup };
    }
    case 'link':
      return { ...wanted, before: await targetOf(join(folders.items, wanted.path)) };
    default:
      return wanted satisfies never;
  }
}

async function writeJournal(journal: Journal, folders: HubFolders, disk: HubDisk): Promise<void> {
  const file = journalFile(folders);
  for (const folder of ['hub', 'data'] as const) {
    const staging = stagingFolder(folders, folder);
    if ((await kindOf(staging)) !== null) await disk.syncFolder(staging);
  }
  await disk.writeFile(`${file}.new`, JSON.stringify(journal));
  await disk.rename(`${file}.new`, file);
  await disk.syncFolder(folders.hub);
}

async function walk(
  steps: readonly Step[],
  direction: Journal['direction'],
  folders: HubFolders,
  disk: HubDisk,
): Promise<void> {
  const touched = new Set<string>();
  for (const step of direction === 'forward' ? steps : steps.toReversed()) {
    const place = join(step.kind === 'file' ? folders[step.folder] : folders.items, step.path);
    touched.add(dirname(place));
    if (step.kind === 'link') await setLink(place, direction === 'forward' ? step.target : step.before, disk);
    else {
      const source = direction === 'forward' ? step.staged : step.backup;
      await setFile(place, source && join(stagingFolder(folders, step.folder), source), disk);
    }
  }
  for (const folder of touched) if ((await kindOf(folder)) !== null) await disk.syncFolder(folder);
}

/** `from` is gone when this was done before. */
async function setFile(place: string, from: string | null, disk: HubDisk): Promise<void> {
  if (from === null) return disk.remove(place);
  if ((await kindOf(from)) === null) return;
  await disk.makeFolder(dirname(place));
  await disk.rename(from, place);
}

async function setLink(place: string, target: string | null, disk: HubDisk): Promise<void> {
  const fresh = join(dirname(place), `.${basename(place)}.new`);
  if ((await kindOf(fresh)) !== null) await disk.remove(fresh);
  const current = await targetOf(place);
  if (current === target) return;
  if (target === null) return disk.remove(place);
  await disk.makeFolder(dirname(place));
  await disk.symlink(target, fresh);
  await disk.rename(fresh, place);
}

/** The journal goes before what it speaks of. */
async function closeJournal(folders: HubFolders, disk: HubDisk): Promise<void> {
  await disk.remove(journalFile(folders));
  await disk.syncFolder(folders.hub);
}

/** Removes what was made ready, unless a journal still speaks of it. */
export async function clearStaging(folders: HubFolders, disk: HubDisk): Promise<void> {
  if (await isInterrupted(folders)) return;
  for (const left of [stagingFolder(folders, 'hub'), stagingFolder(folders, 'data'), `${journalFile(folders)}.new`]) {
    if ((await kindOf(left)) !== null) await disk.remove(left);
  }
}

/** Where a link leads, as written; null when nothing is there. */
async function targetOf(path: string): Promise<string | null> {
  const kind = await kindOf(path);
  if (kind === null) return null;
  if (kind !== 'link') throw inTheWay(path);
  return readlink(path);
}

async function kindOf(path: string): Promise<'file' | 'link' | 'folder' | null> {
  try {
    const found = await lstat(path);
    return found.isSymbolicLink() ? 'link' : found.isDirectory() ? 'folder' : 'file';
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR'))
      return null;
    throw thrown;
  }
}

function inTheWay(path: string): GatewayError {
  return new GatewayError('HUB_REFUSED', `${path} is in the way: it was not made by the hub`, {
    remedy: 'Move it elsewhere, or give it another name.',
  });
}
