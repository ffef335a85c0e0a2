/**
 * Lines to a file or to standard output, gathered and written together. The request path only pushes to an array: a write
 * per line, or measuring the waiting text for each, cost as much as the whole judgement of a request.
 */
import { createWriteStream, mkdirSync } from 'node:fs';
import { once } from 'node:events';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import type { Clock } from '../core/clock.ts';

export interface LineWriter {
  write(line: string): void;
  /** Opens the file anew after a rotation. */
  reopen(): void;
  /** Writes what waits and closes. */
  close(): Promise<void>;
}

/** Characters that are written together, at the latest after `flushMs`. */
const batchLength = 65_536;
const flushMs = 250;
/** What may wait while the disk or the pipe is busy; beyond it lines are dropped and counted. */
const mostWaitingBytes = 16 << 20;

/** `path` is a file, or `-` for standard output. `onDrop` hears how many lines were lost, and why. */
export function createLineWriter(
  path: string,
  deps: { readonly clock: Clock; readonly onDrop: (lines: number, cause: string) => void },
): LineWriter {
  let lines: string[] = [];
  let length = 0;
  let target = open();

  function open(): Writable {
    if (path === '-') return process.stdout;
    mkdirSync(dirname(path), { recursive: true });
    const stream = createWriteStream(path, { flags: 'a', mode: 0o640 });
    // A full disk must not take the gateway down.
    stream.on('error', (error) => deps.onDrop(1, error.message));
    return stream;
  }

  function flush(): void {
    if (lines.length === 0) return;
    if (target.destroyed) target = open();
    if (target.destroyed) deps.onDrop(lines.length, 'nobody reads the standard output any more');
    else if (target.writableLength > mostWaitingBytes)
      deps.onDrop(lines.length, 'the log cannot be written fast enough');
    else target.write(lines.join(''));
    lines = [];
    length = 0;
  }

  const timer = deps.clock.every(flushMs, flush);
  return {
    write(line) {
      lines.push(line);
      length += line.length;
      if (length >= batchLength) flush();
    },
    reopen() {
      if (path === '-') return;
      flush();
      target.end();
      target = open();
    },
    async close() {
      timer.cancel();
      flush();
      if (path === '-' || target.destroyed) return;
      const closed = once(target, 'close');
      target.end();
      await closed;
    },
  };
}
