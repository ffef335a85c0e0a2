/**
 * Go's reference-date layouts, compiled: what the layout asks for is found out once, and a text is read code by code. Log
 * lines come a hundred thousand a second and most layouts fail at the first character.
 * Specification: Go `time/format.go` (`nextStdChunk`, `parse`). One file, because layout items and their readers are a table.
 */

/** An instant as written: Go's `time.Time` with its offset. */
export interface ParsedDate {
  /** Seconds since the epoch, whole. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Of the zone in which it was written, east positive. */
  readonly offsetSeconds: number;
  /** `offset`: the text gives one, or says Z or UTC. `name`: it only names a zone, which is taken for UTC. */
  readonly zone: 'offset' | 'name' | 'none';
  /** The abbreviation that was read, or "". */
  readonly zoneName: string;
}

/** Null when the text does not follow the layout to its end, or names a day that is not. */
export type DateLayout = (text: string) => ParsedDate | null;

/** What has been read, and where. Reused from call to call. */
interface Reading {
  text: string;
  at: number;
  year: number;
  /** -1: not given. */
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  nanoseconds: number;
  pmSet: boolean;
  amSet: boolean;
  isUtc: boolean;
  /** -1: not given, as Go has it. */
  offsetSeconds: number;
  zoneName: string;
}

/** Reads one part of a layout; false when the text does not go on like that. */
type Reader = (reading: Reading) => boolean;

/** Longer texts are no dates. */
const longestDate = 256;

const item =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?![0-9])/g;

/** Never throws: any text is a layout. */
export function compileDateLayout(layout: string): DateLayout {
  const readers = layoutReaders(layout);
  const reading = emptyReading();
  return (text) => {
    if (text.length > longestDate) return null;
    restart(reading, text);
    for (const reader of readers) if (!reader(reading)) return null;
    return reading.at === text.length ? dateOf(reading) : null;
  };
}

function layoutReaders(layout: string): readonly Reader[] {
  const found = [...layout.matchAll(item)];
  const readers: Reader[] = [];
  let from = 0;
  for (const [index, { 0: text, index: at }] of found.entries()) {
    if (at > from) readers.push(literal(layout.slice(from, at)));
    readers.push(itemReader(text, found[index + 1]?.[0] ?? ''));
    from = at + text.length;
  }
  if (from < layout.length) readers.push(literal(layout.slice(from)));
  return readers;
}

function emptyReading(): Reading {
  return {
    text: '',
    at: 0,
    year: 0,
    month: -1,
    day: -1,
    yearDay: -1,
    hour: 0,
    minute: 0,
    second: 0,
    nanoseconds: 0,
    pmSet: false,
    amSet: false,
    isUtc: false,
    offsetSeconds: -1,
    zoneName: '',
  };
}

function restart(reading: Reading, text: string): void {
  reading.text = text;
  reading.at = 0;
  reading.year = 0;
  reading.month = -1;
  reading.day = -1;
  reading.yearDay = -1;
  reading.hour = 0;
  reading.minute = 0;
  reading.second = 0;
  reading.nanoseconds = 0;
  reading.pmSet = false;
  reading.amSet = false;
  reading.isUtc = false;
  reading.offsetSeconds = -1;
  reading.zoneName = '';
}

/** A run of spaces stands for any run of spaces, and for none at the end of the text. */
function literal(text: string): Reader {
  const parts = text.split(/( +)/);
  return (reading) => {
    for (const part of parts) {
      if (part === '') continue;
      if (part.charCodeAt(0) === 32) {
        if (reading.at < reading.text.length && reading.text.charCodeAt(reading.at) !== 32) return false;
        while (reading.text.charCodeAt(reading.at) === 32) reading.at++;
      } else if (reading.text.startsWith(part, reading.at)) reading.at += part.length;
      else return false;
    }
    return true;
  };
}

