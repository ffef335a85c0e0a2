/**
 * Answers of two servers made comparable: what cannot be the same (numbers, tokens, the moment) is replaced by what is said about
 * it, so that its form is still compared. Orders that the protocol leaves open are sorted.
 */
import { parsed, type Answer, type Exchange } from './exchange.ts';

export interface NormalAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Durations are compared to the minute, and all that the lists ask for are whole ones. */
const minuteMs = 60_000;

/** `now` is when the exchanges began, in epoch milliseconds. */
export function normalAnswer(answer: Answer, exchange: Exchange, now: number): NormalAnswer {
  const body = answer.contentType?.startsWith('application/json') ? parsed(answer.text) : answer.text;
  const posted = exchange.method === 'POST' && exchange.path === '/v1/alerts';
  return {
    status: answer.status,
    contentType: answer.contentType,
    headers: answer.headers,
    body: posted && Array.isArray(body) ? body.map(numberText) : normal(body, '', now),
  };
}

function normal(value: unknown, key: string, now: number): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normal(item, key, now));
    // Decisions come in no order that anybody promises; alerts do.
    const decisions = items.every((item) => item !== null && typeof item === 'object' && 'duration' in item);
    return decisions ? sortedByText(items) : items;
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, normal(part, name, now)]));
  }
  switch (key) {
    case 'id':
      return Number.isSafeInteger(value) && Number(value) > 0 ? '<number>' : value;
    case 'uuid':
      return typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value) ? '<uuid>' : value;
    case 'token':
      return normalToken(String(value));
    case 'duration':
      return normalDuration(String(value));
    case 'expire':
    case 'created_at':
    case 'start_at':
    case 'stop_at':
    case 'timestamp':
      return normalTime(String(value), now);
    default:
      return value;
  }
}

/** Alerts are numbered in text, decisions are not. */
function numberText(id: unknown): unknown {
  return typeof id === 'string' && /^[1-9][0-9]*$/.test(id) ? '<number as text>' : id;
}

/** Its algorithm, and what it claims. */
function normalToken(token: string): unknown {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const read = (part: string): unknown => parsed(Buffer.from(part, 'base64url').toString('utf8'));
  const names = Object.keys(read(claims) as object).toSorted();
  return { header: read(header), claims: names, signatureBytes: Buffer.from(signature, 'base64url').length };
}

/** Go's form: units from hours to nanoseconds. Rounded to minutes; whether there is a part of a second is kept. */
function normalDuration(text: string): string {
  if (!/^-?(\d+(\.\d+)?(h|m|s|ms|µs|ns))+$/.test(text)) return text;
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, µs: 1e-3, ns: 1e-6 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|µs|ns)/g)];
  const size = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? Number.NaN), 0);
  const minutes = Math.round((text.startsWith('-') ? -size : size) / minuteMs);
  const whole = /^-?(\d+h\d+m\d+s|\d+m\d+s|\d+s)$/.test(text);
  // Minus nothing is nothing.
  return `about ${minutes === 0 ? 0 : minutes} min, ${whole ? 'whole seconds' : 'parts of seconds'}`;
}

/** To the minute, as distance from now. */
function normalTime(text: string, now: number): string {
  const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text);
  const go = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) \+0000 UTC$/.exec(text);
  if (!rfc3339 && go === null) return text;
  const at = Date.parse(go === null ? text : `${go[1]}T${go[2]}Z`);
  const minutes = Math.round((at - now) / minuteMs);
  return `${minutes === 0 ? 0 : minutes} min from now, ${go === null ? 'RFC 3339' : 'as Go prints it'}`;
}

function sortedByText(items: readonly unknown[]): unknown[] {
  return items
    .map((item) => [JSON.stringify(item), item] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, item]) => item);
}
