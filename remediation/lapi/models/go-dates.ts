/**
 * Dates as CrowdSec reads and shows them: RFC 3339 in, `Time.String()` out for events, RFC 3339 in whole seconds for alerts,
 * milliseconds for allowlists. Specification: Go `time`, go-openapi `strfmt.DateTime`.
 */
import { compileDateLayout, type DateLayout } from '../../../detectors/expr/date-layout.ts';

const rfc3339: DateLayout = compileDateLayout('2006-01-02T15:04:05Z07:00');

/** What go-openapi writes for a time that there is none of. */
export const noDate = '0001-01-01T00:00:00.000Z';

/** Epoch milliseconds, or null when `text` is no RFC 3339 date. */
export function readDate(text: string): number | null {
  const date = rfc3339(text);
  return date === null ? null : date.seconds * 1_000 + Math.floor(date.nanoseconds / 1e6);
}

/** `2020-10-26 12:52:58.5 +0000 UTC`, or with the offset that was written; other texts as they are. */
export function goTimeText(written: string): string {
  const date = rfc3339(written);
  if (date === null) return written;
  const local = new Date((date.seconds + date.offsetSeconds) * 1_000);
  const fraction = date.nanoseconds === 0 ? '' : `.${String(date.nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  const day = `${String(local.getUTCFullYear()).padStart(4, '0')}-${two(local.getUTCMonth() + 1)}-${two(local.getUTCDate())}`;
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
  return `${day} ${time}${fraction} ${offsetText(date.offsetSeconds)}`;
}

/** `2026-11-20T22:26:38Z`. */
export function wholeSecondDate(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -5)}Z`;
}

/** `2026-11-20T22:26:38.120Z`. */
export function millisecondDate(ms: number | null): string {
  return ms === null ? noDate : new Date(ms).toISOString();
}

function offsetText(seconds: number): string {
  if (seconds === 0) return '+0000 UTC';
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const text = `${seconds < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
  return `${text} ${text}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
