/** The bytes of a log, in pieces: a plain file, one compressed by gzip (known by its first bytes, not its name), or standard input. */
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { GatewayError, messageOf } from '../../core/errors.ts';

/** A log that is being read. */
export interface LogBytes {
  /** As lines are told where they come from. */
  readonly name: string;
  /** Bytes of the file as it lies on the disk; null where that is not known. */
  readonly size: number | null;
  /** How many of them have been read. */
  readonly position: () => number;
  /** Each piece is valid until the next is asked for. Throws LOG_UNREADABLE. */
  readonly pieces: AsyncIterable<Buffer>;
  /** Safe twice, and before the end. */
  close(): Promise<void>;
}

/** About a thousand lines: few enough that an interrupt and the progress bar are never late. */
const pieceBytes = 256 * 1024;

/** Opens a file. Throws LOG_UNREADABLE when there is none, or when it is a folder. */
export async function openLogFile(path: string, name = path): Promise<LogBytes> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(name, cause);
  });
  try {
    const stats = await handle.stat();
    if (stats.isDirectory())
      throw new GatewayError('LOG_UNREADABLE', `${name} is a folder`, { remedy: 'Name its files.' });
    const compressed = stats.isFile() && (await beginsAsGzip(handle));
    let position = 0;
    const count = (bytes: number): void => {
      position += bytes;
    };
    return {
      name,
      size: stats.isFile() ? stats.size : null,
      position: () => position,
      pieces: named(name, compressed ? gunzipped(handle, count) : plain(handle, count)),
      close: () => handle.close(),
    };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

/** What a pipe brings; streams of Node can be left before their end. */
type Incoming = AsyncIterable<Uint8Array | string> & { destroy?(): unknown };

/** Standard input, to its end. */
export function standardInput(stream: Incoming): LogBytes {
  let position = 0;
  async function* pieces(): AsyncGenerator<Buffer> {
    for await (const piece of stream) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : bufferOf(piece);
      position += bytes.length;
      yield bytes;
    }
  }
  return {
    name: 'stdin',
    size: null,
    position: () => position,
    pieces: named('stdin', pieces()),
    close: async () => void stream.destroy?.(),
  };
}

async function* plain(handle: FileHandle, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  const memory = Buffer.allocUnsafeSlow(pieceBytes);
  for (;;) {
    const { bytesRead } = await handle.read(memory, 0, memory.length, null);
    if (bytesRead === 0) return;
    count(bytesRead);
    yield memory.subarray(0, bytesRead);
  }
}

async function* gunzipped(handle: FileHandle, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  const file = handle.createReadStream({ autoClose: false, start: 0, highWaterMark: pieceBytes });
  file.on('data', (bytes) => count(bytes.length));
  const unpacked = createGunzip({ chunkSize: pieceBytes });
  file.on('error', (error) => unpacked.destroy(error));
  for await (const piece of file.pipe(unpacked)) yield bufferOf(piece as Uint8Array);
}

/** RFC 1952, 2.3.1. Leaves the position of the handle where it is. */
async function beginsAsGzip(handle: FileHandle): Promise<boolean> {
  const head = Buffer.alloc(2);
  const { bytesRead } = await handle.read(head, 0, 2, 0);
  return bytesRead === 2 && head[0] === 0x1f && head[1] === 0x8b;
}

async function* named(name: string, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* pieces;
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

function unreadable(name: string, cause: unknown): GatewayError {
  return new GatewayError('LOG_UNREADABLE', `${name} cannot be read: ${messageOf(cause)}`, { cause });
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
