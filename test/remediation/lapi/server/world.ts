/** The Local API on real sockets, with a store in memory, and a client that says exactly what it is told. */
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest, type RequestOptions as TlsRequestOptions } from 'node:https';
import type { Test } from 'tap';
import type * as z from 'zod';
import { type Clock, systemClock } from '../../../../core/clock.ts';
import { createSystemRandom } from '../../../../core/random.ts';
import { createBouncerKeys } from '../../../../remediation/callers/bouncer-keys.ts';
import type { LapiDependencies, LapiRoutes } from '../../../../remediation/lapi/lapi-context.ts';
import { lapiOptions } from '../../../../remediation/lapi/options.ts';
import { createLapiServer } from '../../../../remediation/lapi/server/lapi-server.ts';
import { createMachineDesk } from '../../../../remediation/callers/machine-desk.ts';
import type { Machine } from '../../../../remediation/machine.ts';
import { createPasswordHasher } from '../../../../remediation/callers/password-hash.ts';
import { createMemoryStore } from '../../../../remediation/store/memory.ts';
import { storeOptions } from '../../../../remediation/store/options.ts';
import { bouncerOf, machineOf } from '../../callers/callers.ts';
import { collectedLog } from '../../support.ts';

export interface WorldOptions {
  readonly options?: z.input<typeof lapiOptions>;
  readonly clock?: Clock;
  readonly families?: readonly LapiRoutes[];
}

export const password = 'a password of the agent';
export const bouncerKey = 'the key of the bouncer';

/** Routes as the families add them, which say what reached them. */
export const echoRoutes: LapiRoutes = (app, _deps, guards) => {
  app.post('/v1/alerts', { preHandler: guards.machine }, async ({ body }, reply) =>
    reply.type('application/json; charset=utf-8').send(`{"bytes":${Buffer.from(body as Uint8Array).length}}`),
  );
  app.get('/v1/decisions', { preHandler: guards.bouncer }, async ({ lapiCaller, query }, reply) => {
    const isEmpty = (query as { readonly ip?: string }).ip === undefined;
    const name = lapiCaller?.kind === 'bouncer' ? lapiCaller.bouncer.name : '';
    return reply.type('application/json; charset=utf-8').send(isEmpty ? 'null' : JSON.stringify([{ name }]));
  });
  app.head('/v1/decisions', { preHandler: guards.bouncer }, async (_request, reply) => reply.send(''));
  app.get('/v1/decisions/stream', { preHandler: guards.bouncer }, async (_request, reply) =>
    reply.type('application/json').send(Buffer.from('{"new": [], "deleted": []}')),
  );
  app.head('/v1/decisions/stream', { preHandler: guards.bouncer }, async (_request, reply) => reply.send(''));
  app.delete('/v1/alerts', { preHandler: [guards.machine, guards.trustedIp] }, async ({ lapiClientIp }) => ({
    ip: lapiClientIp,
  }));
  app.get<{ Params: { value: string } }>(
    '/v1/allowlists/check/:value',
    { preHandler: guards.machine },
    async ({ params }) => ({ value: params.value }),
  );
};

export async function openWorld(
  t: Test,
  { options = {}, clock = systemClock, families = [echoRoutes] }: WorldOptions = {},
) {
  const { log, lines } = collectedLog();
  const runtime = { clock, random: createSystemRandom(), log };
  const store = createMemoryStore(storeOptions.parse({}), runtime);
  const bouncers = createBouncerKeys({ store, clock, log });
  const machines = createMachineDesk({ store, clock });
  const deps = {
    ...runtime,
    store,
    bouncers,
    machines,
    publisher: {
      write: (writes) => void store.apply(writes),
      commit: (writes) => store.apply(writes),
      publish: () => {},
      oldestPendingAt: () => null,
    },
    settingsAllowlist: [],
    version: '1.2.3',
    gatewayName: 'portcullis',
  } as Partial<LapiDependencies> as LapiDependencies;
  const parsed = lapiOptions.parse({ listen: '127.0.0.1:0', ...options });
  const lapi = createLapiServer(parsed, deps, families);
  const { port } = await lapi.listen();
  t.teardown(async () => {
    await lapi.close();
    await bouncers.close();
    await machines.close();
    await store.close();
  });
  return {
    ...deps,
    deps,
    lapi,
    port,
    lines,
    ask: (method: string, path: string, more: Asking = {}) => ask({ port, method, path, ...more }),
    async addBouncer(name = 'nginx', key = bouncerKey, over = {}) {
      await store.apply([{ kind: 'bouncer-added', bouncer: bouncerOf(name, key, over) }]);
      bouncers.changed();
    },
    async addMachine(id = 'm1', over: Partial<Machine> = {}) {
      const passwordHash = await createPasswordHasher(runtime.random).hash(password);
      await store.apply([{ kind: 'machine-added', machine: machineOf(id, { passwordHash, ...over }) }]);
      machines.changed();
    },
    /** A token, as the agent gets it. */
    async login(id = 'm1', more: Asking = {}): Promise<string> {
      const answer = await ask({ port, ...loginOf(id), ...more });
      return (JSON.parse(answer.body) as { token: string }).token;
    },
  };
}

export function loginOf(id: string, body: object = {}): Asking & { method: string; path: string } {
  return {
    method: 'POST',
    path: '/v1/watchers/login',
    agent: 'crowdsec/v1.6.3-linux',
    body: JSON.stringify({ machine_id: id, password, scenarios: ['a/b'], ...body }),
  };
}

export interface Asking {
  readonly port?: number;
  readonly socketPath?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** User-Agent. */
  readonly agent?: string;
  readonly key?: string;
  readonly token?: string;
  readonly body?: string | Uint8Array;
  /** Our own address, any of 127.0.0.0/8. */
  readonly localAddress?: string;
  readonly tls?: Pick<TlsRequestOptions, 'ca' | 'cert' | 'key' | 'minVersion' | 'maxVersion'>;
}

export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own. */
export function ask(asking: Asking): Promise<Answer> {
  const { headers, agent, key, token, body, tls, ...where } = asking;
  const options: RequestOptions = {
    agent: false,
    headers: {
      ...(agent !== undefined && { 'user-agent': agent }),
      ...(key !== undefined && { 'x-api-key': key }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    },
    ...(where.socketPath === undefined && { host: '127.0.0.1' }),
    ...where,
  };
  return new Promise((resolve, reject) => {
    const request = tls === undefined ? httpRequest(options) : httpsRequest({ ...options, ...tls, servername: 'lapi' });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'],
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.end(body);
  });
}
