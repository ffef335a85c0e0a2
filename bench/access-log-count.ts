/** Counts the lines of an access log while it is written, emptying it between rounds so that it does not fill the disk. */
import { createReadStream } from 'node:fs';
import { truncate } from 'node:fs/promises';

const newline = 10;

export class AccessLogCount {
  readonly #path: string;
  #lines = 0;

  /** Its writer must append (O_APPEND), as all peers do: it goes on at the new end. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The lines so far, over all rounds. Call it only while the writer is idle. */
  async countAndEmpty(): Promise<number> {
    let read = 0;
    for (;;) {
      const before = read;
      for await (const chunk of createReadStream(this.#path, { start: read, highWaterMark: 1 << 20 })) {
        const bytes = chunk as Buffer;
        read += bytes.length;
        for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) this.#lines += 1;
      }
      // Until nothing was added while it was read: a buffer that is flushed late must not be cut off uncounted.
      if (read === before) break;
    }
    await truncate(this.#path);
    return this.#lines;
  }
}
