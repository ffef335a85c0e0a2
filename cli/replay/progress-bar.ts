/** The line on a terminal that says how far a long run has come; nothing at all where nobody looks. */
import type { Clock } from '../../core/clock.ts';
import type { TextStream } from '../io.ts';

export interface Progress {
  /** From 0 to 1; null where the end is not known. */
  readonly share: number | null;
  readonly lines: number;
  readonly alerts: number;
}

export interface ProgressBar {
  /** Shows it, though not more often than the eye wants. */
  show(progress: Progress): void;
  /** Leaves an empty line to go on in. Safe twice. */
  clear(): void;
}

const periodMs = 100;
const barWidth = 24;
const clearLine = '\r\x1b[K';

export function createProgressBar(stream: TextStream, clock: Clock): ProgressBar {
  if (stream.isTTY !== true) return { show() {}, clear() {} };
  const startedAt = clock.monotonic();
  let shownAt = Number.NEGATIVE_INFINITY;
  let shown = false;
  return {
    show(progress) {
      const now = clock.monotonic();
      if (now - shownAt < periodMs) return;
      shownAt = now;
      shown = true;
      const text = progressText(progress, (now - startedAt) / 1000);
      stream.write(`${clearLine}${text.slice(0, Math.max(0, (stream.columns ?? 80) - 1))}`);
    },
    clear() {
      if (shown) stream.write(clearLine);
      shown = false;
    },
  };
}

function progressText({ share, lines, alerts }: Progress, seconds: number): string {
  const speed = seconds > 0 ? `, ${count(Math.round(lines / seconds))}/s` : '';
  const figures = `${count(lines)} lines${speed}, ${count(alerts)} ${alerts === 1 ? 'alert' : 'alerts'}`;
  if (share === null) return figures;
  const done = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `${percent} % ${'█'.repeat(done)}${'░'.repeat(barWidth - done)} ${figures}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
