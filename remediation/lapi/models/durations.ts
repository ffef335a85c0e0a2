/** Durations of the wire: Go's, with `d` for days on the way in and whole seconds on the way out. */
import { formatDuration, parseDuration } from '../../../core/duration.ts';

/** What 64 bits of nanoseconds hold. */
const longestMs = 9_223_372_036_854.775;

/** Of a text that is no duration. */
const longestShown = 100;

const units: ReadonlySet<string> = new Set(['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h', 'd']);

/** Milliseconds, or Go's words for why there are none. */
export function readDuration(text: string): number | string {
  const ms = parseDuration(text);
  if (ms !== null && Math.abs(ms) <= longestMs) return ms;
  const shown = text.slice(0, longestShown);
  const unit = ms === null ? firstStrangeUnit(shown) : null;
  if (unit === null) return `time: invalid duration ${JSON.stringify(shown)}`;
  if (unit === '') return `time: missing unit in duration ${JSON.stringify(shown)}`;
  return `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(shown)}`;
}

/** What follows the first number that no known unit follows, or null when something else is wrong. */
function firstStrangeUnit(text: string): string | null {
  const part = /(?:\d+\.?\d*|\.\d+)([^.\d]*)/y;
  part.lastIndex = /^[+-]/.test(text) ? 1 : 0;
  for (let found = part.exec(text); found !== null; found = part.exec(text)) {
    const [, unit = ''] = found;
    if (!units.has(unit)) return unit;
  }
  return null;
}

/** `3h59m58s`, `-1m2s`: rounded to seconds, halves away from zero; never days, never fractions. */
export function writeDuration(ms: number): string {
  return formatDuration(Math.sign(ms) * Math.round(Math.abs(ms) / 1_000) * 1_000);
}
