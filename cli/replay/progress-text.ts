/** What the progress line of a replay says: how much of the logs has been read, lines, and what was noticed so far. */

export interface Progress {
  /** From 0 to 1; null where the end is not known. */
  readonly share: number | null;
  readonly lines: number;
  readonly alerts: number;
  /** Since the replay began. */
  readonly elapsedMs: number;
}

const barWidth = 24;

export function progressText({ share, lines, alerts, elapsedMs }: Progress): string {
  const speed = elapsedMs > 0 ? `, ${count(Math.round((lines / elapsedMs) * 1000))}/s` : '';
  const figures = `${count(lines)} lines${speed}, ${count(alerts)} ${alerts === 1 ? 'alert' : 'alerts'}`;
  if (share === null) return figures;
  const done = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `${percent} % ${'█'.repeat(done)}${'░'.repeat(barWidth - done)} ${figures}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
