/** Reads a small text file whole, bounded: a settings path that leads to a device or a log must not fill the memory. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Raises the system's error, or a plain one when the file is longer than `limitBytes` or not UTF-8. */
export function readTextFile(path: string, limitBytes = 1024 * 1024): string {
  const file = openSync(path, 'r');
  try {
    const content = Buffer.allocUnsafe(limitBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < content.length; length += read) {
      read = readSync(file, content, length, content.length - length, null);
    }
    if (length > limitBytes) throw new Error(`it is larger than ${limitBytes} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(content.subarray(0, length));
  } finally {
    closeSync(file);
  }
}
