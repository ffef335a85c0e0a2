/** The lines of a log as CrowdSec reads a file once: ends of lines removed, empty lines left out, and a limit on each. */

export interface LogLines {
  readonly lines: readonly string[];
  /** The number of the line, from 1, at which reading ended because it was too long; null when all were read. */
  readonly endedAt: number | null;
}

/** Bytes of a line with its end: the buffer of Go's scanner. */
const mostLineBytes = 65_536;

export function readLogLines(content: Uint8Array): LogLines {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const lines: string[] = [];
  let start = 0;
  for (let number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    // A line without an end must leave room for the scanner to see that the file is over.
    if (end - start >= mostLineBytes) return { lines, endedAt: number };
    const text = bytes.toString('utf8', start, bytes[end - 1] === 13 && end > start ? end - 1 : end);
    if (text !== '') lines.push(text);
    start = end + 1;
  }
  return { lines, endedAt: null };
}
