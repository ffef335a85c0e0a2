/**
 * Go's `time.Time` and `time.Duration` as expressions see them. An instant is epoch milliseconds with a zone; a duration is
 * milliseconds (fractional below one). Layouts are Go's reference-date layouts, parsed and printed by Go's rules; both
 * directions are tables over the same layout items, so they are one file.
 */
import { formatDuration } from '../../core/duration.ts';

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

interface Fields {
  year: number;
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  fractionMs: number;
  pm: boolean | null;
  offset: number | null;
  zoneName: string | null;
}

/** The instant, or null when `text` does not follow `layout` exactly. Without a zone in the text, `zone` is meant. */
export function parseTime(text: string, layout: string, zone: GoZone = utc): GoTime | null {
  const fields: Fields = {
    year: 0,
    month: 1,
    day: 1,
    yearDay: 0,
    hour: 0,
    minute: 0,
    second: 0,
    fractionMs: 0,
    pm: null,
    offset: null,
    zoneName: null,
  };
  if (text.length > 128) return null;
  let rest = text;
  const parts = layoutParts(layout);
  for (const [index, part] of parts.entries()) {
    const taken = part.literal ? takeLiteral(rest, part.text) : takeItem(rest, part.text, fields, parts[index + 1]);
    if (taken === null) return null;
    rest = rest.slice(taken);
  }
  return rest === '' ? instantOf(fields, zone) : null;
}

/** Characters taken, or null. A run of spaces in a layout stands for any run of spaces. */
function takeLiteral(text: string, literal: string): number | null {
  let at = 0;
  for (let index = 0; index < literal.length; index++) {
    if (literal[index] === ' ') {
      if (at < text.length && text[at] !== ' ') return null;
      while (literal[index + 1] === ' ') index++;
      while (text[at] === ' ') at++;
    } else if (text[at] === literal[index]) at++;
    else return null;
  }
  return at;
}

function takeItem(text: string, item: string, fields: Fields, following: LayoutPart | undefined): number | null {
  const number = (pattern: RegExp, low: number, high: number, set: (value: number) => void): number | null => {
    const found = pattern.exec(text);
    const value = Number(found?.[1]);
    if (!found || value < low || value > high) return null;
    set(value);
    return found[0].length;
  };
  const name = (names: readonly string[], length: number, set: (index: number) => void): number | null => {
    const index = names.findIndex((one) => text.toLowerCase().startsWith(one.slice(0, length).toLowerCase()));
    if (index === -1) return null;
    set(index);
    return (names[index] ?? '').slice(0, length).length;
  };
  switch (item) {
    case '2006':
      return number(/^(\d{4})/, 0, 9999, (value) => (fields.year = value));
    case '06':
      return number(/^(\d{2})/, 0, 99, (value) => (fields.year = value >= 69 ? 1900 + value : 2000 + value));
    case 'January':
      return name(months, 9, (index) => (fields.month = index + 1));
    case 'Jan':
      return name(months, 3, (index) => (fields.month = index + 1));
    case 'Monday':
      return name(weekdays, 9, () => undefined);
    case 'Mon':
      return name(weekdays, 3, () => undefined);
    case '01':
      return number(/^(\d{2})/, 1, 12, (value) => (fields.month = value));
    case '1':
      return number(/^(\d{1,2})/, 1, 12, (value) => (fields.month = value));
    case '02':
      return number(/^(\d{2})/, 1, 31, (value) => (fields.day = value));
    case '_2':
    case '2':
      return number(item === '_2' ? /^ ?(\d{1,2})/ : /^(\d{1,2})/, 1, 31, (value) => (fields.day = value));
    case '002':
    case '__2':
      return number(item === '002' ? /^(\d{3})/ : /^ {0,2}(\d{1,3})/, 1, 366, (value) => (fields.yearDay = value));
    case '15':
      return number(/^(\d{1,2})/, 0, 23, (value) => (fields.hour = value));
    case '03':
    case '3':
      return number(item === '03' ? /^(\d{2})/ : /^(\d{1,2})/, 0, 12, (value) => (fields.hour = value));
    case '04':
    case '4':
      return number(item === '04' ? /^(\d{2})/ : /^(\d{1,2})/, 0, 59, (value) => (fields.minute = value));
    case '05':
    case '5':
      return takeSeconds(text, item, fields, following);
    case 'PM':
    case 'pm': {
      const mark = text.slice(0, 2);
      const [am, pm] = item === 'PM' ? ['AM', 'PM'] : ['am', 'pm'];
      if (mark !== am && mark !== pm) return null;
      fields.pm = mark === pm;
      return 2;
    }
    case 'MST':
      return takeZoneName(text, fields);
    default:
      return item[0] === '.' || item[0] === ',' ? takeFraction(text, item, fields) : takeOffset(text, item, fields);
  }
}

