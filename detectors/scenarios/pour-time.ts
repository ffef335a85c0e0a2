/**
 * Which clock an event is poured under. Live events are poured at the wall clock's time whatever their own date says;
 * replayed ones (time-machine) at their own date. Specification: CrowdSec `pkg/leakybucket/manager_run.go`.
 */
import type { Clock } from '../../core/clock.ts';
import type { Event } from '../event.ts';

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,](\d+))?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Epoch milliseconds (fractional: Go keeps nanoseconds), or null when `text` is not RFC 3339. */
export function parseTimestamp(text: string): number | null {
  const match = rfc3339.exec(text);
  if (match === null) return null;
  const ms = Date.parse(text.replace(',', '.'));
  if (Number.isNaN(ms)) return null;
  const beyondMs = (match[1] ?? '').slice(3, 9);
  return beyondMs === '' ? ms : ms + Number(`0.${beyondMs}`);
}

/** When `event` is poured, or null when it is a replayed one without a date: then only triggers take it. */
export function pourTime(event: Event, clock: Clock): number | null {
  return event.ExpectMode === 0 ? clock.now() : parseTimestamp(event.MarshaledTime);
}
