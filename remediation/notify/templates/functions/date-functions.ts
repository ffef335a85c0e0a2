/** Sprig's functions of times. A number is seconds since 1970; what is no time is now. */
import { formatDuration, parseDuration } from '../../../../core/duration.ts';
import type { RenderContext } from '../render-context.ts';
import { ValueFault } from '../template-error.ts';
import { TemplateTime, timeFromMs, zeroNanoseconds } from '../template-time.ts';
import { parseLayout } from '../time-layout.ts';
import { utc } from '../time-zone.ts';
import { define, type TemplateFunction, type TemplateValue } from '../values.ts';
import { toInt64 } from './conversions.ts';

const inZone = define(['text', 'any', 'text'], ([layout, value, zone], context) =>
  shownIn(value, zone, layout, context),
);
const modify = define(['text', 'time'], ([text, time]) => moved(time, text) ?? time);
const mustModify = define(['text', 'time'], ([text, time]) => {
  const result = moved(time, text);
  if (result === null) throw new ValueFault(`time: invalid duration ${JSON.stringify(text)}`);
  return result;
});

export const dateFunctions: Readonly<Record<string, TemplateFunction>> = {
  now: define([], (_, context) => now(context)),
  date: define(['text', 'any'], ([layout, value], context) => shownIn(value, 'Local', layout, context)),
  dateInZone: inZone,
  date_in_zone: inZone,
  htmlDate: define(['any'], ([value], context) => shownIn(value, 'Local', '2006-01-02', context)),
  htmlDateInZone: define(['any', 'text'], ([value, zone], context) => shownIn(value, zone, '2006-01-02', context)),
  dateModify: modify,
  date_modify: modify,
  mustDateModify: mustModify,
  must_date_modify: mustModify,
  ago: define(['any'], ([value], context) => {
    const ms = now(context).ms - timeOf(value, context).ms;
    return formatDuration(Math.round(ms / 1000) * 1000);
  }),
  duration: define(['any'], ([value]) => formatDuration(Number(toInt64(value)) * 1000)),
  durationRound: define(['any'], ([value], context) => roundedDuration(durationMs(value, context))),
  toDate: define(['text', 'text'], ([layout, text], context) => {
    context.charge(100 + layout.length);
    const read = parseLayout(layout, text, context.runtime.zones.local);
    return read === null ? new TemplateTime(zeroNanoseconds, utc) : new TemplateTime(read.nanoseconds, read.zone);
  }),
  mustToDate: define(['text', 'text'], ([layout, text], context) => {
    context.charge(100 + layout.length);
    const read = parseLayout(layout, text, context.runtime.zones.local);
    if (read !== null) return new TemplateTime(read.nanoseconds, read.zone);
    throw new ValueFault(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: it does not follow it`);
  }),
  unixEpoch: define(['time'], ([time]) => String(time.unix)),
};

function now(context: RenderContext): TemplateTime {
  return timeFromMs(context.runtime.clock.now(), context.runtime.zones.local);
}

function timeOf(value: TemplateValue, context: RenderContext): TemplateTime {
  if (value instanceof TemplateTime) return value;
  if (typeof value === 'bigint') return new TemplateTime(value * 1_000_000_000n, context.runtime.zones.local);
  return now(context);
}

/** Zones and layouts are the most expensive things that one call can ask for. */
function shownIn(value: TemplateValue, zone: string, layout: string, context: RenderContext): string {
  context.charge(100);
  context.reserve(layout.length * 4);
  return timeOf(value, context)
    .in(context.runtime.zones.named(zone) ?? utc)
    .format(layout);
}

function moved(time: TemplateTime, text: string): TemplateTime | null {
  const ms = text.includes('d') ? null : parseDuration(text);
  if (ms === null) return null;
  return new TemplateTime(time.nanoseconds + BigInt(Math.round(ms * 1_000_000)), time.zone);
}

function durationMs(value: TemplateValue, context: RenderContext): number {
  if (typeof value === 'string') return parseDuration(value) ?? 0;
  if (typeof value === 'bigint') return Number(value) / 1_000_000;
  return value instanceof TemplateTime ? now(context).ms - value.ms : 0;
}

const units = [
  ['y', 365 * 86_400_000],
  ['mo', 30 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** The largest unit that is exceeded, rounded down. */
function roundedDuration(ms: number): string {
  const magnitude = Math.abs(ms);
  for (const [name, unit] of units) if (magnitude > unit) return `${Math.floor(magnitude / unit)}${name}`;
  return '0s';
}
