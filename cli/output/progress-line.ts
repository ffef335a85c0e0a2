/** The one line on a terminal that says how far a long verb has come; nothing at all where nobody looks. */
import type { Clock } from '../../core/clock.ts';
import type { TextStream } from '../io.ts';
import { cutTo } from './safe-text.ts';

export interface ProgressLine {
  /** Writes the line anew, though not more often than people see. The text must have been through `safeText`. */
  show(text: () => string): void;
  /** Leaves an empty line to go on in. Safe twice. */
  clear(): void;
}

const redrawMs = 80;
const clearLine = '\r\x1b[2K';

export function createProgressLine(stream: TextStream, clock: Clock): ProgressLine {
  if (stream.isTTY !== true) return { show: () => {}, clear: () => {} };
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    show(text) {
      const now = clock.monotonic();
      if (now - drawnAt < redrawMs) return;
      drawnAt = now;
      drawn = true;
      stream.write(`${clearLine}${cutTo(text(), (stream.columns ?? 80) - 1)}`);
    },
    clear() {
      if (drawn) stream.write(clearLine);
      drawn = false;
    },
  };
}
