/**
 * Which files below a folder are items, and of which kind. The layout is the one of CrowdSec's configuration folder and of a
 * hub checkout alike: `parsers/<stage>/…`, `postoverflows/<stage>/…`, `scenarios/…`, `contexts/…`; a YAML file outside of these
 * is a scenario, so that a folder of nothing but scenarios needs no layout. Specification: engine specification §2.1 and §7.
 */
import type { Dirent } from 'node:fs';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';

export type ItemKind = 'parsers' | 'postoverflows' | 'scenarios' | 'contexts';

export interface ItemFile {
  readonly kind: ItemKind;
  /** The stage of a parser or postoverflow, "" otherwise. */
  readonly stage: string;
  readonly path: string;
}

/** A path that could not be looked into, with the system's own error. */
export interface UnreadablePath {
  readonly path: string;
  readonly cause: unknown;
}

export interface ItemFiles {
  /** In the order in which they run: parsers by stage and base name, as CrowdSec sorts install paths; the rest by path. */
  readonly files: readonly ItemFile[];
  /** The `data` folders that were passed, where the items' data files are looked for. */
  readonly dataFolders: readonly string[];
  readonly unreadable: readonly UnreadablePath[];
}

/** Folders nest no deeper in any hub; a loop of links ends here. */
const deepestFolder = 8;

/** Folders of the layout that hold other things than items of ours. */
const otherFolders: ReadonlySet<string> = new Set([
  'data',
  'collections',
  'appsec-rules',
  'appsec-configs',
  'patterns',
  'tests',
]);

/**
 * Finds the items of every file and folder in `paths`. A file that is reached twice, by a link say, counts once. Nothing is
 * awaited: to wait for each of a thousand small files costs more than to look at them does.
 */
export function findItemFiles(paths: readonly string[]): ItemFiles {
  const search: Search = { files: [], dataFolders: [], unreadable: [], seen: new Set() };
  for (const path of paths) visit(path, placeOf(resolve(path)), deepestFolder, search, true);
  return { files: search.files.sort(byRunningOrder), dataFolders: search.dataFolders, unreadable: search.unreadable };
}

interface Search {
  readonly files: ItemFile[];
  readonly dataFolders: string[];
  readonly unreadable: UnreadablePath[];
  readonly seen: Set<string>;
}

/** Where in the layout a folder stands. */
interface Place {
  readonly kind: ItemKind | null;
  readonly stage: string;
}

const nowhere: Place = { kind: null, stage: '' };

function visit(path: string, place: Place, depth: number, search: Search, named: boolean): void {
  try {
    if (statSync(path).isDirectory()) {
      if (depth > 0) visitFolder(path, place, depth, search);
      return;
    }
    if (!named && !/\.ya?ml$/.test(path)) return;
    const real = realpathSync.native(path);
    if (search.seen.has(real)) return;
    search.seen.add(real);
    search.files.push({ kind: place.kind ?? 'scenarios', stage: place.stage, path });
  } catch (cause) {
    search.unreadable.push({ path, cause });
  }
}

function visitFolder(folder: string, place: Place, depth: number, search: Search): void {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const { name } of entries.toSorted(byName)) {
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    if (place.kind === null && otherFolders.has(name)) {
      if (name === 'data') search.dataFolders.push(path);
      continue;
    }
    visit(path, below(place, name), depth - 1, search, false);
  }
}

function below(place: Place, name: string): Place {
  if (place.kind === null) return isKind(name) ? { kind: name, stage: '' } : nowhere;
  const staged = place.kind === 'parsers' || place.kind === 'postoverflows';
  return staged && place.stage === '' && !/\.ya?ml$/.test(name) ? { kind: place.kind, stage: name } : place;
}

/** A path that was named itself may stand inside the layout: `…/parsers/s01-parse/sshd-logs.yaml`. */
function placeOf(path: string): Place {
  const names = path.split(sep);
  const at = names.findLastIndex(isKind);
  return names.slice(Math.max(0, at)).reduce(below, nowhere);
}

function isKind(name: string): name is ItemKind {
  return name === 'parsers' || name === 'postoverflows' || name === 'scenarios' || name === 'contexts';
}

function byRunningOrder(a: ItemFile, b: ItemFile): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.stage !== b.stage) return a.stage < b.stage ? -1 : 1;
  if (a.stage === '') return 0;
  return compare(basename(a.path), basename(b.path)) || compare(dirname(a.path), dirname(b.path));
}

function byName(a: Pick<Dirent, 'name'>, b: Pick<Dirent, 'name'>): number {
  return compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
