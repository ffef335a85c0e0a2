/**
 * When a scenario can be poured: with the request, so that the one that overflows the bucket is itself refused, or only
 * after the response, because one of its expressions reads what the origin answered. Decided from what expressions read;
 * where that cannot be known, the response is awaited.
 */
import type { Expression } from '../expr/compile.ts';

export type Phase = 'request' | 'response';

/**
 * Fields of an access event that the response fills in. A failed log-in is one that the origin refused, so `sub_type` and
 * `username` belong here. `message` and `Line.Raw` are the access log line, which is written last.
 */
const responseFields: ReadonlySet<string> = new Set([
  'evt.Meta.http_status',
  'evt.Meta.sub_type',
  'evt.Meta.username',
  'evt.Meta.http_bytes_sent',
  'evt.Parsed.status',
  'evt.Parsed.impact_completion',
  'evt.Parsed.body_bytes_sent',
  'evt.Parsed.bytes',
  'evt.Parsed.request_time',
  'evt.Parsed.upstream_status',
  'evt.Parsed.upstream_response_time',
  'evt.Parsed.message',
  'evt.Line',
  'evt.Line.Raw',
  'evt.Unmarshaled',
]);

/** Paths that stand for everything below them: a whole map handed to a function, or a key only known at run time. */
const wholes: ReadonlySet<string> = new Set([
  'evt',
  'evt.*',
  'evt.Meta',
  'evt.Meta.*',
  'evt.Parsed',
  'evt.Parsed.*',
  'queue',
]);

/** The phase of a scenario with these expressions. */
export function phaseOf(expressions: readonly Pick<Expression, 'reads'>[]): Phase {
  const awaits = expressions.some(({ reads }) => [...reads].some(readsResponse));
  return awaits ? 'response' : 'request';
}

function readsResponse(path: string): boolean {
  if (responseFields.has(path) || wholes.has(path)) return true;
  return path.startsWith('evt.Unmarshaled.') || path.startsWith('queue.') || path.startsWith('evt.Line.*');
}
