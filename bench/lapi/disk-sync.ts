/** How long this disk takes to make a small write durable: no alert that is to survive a power cut is acknowledged faster. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const page = Buffer.alloc(4_096, 1);

/** Milliseconds of each of `count` writes of a page, each followed by an fdatasync, in a file of this folder. */
export function measureDiskSync(folder: string, count: number): number[] {
  const file = openSync(join(folder, 'sync'), 'w', 0o600);
  try {
    return Array.from({ length: count }, () => {
      const startedAt = performance.now();
      writeSync(file, page);
      fdatasyncSync(file);
      return performance.now() - startedAt;
    });
  } finally {
    closeSync(file);
  }
}
