/**
 * Go's layouts of times: the reference time (Mon Jan 2 15:04:05 MST 2006) written the way that is wanted, for writing and
 * for reading. Specification: Go package time.
 */
import { fixedZone, utc, type Zone } from './time-zone.ts';

/** A moment, as it is shown in its zone. */
export interface ShownTime {
  readonly ms: number;
  readonly zone: Zone;
  /** Nanoseconds of the second. */
  readonly fraction: number;
  /** The parts of the date in its zone, as a moment whose UTC parts they are. */
  readonly local: Date;
}

/** A moment that was read. */
export interface ReadTime {
  /** Since 1970. */
  readonly nanoseconds: bigint;
  readonly zone: Zone;
}

export const monthNames: readonly string[] =
  'January February March April May June July August September October November December'.split(' ');
export const weekdayNames: readonly string[] = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Longer ones first. Fractions need a separator before and no digit after them. */
const parts =
  /January|Jan(?![a-z])|Jan|Monday|Mon|MST|2006|__2|_2006|_2|002|01|02|03|04|05|06|15|PM|pm|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,]0+(?![0-9])|[.,]9+(?![0-9])|1|2|3|4|5/g;

interface Piece {
  readonly text: string;
  readonly isLiteral: boolean;
}

function split(layout: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of layout.matchAll(parts)) {
    const literal = layout.slice(from, match.index);
    // `_2006` is an underscore and a year; `Jan` and `Mon` are words of their own.
    if (literal !== '') pieces.push({ text: literal, isLiteral: true });
    const after = layout[match.index + match[0].length] ?? '';
    if ((match[0] === 'Jan' || match[0] === 'Mon') && /[a-z]/.test(after)) {
      pieces.push({ text: match[0], isLiteral: true });
    } else if (match[0] === '_2006') pieces.push({ text: '_', isLiteral: true }, { text: '2006', isLiteral: false });
    else pieces.push({ text: match[0], isLiteral: false });
    from = match.index + match[0].length;
  }
  if (from < layout.length) pieces.push({ text: layout.slice(from), isLiteral: true });
  return pieces;
}

const two = (value: number): string => String(value).padStart(2, '0');

export function formatLayout(layout: string, time: ShownTime): string {
  const local = time.local;
  return split(layout)
    .map(({ text, isLiteral }) => (isLiteral ? text : formatPart(text, time, local)))
    .join('');
}

function formatPart(part: string, time: ShownTime, local: Date): string {
  const hour = local.getUTCHours();
  const day = local.getUTCDate();
  switch (part) {
    case '2006':
      return String(local.getUTCFullYear()).padStart(4, '0');
    case '06':
      return two(local.getUTCFullYear() % 100);
    case 'January':
      return monthNames[local.getUTCMonth()] ?? '';
    case 'Jan':
      return (monthNames[local.getUTCMonth()] ?? '').slice(0, 3);
    case '01':
      return two(local.getUTCMonth() + 1);
    case '1':
      return String(local.getUTCMonth() + 1);
    case 'Monday':
      return weekdayNames[local.getUTCDay()] ?? '';
    case 'Mon':
      return (weekdayNames[local.getUTCDay()] ?? '').slice(0, 3);
    case '02':
      return two(day);
    case '_2':
      return String(day).padStart(2);
    case '2':
      return String(day);
    case '002':
      return String(yearDay(local)).padStart(3, '0');
    case '__2':
      return String(yearDay(local)).padStart(3);
    case '15':
      return two(hour);
    case '03':
      return two(hour % 12 || 12);
    case '3':
      return String(hour % 12 || 12);
    case '04':
      return two(local.getUTCMinutes());
    case '4':
      return String(local.getUTCMinutes());
    case '05':
      return two(local.getUTCSeconds());
    case '5':
      return String(local.getUTCSeconds());
    case 'PM':
      return hour < 12 ? 'AM' : 'PM';
    case 'pm':
      return hour < 12 ? 'am' : 'pm';
    case 'MST':
      return time.zone.abbreviation(time.ms);
    default:
      return /^[.,]/.test(part) ? formatFraction(part, time.fraction) : formatOffset(part, time);
  }
}

/** `.000` always has its digits, `.999` drops the zeros at the end, and itself with them. */
function formatFraction(part: string, nanoseconds: number): string {
  const digits = String(nanoseconds)
    .padStart(9, '0')
    .slice(0, part.length - 1);
  const filled = digits.padEnd(part.length - 1, '0');
  if (part[1] === '0') return part.charAt(0) + filled;
  const trimmed = filled.replace(/0+$/, '');
  return trimmed === '' ? '' : part.charAt(0) + trimmed;
}

function formatOffset(part: string, time: ShownTime): string {
  const offset = time.zone.offset(time.ms);
  if (part.startsWith('Z') && offset === 0) return 'Z';
  const magnitude = Math.abs(offset);
  const colon = part.includes(':') ? ':' : '';
  let out = (offset < 0 ? '-' : '+') + two(Math.floor(magnitude / 3600));
  if (part.length > 3) out += colon + two(Math.floor((magnitude % 3600) / 60));
  if (part.length > 6) out += colon + two(magnitude % 60);
  return out;
}

const alternatives = (names: readonly string[]): string => names.join('|');
const offsetPattern = '[+-][0-9]{2}(?::?[0-9]{2}){0,2}';

