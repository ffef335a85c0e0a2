/** Times as people say them. */

/** `4m ago`, `in 3h 59m`, `just now`. Two units at most. */
export function relativeTime(iso: string, now: number): string {
  const deltaMs = Date.parse(iso) - now;
  if (Number.isNaN(deltaMs)) return iso;
  if (Math.abs(deltaMs) < 1_000) return 'just now';
  const span = shortSpan(Math.abs(deltaMs));
  return deltaMs > 0 ? `in ${span}` : `${span} ago`;
}

/** `3h 59m`, `12s`, `2d 4h`: two units at most. */
export function shortSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const units: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) return '0s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

/** `2026-11-20 23:31:34` in UTC, and how long ago. */
export function absoluteTime(iso: string, now: number): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return iso;
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC (${relativeTime(iso, now)})`;
}
