/**
 * A posted alert in our own terms: scopes in CrowdSec's spelling, dates as times, and what is only read by people cut to what
 * CrowdSec's columns hold. Specification: CrowdSec `pkg/database/alerts.go`, `pkg/types/constants.go`.
 */
import type { Alert, AlertEvent, AlertSource } from '../../../detectors/alert.ts';
import { normalScope } from '../../normal-scope.ts';
import { readDate } from './go-dates.ts';
import type { PostedMeta, ValidAlert, ValidEvent, ValidSource } from './posted-alert.ts';

export interface AlertIdentity {
  /** Who sent it. */
  readonly machineId: string;
  readonly uuid: string;
  /** Epoch milliseconds: when it was received, and every date of it that cannot be read. */
  readonly now: number;
}

/** Bytes of an event's meta as JSON, and the longest value and key of an alert's meta. */
const maxEventMeta = 8_191;
const maxMetaValue = 4_095;
const maxMetaKey = 255;
const firstStrip = 2_048;
const stripMark = '<stripped>';

/** Who sends an alert decides nothing about its identity: uuid, machine and time of creation are ours. */
export function alertOf(posted: ValidAlert, { machineId, uuid, now }: AlertIdentity): Alert {
  return {
    uuid,
    kind: posted.kind ?? kindOf(posted),
    machineId,
    scenario: posted.scenario,
    scenarioHash: posted.scenario_hash,
    scenarioVersion: posted.scenario_version,
    message: posted.message,
    source: sourceOf(posted.source),
    eventsCount: posted.events_count,
    events: posted.events.map((event) => eventOf(event, now)),
    startAt: readDate(posted.start_at) ?? now,
    stopAt: readDate(posted.stop_at) ?? now,
    createdAt: now,
    capacity: posted.capacity,
    leakspeed: posted.leakspeed,
    simulated: posted.simulated,
    remediation: posted.remediation ?? false,
    labels: {},
    meta: (posted.meta ?? []).map(({ key = '', value = '' }) => ({
      key: cutBytes(key, maxMetaKey),
      value: cutBytes(value, maxMetaValue),
    })),
    requestIds: [],
  };
}

/** Of agents that do not tell it yet. */
function kindOf({ decisions = [] }: ValidAlert): string {
  return decisions[0]?.origin ?? 'crowdsec';
}

function sourceOf(source: ValidSource): AlertSource {
  return {
    scope: normalScope(source.scope),
    value: source.value,
    ip: source.ip ?? '',
    range: source.range ?? '',
    asNumber: source.as_number ?? '',
    asName: source.as_name ?? '',
    country: source.cn ?? '',
    latitude: source.latitude ?? 0,
    longitude: source.longitude ?? 0,
  };
}

function eventOf({ timestamp, meta }: ValidEvent, now: number): AlertEvent {
  return {
    timestamp: readDate(timestamp) === null ? new Date(now).toISOString() : timestamp,
    meta: stripped(meta.map(({ key = '', value = '' }) => ({ key, value }))),
  };
}

/** Long values are cut shorter and shorter until all fit; when they never do, the event loses its meta. */
function stripped(meta: readonly PostedMeta[]): readonly PostedMeta[] {
  let found = meta;
  if (isSurelyShort(meta) || jsonBytes(found) <= maxEventMeta) return found;
  for (let size = firstStrip; size > 0; size = Math.floor(size / 2)) {
    found = found.map(({ key, value }) => ({
      key,
      value: Buffer.byteLength(value) > size * 2 ? `${cutBytes(value, size)}${stripMark}` : value,
    }));
    if (jsonBytes(found) <= maxEventMeta) return found;
  }
  return [];
}

/** Whether it fits however much of it is escaped: a UTF-16 unit becomes six bytes at most. */
function isSurelyShort(meta: readonly PostedMeta[]): boolean {
  let bytes = 2;
  for (const { key, value } of meta) bytes += 22 + (key.length + value.length) * 6;
  return bytes <= maxEventMeta;
}

function jsonBytes(meta: readonly PostedMeta[]): number {
  return Buffer.byteLength(JSON.stringify(meta));
}

/** The beginning of a text, at most so many bytes of UTF-8, never half a character. */
function cutBytes(text: string, most: number): string {
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return text;
  const bytes = Buffer.from(text.slice(0, most), 'utf8');
  let end = Math.min(most, bytes.length);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