const readers: Readonly<Record<string, string>> = {
  '2006': '[0-9]{4}',
  '06': '[0-9]{2}',
  January: alternatives(monthNames),
  Jan: alternatives(monthNames.map((name) => name.slice(0, 3))),
  '01': '[0-9]{2}',
  '1': '[0-9]{1,2}',
  Monday: alternatives(weekdayNames),
  Mon: alternatives(weekdayNames.map((name) => name.slice(0, 3))),
  '02': '[0-9]{2}',
  _2: ' ?[0-9]{1,2}',
  '2': '[0-9]{1,2}',
  '002': '[0-9]{3}',
  __2: ' {0,2}[0-9]{1,3}',
  '15': '[0-9]{1,2}',
  '03': '[0-9]{2}',
  '3': '[0-9]{1,2}',
  '04': '[0-9]{2}',
  '4': '[0-9]{1,2}',
  '05': '[0-9]{2}',
  '5': '[0-9]{1,2}',
  PM: 'AM|PM',
  pm: 'am|pm',
  MST: 'UTC|[A-Z]{3,5}|[+-][0-9]{2}(?:[0-9]{2})?',
};

function readerOf(part: string): string {
  const known = readers[part];
  if (known !== undefined) return known;
  if (part[1] === '0' && /^[.,]/.test(part)) return `[.,][0-9]{${part.length - 1}}`;
  if (/^[.,]/.test(part)) return '(?:[.,][0-9]{1,9})?';
  return part.startsWith('Z') ? `Z|${offsetPattern}` : offsetPattern;
}

/** Reads a text by a layout; null when it does not follow it. Without a zone in the text, `zone` is meant. */
export function parseLayout(layout: string, text: string, zone: Zone): ReadTime | null {
  const pieces = split(layout);
  const literal = (each: string): string => each.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
  const source = pieces.map((piece, index) => {
    if (piece.isLiteral) return literal(piece.text);
    // Go reads a fraction after the seconds even where the layout has none.
    const fraction =
      /^0?5$/.test(piece.text) && !/^[.,]/.test(pieces[index + 1]?.text ?? '') ? '(?<fraction>[.,][0-9]{1,9})?' : '';
    return `(${readerOf(piece.text)})${fraction}`;
  });
  const match = new RegExp(`^${source.join('')}$`, 'i').exec(text);
  if (!match) return null;
  const found = new Map<string, string>();
  const named = match.groups?.['fraction'];
  if (named !== undefined) found.set('.', named);
  let group = 1;
  for (const [index, { text: part, isLiteral }] of pieces.entries()) {
    if (isLiteral) continue;
    found.set(/^[.,]/.test(part) ? '.' : part, match[group] ?? '');
    group += source[index]?.includes('?<fraction>') ? 2 : 1;
  }
  return timeOf(found, zone);
}

function timeOf(found: ReadonlyMap<string, string>, zone: Zone): ReadTime | null {
  const number = (...names: string[]): number | null => {
    const name = names.find((each) => found.has(each));
    return name === undefined ? null : Number(found.get(name)?.trim());
  };
  const shortYear = number('06');
  const year = number('2006') ?? (shortYear === null ? 0 : shortYear + (shortYear >= 69 ? 1900 : 2000));
  const monthName = found.get('January') ?? found.get('Jan');
  const named = monthNames.findIndex((each) => each.slice(0, 3).toLowerCase() === monthName?.slice(0, 3).toLowerCase());
  const dayOfYear = number('002', '__2');
  const month = dayOfYear === null ? (named === -1 ? (number('01', '1') ?? 1) : named + 1) : 1;
  const day = dayOfYear ?? number('02', '_2', '2') ?? 1;
  const afternoon = (found.get('PM') ?? found.get('pm') ?? '').toLowerCase();
  let hour = number('15', '03', '3') ?? 0;
  if (afternoon === 'pm' && hour < 12) hour += 12;
  if (afternoon === 'am' && hour === 12) hour = 0;
  const minute = number('04', '4') ?? 0;
  const second = number('05', '5') ?? 0;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const outside = month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59;
  if (outside || (dayOfYear === null && date.getUTCDate() !== day)) return null;
  const nanoseconds = Number((found.get('.') ?? '').slice(1).padEnd(9, '0').slice(0, 9));
  const meant = zoneOf(found, zone);
  // The distance of a named zone depends on the moment that is looked for; two steps reach it.
  let ms = date.getTime() - meant.offset(date.getTime()) * 1000;
  ms = date.getTime() - meant.offset(ms) * 1000;
  return { nanoseconds: BigInt(ms) * 1_000_000n + BigInt(nanoseconds), zone: meant };
}

function zoneOf(found: ReadonlyMap<string, string>, otherwise: Zone): Zone {
  const abbreviation = found.get('MST');
  const offset = [...found].find(([part]) => /^[Z-]07/.test(part))?.[1];
  if (offset?.toUpperCase() === 'Z') return utc;
  if (offset !== undefined) {
    const digits = offset.replaceAll(':', '');
    const seconds =
      Number(digits.slice(1, 3)) * 3600 + Number(digits.slice(3, 5) || 0) * 60 + Number(digits.slice(5, 7) || 0);
    if (seconds === 0) return utc;
    return fixedZone(abbreviation ?? '', digits.startsWith('-') ? -seconds : seconds);
  }
  if (abbreviation === 'UTC') return utc;
  return abbreviation === undefined ? otherwise : fixedZone(abbreviation, 0);
}

/** The day of the year, from 1, of a date by its UTC parts. */
export function yearDay(local: Date): number {
  return Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}
