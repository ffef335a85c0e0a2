/**
 * What web servers answer to expressions (`HTTPGet` and its kin). An expression never waits: an answer is remembered for a
 * minute, which is long enough for the event that asked, or it is being asked for. Equal questions are asked once in that time.
 * Specification: CrowdSec `pkg/exprhelpers` (10 s and 10 MiB).
 */
import { createHash } from 'node:crypto';
import { type Answer, createAnswerCache } from '../../core/answer-cache.ts';
import type { Clock } from '../../core/clock.ts';
import type { DnsResolver } from '../../core/dns-resolver.ts';
import { messageOf } from '../../core/errors.ts';
import type { HttpAnswer, HttpAsker, HttpFailure, HttpQuestion } from '../expr/dependencies.ts';
import { type HttpReach, requestHttp } from './http-request.ts';

export interface HttpAnswers extends HttpAsker {
  /** Cuts off what is under way and asks nothing more. */
  close(): void;
}

export interface HttpAnswersDeps {
  readonly clock: Clock;
  readonly reach: HttpReach;
  readonly dns: DnsResolver;
}

const patienceMs = 10_000;
const rememberedMs = 60_000;
const mostAtOnce = 64;
const mostRemembered = 1_024;
/** Bodies under way, and what is remembered, each in bytes as they lie in memory. */
const mostBytes = 64 * 1_048_576;

/** Of a question, in characters; more is a mistake, or somebody who tries what happens. */
const longestUrl = 8_192;
const longestBody = 1_048_576;
const mostHeaders = 64;
const longestHeaders = 32_768;

export function createHttpAnswers({ clock, reach, dns }: HttpAnswersDeps): HttpAnswers {
  let bytesUnderWay = 0;
  const cache = createAnswerCache<HttpAnswer | HttpFailure>(
    {
      lifeMs: () => rememberedMs,
      patienceMs,
      mostAnswers: mostRemembered,
      mostQuestions: mostAtOnce,
      mostSize: mostBytes,
      sizeOf,
      failed: (cause) => ({ failure: messageOf(cause) }),
      refused: { failure: `${mostAtOnce} requests are under way already` },
    },
    clock,
  );
  const request = async (question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> => {
    let taken = 0;
    const takeBytes = (count: number): boolean => {
      if (bytesUnderWay + count > mostBytes) return false;
      bytesUnderWay += count;
      taken += count;
      return true;
    };
    try {
      return await requestHttp(question, { reach, dns, takeBytes, signal });
    } finally {
      bytesUnderWay -= taken;
    }
  };
  return {
    ask(question): Answer<HttpAnswer | HttpFailure> {
      const failure = mistakeIn(question);
      if (failure !== null) return { kind: 'known', value: { failure } };
      return cache.ask(keyOf(question), (signal) => request(question, signal));
    },
    close: () => cache.close(),
  };
}

function mistakeIn({ method, url, headers, body }: HttpQuestion): string | null {
  if (!/^[A-Z]{1,16}$/.test(method)) return `${JSON.stringify(method.slice(0, 32))} is no method`;
  if (method === 'CONNECT' || method === 'TRACE') return `${method} is not sent`;
  if (url.length > longestUrl) return `the address is longer than ${longestUrl} characters`;
  if (body.length > longestBody) return `the body is longer than ${longestBody} characters`;
  const entries = Object.entries(headers);
  const characters = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return entries.length > mostHeaders || characters > longestHeaders ? 'there are too many headers' : null;
}

function keyOf({ method, url, headers, body }: HttpQuestion): string {
  const sorted = Object.entries(headers).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([method, url, sorted, body]))
    .digest('base64');
}

/** JavaScript keeps two bytes for each character of most texts; a header costs its map entry too. */
function sizeOf(answer: HttpAnswer | HttpFailure): number {
  if ('failure' in answer) return answer.failure.length * 2;
  let headers = 0;
  for (const [name, values] of Object.entries(answer.Headers)) {
    headers += 100 + name.length * 2 + values.reduce((sum, value) => sum + value.length * 2, 0);
  }
  return answer.Body.length * 2 + headers;
}
