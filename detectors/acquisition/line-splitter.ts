/**
 * Bytes in, lines out: `\n` and `\r\n` end a line, a line may come in pieces, and one that is longer than the limit keeps its
 * first part while the rest is passed over. Bytes that are not UTF-8 become U+FFFD, which is what Go's expressions see too.
 */

/** CrowdSec's longest line (`bufio.MaxScanTokenSize`), bytes. */
export const defaultLineLimit = 65_536;

export interface SplitLine {
  readonly text: string;
  /** How many bytes of the input are done with up to and including this line's end. */
  readonly consumed: number;
  readonly truncated: boolean;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const empty = Buffer.alloc(0);

export class LineSplitter {
  private readonly limit: number;
  private chunk: Buffer = empty;
  private at = 0;
  /** The beginning of a line whose end has not come, at most `limit` bytes of it. */
  private pieces: Buffer[] = [];
  private held = 0;
  /** Bytes of that line so far, also those beyond the limit. */
  private length = 0;

  constructor(limit: number = defaultLineLimit) {
    this.limit = limit;
  }

  /** Bytes of an unfinished line. */
  get pending(): number {
    return this.length;
  }

  /** The next piece of input; the one before must have been read to its end. It is kept as it is until then. */
  feed(chunk: Buffer): void {
    this.chunk = chunk;
    this.at = 0;
  }

  /** The next complete line, or null: what is left is the beginning of one. */
  next(): SplitLine | null {
    const end = this.chunk.indexOf(newline, this.at);
    if (end === -1) {
      this.keep(this.chunk.subarray(this.at));
      this.chunk = empty;
      this.at = 0;
      return null;
    }
    const rest = this.chunk.subarray(this.at, end);
    this.at = end + 1;
    if (this.length === 0) return this.line(rest, rest.length, 1);
    this.keep(rest);
    return this.takePending(1);
  }

  /** The unfinished line, when there will be no more; null when there is none. */
  last(): SplitLine | null {
    return this.length === 0 ? null : this.takePending(0);
  }

  /** Forgets everything that has not been handed out. */
  reset(): void {
    this.chunk = empty;
    this.at = 0;
    this.forgetPending();
  }

  private takePending(terminator: number): SplitLine {
    const bytes = this.pieces.length === 1 ? (this.pieces[0] ?? empty) : Buffer.concat(this.pieces);
    const line = this.line(bytes, this.length, terminator);
    this.forgetPending();
    return line;
  }

  private forgetPending(): void {
    this.pieces = [];
    this.held = 0;
    this.length = 0;
  }

  private keep(bytes: Buffer): void {
    this.length += bytes.length;
    const kept = bytes.subarray(0, this.limit - this.held);
    if (kept.length === 0) return;
    // A copy: the chunk's memory is read into again.
    this.pieces.push(Buffer.from(kept));
    this.held += kept.length;
    if (this.pieces.length === 64) this.pieces = [Buffer.concat(this.pieces)];
  }

  private line(bytes: Buffer, length: number, terminator: number): SplitLine {
    const truncated = length > this.limit;
    let end = Math.min(bytes.length, this.limit);
    if (end > 0 && !truncated && bytes[end - 1] === carriageReturn) end--;
    return { text: textOf(bytes, end), consumed: length + terminator, truncated };
  }
}

/** A log that was truncated under a writer begins with a hole of NULs; they are not part of the line. */
function textOf(bytes: Buffer, end: number): string {
  let start = 0;
  while (start < end && bytes[start] === 0) start++;
  return bytes.toString('utf8', start, end);
}
