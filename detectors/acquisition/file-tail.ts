/**
 * Follows one path through rotation: rename and create, copy and truncate, removal. A file that was renamed is read to its
 * end before its successor, and looked at for a while longer, because its writer may not have noticed yet.
 */
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { fileId, type LogFile, type LogFileParts, openLogFile } from './log-file.ts';

/** Where a file is read from that has not been met before. */
export type StartAt = 'start' | 'end';

export interface FileTailParts extends LogFileParts {
  readonly clock: Clock;
  /** A renamed or removed file is let go when it has not grown for so long, milliseconds. */
  readonly lingerMs: number;
  /** Goes to the place where reading of this very file stopped before; false when there is none. */
  readonly recall: (file: LogFile) => Promise<boolean>;
  /** Whether the file is being read under another path: as its former self, before a rotation. */
  readonly isForeign: (id: string, path: string) => boolean;
  /** Notes how far a file has been read. `path` is the one that is followed; `always`: also when that has not changed. */
  readonly remember: (file: LogFile, path: string, always: boolean) => void;
  /** The file was let go; `isRemoved`: it has no name any more. */
  readonly letGo: (file: LogFile, isRemoved: boolean) => void;
}

export interface TailLook {
  /** There is more to read at once. */
  readonly more: boolean;
}

/** A file that has the name of a rotated one. */
interface Rotated {
  readonly id: string;
  readonly path: string;
}

interface Retired {
  readonly file: LogFile;
  offset: number;
  since: number;
}

/** Renamed files of one path that are open at a time. */
const mostRetired = 8;
/** Names beside a path that are looked at: who writes in its folder can make any number of them. */
const mostSiblings = 512;
/** How rotated files are called: access.log.1, access.log-20260131, access.log.2026-01-31.1 */
export const rotatedSuffix = /^[.-]\d[\d.T_-]*$/;
/** A rotated file that is renamed again before it is opened is looked for so often. */
const openAttempts = 5;
/** File systems stamp files with a clock that ticks a few times in a hundred milliseconds. */
const clockTickMs = 20;

export class FileTail {
  readonly path: string;
  private readonly parts: FileTailParts;
  private current: LogFile | null = null;
  /** The path leads nowhere, while the file that it led to is still open: since when, and how far that was read. */
  private gone: { since: number; offset: number } | null = null;
  private retired: Retired[] = [];
  /** When the path was last seen to lead to `current`, epoch milliseconds. */
  private seenAt = 0;

  constructor(path: string, parts: FileTailParts) {
    this.path = path;
    this.parts = parts;
  }

  /** Identities of the files that are open here, under whatever name. */
  ids(): readonly string[] {
    const ids = this.retired.map(({ file }) => file.id);
    return this.current === null ? ids : [this.current.id, ...ids];
  }

  /** Renamed files that are still open. */
  get lingering(): number {
    return this.retired.length;
  }

  /** Nothing is open, and the path led nowhere at the last look. */
  get idle(): boolean {
    return this.current === null && this.retired.length === 0;
  }

  /**
   * Goes on with a file that was followed here before a restart and has another name now. `newest`: what is found at the
   * path comes after it; otherwise it was being let go already.
   */
  async adopt(path: string, seenAt: number, newest: boolean): Promise<void> {
    const file = await openLogFile(path, this.path, this.parts);
    if (!(await this.parts.recall(file))) return file.close();
    if (newest) {
      this.current = file;
      this.seenAt = seenAt;
    } else this.retire(file, this.parts.clock.now());
  }

  /** Reads what has come. Rejects when the path cannot be opened or read; looking again later is safe. */
  async look(startAt: StartAt): Promise<TailLook> {
    const now = this.parts.clock.now();
    const stats = await statOrNull(this.path);
    const retiredMore = await this.lookAtRetired(now);
    const id = stats === null ? null : fileId(stats);
    if (this.current !== null && id !== null && id !== this.current.id) {
      if ((await this.readOn(this.current)) !== 'end') return { more: true };
      await this.succeed(this.current, id, now);
    }
    if (this.current === null && id !== null && !this.parts.isForeign(id, this.path)) {
      this.current = await this.openCurrent(startAt);
    }
    if (this.current === null) return { more: retiredMore };
    const outcome = await this.readOn(this.current);
    if (id === null) await this.lookAtGone(this.current, now);
    else {
      this.gone = null;
      this.seenAt = now;
    }
    return { more: retiredMore || outcome === 'more' };
  }

  /** Lets go of renamed files at once, when too many are open. */
  async letRetiredGo(): Promise<void> {
    while (this.retired.length > 0) await this.letGo(this.retired.shift()?.file);
  }

  /** Delivers last lines that have no end, because nothing will follow. */
  async finish(): Promise<void> {
    const { current } = this;
    this.current = null;
    if (current !== null) await current.finish();
  }

  /** Closes everything; what was not committed is read again another time. */
  async close(): Promise<void> {
    const files = [...this.retired.map(({ file }) => file), ...(this.current === null ? [] : [this.current])];
    this.retired = [];
    this.current = null;
    for (const file of files) {
      this.parts.remember(file, this.path, true);
      await file.close();
    }
  }

  private async readOn(file: LogFile): Promise<'end' | 'more' | 'closing'> {
    const outcome = await file.read();
    this.parts.remember(file, this.path, false);
    return outcome;
  }