/** Seconds, and the fraction that Go accepts after them even when the layout has none. */
function takeSeconds(text: string, item: string, fields: Fields, following: LayoutPart | undefined): number | null {
  const found = (item === '05' ? /^(\d{2})/ : /^(\d{1,2})/).exec(text);
  const value = Number(found?.[1]);
  if (!found || value > 59) return null;
  fields.second = value;
  const declared = following?.literal === false && /^[.,]/.test(following.text);
  const implied = declared ? null : /^[.,](\d+)/.exec(text.slice(found[0].length));
  if (implied) fields.fractionMs = Number(`0.${implied[1]}`) * 1000;
  return found[0].length + (implied?.[0].length ?? 0);
}

function takeFraction(text: string, item: string, fields: Fields): number | null {
  const found = /^[.,](\d+)/.exec(text);
  if (item[1] === '9' && !found) return 0;
  if (!found || (item[1] === '0' && found[0].length !== item.length)) return null;
  fields.fractionMs = Number(`0.${found[1]}`) * 1000;
  return found[0].length;
}

function takeOffset(text: string, item: string, fields: Fields): number | null {
  if (item.startsWith('Z') && text.startsWith('Z')) {
    fields.offset = 0;
    return 1;
  }
  const shape = item.slice(1);
  const pattern =
    shape === '07'
      ? /^([+-])(\d{2})/
      : shape === '07:00'
        ? /^([+-])(\d{2}):(\d{2})/
        : shape === '0700'
          ? /^([+-])(\d{2})(\d{2})/
          : shape === '07:00:00'
            ? /^([+-])(\d{2}):(\d{2}):\d{2}/
            : /^([+-])(\d{2})(\d{2})\d{2}/;
  const found = pattern.exec(text);
  if (!found || Number(found[2]) > 24 || Number(found[3] ?? 0) > 60) return null;
  const minutes = Number(found[2]) * 60 + Number(found[3] ?? 0);
  fields.offset = found[1] === '-' ? -minutes : minutes;
  return found[0].length;
}

function takeZoneName(text: string, fields: Fields): number | null {
  const found = /^(?:[A-Z]{3,5}|[+-]\d{2}(?:\d{2})?)/.exec(text);
  if (!found) return null;
  fields.zoneName = found[0];
  return found[0].length;
}

function instantOf(fields: Fields, zone: GoZone): GoTime | null {
  let { hour, month, day } = fields;
  if (fields.pm === true && hour < 12) hour += 12;
  if (fields.pm === false && hour === 12) hour = 0;
  if (fields.yearDay > 0) {
    const date = new Date(Date.UTC(2000, 0, fields.yearDay));
    date.setUTCFullYear(fields.year, 0, fields.yearDay);
    month = date.getUTCMonth() + 1;
    day = date.getUTCDate();
  }
  const date = new Date(0);
  date.setUTCFullYear(fields.year, month - 1, day);
  if (date.getUTCMonth() !== month - 1) return null;
  const wall = date.getTime() + ((hour * 60 + fields.minute) * 60 + fields.second) * 1000 + fields.fractionMs;
  if (fields.offset !== null) {
    const offsetZone = fields.offset === 0 ? utc : GoZone.fixed(fields.zoneName ?? '', fields.offset);
    return new GoTime(wall - fields.offset * 60_000, offsetZone);
  }
  if (fields.zoneName !== null && fields.zoneName !== 'UTC') return new GoTime(wall, GoZone.fixed(fields.zoneName, 0));
  return new GoTime(wall - zone.offsetMinutes(wall - zone.offsetMinutes(wall) * 60_000) * 60_000, zone);
}
