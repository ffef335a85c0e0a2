/** Scenario files from disk: single files, and folders read with everything below them, in one order on every system. */
import type { Dirent } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { type ItemFault, itemFault } from '../documents/item-fault.ts';
import { readScenarioDocuments, type ScenarioDocuments, type ScenarioSpec } from './scenario-document.ts';

/** Files above this are no scenarios: the hub's largest has 25 KB. */
const largestFileBytes = 1_048_576;

/** Folders nest no deeper in any hub; a loop of links ends here. */
const deepestFolder = 8;

/**
 * Reads every file and folder of `paths`. A path that is absent or unreadable is a fault like a mistake in a document is;
 * the good documents are returned all the same. A file that is reached twice is read once. Several documents may bear one
 * name, as some of the hub's do: each fills buckets of its own.
 */
export async function loadScenarios(paths: readonly string[]): Promise<ScenarioDocuments> {
  const documents: ScenarioSpec[] = [];
  const faults: ItemFault[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const file of await scenarioFiles(path, faults)) {
      const real = await realpath(file).catch(() => file);
      if (seen.has(real)) continue;
      seen.add(real);
      const read = await readScenarioFile(file);
      faults.push(...read.faults);
      documents.push(...read.documents);
    }
  }
  return { documents, faults };
}

/** Reads one folder with everything below it. */
export function loadScenarioFolder(folder: string): Promise<ScenarioDocuments> {
  return loadScenarios([folder]);
}

async function readScenarioFile(file: string): Promise<ScenarioDocuments> {
  try {
    const { size } = await stat(file);
    if (size <= largestFileBytes) return readScenarioDocuments(await readFile(file), file);
    const reason = `the file has ${size} bytes; a scenario file has at most ${largestFileBytes}`;
    return { documents: [], faults: [itemFault(file, 1, 1, '', reason)] };
  } catch (cause) {
    return { documents: [], faults: [itemFault(file, 1, 1, '', `cannot be read: ${messageOf(cause)}`, cause)] };
  }
}

/** The scenario files of a path: itself when it is a file, else those below it, sorted; hidden names are skipped. */
async function scenarioFiles(path: string, faults: ItemFault[]): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const found: string[] = [];
    await walk(path, deepestFolder, found);
    return found;
  } catch (cause) {
    faults.push(itemFault(path, 1, 1, '', `cannot be read: ${messageOf(cause)}`, cause));
    return [];
  }
}

async function walk(folder: string, depth: number, found: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (await isFolder(entry, path)) {
      if (depth > 0) await walk(path, depth - 1, found);
    } else if (/\.ya?ml$/.test(entry.name)) found.push(path);
  }
}

/** Installed hub items are links, so a link to a folder counts as a folder; a dangling one is left for its reader. */
async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
