/**
 * `TemplateTime`: Go's `time.Time` as templates use it: a moment and the zone it is shown in, with Go's layouts
 * (`2006-01-02 15:04:05 MST`). Specification: Go package time, "Constants" and "Time.Format".
 */
import { formatLayout, monthNames, weekdayNames, yearDay } from './time-layout.ts';
import { define, type TemplateFunction } from './values.ts';
import { utc, type Zone } from './time-zone.ts';

export class TemplateTime {
  /** Since 1970, in nanoseconds. */
  readonly nanoseconds: bigint;
  readonly zone: Zone;

  constructor(nanoseconds: bigint, zone: Zone) {
    this.nanoseconds = nanoseconds;
    this.zone = zone;
  }

  /** Epoch milliseconds, rounded down. */
  get ms(): number {
    const ms = this.nanoseconds / 1_000_000n;
    return Number(this.nanoseconds % 1_000_000n < 0n ? ms - 1n : ms);
  }

  get unix(): bigint {
    const seconds = this.nanoseconds / 1_000_000_000n;
    return this.nanoseconds % 1_000_000_000n < 0n ? seconds - 1n : seconds;
  }

  /** The parts of the date in its zone, as a moment whose UTC parts they are. */
  get local(): Date {
    return new Date(this.ms + this.zone.offset(this.ms) * 1000);
  }

  get fraction(): number {
    return Number(((this.nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  }

  in(zone: Zone): TemplateTime {
    return new TemplateTime(this.nanoseconds, zone);
  }

  format(layout: string): string {
    return formatLayout(layout, this);
  }

  toString(): string {
    return this.format('2006-01-02 15:04:05.999999999 -0700 MST');
  }
}

export function timeFromMs(ms: number, zone: Zone): TemplateTime {
  return new TemplateTime(BigInt(Math.round(ms * 1000)) * 1000n, zone);
}

/** The methods that templates call. Months and weekdays print as their names in Go, so that is what they are here. */
export function timeMethods(time: TemplateTime): ReadonlyMap<string, TemplateFunction> {
  const local = time.local;
  const number = (value: number): TemplateFunction => define([], () => BigInt(value));
  return new Map<string, TemplateFunction>([
    ['Format', define(['text'], ([layout]) => time.format(layout))],
    ['String', define([], () => time.toString())],
    ['UTC', define([], () => time.in(utc))],
    ['Local', define([], (_, { runtime }) => time.in(runtime.zones.local))],
    ['Unix', define([], () => time.unix)],
    ['UnixMilli', define([], () => BigInt(time.ms))],
    ['UnixNano', define([], () => BigInt.asIntN(64, time.nanoseconds))],
    ['Year', number(local.getUTCFullYear())],
    ['Month', define([], () => monthNames[local.getUTCMonth()] ?? '')],
    ['Day', number(local.getUTCDate())],
    ['Weekday', define([], () => weekdayNames[local.getUTCDay()] ?? '')],
    ['YearDay', number(yearDay(local))],
    ['Hour', number(local.getUTCHours())],
    ['Minute', number(local.getUTCMinutes())],
    ['Second', number(local.getUTCSeconds())],
    ['Nanosecond', number(time.fraction)],
    ['Before', define(['time'], ([other]) => time.nanoseconds < other.nanoseconds)],
    ['After', define(['time'], ([other]) => time.nanoseconds > other.nanoseconds)],
    ['Equal', define(['time'], ([other]) => time.nanoseconds === other.nanoseconds)],
    ['IsZero', define([], () => time.nanoseconds === zeroNanoseconds)],
  ]);
}

/** The first of January of the year 1: Go's zero time. */
export const zeroNanoseconds = -62_135_596_800_000_000_000n;
