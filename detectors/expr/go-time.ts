/**
 * Go's `time.Time` and `time.Duration` as expressions see them. An instant is epoch milliseconds with a zone; a duration is
 * milliseconds (fractional below one). Layouts are Go's reference-date layouts, parsed and printed by Go's rules; both
 * directions are tables over the same layout items, so they are one file.
 */
import { formatDuration } from '../../core/duration.ts';
import { compileDateLayout } from './date-layout.ts';

export class GoDuration {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  toString(): string {
    return formatDuration(this.ms);
  }
}

/** A fixed offset or an IANA name; `offsetMinutes` of a name depends on the instant. */
export class GoZone {
  readonly name: string;
  readonly #fixed: number | null;
  readonly #format: Intl.DateTimeFormat | null;

  private constructor(name: string, fixed: number | null, format: Intl.DateTimeFormat | null) {
    this.name = name;
    this.#fixed = fixed;
    this.#format = format;
  }

  static fixed(name: string, offsetMinutes: number): GoZone {
    return new GoZone(name, offsetMinutes, null);
  }

  /** The zone of an IANA name, or null. */
  static named(name: string): GoZone | null {
    if (name === 'UTC' || name === '' || name === 'Local') return utc;
    try {
      const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
      return new GoZone(name, null, format);
    } catch {
      return null;
    }
  }

  offsetMinutes(ms: number): number {
    if (this.#fixed !== null) return this.#fixed;
    const part = this.#format?.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /GMT([+-])(\d{2}):(\d{2})/.exec(part) ?? [];
    if (sign === undefined) return 0;
    const offset = Number(hours) * 60 + Number(minutes);
    return sign === '-' ? -offset : offset;
  }

  toString(): string {
    return this.name;
  }
}

export const utc: GoZone = GoZone.fixed('UTC', 0);

export const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
export const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

export class GoTime {
  /** Epoch milliseconds. */
  readonly ms: number;
  readonly zone: GoZone;

  constructor(ms: number, zone: GoZone = utc) {
    this.ms = ms;
    this.zone = zone;
  }

  /** A date whose UTC fields are this instant's fields in its zone. */
  local(): Date {
    return new Date(this.ms + this.zone.offsetMinutes(this.ms) * 60_000);
  }

  /** Days since the start of the year, from 1. */
  yearDay(): number {
    const date = this.local();
    return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
  }

  /** RFC 3339 with as many fractional digits as are needed, `Z` at offset zero. */
  toJson(): string {
    return formatTime(this, '2006-01-02T15:04:05.999999999Z07:00');
  }

  /** Go's `Time.String()`. */
  toString(): string {
    return formatTime(this, '2006-01-02 15:04:05.999999999 -0700 MST');
  }
}

/** A named number as Go prints it: `Saturday`, `March`. */
export class GoEnum {
  readonly value: bigint;
  readonly #text: string;
  /** As `%T` shows it. */
  readonly type: string;

