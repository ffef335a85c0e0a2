/** What other Local APIs are told of this gateway's work, read from its counters when a report is due. */
import type { StreamBouncer } from '../../remediation/lapi/client/stream-bouncer.ts';
import type { UsageSource } from '../../remediation/lapi/client/usage-metrics.ts';
import type { UsageItem } from '../../remediation/lapi/client/usage-models.ts';
import type { Counters } from '../counters.ts';
import type { LogReading } from '../detection.ts';

const ipTypes = { 4: 'ipv4', 6: 'ipv6' } as const;

/** `stream` is null for a Local API in live mode, which knows itself what it decided. */
export function bouncerUsageSource(
  { byVersion, dropped }: Pick<Counters, 'byVersion' | 'dropped'>,
  stream: Pick<StreamBouncer, 'countsByOrigin'> | null,
): UsageSource {
  return {
    items(): UsageItem[] {
      const active = (stream?.countsByOrigin() ?? []).flatMap(({ origin, ipv4, ipv6, other }): UsageItem[] => {
        const item = { name: 'active_decisions', unit: 'ip', origin } as const;
        const counts: UsageItem[] = [
          { ...item, value: ipv4, ipType: 'ipv4' },
          { ...item, value: ipv6, ipType: 'ipv6' },
          { ...item, value: other },
        ];
        return counts.filter(({ value }) => value > 0);
      });
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
      return [...active, ...processed, ...refused];
    },
  };
}

export function machineUsageSource(reading: () => LogReading): UsageSource {
  return {
    items() {
      const { sources, lines } = reading();
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
      for (const { kind } of reading().sources) kinds[kind] = (kinds[kind] ?? 0) + 1;
      return kinds;
    },
  };
}
