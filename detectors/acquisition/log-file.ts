/**
 * One open log file, read from a position to its end, again and again. It is told from other files by device, inode and its
 * first bytes, and keeps its identity when it is renamed. What is committed is the end of the last line that the engine took.
 */
import { createHash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { GatewayError } from '../../core/errors.ts';
import type { LineOutlet } from './line-outlet.ts';
import { linkProblem } from './link-trust.ts';
import { LineSplitter, type SplitLine } from './line-splitter.ts';
import type { ResumeEntry } from './resume-store.ts';
import type { SourceMeter } from './source-meter.ts';

export interface LogFileParts {
  readonly outlet: LineOutlet;
  readonly meter: SourceMeter;
  /** Longest line, bytes. */
  readonly lineLimit: number;
  /** What is read into, shared by files that are read one after the other. */
  readonly chunk: Buffer;
}

/** How a read ended: at the end of the file, with more to read, or because the source is being closed. */
export type ReadOutcome = 'end' | 'more' | 'closing';

/** The size of `LogFileParts.chunk`. */
export const chunkBytes = 65_536;
/** What one file may read before the others have their turn. */
const turnBytes = 1_048_576;
/** First bytes that tell a file from another one that has taken over its inode or its place. */
const fingerprintBytes = 256;

/** Between opening and looking again, a rotation may happen; not every time. */
const openAttempts = 3;

/** Device and inode. */
export function fileId(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

/** Gzip, bzip2, xz and Zstandard begin with these. */
const compressed: readonly (readonly number[])[] = [
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/**
 * `path` is where it is, `source` what its lines are said to come from: the path that is followed, also after a rename.
 * @throws the file system's error, or GatewayError SOURCE_FAILED for what is no growing text file.
 */
export async function openLogFile(path: string, source: string, parts: LogFileParts): Promise<LogFile> {
  for (let attempt = 1; attempt <= openAttempts; attempt++) {
    const file = await tryToOpen(path, source, parts);
    if (file !== null) return file;
  }
  throw new GatewayError('SOURCE_FAILED', `${path} leads to another file each time it is looked at`);
}

/** Null when the path leads elsewhere meanwhile. */
async function tryToOpen(path: string, source: string, parts: LogFileParts): Promise<LogFile | null> {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) {
      throw new GatewayError('SOURCE_FAILED', `${path} is not a regular file`, {
        remedy: 'Name a file that a program appends to; a pipe can be read with source: stdin.',
      });
    }
    const problem = await linkProblem(path, stats);
    if (problem instanceof GatewayError) throw problem;
    if (problem === 'changed') {
      await handle.close();
      return null;
    }
    const file = new LogFile(source, handle, stats, parts);
    await file.isSameContent();
    if (file.isCompressed()) {
      throw new GatewayError('SOURCE_FAILED', `${path} is compressed`, {
        remedy: 'Compressed logs do not grow: exclude them with exclude_regexps, and replay them unpacked.',
      });
    }
    return file;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export class LogFile {
  readonly source: string;
  readonly id: string;
  readonly bornMs: number;
  private readonly handle: FileHandle;
  private readonly parts: LogFileParts;
  private readonly splitter: LineSplitter;
  private fingerprint: Buffer = Buffer.alloc(0);
  private position = 0;
  private committed = 0;
  /** The modification time of what has been read: the same size alone does not say that nothing has changed. */
  private changedAt: bigint | null = null;

  constructor(source: string, handle: FileHandle, stats: BigIntStats, parts: LogFileParts) {
    this.source = source;
    this.handle = handle;
    this.parts = parts;
    this.id = fileId(stats);
    this.bornMs = Number(stats.birthtimeMs);
    this.splitter = new LineSplitter(parts.lineLimit);
  }

  /** The end of the last line that was taken: from here on everything would have to be read again. */
  get offset(): number {
    return this.committed;
  }

  stat(): Promise<BigIntStats> {
    return this.handle.stat({ bigint: true });
  }

  /** Starts at a position that was committed before. */
  seek(offset: number): void {
    this.splitter.reset();
    this.position = offset;
    this.committed = offset;
  }

  /** Starts at the end: after the last line end, since what follows it is a line that is being written. */
  async seekEnd(): Promise<void> {
    const size = Number((await this.stat()).size);
    const { chunk } = this.parts;
    const from = Math.max(0, size - chunk.length);
    const { bytesRead } = await this.handle.read(chunk, 0, chunk.length, from);
    const lineEnd = chunk.subarray(0, bytesRead).lastIndexOf(0x0a);
    this.seek(lineEnd === -1 ? (from === 0 ? 0 : size) : from + lineEnd + 1);
  }

  /**
   * Whether the file still begins as it did. False: it was truncated and written anew, which its size alone need not show.
   * Looks at more of the beginning as the file grows.
   */
  async isSameContent(): Promise<boolean> {
    const start = Buffer.alloc(fingerprintBytes);
    const { bytesRead } = await this.handle.read(start, 0, fingerprintBytes, 0);
    const now = start.subarray(0, bytesRead);
    const known = this.fingerprint;
    if (bytesRead < known.length || !now.subarray(0, known.length).equals(known)) return false;
    this.fingerprint = now;
    return true;
  }

  isCompressed(): boolean {
    return compressed.some((magic) => magic.every((byte, index) => this.fingerprint[index] === byte));
  }

  /** What finds this file and place again after a restart. */
  resumeEntry(path: string, seenAt: number): ResumeEntry {
    return {
      path,
      offset: this.committed,
      prefixLength: this.fingerprint.length,
      prefixHash: hashOf(this.fingerprint),
      seenAt,
    };
  }

  /** Whether this is the file that `entry` was made from, with everything before the offset still there. */
  async matches(entry: ResumeEntry): Promise<boolean> {
    const { prefixLength, prefixHash, offset } = entry;
    if (typeof prefixLength !== 'number' || typeof offset !== 'number' || offset < 0) return false;
    if (prefixLength > this.fingerprint.length) return false;
    if (hashOf(this.fingerprint.subarray(0, prefixLength)) !== prefixHash) return false;
    return (await this.stat()).size >= offset;
  }

  /**
   * Delivers the complete lines up to the end, at most a turn's worth. A file that has become shorter, or begins differently,
   * was truncated and is read from its start.
   */
  async read(): Promise<ReadOutcome> {
    const { size, mtimeNs } = await this.stat();
    const isUntouched = Number(size) === this.position && mtimeNs === this.changedAt;
    if (isUntouched) return 'end';
    if (Number(size) < this.position || !(await this.isSameContent())) await this.startAgain();
    this.changedAt = mtimeNs;
    const { chunk } = this.parts;
    const until = this.position + turnBytes;
    while (this.position < until) {
      const { bytesRead } = await this.handle.read(chunk, 0, chunk.length, this.position);
      if (bytesRead === 0) return 'end';
      this.position += bytesRead;
      this.splitter.feed(chunk.subarray(0, bytesRead));
      for (let line = this.splitter.next(); line !== null; line = this.splitter.next()) {
        const taken = this.deliver(line);
        if (taken !== true && !(await taken)) return 'closing';
        this.commit(line);
      }
    }
    return 'more';
  }

  /** The last line, which no line end will follow any more, then closes. */
  async finish(): Promise<void> {
    const line = this.splitter.last();
    if (line !== null && (await this.deliver(line))) this.commit(line);
    await this.close();
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async startAgain(): Promise<void> {
    if (this.splitter.pending > 0) this.parts.meter.drop(1, `${this.source} was truncated in the middle of a line`);
    this.seek(0);
    this.fingerprint = Buffer.alloc(0);
    await this.isSameContent();
  }

  /** False: the source was closed before the line was taken; reading goes on at this very line another time. */
  private deliver({ text }: SplitLine): true | Promise<boolean> {
    return this.parts.outlet.deliver(text, this.source);
  }

  private commit({ consumed, truncated }: SplitLine): void {
    if (truncated) this.parts.meter.truncate();
    this.committed += consumed;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
