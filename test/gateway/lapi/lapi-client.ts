/** A gateway's Local API as its clients use it: a machine that reports alerts, bouncers that mirror decisions. */
import { Agent, request } from 'node:http';
import type { LapiModel } from '../../../gateway/admin/operator-models.ts';
import type { Control } from '../visitors.ts';

export interface LapiAnswer {
  readonly status: number;
  readonly text: string;
}

export interface Machine {
  /** The ids of the alerts, once they are acknowledged. @throws Error with status and text of any other answer. */
  post(alerts: readonly object[]): Promise<readonly string[]>;
  ask(method: string, path: string, body?: unknown): Promise<LapiAnswer>;
}

export interface StreamedDecision {
  readonly id: number;
  readonly value: string;
  readonly scope: string;
  readonly type: string;
  readonly duration: string;
}

/** What a bouncer holds: it starts with everything, then applies what changed. */
export interface MirroringBouncer {
  /** `scope:value` of what is refused. */
  readonly held: ReadonlySet<string>;
  /** One question; at another gateway when `url` says so. Nothing is applied of an answer that breaks off. */
  poll(startup: boolean, url?: string): Promise<void>;
}

/** Where the gateway behind this control socket serves. */
export async function lapiUrlOf(control: Control): Promise<string> {
  const { serving } = await control.ask<LapiModel>('GET', '/v1/lapi');
  const [url] = serving?.addresses ?? [];
  if (url === undefined) throw new Error('the gateway serves no Local API');
  return url;
}

export async function addBouncer(control: Control, name: string): Promise<string> {
  return (await control.ask<{ key: string }>('POST', '/v1/bouncers', {}, { name })).key;
}

export async function addMachine(control: Control, name: string): Promise<void> {
  await control.ask('POST', '/v1/machines', {}, { name, password: passwordOf(name) });
}

export const passwordOf = (machine: string): string => `password-of-${machine}`;

/** Who logs in without a version is no agent. */
export const asAgent = { 'user-agent': 'crowdsec/1.6.0' } as const;

export async function logIn(url: string, name: string): Promise<Machine> {
  const credentials = { machine_id: name, password: passwordOf(name), scenarios: [] };
  const answer = await askLapi(url, 'POST', '/v1/watchers/login', asAgent, credentials);
  if (answer.status !== 200) throw new Error(`${name} cannot log in: ${answer.status} ${answer.text}`);
  const { token } = JSON.parse(answer.text) as { readonly token: string };
  const ask: Machine['ask'] = (method, path, body) =>
    askLapi(url, method, path, { ...asAgent, authorization: `Bearer ${token}` }, body);
  return {
    ask,
    async post(alerts) {
      const { status, text } = await ask('POST', '/v1/alerts', alerts);
      if (status !== 201) throw new Error(`alerts are not taken: ${status} ${text}`);
      return JSON.parse(text) as string[];
    },
  };
}

export function createBouncer(url: string, key: string): MirroringBouncer {
  const held = new Map<string, number>();
  return {
    get held() {
      return new Set(held.keys());
    },
    async poll(startup, at = url) {
      const answer = await askLapi(at, 'GET', `/v1/decisions/stream?startup=${startup}`, { 'x-api-key': key });
      if (answer.status !== 200) throw new Error(`no decisions: ${answer.status} ${answer.text}`);
      const { new: added, deleted } = JSON.parse(answer.text) as Record<string, readonly StreamedDecision[] | null>;
      if (startup) held.clear();
      // As the bouncers do: first what is gone, then what is there.
      for (const { scope, value } of deleted ?? []) held.delete(`${scope}:${value}`);
      for (const { scope, value, id } of added ?? []) held.set(`${scope}:${value}`, id);
    },
  };
}

/** One exchange on a connection of its own. Rejects when the answer breaks off. */
export function askLapi(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
  agent: Agent | false = false,
): Promise<LapiAnswer> {
  const sent = body === undefined ? '' : JSON.stringify(body);
  const framing = sent === '' ? {} : { 'content-length': String(Buffer.byteLength(sent)) };
  return new Promise((resolve, reject) => {
    const asking = request(`${url}${path}`, { method, headers: { ...headers, ...framing }, agent }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.once('error', reject);
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
      );
    });
    asking.once('error', reject);
    asking.end(sent);
  });
}