  constructor(type: string, value: number, text: string) {
    this.type = type;
    this.value = BigInt(value);
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

const layoutItem =
  /January|Jan|Monday|Mon|MST|2006|-07:00:00|-07:00|-070000|-0700|-07|Z07:00:00|Z07:00|Z070000|Z0700|Z07|[.,](?:0+|9+)(?!\d)|002|__2|_2|01|02|03|04|05|06|15|PM|pm|1|2|3|4|5/g;

interface LayoutPart {
  readonly literal: boolean;
  readonly text: string;
}

function layoutParts(layout: string): LayoutPart[] {
  const parts: LayoutPart[] = [];
  let from = 0;
  for (const found of layout.matchAll(layoutItem)) {
    // As in Go, `Jan` and `Mon` inside a longer word are text.
    const word = found[0] === 'Jan' || found[0] === 'Mon';
    if (word && /[a-z]/.test(layout[found.index + 3] ?? '')) continue;
    if (found.index > from) parts.push({ literal: true, text: layout.slice(from, found.index) });
    parts.push({ literal: false, text: found[0] });
    from = found.index + found[0].length;
  }
  if (from < layout.length) parts.push({ literal: true, text: layout.slice(from) });
  return parts;
}

export function formatTime(time: GoTime, layout: string): string {
  const date = time.local();
  const offset = time.zone.offsetMinutes(time.ms);
  let text = '';
  for (const part of layoutParts(layout)) {
    text += part.literal ? part.text : formatItem(part.text, date, offset, time);
  }
  return text;
}

function formatItem(item: string, date: Date, offset: number, time: GoTime): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const hour12 = date.getUTCHours() % 12 || 12;
  switch (item) {
    case '2006':
      return String(date.getUTCFullYear()).padStart(4, '0');
    case '06':
      return two(date.getUTCFullYear() % 100);
    case 'January':
      return months[date.getUTCMonth()] ?? '';
    case 'Jan':
      return (months[date.getUTCMonth()] ?? '').slice(0, 3);
    case 'Monday':
      return weekdays[date.getUTCDay()] ?? '';
    case 'Mon':
      return (weekdays[date.getUTCDay()] ?? '').slice(0, 3);
    case '01':
      return two(date.getUTCMonth() + 1);
    case '1':
      return String(date.getUTCMonth() + 1);
    case '02':
      return two(date.getUTCDate());
    case '_2':
      return String(date.getUTCDate()).padStart(2, ' ');
    case '2':
      return String(date.getUTCDate());
    case '002':
      return String(time.yearDay()).padStart(3, '0');
    case '__2':
      return String(time.yearDay()).padStart(3, ' ');
    case '15':
      return two(date.getUTCHours());
    case '03':
      return two(hour12);
    case '3':
      return String(hour12);
    case '04':
      return two(date.getUTCMinutes());
    case '4':
      return String(date.getUTCMinutes());
    case '05':
      return two(date.getUTCSeconds());
    case '5':
      return String(date.getUTCSeconds());
    case 'PM':
      return date.getUTCHours() < 12 ? 'AM' : 'PM';
    case 'pm':
      return date.getUTCHours() < 12 ? 'am' : 'pm';
    case 'MST':
      return zoneAbbreviation(time, offset);
    default:
      return item[0] === '.' || item[0] === ',' ? formatFraction(item, time.ms) : formatOffset(item, offset);
  }
}

function zoneAbbreviation(time: GoTime, offset: number): string {
  if (time.zone.name === 'UTC') return 'UTC';
  return /^[A-Z]{3,5}$/.test(time.zone.name) ? time.zone.name : formatOffset('-07', offset);
}

function formatFraction(item: string, ms: number): string {
  const nanoseconds = Math.round((ms - Math.floor(ms / 1000) * 1000) * 1e6);
  const digits = String(nanoseconds)
    .padStart(9, '0')
    .slice(0, Math.min(9, item.length - 1));
  if (item[1] === '0') return `${item[0]}${digits}`;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : `${item[0]}${trimmed}`;
}

function formatOffset(item: string, offset: number): string {
  if (item.startsWith('Z') && offset === 0) return 'Z';
  const magnitude = Math.abs(offset);
  const hours = String(Math.floor(magnitude / 60)).padStart(2, '0');
  const minutes = String(magnitude % 60).padStart(2, '0');
  const sign = offset < 0 ? '-' : '+';
  if (item.length === 3) return `${sign}${hours}`;
  const seconds = item.endsWith('07:00:00') ? ':00' : item.endsWith('070000') ? '00' : '';
  return item.includes(':') ? `${sign}${hours}:${minutes}${seconds}` : `${sign}${hours}${minutes}${seconds}`;
}

/** The instant, or null when `text` does not follow `layout` exactly. Without a zone in the text, `zone` is meant. */
export function parseTime(text: string, layout: string, zone: GoZone = utc): GoTime | null {
  const date = compileDateLayout(layout)(text);
  if (date === null) return null;
  const ms = date.seconds * 1_000 + date.nanoseconds / 1e6;
  if (date.zone === 'none')
    return new GoTime(ms - zone.offsetMinutes(ms - zone.offsetMinutes(ms) * 60_000) * 60_000, zone);
  const plainUtc = date.offsetSeconds === 0 && (date.zone === 'offset' || date.zoneName === 'UTC');
  return new GoTime(ms, plainUtc ? utc : GoZone.fixed(date.zoneName, date.offsetSeconds / 60));
}
