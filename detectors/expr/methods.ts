/** Methods of Go's own types: `time.Time`, `time.Duration`, and those that structures and maps declare. */
import { formatTime, GoDuration, GoEnum, GoTime, months, weekdays } from './go-time.ts';
import { boolType, durationType, floatType, intType, type Method, stringType, timeType, type Type } from './types.ts';

/** `time.Weekday` and `time.Month`: numbers that print as names. */
const enumType: Type = {
  kind: 'struct',
  name: 'time.Weekday',
  byValue: true,
  fields: () => ({}),
  methods: { String: { parameters: [], returns: stringType, call: (self: GoEnum) => self.toString() } },
};

const minuteMs = 60_000;

const timeMethods: Readonly<Record<string, Method>> = {
  Year: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(self.local().getUTCFullYear()) },
  Month: {
    parameters: [],
    returns: enumType,
    call: (self: GoTime) => {
      const month = self.local().getUTCMonth();
      return new GoEnum('time.Month', month + 1, months[month] ?? '');
    },
  },
  Day: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(self.local().getUTCDate()) },
  YearDay: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(self.yearDay()) },
  Weekday: {
    parameters: [],
    returns: enumType,
    call: (self: GoTime) => {
      const day = self.local().getUTCDay();
      return new GoEnum('time.Weekday', day, weekdays[day] ?? '');
    },
  },
  Hour: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(self.local().getUTCHours()) },
  Minute: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(self.local().getUTCMinutes()) },
  Second: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(self.local().getUTCSeconds()) },
  Nanosecond: {
    parameters: [],
    returns: intType,
    call: (self: GoTime) => BigInt(Math.round((self.ms - Math.floor(self.ms / 1000) * 1000) * 1e6)),
  },
  Unix: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(Math.floor(self.ms / 1000)) },
  UnixMilli: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(Math.floor(self.ms)) },
  UnixMicro: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(Math.floor(self.ms * 1000)) },
  UnixNano: { parameters: [], returns: intType, call: (self: GoTime) => BigInt(Math.floor(self.ms * 1000)) * 1000n },
  IsZero: { parameters: [], returns: boolType, call: (self: GoTime) => self.ms === zeroTimeMs },
  UTC: { parameters: [], returns: timeType, call: (self: GoTime) => new GoTime(self.ms) },
  Before: { parameters: [timeType], returns: boolType, call: (self: GoTime, other: GoTime) => self.ms < other.ms },
  After: { parameters: [timeType], returns: boolType, call: (self: GoTime, other: GoTime) => self.ms > other.ms },
  Equal: { parameters: [timeType], returns: boolType, call: (self: GoTime, other: GoTime) => self.ms === other.ms },
  Sub: {
    parameters: [timeType],
    returns: durationType,
    call: (self: GoTime, other: GoTime) => new GoDuration(self.ms - other.ms),
  },
  Add: {
    parameters: [durationType],
    returns: timeType,
    call: (self: GoTime, duration: GoDuration) => new GoTime(self.ms + duration.ms, self.zone),
  },
  Truncate: {
    parameters: [durationType],
    returns: timeType,
    call: (self: GoTime, unit: GoDuration) => {
      if (unit.ms <= 0) return self;
      // Go truncates since its zero time, which is a whole number of days before the epoch.
      const since = self.ms - zeroTimeMs;
      return new GoTime(zeroTimeMs + Math.floor(since / unit.ms) * unit.ms, self.zone);
    },
  },
  Format: {
    parameters: [stringType],
    returns: stringType,
    call: (self: GoTime, layout: string) => formatTime(self, layout),
  },
  String: { parameters: [], returns: stringType, call: (self: GoTime) => self.toString() },
};

const durationMethods: Readonly<Record<string, Method>> = {
  Hours: { parameters: [], returns: floatType, call: (self: GoDuration) => self.ms / 3_600_000 },
  Minutes: { parameters: [], returns: floatType, call: (self: GoDuration) => self.ms / minuteMs },
  Seconds: { parameters: [], returns: floatType, call: (self: GoDuration) => self.ms / 1000 },
  Milliseconds: { parameters: [], returns: intType, call: (self: GoDuration) => BigInt(Math.trunc(self.ms)) },
  Microseconds: { parameters: [], returns: intType, call: (self: GoDuration) => BigInt(Math.trunc(self.ms * 1e3)) },
  Nanoseconds: { parameters: [], returns: intType, call: (self: GoDuration) => BigInt(Math.round(self.ms * 1e6)) },
  Abs: { parameters: [], returns: durationType, call: (self: GoDuration) => new GoDuration(Math.abs(self.ms)) },
  String: { parameters: [], returns: stringType, call: (self: GoDuration) => self.toString() },
};

const enumMethods = enumType.kind === 'struct' ? enumType.methods : {};
const none: Readonly<Record<string, Method>> = {};

/** Go's zero time, 1 January of year 1. */
export const zeroTimeMs = -62_135_596_800_000;

export function methodsOf(type: Type): Readonly<Record<string, Method>> {
  switch (type.kind) {
    case 'time':
      return timeMethods;
    case 'duration':
      return durationMethods;
    case 'struct':
      return type.methods;
    case 'map':
      return type.methods ?? none;
    case 'any':
    case 'nil':
    case 'bool':
    case 'int':
    case 'float':
    case 'string':
    case 'zone':
    case 'array':
      return none;
    default:
      return type satisfies never;
  }
}

/** Methods of a value whose type only the run time knows. */
export function methodsOfValue(value: unknown): Readonly<Record<string, Method>> {
  if (value instanceof GoTime) return timeMethods;
  if (value instanceof GoDuration) return durationMethods;
  return value instanceof GoEnum ? enumMethods : none;
}
