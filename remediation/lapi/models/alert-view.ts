/**
 * An alert as `GET /v1/alerts` shows it: keys in alphabetical order, what is empty left out or null as Go's encoder has it.
 * Specification: CrowdSec `pkg/models/alert.go`, `FormatOneAlert`.
 */
import type { AlertSource } from '../../../detectors/alert.ts';
import type { StoredAlert, StoredDecision } from '../../store/store.ts';
import { writeDuration } from './durations.ts';
import { goTimeText, wholeSecondDate } from './go-dates.ts';
import { float32Value, jsonText } from '../../../core/json-text.ts';

/** One alert as JSON; `decisions` in order of their ids, null for those that were not asked for. */
export function alertJson(
  { id, alert }: StoredAlert,
  decisions: readonly StoredDecision[] | null,
  gatewayName: string,
  now: number,
): string {
  return jsonText({
    capacity: alert.capacity,
    created_at: wholeSecondDate(alert.createdAt),
    decisions: orNull((decisions ?? []).map((stored) => decisionView(stored, now))),
    events: orNull(alert.events.map(({ meta, timestamp }) => ({ meta, timestamp: goTimeText(timestamp) }))),
    events_count: alert.eventsCount,
    id,
    kind: unlessEmpty(alert.kind),
    labels: null,
    leakspeed: alert.leakspeed,
    machine_id: alert.machineId ?? gatewayName,
    message: alert.message,
    meta: alert.meta.length === 0 ? undefined : alert.meta,
    remediation: alert.remediation || undefined,
    scenario: alert.scenario,
    scenario_hash: alert.scenarioHash,
    scenario_version: alert.scenarioVersion,
    simulated: alert.simulated,
    source: sourceView(alert.source),
    start_at: wholeSecondDate(alert.startAt),
    stop_at: wholeSecondDate(alert.stopAt),
    uuid: unlessEmpty(alert.uuid),
  });
}

/** Of one that was deleted, the time since then. */
function decisionView({ id, decision, deletedAt }: StoredDecision, now: number): object {
  const until = deletedAt === null ? decision.until : Math.min(deletedAt, decision.until);
  const { origin, scenario, scope, simulated, type, value } = decision;
  return { duration: writeDuration(until - now), id, origin, scenario, scope, simulated, type, value };
}

function sourceView(source: AlertSource): object {
  return {
    as_name: unlessEmpty(source.asName),
    as_number: unlessEmpty(source.asNumber),
    cn: unlessEmpty(source.country),
    ip: unlessEmpty(source.ip),
    latitude: float32Value(source.latitude) || undefined,
    longitude: float32Value(source.longitude) || undefined,
    range: unlessEmpty(source.range),
    scope: source.scope,
    value: source.value,
  };
}

function orNull<T>(items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items;
}

function unlessEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}
