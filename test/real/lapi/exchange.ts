/**
 * One question to a Local API, written as data, and how it is asked: of a server whose bouncers and machines have agreed names,
 * over plain HTTP/1.1 without any client's own habits.
 */
import { request } from 'node:http';

export interface Exchange {
  /** What is asked, in words; unique in its list. */
  readonly name: string;
  readonly as: Caller;
  readonly method: string;
  /** `{name}` stands for what an earlier exchange kept. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is text or bytes already. */
  readonly body?: unknown;
  /** What 1.4.6 is asked instead, where its own answer to the same would be about something else. */
  readonly old?: { readonly path: string; readonly reason: string };
  /** Names for parts of the answer, as keys and indexes joined by dots: `{ first: '0' }`. */
  readonly keep?: Readonly<Record<string, string>>;
}

/** Nobody sends no credentials; the others those of this bouncer or machine. */
export type Caller = 'nobody' | { readonly bouncer: string } | { readonly machine: string };

export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Where exchanges are sent, with what has been kept so far. */
export interface Correspondent {
  readonly url: string;
  readonly kept: Map<string, string>;
  /** Tokens of machines that have logged in. */
  readonly tokens: Map<string, string>;
}

export const keyOf = (bouncer: string): string => `key-of-${bouncer}`;
export const passwordOf = (machine: string): string => `password-of-${machine}`;

/** Besides status and type, the headers that clients act on. */
const comparedHeaders = ['www-authenticate', 'location', 'cache-control', 'retry-after'] as const;

/** Sends one exchange and keeps what it says to keep. Rejects when there is no answer. */
export async function sendExchange(exchange: Exchange, to: Correspondent): Promise<Answer> {
  const path = exchange.path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => to.kept.get(name) ?? missing(name, exchange),
  );
  const headers = { 'User-Agent': 'oracle/1.0', ...(await credentials(exchange.as, to)), ...exchange.headers };
  const answer = await ask(to.url, exchange.method, path, headers, bytesOf(exchange.body));
  for (const [name, place] of Object.entries(exchange.keep ?? {})) {
    const found = place
      .split('.')
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], parsed(answer.text));
    if (typeof found !== 'string' && typeof found !== 'number') {
      throw new Error(`${exchange.name}: nothing at ${place} of the answer ${answer.status} ${answer.text}`);
    }
    to.kept.set(name, String(found));
  }
  return answer;
}

/** The value of JSON text, the text itself of any other. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function credentials(as: Caller, to: Correspondent): Promise<Record<string, string>> {
  if (as === 'nobody') return {};
  if ('bouncer' in as) return { 'X-Api-Key': keyOf(as.bouncer) };
  return { Authorization: `Bearer ${to.tokens.get(as.machine) ?? (await login(as.machine, to))}` };
}

async function login(machine: string, to: Correspondent): Promise<string> {
  const body = { machine_id: machine, password: passwordOf(machine), scenarios: [] };
  const headers = { 'User-Agent': 'oracle/1.0' };
  const answer = await ask(to.url, 'POST', '/v1/watchers/login', headers, bytesOf(body));
  const { token } = parsed(answer.text) as { readonly token?: string };
  if (token === undefined) throw new Error(`${machine} cannot log in: ${answer.status} ${answer.text}`);
  to.tokens.set(machine, token);
  return token;
}

function bytesOf(body: unknown): Buffer | null {
  if (body === undefined) return null;
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function ask(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer | null,
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const framing = body === null ? {} : { 'Content-Length': String(body.length) };
    const asking = request(
      { hostname, port, method, path, headers: { ...headers, ...framing }, agent: false, timeout: 30_000 },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.once('error', reject);
        answer.once('end', () => {
          const compared = comparedHeaders.flatMap((name) => {
            const value = answer.headers[name];
            return typeof value === 'string' ? [[name, value] as const] : [];
          });
          resolve({
            status: answer.statusCode ?? 0,
            contentType: answer.headers['content-type'] ?? null,
            headers: Object.fromEntries(compared),
            text: Buffer.concat(pieces).toString('utf8'),
          });
        });
      },
    );
    asking.once('timeout', () => asking.destroy(new Error(`${method} ${path} was not answered`)));
    asking.once('error', reject);
    asking.end(body ?? undefined);
  });
}

function missing(name: string, exchange: Exchange): never {
  throw new Error(`${exchange.name}: nothing was kept as ${name}`);
}
