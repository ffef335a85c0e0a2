/**
 * `ParseDate`: the date of a log line, whatever its layout, as RFC 3339. Lines of one second carry one text, so the last
 * answer is remembered. Specification: CrowdSec `pkg/parser/enrich_date.go`.
 */
import type { Clock } from '../../core/clock.ts';
import { compileDateLayout, type DateLayout, type ParsedDate } from '../expr/date-layout.ts';

/** A date without the name of its zone. */
type Instant = Pick<ParsedDate, 'seconds' | 'nanoseconds' | 'offsetSeconds'>;

/** A date as enrichment needs it. */
export interface DateAnswer {
  /** RFC 3339: fractions without trailing zeros, `Z` for no offset. */
  readonly text: string;
  /** Epoch milliseconds, fractional below one; null when nothing was found in the text and this is the time now. */
  readonly ms: number | null;
}

/** Null where upstream fails: a date that RFC 3339 cannot write. `layout` is tried first; "" for none. */
export type DateParser = (text: string, layout: string) => DateAnswer | null;

/** In the order in which they are tried. */
export const knownLayouts = [
  '2006-01-02T15:04:05Z07:00',
  '02/Jan/2006:15:04:05 -0700',
  'Mon Jan 2 15:04:05 2006',
  '02-Jan-2006 15:04:05 europe/paris',
  '01/02/2006 15:04:05',
  '2006-01-02 15:04:05.999999999 -0700 MST',
  'Jan  2 15:04:05',
  'Mon Jan 02 15:04:05.000000 2006',
  '2006-01-02T15:04:05Z07:00',
  '2006/01/02',
  '2006/01/02 15:04',
  '2006-01-02',
  '2006-01-02 15:04',
  '2006/01/02 15:04:05',
  '2006-01-02 15:04:05',
  '2006-01-02T15:04:05',
] as const;

/** Layouts of `StrTimeFormat` that are kept compiled; parsers name a handful. */
const mostLayouts = 256;

export function createDateParser(clock: Pick<Clock, 'now'>): DateParser {
  const layouts = knownLayouts.map(compileDateLayout);
  const named = new Map<string, DateLayout>();
  const layoutOf = (layout: string): DateLayout => {
    const found = named.get(layout) ?? compileDateLayout(layout);
    if (named.size >= mostLayouts) named.clear();
    named.set(layout, found);
    return found;
  };
  const find = (text: string, layout: string): Instant | null => {
    const own = layout === '' ? null : layoutOf(layout)(text);
    if (own !== null && !isZero(own)) return own;
    for (const one of layouts) {
      const found = one(text);
      if (found !== null && !isZero(found)) return found;
    }
    return unixDate(text);
  };
  let lastText = '';
  let lastLayout = '';
  let lastUntil = 0;
  let last: DateAnswer | null = null;
  return (text, layout) => {
    const known = last !== null && text === lastText && layout === lastLayout;
    if (known && (lastUntil === Number.POSITIVE_INFINITY || clock.now() < lastUntil)) return last;
    const date = find(text, layout);
    if (date === null) return { text: rfc3339(dateAt(clock.now())) ?? '', ms: null };
    const full = inYear(date, clock);
    const written = rfc3339(full);
    if (written === null) return null;
    lastText = text;
    lastLayout = layout;
    // A date without a year is another one in the next.
    lastUntil = full === date ? Number.POSITIVE_INFINITY : yearEnd(clock);
    last = { text: written, ms: full.seconds * 1_000 + full.nanoseconds / 1e6 };
    return last;
  };
}

/** When the UTC year ends, epoch milliseconds. */
function yearEnd(clock: Pick<Clock, 'now'>): number {
  return Date.UTC(new Date(clock.now()).getUTCFullYear() + 1, 0);
}

/** Go's zero time, 1 January of the year 1, is no date. */
function isZero({ seconds, nanoseconds }: Instant): boolean {
  return seconds === zeroTimeSeconds && nanoseconds === 0;
}

const zeroTimeSeconds = -62_135_596_800;

/** A date without a year (Go's year 0) is of this one; 29 February becomes 1 March where there is none. */
function inYear(date: Instant, clock: Pick<Clock, 'now'>): Instant {
  const local = new Date((date.seconds + date.offsetSeconds) * 1_000);
  if (local.getUTCFullYear() !== 0) return date;
  local.setUTCFullYear(new Date(clock.now()).getUTCFullYear());
  return { ...date, seconds: local.getTime() / 1_000 - date.offsetSeconds };
}

/** Seconds since the epoch, above 0; a fraction is dropped. */
function unixDate(text: string): Instant | null {
  const point = text.indexOf('.');
  const whole = point === -1 ? text : text.slice(0, point);
  if (!/^\+?[0-9]{1,25}$/.test(whole)) return null;
  const seconds = Number(whole);
  return seconds > 0 && seconds < 2 ** 63 ? { seconds, nanoseconds: 0, offsetSeconds: 0 } : null;
}

function dateAt(ms: number): Instant {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanoseconds: Math.round((ms - seconds * 1_000) * 1e6), offsetSeconds: 0 };
}

/** Null for years that RFC 3339 has not, and offsets of a day and more. */
function rfc3339({ seconds, nanoseconds, offsetSeconds }: Instant): string | null {
  const local = new Date((seconds + offsetSeconds) * 1_000);
  const year = local.getUTCFullYear();
  if (!(year >= 0 && year <= 9_999) || Math.abs(offsetSeconds) >= 86_400) return null;
  const date = `${four(year)}-${two(local.getUTCMonth() + 1)}-${two(local.getUTCDate())}`;
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
  const digits = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return `${date}T${time}${digits}${offsetText(offsetSeconds)}`;
}

function offsetText(offsetSeconds: number): string {
  if (offsetSeconds === 0) return 'Z';
  // Whole minutes towards zero, as Go divides.
  const minutes = Math.trunc(Math.abs(offsetSeconds) / 60);
  return `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function four(value: number): string {
  return String(value).padStart(4, '0');
}
