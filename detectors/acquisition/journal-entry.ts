/**
 * One entry of `journalctl -o json` → the lines that `journalctl` prints: `Jan 02 15:04:05 host program[pid]: message`, which
 * is what CrowdSec reads. Further lines of a message are indented, as there, so that no message can pass for another entry's
 * head. Times are UTC, where journalctl prints local time: parsers take times without a zone as UTC.
 */
import { syslogTime } from './syslog-message.ts';

export interface JournalEntry {
  readonly lines: readonly string[];
  /** Where reading goes on after this entry. */
  readonly cursor: string;
  /** Something was left out, because there is too much of it. */
  readonly truncated: boolean;
}

const longestMessage = 65_536;
/** Further lines of one message. */
const mostLines = 64;
const longestCursor = 1_024;

/** Null: not an entry. `now` (epoch milliseconds) stands for a missing time. */
export function readJournalEntry(text: string, now: number): JournalEntry | null {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return null;
  const fields = entry as Readonly<Record<string, unknown>>;
  const cursor = fieldText(fields.__CURSOR);
  if (cursor === '' || cursor.length > longestCursor) return null;
  const message = fieldText(fields.MESSAGE);
  const program = fieldText(fields.SYSLOG_IDENTIFIER) || fieldText(fields._COMM) || 'unknown';
  const pid = fieldText(fields._PID) || fieldText(fields.SYSLOG_PID);
  const host = fieldText(fields._HOSTNAME) || 'localhost';
  const head = `${syslogTime(entryTime(fields, now))} ${oneWord(host)} ${oneLine(program)}${pid === '' ? '' : `[${oneWord(pid)}]`}: `;
  const all = message.slice(0, longestMessage).split('\n');
  const lines = all.slice(0, mostLines + 1).map((line) => line.trimEnd());
  const indent = ' '.repeat(head.length);
  return {
    lines: lines.map((line, index) => (index === 0 ? head + line : line === '' ? '' : indent + line)),
    cursor,
    truncated: message.length > longestMessage || all.length > lines.length,
  };
}

/** When it happened, epoch milliseconds; the journal counts microseconds. */
function entryTime(fields: Readonly<Record<string, unknown>>, now: number): number {
  const micros = Number(fieldText(fields._SOURCE_REALTIME_TIMESTAMP) || fieldText(fields.__REALTIME_TIMESTAMP));
  const ms = Math.floor(micros / 1_000);
  return micros > 0 && ms < 8.64e15 ? ms : now;
}

/**
 * A field is a text; a list of bytes when it is not printable; null when it is too long; a list of these when the entry has
 * the field several times, of which the first counts.
 */
function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length === 0) return '';
  if (value.every((each) => typeof each === 'number'))
    return Buffer.from(value.slice(0, longestMessage + 4)).toString('utf8');
  return fieldText(value.find((each) => typeof each === 'string' || Array.isArray(each)) ?? null);
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\t\0]+/g, ' ').slice(0, 256);
}

function oneWord(text: string): string {
  return text.replaceAll(/[\s\0]+/g, '_').slice(0, 256);
}
