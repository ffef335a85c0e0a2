/**
 * One syslog message → the line that parsers read: `Jan 02 15:04:05 host program[pid]: message`. RFC 3164 is tried first, RFC
 * 5424 second, as CrowdSec does (`pkg/acquisition/modules/syslog`). Other than there, a time that carries its zone is given
 * in UTC: parsers take times without a zone as UTC, so that only this is the time at which it happened.
 */

export interface SyslogMessage {
  /** Epoch milliseconds of a time with a zone; the words of the message (`Jan  2 15:04:05`) without; null without a time. */
  readonly time: number | string | null;
  /** "" where the message has none; so the others. */
  readonly host: string;
  readonly program: string;
  readonly pid: string;
  readonly text: string;
}

/** `<0>` to `<191>`, RFC 5424 §6.2.1; CrowdSec's parsers take up to three digits. */
const priority = /^<\d{1,3}>/;

const months = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const monthNames = months.split('|');
/** RFC 3164 §4.1.2, the day padded with a blank, a zero or nothing. */
const classicTime = new RegExp(`^(${months}) {1,2}(\\d{1,2}) (\\d{2}:\\d{2}:\\d{2})(?:\\.\\d{1,6})?(?= |$)`);
/** RFC 3339 with a `T`: what rsyslog and syslog-ng write when they are told to. */
const exactTime = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})(?= |$)/;
/** A tag: up to 48 characters, `[pid]`, a colon. */
const tag = /^([^\s:[\]]{1,48})(?:\[([^\]\s]{1,128})\])?:(?: |$)/;
/** The same where nothing else can stand: without the colon, or without a blank after it. */
const looseTag = /^([^\s:[\]]{1,48})(?:\[([^\]\s]{1,128})\])?:? ?/;
/** RFC 5424 §6: version, time, host, application, process, message id. */
const header5424 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32})(?: |$)/;

/** What stands behind the priority, or null when there is none. */
export function withoutPriority(message: string): string | null {
  const found = priority.exec(message);
  return found === null ? null : message.slice(found[0].length);
}

/** Null: the message is neither of the two formats. */
export function parseSyslog(message: string): SyslogMessage | null {
  const body = withoutPriority(message);
  if (body === null) return null;
  return parse3164(body) ?? parse5424(body);
}

/** `now` (epoch milliseconds) stands for a time that the message lacks. */
export function syslogLine({ time, host, program, pid, text }: SyslogMessage, now: number): string {
  const stamp = typeof time === 'string' ? time : syslogTime(time ?? now);
  const process = `${program || 'unknownapp'}${pid === '' ? '' : `[${pid}]`}`;
  return `${stamp} ${host || 'unknownhost'} ${process}: ${text}`;
}

/** `Jan 02 15:04:05` in UTC. */
export function syslogTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${monthNames[Number(iso.slice(5, 7)) - 1] ?? 'Jan'} ${iso.slice(8, 10)} ${iso.slice(11, 19)}`;
}

function parse3164(body: string): SyslogMessage | null {
  const classic = classicTime.exec(body);
  const exact = classic === null ? exactTime.exec(body) : null;
  const length = (classic ?? exact)?.[0].length;
  if (length === undefined) return null;
  const time = classic === null ? exactMs(exact) : classicStamp(classic);
  if (time === null) return null;
  let rest = body.slice(length + 1);
  // Programs that log to the local socket leave the host out.
  let host = '';
  if (!tag.test(rest)) {
    const end = rest.indexOf(' ');
    host = end === -1 ? rest : rest.slice(0, end);
    rest = end === -1 ? '' : rest.slice(end + 1);
  }
  const process = looseTag.exec(rest);
  const text = rest.slice(process?.[0].length ?? 0);
  return { time, host, program: process?.[1] ?? '', pid: process?.[2] ?? '', text };
}

function parse5424(body: string): SyslogMessage | null {
  const header = header5424.exec(body);
  if (header === null) return null;
  const [all, stamp = '', host = '', program = '', pid = ''] = header;
  const time = stamp === '-' ? null : exactMs(exactTime.exec(stamp));
  if (stamp !== '-' && time === null) return null;
  const text = afterStructuredData(body.slice(all.length));
  return text === null ? null : { time, host: given(host), program: given(program), pid: given(pid), text };
}

/** The nil value of RFC 5424 is a hyphen. */
function given(value: string): string {
  return value === '-' ? '' : value;
}

/** RFC 5424 §6.3: `-`, or elements in brackets whose quoted values escape `"`, `\` and `]`. Null when it does not end. */
function afterStructuredData(rest: string): string | null {
  if (rest === '-' || rest === '') return '';
  if (rest.startsWith('- ')) return withoutByteOrderMark(rest.slice(2));
  let at = 0;
  while (rest[at] === '[') {
    let quoted = false;
    for (at++; at < rest.length && (quoted || rest[at] !== ']'); at++) {
      if (rest[at] === '"') quoted = !quoted;
      else if (quoted && rest[at] === '\\') at++;
    }
    if (at >= rest.length) return null;
    at++;
  }
  if (at === 0 || (at < rest.length && rest[at] !== ' ')) return null;
  return withoutByteOrderMark(rest.slice(at + 1));
}

/** RFC 5424 §6.4 marks UTF-8 with it. */
function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function exactMs(match: RegExpExecArray | null): number | null {
  if (match === null) return null;
  const [, date = '', fraction = '', zone = ''] = match;
  const ms = Date.parse(
    `${date}${fraction.slice(0, 4)}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`,
  );
  return Number.isNaN(ms) ? null : ms;
}

function classicStamp([, month = '', day = '', time = '']: RegExpExecArray): string | null {
  const isDay = Number(day) >= 1 && Number(day) <= 31;
  return isDay && /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)$/.test(time)
    ? `${month} ${day.padStart(2, '0')} ${time}`
    : null;
}
