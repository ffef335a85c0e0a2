/** Builtins on times: `now`, `duration`, `date`, `timezone`. Times without a zone of their own are UTC. */
import type { Clock } from '../../../core/clock.ts';
import { parseDuration } from '../../../core/duration.ts';
import type { BuiltinTable } from '../builtin.ts';
import { GoDuration, GoTime, GoZone, parseTime, utc } from '../go-time.ts';
import { durationType, stringType, timeType, zoneType } from '../types.ts';
import { ValueError } from '../values.ts';
import { invalidArgument, simple } from './signature.ts';

/** Tried in order when `date` is not told a layout. */
const layouts = [
  '2006-01-02',
  '15:04:05',
  '2006-01-02 15:04:05',
  '2006-01-02T15:04:05Z07:00',
  '02 Jan 06 15:04 MST',
  'Monday, 02-Jan-06 15:04:05 MST',
  'Mon, 02 Jan 2006 15:04:05 MST',
];

export function timeBuiltins(clock: Clock): BuiltinTable {
  return {
    now: {
      ...simple({ name: 'now', parameters: [zoneType], optional: 1, returns: timeType }, (zone?: GoZone) => {
        if (zone !== undefined && !(zone instanceof GoZone)) throw invalidArgument('now', zone);
        return new GoTime(clock.now(), zone ?? utc);
      }),
      impure: true,
    },
    duration: simple({ name: 'duration', parameters: [stringType], returns: durationType }, (text: string) =>
      toDuration(text),
    ),
    timezone: simple({ name: 'timezone', parameters: [stringType], returns: zoneType }, (name: string) => {
      const zone = GoZone.named(name);
      if (zone === null) throw new ValueError(`unknown time zone ${name}`);
      return zone;
    }),
    date: {
      least: 1,
      most: 4,
      check: () => timeType,
      run: (...args: unknown[]) => toDate(args),
    },
  };
}

/** Go's `time.ParseDuration`, which knows no days. @throws ValueError */
export function toDuration(text: string): GoDuration {
  const ms = text.includes('d') ? null : parseDuration(text);
  if (ms === null) throw new ValueError(`time: invalid duration ${JSON.stringify(text)}`);
  return new GoDuration(ms);
}

/** `date(text)`, `date(text, layout)`, `date(text, layout, zone)`, each also with a zone in front. */
function toDate(args: readonly unknown[]): GoTime {
  const [first, ...rest] = args;
  const zoned = first instanceof GoZone;
  const [text, layout, name] = zoned ? rest : args;
  if (typeof text !== 'string') throw invalidArgument('date', text);
  if (layout !== undefined && typeof layout !== 'string') throw invalidArgument('date', layout);
  const zone = zoned ? first : name === undefined ? utc : typeof name === 'string' ? GoZone.named(name) : null;
  if (zone === null) throw new ValueError(`unknown time zone ${String(name)}`);
  for (const candidate of layout === undefined ? layouts : [layout]) {
    const time = parseTime(text, candidate, zone);
    if (time !== null) return time;
  }
  throw new ValueError(`invalid date ${text}`);
}