const months = 'January February March April May June July August September October November December'.split(' ');
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** `next` is the item that follows in the layout, or "". */
function itemReader(text: string, next: string): Reader {
  switch (text) {
    case '2006':
      return readLongYear;
    case '06':
      return number(2, 2, 0, 99, (reading, value) => (reading.year = value + (value >= 69 ? 1900 : 2000)));
    case 'January':
      return name(months, (reading, index) => (reading.month = index + 1));
    case 'Jan':
      return name(months.map(short), (reading, index) => (reading.month = index + 1));
    case 'Monday':
      return name(weekdays, () => undefined);
    case 'Mon':
      return name(weekdays.map(short), () => undefined);
    case '01':
    case '1':
      return number(text.length, 2, 1, 12, (reading, value) => (reading.month = value));
    case '02':
    case '2':
      return number(text.length, 2, 0, 99, (reading, value) => (reading.day = value));
    case '_2':
      return afterSpaces(
        1,
        number(1, 2, 0, 99, (reading, value) => (reading.day = value)),
      );
    case '002':
    case '__2':
      return afterSpaces(
        text === '__2' ? 2 : 0,
        number(text === '__2' ? 1 : 3, 3, 0, 999, (reading, value) => (reading.yearDay = value)),
      );
    case '15':
      return number(1, 2, 0, 23, (reading, value) => (reading.hour = value));
    case '03':
    case '3':
      return number(text.length, 2, 0, 12, (reading, value) => (reading.hour = value));
    case '04':
    case '4':
      return number(text.length, 2, 0, 59, (reading, value) => (reading.minute = value));
    case '05':
    case '5':
      return seconds(text.length, next);
    case 'PM':
    case 'pm':
      return halfDay(text);
    case 'MST':
      return readZone;
    default:
      return text.startsWith('.') || text.startsWith(',') ? fraction(text) : offset(text);
  }
}

function short(word: string): string {
  return word.slice(0, 3);
}

/** A number of `least` to `most` digits, as many as there are. */
function number(
  least: number,
  most: number,
  low: number,
  high: number,
  set: (reading: Reading, value: number) => void,
): Reader {
  return (reading) => {
    let value = 0;
    let digits = 0;
    while (digits < most) {
      const digit = digitAt(reading.text, reading.at + digits);
      if (digit === -1) break;
      value = value * 10 + digit;
      digits++;
    }
    if (digits < least || digits === 0 || value < low || value > high) return false;
    reading.at += digits;
    set(reading, value);
    return true;
  };
}

const readLongYear = number(4, 4, 0, 9999, (reading, value) => (reading.year = value));

function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57 ? code - 48 : -1;
}

function afterSpaces(most: number, reader: Reader): Reader {
  return (reading) => {
    for (let skipped = 0; skipped < most && reading.text.charCodeAt(reading.at) === 32; skipped++) reading.at++;
    return reader(reading);
  };
}

/** One of `names`, in any case. */
function name(names: readonly string[], set: (reading: Reading, index: number) => void): Reader {
  const lowered = names.map((each) => each.toLowerCase());
  return (reading) => {
    for (let index = 0; index < lowered.length; index++) {
      const word = lowered[index] as string;
      if (!startsWithFolded(reading.text, reading.at, word)) continue;
      reading.at += word.length;
      set(reading, index);
      return true;
    }
    return false;
  };
}

/** Whether `word`, which is lower-case ASCII, stands at `at` in any case. */
function startsWithFolded(text: string, at: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    const code = text.charCodeAt(at + index);
    if (code !== word.charCodeAt(index) && code + 32 !== word.charCodeAt(index)) return false;
  }
  return true;
}

/** Seconds, and the fraction that Go accepts after them even when the layout has none. */
function seconds(least: number, next: string): Reader {
  const read = number(least, 2, 0, 59, (reading, value) => (reading.second = value));
  const fractionFollows = next.startsWith('.') || next.startsWith(',');
  return (reading) => {
    if (!read(reading)) return false;
    if (fractionFollows || !startsFraction(reading)) return true;
    takeFraction(reading, digitsFrom(reading.text, reading.at + 1));
    return true;
  };
}

/** `.000` wants as many digits, `.999` takes any number of them or none. */
function fraction(text: string): Reader {
  const exact = text[1] === '0' ? text.length - 1 : -1;
  return (reading) => {
    if (!startsFraction(reading)) return exact === -1;
    const digits = digitsFrom(reading.text, reading.at + 1);
    if (digits < exact) return false;
    takeFraction(reading, exact === -1 ? digits : exact);
    return true;
  };
}

function startsFraction({ text, at }: Reading): boolean {
  const code = text.charCodeAt(at);
  return (code === 46 || code === 44) && digitAt(text, at + 1) !== -1;
}

function digitsFrom(text: string, from: number): number {
  let at = from;
  while (digitAt(text, at) !== -1) at++;
  return at - from;
}

/** Nanoseconds; what is finer is dropped. */
function takeFraction(reading: Reading, digits: number): void {
  let value = 0;
  for (let place = 1; place <= 9; place++) {
    value = value * 10 + (place <= digits ? digitAt(reading.text, reading.at + place) : 0);
  }
  reading.nanoseconds = value;
  reading.at += digits + 1;
}

function halfDay(text: string): Reader {
  const am = text === 'PM' ? 'AM' : 'am';
  const pm = text;
  return (reading) => {
    const isPm = reading.text.startsWith(pm, reading.at);
    if (!isPm && !reading.text.startsWith(am, reading.at)) return false;
    if (isPm) reading.pmSet = true;
    else reading.amSet = true;
    reading.at += 2;
    return true;
  };
}

