/** What other Local APIs are told of this gateway's work, read from its counters when a report is due. */
import type { UsageSource } from '../../remediation/lapi/client/usage-metrics.ts';
import type { UsageItem } from '../../remediation/lapi/client/usage-models.ts';
import type { Counters } from '../counters.ts';
import type { LogReading } from '../detection.ts';

export interface WorkDone {
  readonly counters: Pick<Counters, 'byVersion' | 'dropped'>;
  readonly reading: () => LogReading;
}

const ipTypes = { 4: 'ipv4', 6: 'ipv6' } as const;

/** Requests since the start, and those that were not passed because of a decision. */
export function bouncerUsage({ byVersion, dropped }: WorkDone['counters']): UsageItem[] {
  const processed = ([4, 6] as const).map(
    (version): UsageItem => ({
      name: 'processed',
      unit: 'request',
      value: byVersion[version],
      ipType: ipTypes[version],
    }),
  );
  const refused = dropped.all().map(
    ({ origin, type, version, count }): UsageItem => ({
      name: 'dropped',
      unit: 'request',
      value: count,
      origin,
      ipType: ipTypes[version],
      remediation: type,
    }),
  );
  return [...processed, ...refused];
}

/** `reading` is null while nothing is read yet. */
export function machineUsageSource(reading: () => LogReading | null): UsageSource {
  return {
    items() {
      const now = reading();
      if (now === null) return [];
      const { sources, lines } = now;
      const read = sources.map(
        ({ kind, lines: count }): UsageItem => ({ name: 'read', unit: 'line', value: count, source: kind }),
      );
      return [
        ...read,
        { name: 'parsed', unit: 'line', value: lines.lines - lines.discarded },
        { name: 'unparsed', unit: 'line', value: lines.discarded },
        { name: 'whitelisted', unit: 'line', value: lines.whitelisted },
      ];
    },
    datasources() {
      const kinds: Record<string, number> = {};
      for (const { kind } of reading()?.sources ?? []) kinds[kind] = (kinds[kind] ?? 0) + 1;
      return kinds;
    },
  };
}
