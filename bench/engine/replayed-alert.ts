/** Alerts as every engine here tells them, and whether two engines found the same. */

/** The shape that `portcullis replay --json` prints. Times are RFC 3339 in UTC. */
export interface ReplayedAlert {
  readonly scenario: string;
  readonly source: { readonly scope: string; readonly value: string };
  readonly events_count: number;
  readonly start_at: string;
  readonly stop_at: string;
}

export interface AlertDifference {
  readonly alert: string;
  /** Whom it names. */
  readonly source: string;
  readonly ours: number;
  readonly theirs: number;
}

/** The alerts that one has oftener than the other, sorted; none when both are the same multiset. */
export function differences(ours: readonly ReplayedAlert[], theirs: readonly ReplayedAlert[]): AlertDifference[] {
  const counts = new Map<string, { source: string; ours: number; theirs: number }>();
  const count = (alerts: readonly ReplayedAlert[], side: 'ours' | 'theirs'): void => {
    for (const alert of alerts) {
      const key = textOf(alert);
      const both = counts.get(key) ?? { source: alert.source.value, ours: 0, theirs: 0 };
      both[side] += 1;
      counts.set(key, both);
    }
  };
  count(ours, 'ours');
  count(theirs, 'theirs');
  return [...counts]
    .filter(([, both]) => both.ours !== both.theirs)
    .map(([alert, both]) => ({ alert, ...both }))
    .sort((a, b) => (a.alert < b.alert ? -1 : 1));
}

function textOf({ scenario, source, events_count, start_at, stop_at }: ReplayedAlert): string {
  const time = (text: string): string => new Date(text).toISOString();
  return `${scenario} ${source.scope} ${source.value} ${events_count} events ${time(start_at)} to ${time(stop_at)}`;
}
