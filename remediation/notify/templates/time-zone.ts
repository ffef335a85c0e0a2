/** Zones of time by their IANA names, from the data that the runtime brings. */

/** A named zone, or a fixed distance from UTC that a text has named. */
export interface Zone {
  /** `UTC`, `Europe/Paris`; of a fixed zone its abbreviation or "". */
  readonly name: string;
  /** Seconds east of UTC, of a fixed zone only. */
  readonly fixedSeconds?: number;
}

export const utc: Zone = { name: 'UTC' };

/** A zone by name: "" and `UTC`, `Local`, or an IANA name; null when there is none. */
export function zoneByName(name: string, localZone: string): Zone | null {
  if (name === '' || name === 'UTC') return utc;
  if (name === 'Local') return zoneByName(localZone, 'UTC');
  // The runtime also takes `+02:00` and compares without case; Go takes file names.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return null;
  try {
    formatter(name, 'en-US', 'longOffset');
    return { name };
  } catch {
    return null;
  }
}

/** Seconds east of UTC at that moment. */
export function zoneOffset(zone: Zone, ms: number): number {
  if (zone.fixedSeconds !== undefined) return zone.fixedSeconds;
  if (zone.name === 'UTC') return 0;
  const text = zonePart(zone.name, 'en-US', 'longOffset', ms);
  const match = /^GMT([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?$/.exec(text);
  if (!match) return 0;
  const [, sign, hours, minutes, seconds = '0'] = match;
  const distance = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' ? -distance : distance;
}

/** `CET`, `EST`; where nobody writes letters, `+03` as in the time-zone database. */
export function zoneAbbreviation(zone: Zone, ms: number): string {
  if (zone.fixedSeconds !== undefined) return zone.name === '' ? numeric(zone.fixedSeconds) : zone.name;
  if (zone.name === 'UTC') return 'UTC';
  // Each English only knows the abbreviations of its own part of the world.
  for (const locale of ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA']) {
    const text = zonePart(zone.name, locale, 'short', ms);
    if (/^[A-Z]{2,5}$/.test(text)) return text;
  }
  return numeric(zoneOffset(zone, ms));
}

function numeric(seconds: number): string {
  const magnitude = Math.abs(seconds);
  const minutes = Math.floor((magnitude % 3600) / 60);
  const hours = String(Math.floor(magnitude / 3600)).padStart(2, '0');
  return (seconds < 0 ? '-' : '+') + hours + (minutes === 0 ? '' : String(minutes).padStart(2, '0'));
}

function formatter(zone: string, locale: string, style: 'longOffset' | 'short'): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: style });
}

function zonePart(zone: string, locale: string, style: 'longOffset' | 'short', ms: number): string {
  const parts = formatter(zone, locale, style).formatToParts(ms);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}
