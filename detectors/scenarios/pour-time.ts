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

/** When an event is poured, or null when it is a replayed one without a date: then only triggers take it. */
export type PourTime = (event: Event) => number | null;

/** The last date is remembered: many lines of a log share theirs. */
export function createPourTime(clock: Clock): PourTime {
  let lastText = '';
  let lastAt: number | null = null;
  return (event) => {
    if (event.ExpectMode === 0) return clock.now();
    if (event.MarshaledTime !== lastText) {
      lastText = event.MarshaledTime;
      lastAt = parseTimestamp(lastText);
    }
    return lastAt;
  };
}
