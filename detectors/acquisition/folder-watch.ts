/**
 * Wakes somebody when something changes in folders. Watching is a courtesy of the system that not every file system grants
 * and that may miss a change; who uses this looks by itself now and then as well.
 */
import { type FSWatcher, watch } from 'node:fs';

/** Folders watched at a time: the system's own bound is a few thousand for all programs of a user. */
const mostFolders = 128;

export class FolderWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly onChange: (isEntryChange: boolean) => void;

  /** `isEntryChange`: a name came or went, rather than a file's content. */
  constructor(onChange: (isEntryChange: boolean) => void) {
    this.onChange = onChange;
  }

  /** Watches these folders and no others. */
  set(folders: readonly string[]): void {
    const wanted = new Set(folders.slice(0, mostFolders));
    for (const folder of this.watchers.keys()) if (!wanted.has(folder)) this.drop(folder);
    for (const folder of wanted) if (!this.watchers.has(folder)) this.add(folder);
  }

  close(): void {
    for (const folder of this.watchers.keys()) this.drop(folder);
  }

  private add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (event) => this.onChange(event === 'rename'));
      watcher.on('error', () => this.drop(folder));
      this.watchers.set(folder, watcher);
    } catch {
      // No more watches to be had, or no right to: looking by itself has to do.
    }
  }

  private drop(folder: string): void {
    this.watchers.get(folder)?.close();
    this.watchers.delete(folder);
  }
}
