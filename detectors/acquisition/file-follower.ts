/**
 * All files of one document: finds those that its patterns stand for, follows each, and remembers where reading stopped. It
 * does nothing by itself; `file-source.ts` asks it to look, tests do too.
 *
 * Where reading starts: where it stopped the last time. A file that was not met before is read from its end when acquisition
 * starts, as CrowdSec does, and from its start when it appears later, also while the gateway was down.
 */
import { stat } from 'node:fs/promises';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { FileTail, rotatedSiblings, rotatedSuffix, type StartAt } from './file-tail.ts';
import { findFiles } from './find-files.ts';
import { type GlobPath, isLiteralGlob, matchesGlob, parseGlob } from './glob-pattern.ts';
import type { LineOutlet } from './line-outlet.ts';
import { chunkBytes, fileId, type LogFile, type LogFileParts } from './log-file.ts';
import type { ResumeEntry, ResumeStore } from './resume-store.ts';
import type { SourceMeter } from './source-meter.ts';

export interface FileFollowerOptions {
  readonly patterns: readonly string[];
  /** Paths that are not read although a pattern stands for them. */
  readonly excludes: (path: string) => boolean;
  /** Read what is there from its start, and remember nothing. */
  readonly oneShot: boolean;
  readonly lineLimit: number;
  readonly lingerMs: number;
  /** Where relative patterns start. */
  readonly base: string;
  /** Distinguishes the positions of this document from those of others in the store. */
  readonly resumeKey: string;
}

export interface FileFollowerParts {
  readonly outlet: LineOutlet;
  readonly meter: SourceMeter;
  readonly clock: Clock;
  readonly resume: ResumeStore;
  /** False: another document with the same labels reads this path. */
  readonly claim: (path: string) => boolean;
  /** The path is no longer read here. */
  readonly release: (path: string) => void;
}

export interface FollowerLook {
  /** There is more to read at once. */
  readonly more: boolean;
  /** Folders in which new files would appear; null when this look did not search. */
  readonly folders: readonly string[] | null;
}

/** Files that are never followed; a pattern such as `access.log*` stands for them without meaning them. */
const compressedName = /\.(?:gz|bz2|xz|zst|lz4|zip)$/i;
/** Renamed files that are open at a time, of all paths: each costs a descriptor. */
const mostLingering = 512;
/** The file system's and the wall clock may differ by this much. */
const clockSlackMs = 1_000;

export class FileFollower {
  private readonly options: FileFollowerOptions;
  private readonly parts: FileFollowerParts;
  private readonly patterns: readonly GlobPath[];
  private readonly named: ReadonlySet<string>;
  private readonly tails = new Map<string, { readonly tail: FileTail; readonly startAt: StartAt }>();
  private readonly filePart: LogFileParts;
  /** What was last put into the store, by key: putting the same again would have it written for nothing. */
  private readonly remembered = new Map<string, string>();
  private readonly problems = new Map<string, string>();
  private searchProblems: readonly string[] = [];
  private shownProblem: string | null = null;
  private readonly startedAt: number;
  private searched = false;
  /** When the last search began, epoch milliseconds: what is younger has not been met. */
  private searchedAt = 0;

  /** @throws GatewayError ACQUISITION_INVALID for a pattern that cannot be read. */
  constructor(options: FileFollowerOptions, parts: FileFollowerParts) {
    this.options = options;
    this.parts = parts;
    this.patterns = options.patterns.flatMap((pattern) => parseGlob(pattern));
    this.named = new Set(options.patterns.filter(isLiteralGlob));
    const { outlet, meter, clock } = parts;
    this.startedAt = clock.now();
    this.filePart = { outlet, meter, lineLimit: options.lineLimit, chunk: Buffer.allocUnsafe(chunkBytes) };
  }

  /** Reads what has come in all files; `search`: looks for new files first. Never rejects. */
  async look(search: boolean): Promise<FollowerLook> {
    const folders = search || !this.searched ? await this.search() : null;
    let more = false;
    let lingering = 0;
    for (const [path, { tail, startAt }] of this.tails) {
      try {
        more = (await tail.look(startAt)).more || more;
        if (lingering + tail.lingering > mostLingering) await tail.letRetiredGo();
        lingering += tail.lingering;
        this.problems.delete(path);
      } catch (error) {
        this.problems.set(path, problemOf(path, error));
      }
    }
    this.show();
    return { more, folders };
  }

  /** Delivers last lines without an end, after everything was read once (`mode: cat`). */
  async finish(): Promise<void> {
    for (const { tail } of this.tails.values()) await tail.finish();
  }

  async close(): Promise<void> {
    for (const { tail } of this.tails.values()) await tail.close();
    if (!this.options.oneShot && this.searched) this.noteSearch();
  }

  private async search(): Promise<readonly string[]> {
    this.searchedAt = this.parts.clock.now();
    const { files, folders, problems } = await findFiles(this.patterns, this.options.base);
    for (const path of this.problems.keys()) if (!this.tails.has(path)) this.problems.delete(path);
    const present = new Set(files.filter((path) => this.isWanted(path)));
    this.searchProblems = problems;
    for (const [path, { tail }] of this.tails) {
      if (present.has(path) || !tail.idle) continue;
      this.tails.delete(path);
      this.parts.release(path);
      this.problems.delete(path);
    }
    if (!this.searched && !this.options.oneShot) for (const path of this.followedBefore()) present.add(path);
    const isNew = [...present].filter((path) => !this.tails.has(path) && !isRotated(path, present));
    for (const path of isNew) {
      if (!this.parts.claim(path)) continue;
      const tail = this.createTail(path);
      const startAt = await this.startOf(path, tail);
      this.tails.set(path, { tail, startAt });
    }
    if (!this.searched || isNew.length > 0) this.noteSearch();
    this.searched = true;
    return folders;
  }

