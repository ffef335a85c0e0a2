/**
 * Where reading stopped, kept over restarts: one small JSON file for all sources. It is written whole beside the old one and
 * renamed over it, so that it is never half; a damaged one is set aside and reading starts as at the first time. A position
 * is where the engine's queue took over: after a crash, lines read since the last write (at most `savePeriodMs` ago) are read
 * again, and those that were in the queue are lost. After an orderly end neither happens, since the queue is worked off.
 */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { messageOf } from '../../core/errors.ts';
import { OldestFirstMap } from '../../core/oldest-first-map.ts';
import type { Runtime } from '../../core/runtime.ts';

/** Texts and numbers by name: what a source remembers of one file, journal or container. */
export type ResumeEntry = Readonly<Record<string, string | number>>;

export interface ResumeStore {
  get(key: string): ResumeEntry | undefined;
  /** All entries whose key starts with `prefix`, oldest first. */
  entries(prefix: string): readonly (readonly [key: string, entry: ResumeEntry])[];
  set(key: string, entry: ResumeEntry): void;
  delete(key: string): void;
  /** Writes what has changed. Never rejects: a disk that is full is logged once until it is not. */
  save(): Promise<void>;
  /** Saves and stops. */
  close(): Promise<void>;
}

/** Entries kept; beyond that the one set longest ago is dropped. */
export const mostResumeEntries = 8_192;
const savePeriodMs = 1_000;
const largestFile = 8 * 1_048_576;
const format = 1;

/** `path` null: nothing is kept (tests, and one-shot readers). */
export async function openResumeStore(path: string | null, runtime: Runtime): Promise<ResumeStore> {
  const store = new FileResumeStore(path, runtime);
  await store.load();
  return store;
}

class FileResumeStore implements ResumeStore {
  private readonly path: string | null;
  private readonly runtime: Runtime;
  private readonly kept = new OldestFirstMap<string, ResumeEntry>();
  private readonly timer: { cancel(): void } | null;
  private dirty = false;
  private failing = false;
  private saving: Promise<void> | null = null;

  constructor(path: string | null, runtime: Runtime) {
    this.path = path;
    this.runtime = runtime;
    this.timer = path === null ? null : runtime.clock.every(savePeriodMs, () => void this.save());
  }

  async load(): Promise<void> {
    if (this.path === null) return;
    try {
      const text = await readFile(this.path, 'utf8');
      if (text.length > largestFile) throw new Error(`larger than ${largestFile} characters`);
      for (const [key, entry] of entriesOf(JSON.parse(text))) this.kept.set(key, entry);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      const { log } = this.runtime;
      log.warn(
        { path: this.path, error: messageOf(error) },
        'the positions of log files cannot be read; reading starts at their ends',
      );
      await rename(this.path, `${this.path}.damaged`).catch(() => undefined);
    }
  }

  get(key: string): ResumeEntry | undefined {
    return this.kept.get(key);
  }

  entries(prefix: string): readonly (readonly [string, ResumeEntry])[] {
    return [...this.kept.entries()].filter(([key]) => key.startsWith(prefix));
  }

  set(key: string, entry: ResumeEntry): void {
    this.kept.set(key, entry);
    const oldest = this.kept.size > mostResumeEntries ? this.kept.oldest() : undefined;
    if (oldest !== undefined) this.kept.delete(oldest);
    this.dirty = true;
  }

  delete(key: string): void {
    if (this.kept.delete(key)) this.dirty = true;
  }

  async save(): Promise<void> {
    while (this.saving !== null) await this.saving;
    if (!this.dirty || this.path === null) return;
    this.dirty = false;
    this.saving = this.write(this.path);
    await this.saving;
    this.saving = null;
  }

  async close(): Promise<void> {
    this.timer?.cancel();
    await this.save();
  }

  private async write(path: string): Promise<void> {
    const { log } = this.runtime;
    const temporary = `${path}.new`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(`${JSON.stringify({ format, entries: Object.fromEntries(this.kept.entries()) })}\n`);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      this.failing = false;
    } catch (error) {
      this.dirty = true;
      if (!this.failing) log.warn({ path, error: messageOf(error) }, 'the positions of log files cannot be saved');
      this.failing = true;
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }
}

/** What can be used of a file's content. @throws Error when it is not one of ours. */
function entriesOf(content: unknown): [string, ResumeEntry][] {
  const { format: written, entries } = (content ?? {}) as { format?: unknown; entries?: unknown };
  if (written !== format || typeof entries !== 'object' || entries === null) throw new Error('not a file of positions');
  return Object.entries(entries)
    .slice(-mostResumeEntries)
    .filter((pair): pair is [string, ResumeEntry] => isEntry(pair[1]));
}

function isEntry(value: unknown): value is ResumeEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((each) => typeof each === 'string' || Number.isFinite(each));
}