  private async openCurrent(startAt: StartAt): Promise<LogFile> {
    const file = await openLogFile(this.path, this.path, this.parts);
    const known = await this.parts.recall(file);
    if (!known && startAt === 'end') await file.seekEnd();
    this.parts.remember(file, this.path, false);
    return file;
  }

  /**
   * `file` was renamed and read to its end. Reads the files that came and went between two looks, and what the path leads to
   * now becomes the current one.
   */
  private async succeed(file: LogFile, successorId: string, now: number): Promise<void> {
    // Opened first: whatever is rotated from here on is found at the next look.
    const successor = this.parts.isForeign(successorId, this.path) ? null : await this.openCurrent('start');
    const missed = await this.between(file, successor);
    this.retire(file, now);
    this.current = successor;
    this.gone = null;
    await this.readMissed(missed, now);
    while (this.retired.length > mostRetired) await this.letGo(this.retired.shift()?.file);
  }

  /** Reads them all; the first problem is thrown after that, since none of them is met again. */
  private async readMissed(rotated: readonly Rotated[], now: number): Promise<void> {
    const problems: unknown[] = [];
    for (const each of rotated) {
      try {
        await this.readRotated(each, now);
      } catch (error) {
        problems.push(error);
      }
    }
    if (problems.length > 0) throw problems[0];
  }

  private async readRotated(rotated: Rotated, now: number): Promise<void> {
    const missed = await this.openRotated(rotated);
    if (missed === null) return;
    if (await this.parts.recall(missed)) return missed.close();
    this.retire(missed, now);
    while ((await this.readOn(missed)) === 'more');
    while (this.retired.length > mostRetired) await this.letGo(this.retired.shift()?.file);
  }

  /** Opens the file wherever another rotation has taken it meanwhile; null when it is not to be found. */
  private async openRotated({ id, path }: Rotated): Promise<LogFile | null> {
    let at: string | undefined = path;
    for (let attempt = 0; attempt < openAttempts; attempt++) {
      const file: LogFile | null = at === undefined ? null : await this.openIfThere(at);
      if (file?.id === id) return file;
      await file?.close();
      at = (await rotatedSiblings(this.path)).find(({ stats }) => fileId(stats) === id)?.path;
    }
    return null;
  }

  private async openIfThere(path: string): Promise<LogFile | null> {
    try {
      return await openLogFile(path, this.path, this.parts);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  private retire(file: LogFile, now: number): void {
    this.retired.push({ file, offset: file.offset, since: now });
  }

  /** Rotated files beside the path that were made since the path was last seen to lead to `file`; oldest first. */
  private async between(file: LogFile, successor: LogFile | null): Promise<readonly Rotated[]> {
    const from = Math.max(this.seenAt - clockTickMs, file.bornMs);
    const until = successor?.bornMs ?? Infinity;
    const found: (Rotated & { born: number; number: number })[] = [];
    for (const { path, stats } of await rotatedSiblings(this.path)) {
      const id = fileId(stats);
      const born = Number(stats.birthtimeMs);
      if (id === successor?.id || this.ids().includes(id)) continue;
      if (born >= from && born <= until) found.push({ id, path, born, number: Number(/\d+$/.exec(path)?.[0] ?? 0) });
    }
    // Of two that were made in the same tick, the one with the higher number was rotated more often.
    return found.toSorted((left, right) => left.born - right.born || right.number - left.number);
  }

  /** The path leads nowhere: `file` was removed, or renamed, and then others may have come and gone already. */
  private async lookAtGone(file: LogFile, now: number): Promise<void> {
    const missed = await this.between(file, null);
    if (missed.length > 0) {
      this.retire(file, now);
      this.current = null;
      await this.readMissed(missed, now);
      this.current = this.retired.pop()?.file ?? null;
      this.seenAt = now;
      return;
    }
    if (this.gone?.offset !== file.offset) this.gone = { since: now, offset: file.offset };
    else if (now - this.gone.since >= this.parts.lingerMs) {
      this.current = null;
      this.gone = null;
      await this.letGo(file);
    }
  }

  /** True: there is more to read at once. */
  private async lookAtRetired(now: number): Promise<boolean> {
    let more = false;
    for (const entry of this.retired) {
      const outcome = await this.readOn(entry.file);
      if (outcome === 'closing') return false;
      more ||= outcome === 'more';
      if (entry.file.offset !== entry.offset) {
        entry.offset = entry.file.offset;
        entry.since = now;
      } else if (now - entry.since >= this.parts.lingerMs) {
        this.retired = this.retired.filter((each) => each !== entry);
        await this.letGo(entry.file);
      }
    }
    return more;
  }

  private async letGo(file: LogFile | undefined): Promise<void> {
    if (file === undefined) return;
    const removed = Number((await file.stat()).nlink) === 0;
    await file.finish();
    if (!removed) this.parts.remember(file, this.path, false);
    this.parts.letGo(file, removed);
  }
}

/** Files beside `path` that are called as it is called after a rotation. */
export async function rotatedSiblings(path: string): Promise<readonly { path: string; stats: BigIntStats }[]> {
  const folder = dirname(path);
  const name = basename(path);
  const found: { path: string; stats: BigIntStats }[] = [];
  for (const entry of await readdir(folder).catch(() => [])) {
    if (!entry.startsWith(name) || !rotatedSuffix.test(entry.slice(name.length))) continue;
    const sibling = join(folder, entry);
    const stats = await lstat(sibling, { bigint: true }).catch(() => null);
    if (stats?.isFile()) found.push({ path: sibling, stats });
    if (found.length === mostSiblings) break;
  }
  return found;
}

async function statOrNull(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