  /** Paths of the last time that lead nowhere now: what they led to may have been renamed with lines that were not read. */
  private followedBefore(): readonly string[] {
    const paths = this.parts.resume.entries(this.keyOf('')).map(([, { path }]) => String(path));
    const { base } = this.options;
    return paths.filter(
      (path) => this.patterns.some((pattern) => matchesGlob(pattern, path, base)) && this.isWanted(path),
    );
  }

  private isWanted(path: string): boolean {
    if (this.options.excludes(path)) return false;
    if (!compressedName.test(path)) return true;
    if (this.named.has(path))
      this.problems.set(path, `${path} is compressed: such files do not grow; replay it unpacked`);
    return false;
  }

  /** Where to start in a file that is found to be new, once what is left of its predecessors has been taken up. */
  private async startOf(path: string, tail: FileTail): Promise<StartAt> {
    if (this.options.oneShot) return 'start';
    if (this.searched) return 'start';
    const { resume } = this.parts;
    const past = resume.entries(this.keyOf('')).filter(([, entry]) => entry.path === path);
    if (past.length > 0) {
      await this.adoptPredecessors(path, tail, past);
      return 'start';
    }
    const searchedAt = resume.get(this.options.resumeKey)?.searchedAt;
    const since = typeof searchedAt === 'number' ? searchedAt - clockSlackMs : this.startedAt;
    const born = await stat(path).then(
      ({ birthtimeMs }) => birthtimeMs,
      () => 0,
    );
    return born > since ? 'start' : 'end';
  }

  /** Files that were followed here before the restart and have been renamed since. */
  private async adoptPredecessors(
    path: string,
    tail: FileTail,
    past: readonly (readonly [string, ResumeEntry])[],
  ): Promise<void> {
    const id = await stat(path, { bigint: true }).then(fileId, () => null);
    const siblings = new Map((await rotatedSiblings(path)).map((each) => [fileId(each.stats), each.path]));
    const isReplaced = id === null || !past.some(([key]) => key === this.keyOf(id));
    for (const [index, [key, { seenAt }]] of past.entries()) {
      const sibling = siblings.get(key.slice(this.keyOf('').length));
      if (sibling === undefined) continue;
      const newest = isReplaced && index === past.length - 1;
      try {
        await tail.adopt(sibling, typeof seenAt === 'number' ? seenAt : 0, newest);
      } catch (error) {
        this.problems.set(path, problemOf(sibling, error));
      }
    }
  }

  private createTail(path: string): FileTail {
    const { clock, resume } = this.parts;
    return new FileTail(path, {
      ...this.filePart,
      clock,
      lingerMs: this.options.lingerMs,
      recall: (file) => this.recall(file),
      isForeign: (id, ownPath) => this.isOpenElsewhere(id, ownPath),
      remember: (file, path, always) => this.remember(file, path, always),
      letGo: (file, isRemoved) => {
        this.remembered.delete(this.keyOf(file.id));
        if (isRemoved) resume.delete(this.keyOf(file.id));
      },
    });
  }

  private isOpenElsewhere(id: string, ownPath: string): boolean {
    for (const [path, { tail }] of this.tails) if (path !== ownPath && tail.ids().includes(id)) return true;
    return false;
  }

  private async recall(file: LogFile): Promise<boolean> {
    if (this.options.oneShot) return false;
    const entry = this.parts.resume.get(this.keyOf(file.id));
    if (entry === undefined || !(await file.matches(entry))) return false;
    file.seek(Number(entry.offset));
    return true;
  }

  private remember(file: LogFile, path: string, always: boolean): void {
    if (this.options.oneShot) return;
    const key = this.keyOf(file.id);
    const entry = file.resumeEntry(path, this.parts.clock.now());
    const mark = `${entry.offset} ${entry.prefixHash} ${path}`;
    if (!always && this.remembered.get(key) === mark) return;
    this.remembered.set(key, mark);
    this.parts.resume.set(key, entry);
  }

  private noteSearch(): void {
    if (!this.options.oneShot) this.parts.resume.set(this.options.resumeKey, { searchedAt: this.searchedAt });
  }

  private keyOf(id: string): string {
    return `${this.options.resumeKey}\n${id}`;
  }

  private show(): void {
    const { meter } = this.parts;
    const isReading = [...this.tails.values()].some(({ tail }) => !tail.idle);
    if (isReading) meter.running();
    else meter.waiting();
    const [first, ...others] = [...this.problems.values(), ...this.searchProblems];
    const problem = first === undefined ? null : others.length === 0 ? first : `${first} (and ${others.length} more)`;
    if (problem !== this.shownProblem) meter.trouble(problem);
    this.shownProblem = problem;
  }
}

/**
 * Whether the path is what another one is called after a rotation. Its lines were read under the former name, and who follows
 * that name looks at the renamed file for a while longer. The copy that copytruncate makes holds nothing new at all.
 */
function isRotated(path: string, present: ReadonlySet<string>): boolean {
  const suffix = /[.-]\d[\d.T_-]*$/.exec(path)?.[0] ?? '';
  return rotatedSuffix.test(suffix) && present.has(path.slice(0, -suffix.length));
}

function problemOf(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES' || code === 'EPERM') return `${path}: permission denied`;
  const message = messageOf(error);
  return message.includes(path) ? message : `${path}: ${message}`;
}
