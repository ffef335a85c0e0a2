/**
 * Clients of a gateway that trusts its loopback peer: each speaks for an address of its own through X-Forwarded-For, on one
 * kept connection, and sends its target as it is. Also what tests read back: the control socket, the access log, metrics.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createControlClient, type Query } from '../../cli/control-client.ts';
import type { AlertModel, DecisionModel, RefusalModel } from '../../gateway/admin/models.ts';

interface Teardown {
  teardown(run: () => unknown): unknown;
}

export const browserAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

export interface VisitorAnswer {
  readonly status: number;
  readonly body: string;
  /** The gateway's own number of the request, when the gateway answered. */
  readonly requestId: string;
  readonly retryAfter: string;
  /** The gateway refused it; an origin that answers 403 is something else. */
  readonly refused: boolean;
}

export interface Wish {
  readonly method?: string;
  readonly userAgent?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Visitor {
  readonly address: string;
  ask(target: string, wish?: Wish): Promise<VisitorAnswer>;
}

/** Its requests share one connection and wait for each other. */
export function createVisitor(t: Teardown, port: number, address: string): Visitor {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  return {
    address,
    ask: (target, { method = 'GET', userAgent = browserAgent, headers = {} } = {}) =>
      new Promise((resolve, reject) => {
        const all = { host: 'example.com', 'user-agent': userAgent, 'x-forwarded-for': address, ...headers };
        const sent = request({ host: '127.0.0.1', port, path: target, method, headers: all, agent }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () => {
            const status = response.statusCode ?? 0;
            const own = response.headers['content-type'] === 'application/problem+json';
            resolve({
              status,
              body: Buffer.concat(chunks).toString('utf8'),
              requestId: String(response.headers['x-request-id'] ?? ''),
              retryAfter: response.headers['retry-after'] ?? '',
              refused: own && (status === 403 || status === 429),
            });
          });
        });
        sent.once('error', reject);
        sent.end();
      }),
  };
}

/** The requests one after the other, each after the answer to the one before. */
export async function askAll(
  visitor: Visitor,
  wishes: readonly (Wish & { target: string })[],
): Promise<VisitorAnswer[]> {
  const answers: VisitorAnswer[] = [];
  for (const { target, ...wish } of wishes) answers.push(await visitor.ask(target, wish));
  return answers;
}

export interface Control {
  ask<Answer>(method: 'GET' | 'POST' | 'DELETE', path: string, query?: Query, body?: object): Promise<Answer>;
  decisions(query?: Query): Promise<readonly DecisionModel[]>;
  /** With their events and decisions. */
  alerts(query?: Query): Promise<readonly AlertModel[]>;
  refusals(query?: Query): Promise<readonly RefusalModel[]>;
  ban(scope: string, value: string, more?: object): Promise<void>;
  /** Puts an address or range on the allowlist `test`, which is made with the first. */
  allow(value: string, comment?: string): Promise<void>;
  disallow(value: string): Promise<void>;
  /** Lifts what covers an address, and returns how many. */
  lift(query: Query): Promise<number>;
}

export function controlOf(socketPath: string): Control {
  const client = createControlClient(socketPath);
  const ask = <Answer>(method: 'GET' | 'POST' | 'DELETE', path: string, query: Query = {}, body?: object) =>
    client.ask<Answer>(method, path, body === undefined ? { query } : { query, body });
  return {
    ask,
    decisions: async (query) => (await ask<{ decisions: DecisionModel[] }>('GET', '/v1/decisions', query)).decisions,
    alerts: async (query) => (await ask<{ alerts: AlertModel[] }>('GET', '/v1/alerts', query)).alerts,
    refusals: async (query) =>
      (await ask<{ refusals: RefusalModel[] }>('GET', '/v1/refusals', { limit: '10000', ...query })).refusals,
    async ban(scope, value, more = {}) {
      await ask('POST', '/v1/decisions', {}, { scope, value, type: 'ban', duration: '4h', ...more });
    },
    async allow(value, comment = '') {
      const { allowlists } = await ask<{ allowlists: { name: string }[] }>('GET', '/v1/allowlists');
      if (!allowlists.some(({ name }) => name === 'test')) await ask('POST', '/v1/allowlists', {}, { name: 'test' });
      await ask('POST', '/v1/allowlists/test/items', {}, { values: [value], comment });
    },
    async disallow(value) {
      await ask('POST', '/v1/allowlists/test/remove', {}, { values: [value] });
    },
    lift: async (query) => (await ask<{ deleted: number }>('DELETE', '/v1/decisions', query)).deleted,
  };
}

export interface LoggedLine {
  readonly clientIp: string;
  readonly target: string;
  readonly status: number;
  readonly outcome: string;
  readonly requestId: string;
  readonly scenario: string;
  readonly observed: string;
}

/** The complete lines of a JSON access log. */
export function accessLines(path: string): LoggedLine[] {
  const text = readFileSync(path, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LoggedLine);
}

/** The samples of a metrics page: `name{labels}` to value. */
export async function metricsOf(adminUrl: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
