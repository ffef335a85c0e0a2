/**
 * A bouncer as the ones for nginx and Traefik ask: the visitor's headers, the facts beside them, GET without a body and POST
 * with one. In raw bytes, so that tests decide what is sent.
 */
import { type RawOptions, type RawResult, type RawStep, send } from '../../support/raw-client.ts';

/** One request of a visitor, as its web server saw it. Null: the bouncer does not say. */
export interface Visit {
  readonly ip?: string | null;
  readonly uri?: string | null;
  readonly verb?: string | null;
  readonly host?: string | null;
  readonly userAgent?: string | null;
  readonly key?: string | null;
  readonly httpVersion?: string | null;
  readonly transactionId?: string | null;
  /** Names and values in turn: the visitor's own headers. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** The path that the bouncer asks for. */
  readonly path?: string;
}

export interface BouncerAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: ReadonlyMap<string, string>;
}

export const bouncerKey = 'a-key-of-a-bouncer-0123456789';

const prefix = 'X-Crowdsec-Appsec-';

/** The head of the question, without the empty line, and with what was said in `more`. */
export function headOf(visit: Visit, more: readonly string[] = []): string {
  const facts: readonly (readonly [string, string | null])[] = [
    ['Ip', visit.ip === undefined ? '203.0.113.7' : visit.ip],
    ['Uri', visit.uri === undefined ? '/' : visit.uri],
    ['Verb', visit.verb === undefined ? 'GET' : visit.verb],
    ['Host', visit.host === undefined ? 'shop.example' : visit.host],
    ['User-Agent', visit.userAgent === undefined ? 'Mozilla/5.0' : visit.userAgent],
    ['Api-Key', visit.key === undefined ? bouncerKey : visit.key],
    ['Http-Version', visit.httpVersion ?? null],
    ['Transaction-Id', visit.transactionId ?? null],
  ];
  const { headers = [], path = '/' } = visit;
  return [
    `${visit.body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`,
    'Host: 127.0.0.1:7422',
    'User-Agent: test-bouncer/1.0',
    ...Array.from({ length: headers.length / 2 }, (_, index) => `${headers[index * 2]}: ${headers[index * 2 + 1]}`),
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`${prefix}${name}: ${value}`])),
    ...more,
    '',
  ].join('\r\n');
}

/** The whole question. */
export function questionOf(visit: Visit, more: readonly string[] = []): string {
  const { body } = visit;
  const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
  return `${headOf(visit, [...length, ...more])}\r\n${body ?? ''}`;
}

/** One question over a connection of its own. */
export async function ask(port: number, visit: Visit, more: readonly string[] = []): Promise<BouncerAnswer> {
  const [answer] = await converse(port, questionOf(visit, more));
  if (answer === undefined) throw new Error('no answer came');
  return answer;
}

/** Bytes as they are; the final answers. */
export async function converse(
  port: number,
  steps: RawStep | readonly RawStep[],
  options: RawOptions = {},
): Promise<readonly BouncerAnswer[]> {
  return answersOf(await send(port, steps, options));
}

export function answersOf({ responses }: RawResult): readonly BouncerAnswer[] {
  return responses
    .filter(({ status }) => status >= 200)
    .map(({ status, body, headers }) => ({
      status,
      text: body.toString('latin1'),
      headers: new Map(headers.map(([name, value]) => [name.toLowerCase(), value])),
    }));
}
