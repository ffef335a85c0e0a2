/**
 * Where the data file of an item lies: a folder holds it under the item's own name for it, or laid out like the place it is
 * published at, as a checkout of CrowdSec's `sec-lists` is.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, normalize, sep } from 'node:path';
import type { DataSpec } from './data-spec.ts';

type Names = Pick<DataSpec, 'destFile' | 'sourceUrl'>;

/** The first of the folders that has the file decides. Null when none has. */
export async function findDataFile(spec: Names, folders: readonly string[]): Promise<string | null> {
  for (const path of dataFilePaths(spec, folders)) {
    if ((await stat(path).catch(() => null))?.isFile() ?? false) return path;
  }
  return null;
}

/** Its text, or null when no folder has it. */
export async function readDataText(spec: Names, folders: readonly string[]): Promise<string | null> {
  for (const path of dataFilePaths(spec, folders)) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return text;
  }
  return null;
}

/** `dest_file`, then `source_url` without its first part, its first two, … down to its last, then the last of `dest_file`. */
function dataFilePaths({ destFile, sourceUrl }: Names, folders: readonly string[]): readonly string[] {
  const parts = URL.parse(sourceUrl)
    ?.pathname.split('/')
    .filter((part) => part !== '') ?? [basename(sourceUrl)];
  const tails = parts.map((_, index) => parts.slice(index).join('/'));
  const names = [...new Set([destFile, ...tails, basename(destFile)])].filter(isInside);
  return folders.flatMap((folder) => names.map((name) => join(folder, name)));
}

/** A name that cannot lead out of the folder it is looked for in. */
function isInside(name: string): boolean {
  const normal = normalize(name);
  return name !== '' && !isAbsolute(name) && normal !== '..' && !normal.startsWith(`..${sep}`);
}