/** `-0700`, `Z07:00` and the like. */
function offset(text: string): Reader {
  const utcAllowed = text.startsWith('Z');
  const colons = text.includes(':');
  const digits = text.replaceAll(/[^0-9]/g, '').length;
  return (reading) => {
    if (utcAllowed && reading.text.charCodeAt(reading.at) === 90) {
      reading.at++;
      reading.isUtc = true;
      return true;
    }
    const sign = reading.text.charCodeAt(reading.at);
    if (sign !== 43 && sign !== 45) return false;
    let at = reading.at + 1;
    let total = 0;
    for (let part = 0; part < digits; part += 2) {
      if (part > 0 && colons && reading.text.charCodeAt(at++) !== 58) return false;
      const tens = digitAt(reading.text, at++);
      const ones = digitAt(reading.text, at++);
      const value = tens * 10 + ones;
      // Go allows the highest values themselves: 24 hours, 60 minutes.
      if (tens === -1 || ones === -1 || value > (part === 0 ? 24 : 60)) return false;
      total += value * (part === 0 ? 3_600 : part === 2 ? 60 : 1);
    }
    reading.at = at;
    reading.offsetSeconds = sign === 45 ? -total : total;
    return true;
  };
}

function readZone(reading: Reading): boolean {
  if (reading.text.startsWith('UTC', reading.at)) {
    reading.isUtc = true;
    reading.at += 3;
    return true;
  }
  const length = zoneLength(reading.text.slice(reading.at, reading.at + 16));
  if (length === 0) return false;
  reading.zoneName = reading.text.slice(reading.at, reading.at + length);
  reading.at += length;
  return true;
}

/** How much of the text is an abbreviation of a zone: `CEST`, `GMT+3`, `+03`; 0 for none. */
function zoneLength(text: string): number {
  if (/^(?:ChST|MeST)/.test(text)) return 4;
  const signed = /^(GMT)?([+-](\d+))?/.exec(text);
  const hours = Number(signed?.[3] ?? 0);
  if (signed?.[1] !== undefined) return hours > 23 || signed[2] === undefined ? 3 : signed[0].length;
  if (signed?.[2] !== undefined) return hours > 23 ? 0 : signed[0].length;
  const letters = /^[A-Z]{0,6}/.exec(text)?.[0] ?? '';
  if (letters.length === 3) return 3;
  if (letters.length === 4) return letters.endsWith('T') || letters === 'WITA' ? 4 : 0;
  return letters.length === 5 && letters.endsWith('T') ? 5 : 0;
}

function dateOf(reading: Reading): ParsedDate | null {
  const { year } = reading;
  let { month, day, hour } = reading;
  if (reading.pmSet && hour < 12) hour += 12;
  else if (reading.amSet && hour === 12) hour = 0;
  if (reading.yearDay >= 0) {
    const named = dayOfYear(year, reading.yearDay);
    if (named === null || (month >= 0 && month !== named.month) || (day >= 0 && day !== named.day)) return null;
    ({ month, day } = named);
  } else {
    if (month < 0) month = 1;
    if (day < 0) day = 1;
  }
  if (day < 1 || day > daysIn(year, month)) return null;
  const seconds = daysBefore(year, month, day) * 86_400 + hour * 3_600 + reading.minute * 60 + reading.second;
  const { nanoseconds } = reading;
  if (reading.isUtc) return { seconds, nanoseconds, offsetSeconds: 0, zone: 'offset', zoneName: '' };
  const given = reading.offsetSeconds;
  const { zoneName } = reading;
  if (given !== -1) return { seconds: seconds - given, nanoseconds, offsetSeconds: given, zone: 'offset', zoneName };
  // A zone that is only named is taken for UTC; `GMT+3` is shown with its offset all the same, as Go does.
  const shown = zoneName.startsWith('GMT') && zoneName.length > 3 ? Number(zoneName.slice(3)) * 3_600 : 0;
  return { seconds, nanoseconds, offsetSeconds: shown, zone: zoneName === '' ? 'none' : 'name', zoneName };
}

function dayOfYear(year: number, yearDay: number): { month: number; day: number } | null {
  if (yearDay < 1 || yearDay > (isLeap(year) ? 366 : 365)) return null;
  let month = 1;
  let day = yearDay;
  while (day > daysIn(year, month)) day -= daysIn(year, month++);
  return { month, day };
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from the epoch to the date in the Gregorian calendar; a day past the month's end is one of the next month. */
export function daysBefore(year: number, month: number, day: number): number {
  // Years start in March, so that the leap day is the last.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfShifted = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfShifted;
  return era * 146_097 + dayOfEra - 719_468;
}
