/** One line on a terminal that says what is being fetched, and is gone when that is done. */
import type { Clock } from '../../core/clock.ts';
import type { HubProgress } from '../../detectors/hub/hub.ts';
import type { TextStream } from '../io.ts';
import { cutTo, safeText } from '../output/safe-text.ts';
import { sizeText } from './hub-show.ts';

export interface ProgressLine {
  readonly show: HubProgress;
  clear(): void;
}

/** A terminal is not written to more often than people see. */
const redrawMs = 80;

/** Shows nothing where no person looks. */
export function createProgressLine(stream: TextStream, clock: Clock): ProgressLine {
  if (stream.isTTY !== true) return { show: () => {}, clear: () => {} };
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    show(name, received, total) {
      const now = clock.monotonic();
      if (now - drawnAt < redrawMs) return;
      drawnAt = now;
      const share = total === null ? sizeText(received) : `${sizeText(received)} of ${sizeText(total)}`;
      const text = cutTo(`fetching ${safeText(name)}  ${share}`, (stream.columns ?? 80) - 1);
      stream.write(`\r\x1b[2K${text}`);
    },
    clear() {
      if (drawnAt === Number.NEGATIVE_INFINITY) return;
      stream.write('\r\x1b[2K');
      drawnAt = Number.NEGATIVE_INFINITY;
    },
  };
}
