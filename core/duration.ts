/**
 * Durations as CrowdSec and Go write them: `300ms`, `0.5s`, `1m30s`, `4h`, and `d` for days, which CrowdSec's command
 * line and profiles accept on top of Go's units.
 */

/** Units below a millisecond, as how many of them make one: dividing is exact where multiplying by 1e-6 is not. */
const unitsPerMs: Readonly<Record<string, number>> = { ns: 1e6, us: 1e3, µs: 1e3, μs: 1e3 };

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/y;

/** Milliseconds (fractional below one), or null when `text` is not a duration. A bare `0` is one; other bare numbers are not. */
export function parseDuration(text: string): number | null {
  const negative = text.startsWith('-');
  const body = negative || text.startsWith('+') ? text.slice(1) : text;
  if (body === '0') return 0;
  if (body === '' || body.length > 64) return null;
  let total = 0;
  part.lastIndex = 0;
  let end = 0;
  for (let match = part.exec(body); match !== null; match = part.exec(body)) {
    const [, digits, unit = ''] = match;
    total += (Number(digits) * (unitMs[unit] ?? 1)) / (unitsPerMs[unit] ?? 1);
    end = part.lastIndex;
  }
  if (end !== body.length) return null;
  return negative ? -total : total;
}

/** The spelling of Go's `Duration.String()`: `4h0m0s`, `1m30s`, `1.5s`, `300ms`; what CrowdSec's API and tables show. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const magnitude = Math.abs(ms);
  if (magnitude < 1e-3) return `${sign}${trimmed(magnitude * 1e6)}ns`;
  if (magnitude < 1) return `${sign}${trimmed(magnitude * 1e3)}µs`;
  if (magnitude < 1_000) return `${sign}${trimmed(magnitude)}ms`;
  const hours = Math.floor(magnitude / 3_600_000);
  const minutes = Math.floor((magnitude % 3_600_000) / 60_000);
  const seconds = trimmed((magnitude % 60_000) / 1_000);
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(9)));
}
