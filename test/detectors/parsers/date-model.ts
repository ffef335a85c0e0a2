/**
 * A slow model of Go's `time.Parse`: the layout becomes one regular expression, whose groups are put together with the
 * runtime's own calendar. Knows the items that ParseDate's layouts use.
 */

export interface ModelDate {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly offsetSeconds: number;
}

const monthNames = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const dayNames = 'sun mon tue wed thu fri sat';

/** Possessive, as Go never takes back a digit. */
const digits = (count: string): string => `(?=(?<x>\\d${count}))\\k<x>`;

const items: Readonly<Record<string, string>> = {
  2006: '(?<year>\\d{4})',
  Jan: `(?<monthName>${monthNames.map(anyCase).join('|')})`,
  Mon: `(?:${dayNames.split(' ').map(anyCase).join('|')})`,
  '01': '(?<month>\\d\\d)',
  '02': '(?<day>\\d\\d)',
  2: digits('{1,2}').replaceAll('x>', 'day>'),
  15: digits('{1,2}').replaceAll('x>', 'hour>'),
  '04': '(?<minute>\\d\\d)',
  '05': '(?<second>\\d\\d)',
  '.000000': '[.,](?<fraction>\\d{6})',
  '.999999999': '(?:[.,](?<fraction>\\d+))?',
  '-0700': '(?<offset>[+-]\\d{4})',
  'Z07:00': '(?<offset>Z|[+-]\\d\\d:\\d\\d)',
  MST: '(?<zone>UTC|ChST|MeST|GMT(?:[+-](?:2[0-3]|[01]?\\d)(?!\\d))?|[+-]0*(?:2[0-3]|1?\\d)(?!\\d)|WITA(?![A-Z])|[A-Z]{3}T(?![A-Z])|[A-Z]{4}T(?![A-Z])|[A-Z]{3}(?![A-Z]))',
};

const itemPattern = /2006|Jan|Mon|MST|01|02|15|04|05|2|\.0+|\.9+|-0700|Z07:00/g;

function anyCase(word: string): string {
  return Array.from(word, (letter) => `[${letter}${letter.toUpperCase()}]`).join('');
}

function patternOf(layout: string): RegExp {
  let pattern = '';
  let from = 0;
  for (const { 0: item, index } of layout.matchAll(itemPattern)) {
    pattern += literal(layout.slice(from, index)) + (items[item] ?? '');
    from = index + item.length;
    // A fraction is taken after seconds even where the layout has none.
    if (item === '05' && !/\.[09]/.test(layout)) pattern += '(?:[.,](?<fraction>\\d+))?';
  }
  return new RegExp(`^${pattern}${literal(layout.slice(from))}$`);
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&').replaceAll(/ +/g, '(?: +|$)');
}

export function modelDate(text: string, layout: string): ModelDate | null {
  const groups = patternOf(layout).exec(text)?.groups;
  if (groups === undefined) return null;
  const number = (name: string, absent: number): number => Number(groups[name] ?? absent);
  const named = groups.monthName === undefined ? -1 : monthNames.indexOf(groups.monthName.toLowerCase());
  const month = named === -1 ? number('month', 1) - 1 : named;
  const [day, hour, minute, second] = [number('day', 1), number('hour', 0), number('minute', 0), number('second', 0)];
  if (hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(number('year', 0), month, day);
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return null;
  const wall = date.getTime() / 1_000 + hour * 3_600 + minute * 60 + second;
  const nanoseconds = Number((groups.fraction ?? '').slice(0, 9).padEnd(9, '0'));
  const { offset, zone } = groups;
  if (offset === 'Z' || zone?.startsWith('UTC')) return { seconds: wall, nanoseconds, offsetSeconds: 0 };
  if (offset !== undefined) {
    const [, sign = '', hours = '', minutes = ''] = /([+-])(\d\d):?(\d\d)/.exec(offset) ?? [];
    if (Number(hours) > 24 || Number(minutes) > 60) return null;
    const offsetSeconds = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60) || 0;
    return { seconds: wall - offsetSeconds, nanoseconds, offsetSeconds };
  }
  const shown = zone?.startsWith('GMT') ? Number(zone.slice(3)) * 3_600 : 0;
  return { seconds: wall, nanoseconds, offsetSeconds: shown };
}
