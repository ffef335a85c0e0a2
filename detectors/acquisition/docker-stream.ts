/**
 * Docker's log stream → pieces of output with their times. Without a terminal the stream is made of frames: stream number,
 * three zeros, length (32 bits, big-endian), payload; one frame is one message as the container wrote it, or a part of a long
 * one, and begins with its time because `timestamps=true` was asked for. With a terminal it is plain text, a time before
 * each line. https://docs.docker.com/reference/api/engine/ (ContainerAttach, "Stream format")
 */
import { LineSplitter } from './line-splitter.ts';

export interface DockerLine {
  readonly text: string;
  /** As Docker wrote it, with nanoseconds; "" when there was none. */
  readonly time: string;
  readonly truncated: boolean;
}

export interface DockerDecoder {
  /** The lines that `chunk` completes. @throws Error when the bytes are not such a stream. */
  feed(chunk: Buffer): readonly DockerLine[];
}

const headerBytes = 8;
/** `stdin`, `stdout`, `stderr`, and errors of the engine itself. */
const streams = 4;
/** Room for a time with its zone before a message. */
const timeBytes = 64;
const stamp = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})) ?/;

export function createDockerDecoder(isTerminal: boolean, lineLimit: number): DockerDecoder {
  return isTerminal ? new PlainDecoder(lineLimit) : new FrameDecoder(lineLimit);
}

class PlainDecoder implements DockerDecoder {
  private readonly splitter: LineSplitter;

  constructor(lineLimit: number) {
    this.splitter = new LineSplitter(lineLimit + timeBytes);
  }

  feed(chunk: Buffer): readonly DockerLine[] {
    const lines: DockerLine[] = [];
    this.splitter.feed(chunk);
    for (let line = this.splitter.next(); line !== null; line = this.splitter.next()) {
      const found = stamp.exec(line.text);
      const text = line.text.slice(found?.[0].length ?? 0);
      lines.push({ text, time: found?.[1] ?? '', truncated: line.truncated });
    }
    return lines;
  }
}

class FrameDecoder implements DockerDecoder {
  private readonly splitters: readonly LineSplitter[];
  private readonly lineLimit: number;
  private header = Buffer.alloc(0);
  private stream = 0;
  private left = 0;
  private payload: Buffer[] = [];
  private kept = 0;

  constructor(lineLimit: number) {
    this.lineLimit = lineLimit;
    this.splitters = Array.from({ length: streams }, () => new LineSplitter(lineLimit));
  }

  feed(chunk: Buffer): readonly DockerLine[] {
    const lines: DockerLine[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.left === 0) {
        rest = this.readHeader(rest);
        continue;
      }
      const part = rest.subarray(0, this.left);
      this.keep(part);
      this.left -= part.length;
      rest = rest.subarray(part.length);
      if (this.left === 0) this.takeFrame(lines);
    }
    return lines;
  }

  private readHeader(rest: Buffer): Buffer {
    const missing = headerBytes - this.header.length;
    this.header = Buffer.concat([this.header, rest.subarray(0, missing)]);
    if (this.header.length < headerBytes) return Buffer.alloc(0);
    const [stream = 0, ...zeros] = this.header.subarray(0, 4);
    if (stream >= streams || zeros.some((byte) => byte !== 0)) throw new Error('the log stream has a broken frame');
    this.stream = stream;
    this.left = this.header.readUInt32BE(4);
    this.header = Buffer.alloc(0);
    return rest.subarray(missing);
  }

  private keep(part: Buffer): void {
    const room = this.lineLimit + timeBytes - this.kept;
    if (room <= 0) return;
    // A copy of what is kept over chunks, because their memory is not ours.
    this.payload.push(Buffer.from(part.subarray(0, room)));
    this.kept += Math.min(room, part.length);
  }

  private takeFrame(lines: DockerLine[]): void {
    const bytes = Buffer.concat(this.payload);
    this.payload = [];
    this.kept = 0;
    const found = stamp.exec(bytes.toString('latin1', 0, timeBytes));
    const time = found?.[1] ?? '';
    const splitter = this.splitters[this.stream];
    splitter?.feed(bytes.subarray(found?.[0].length ?? 0));
    for (let line = splitter?.next() ?? null; line !== null; line = splitter?.next() ?? null) {
      lines.push({ text: line.text, time, truncated: line.truncated });
    }
  }
}
