/**
 * The files that patterns stand for now, and the folders in which further ones would appear. Symbolic links are followed
 * where a pattern names them, not below `**`, so that a loop of links has an end.
 */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { GlobPath, GlobSegment } from './glob-pattern.ts';

export interface FoundFiles {
  /** Paths of everything that is not a folder, sorted; each once. */
  readonly files: readonly string[];
  /** Existing folders in which a new entry can mean a new file. */
  readonly folders: readonly string[];
  /** What kept the search from being complete, for people. */
  readonly problems: readonly string[];
}

export interface FindLimits {
  readonly mostFiles: number;
  /** Folders that are listed in one search. */
  readonly mostFolders: number;
}

export const findLimits: FindLimits = { mostFiles: 4_096, mostFolders: 10_000 };

/** Depth below `**`. */
const deepest = 32;
const mostProblems = 20;

/** Relative patterns start from `base`. Never rejects. */
export async function findFiles(
  patterns: readonly GlobPath[],
  base: string,
  limits: FindLimits = findLimits,
): Promise<FoundFiles> {
  const search = new FileSearch(limits);
  for (const { absolute, segments } of patterns) await search.walk(absolute ? '/' : base, segments, 0, 0);
  return search.found();
}

class FileSearch {
  private readonly limits: FindLimits;
  private readonly files = new Set<string>();
  private readonly folders = new Set<string>();
  private readonly problems = new Set<string>();
  private listed = 0;

  constructor(limits: FindLimits) {
    this.limits = limits;
  }

  found(): FoundFiles {
    const problems = [...this.problems].slice(0, mostProblems);
    return { files: [...this.files].toSorted(), folders: [...this.folders], problems };
  }

  async walk(folder: string, segments: readonly GlobSegment[], index: number, depth: number): Promise<void> {
    const segment = segments[index];
    if (segment === undefined) return;
    const last = index === segments.length - 1;
    switch (segment.kind) {
      case 'literal':
        return this.walkLiteral(folder, segment.name, segments, index, depth);
      case 'wild':
        for (const entry of await this.list(folder)) {
          if (!segment.pattern.test(entry.name)) continue;
          if (last) await this.addEntry(folder, entry);
          else if (entry.isDirectory() || entry.isSymbolicLink())
            await this.walk(join(folder, entry.name), segments, index + 1, depth);
        }
        return;
      case 'any-depth':
        if (!last) await this.walk(folder, segments, index + 1, depth);
        for (const entry of depth < deepest ? await this.list(folder) : []) {
          if (entry.isDirectory()) await this.walk(join(folder, entry.name), segments, index, depth + 1);
          else if (last) await this.addEntry(folder, entry);
        }
        return;
      default:
        return segment satisfies never;
    }
  }

  private async walkLiteral(
    folder: string,
    name: string,
    segments: readonly GlobSegment[],
    index: number,
    depth: number,
  ): Promise<void> {
    const path = join(folder, name);
    const last = index === segments.length - 1;
    if (last) this.folders.add(folder);
    try {
      const isFolder = (await stat(path)).isDirectory();
      if (isFolder && !last) await this.walk(path, segments, index + 1, depth);
      else if (!isFolder && last) this.add(path);
    } catch (error) {
      this.folders.add(folder);
      this.note(path, error);
    }
  }

  /** A link that leads nowhere, or a file that went away in between, is no problem. */
  private async addEntry(folder: string, entry: Dirent): Promise<void> {
    if (entry.isDirectory()) return;
    const path = join(folder, entry.name);
    if (!entry.isSymbolicLink()) return this.add(path);
    try {
      if (!(await stat(path)).isDirectory()) this.add(path);
    } catch (error) {
      this.note(path, error);
    }
  }

  private add(path: string): void {
    if (this.files.size < this.limits.mostFiles) this.files.add(path);
    else if (!this.files.has(path))
      this.problems.add(`more than ${this.limits.mostFiles} files match; the others are not read`);
  }

  private async list(folder: string): Promise<readonly Dirent[]> {
    if (this.listed >= this.limits.mostFolders) {
      this.problems.add(`more than ${this.limits.mostFolders} folders would have to be searched`);
      return [];
    }
    this.listed++;
    try {
      const entries = await readdir(folder, { withFileTypes: true });
      this.folders.add(folder);
      return entries;
    } catch (error) {
      this.note(folder, error);
      return [];
    }
  }

  private note(path: string, error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return;
    this.problems.add(code === 'EACCES' ? `${path}: permission denied` : `${path}: ${messageOf(error)}`);
  }
}
