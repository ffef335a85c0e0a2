/** Zones of time by their IANA names, from the data that the runtime brings. */

export interface Zone {
  /** `UTC`, `Europe/Paris`; of a zone that a text has named its abbreviation, or "". */
  readonly name: string;
  /** Seconds east of UTC at that moment. */
  offset(ms: number): number;
  /** `CET`, `EST`; where nobody writes letters, `+03` as in the time-zone database. */
  abbreviation(ms: number): string;
}

export const utc: Zone = { name: 'UTC', offset: () => 0, abbreviation: () => 'UTC' };

/** The zones that templates ask for, kept, because making one takes a millisecond. */
export interface Zones {
  readonly local: Zone;
  /** "" and `UTC`, `Local`, or an IANA name; null when there is none. */
  named(name: string): Zone | null;
}

/** The database has about 600 names. */
const keptZones = 64;

/** An unknown `localZone` is UTC. */
export function createZones(localZone: string): Zones {
  const known = new Map<string, Zone | null>();
  const named = (name: string): Zone | null => {
    if (name === '' || name === 'UTC') return utc;
    if (name === 'Local') return local;
    const before = known.get(name);
    if (before !== undefined) return before;
    if (known.size >= keptZones) known.clear();
    const zone = ianaZone(name);
    known.set(name, zone);
    return zone;
  };
  const local = ianaZone(localZone) ?? utc;
  return { local, named };
}

/** A distance from UTC that a text has named. */
export function fixedZone(name: string, seconds: number): Zone {
  return { name, offset: () => seconds, abbreviation: () => (name === '' ? numeric(seconds) : name) };
}

/** Each English only knows the abbreviations of its own part of the world. */
const locales = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA'] as const;

function ianaZone(name: string): Zone | null {
  if (name === 'UTC') return utc;
  // The runtime also takes `+02:00` and compares without case; Go takes file names.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return null;
  const made = new Map<string, Intl.DateTimeFormat>();
  const part = (locale: string, style: 'longOffset' | 'short', ms: number): string => {
    const key = `${locale} ${style}`;
    const format = made.get(key) ?? new Intl.DateTimeFormat(locale, { timeZone: name, timeZoneName: style });
    made.set(key, format);
    return format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  };
  try {
    part('en-US', 'longOffset', 0);
  } catch {
    return null;
  }
  const offset = (ms: number): number => secondsOf(part('en-US', 'longOffset', ms));
  return {
    name,
    offset,
    abbreviation(ms) {
      for (const locale of locales) {
        const text = part(locale, 'short', ms);
        if (/^[A-Z]{2,5}$/.test(text)) return text;
      }
      return numeric(offset(ms));
    },
  };
}

/** `GMT+02:00` → 7200. */
function secondsOf(text: string): number {
  const match = /^GMT([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?$/.exec(text);
  if (!match) return 0;
  const [, sign, hours, minutes, seconds = '0'] = match;
  const distance = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' ? -distance : distance;
}

function numeric(seconds: number): string {
  const magnitude = Math.abs(seconds);
  const minutes = Math.floor((magnitude % 3600) / 60);
  const hours = String(Math.floor(magnitude / 3600)).padStart(2, '0');
  return (seconds < 0 ? '-' : '+') + hours + (minutes === 0 ? '' : String(minutes).padStart(2, '0'));
}
