/**
 * A Local API as other people's, for tests of our client: decisions with the stream's semantics (last pull, deduplication,
 * soft expiry), live answers, machines, alerts, usage metrics; in the shapes of CrowdSec 1.4.6 or of newer versions; and with
 * the faults that a test asks for. Facts: the captured exchanges of the specification.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Clock } from '../../../../core/clock.ts';
import { formatDuration } from '../../../../core/duration.ts';
import { parseIp, parseRange, rangeContains } from '../../../../core/ip.ts';

export interface ServerDecision {
  readonly id: number;
  readonly scope: string;
  readonly value: string;
  readonly type: string;
  readonly origin: string;
  readonly scenario: string;
  readonly createdAt: number;
  until: number;
}

/** What happens to the next request instead of a proper answer. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly message?: string /** Of these paths only. */;
      readonly path?: string;
    }
  /** The answer is cut off after so many bytes of its body, as a share of it. */
  | { readonly kind: 'cut'; readonly share: number }
  /** Processed, and the connection is closed instead of answered. */
  | { readonly kind: 'reset' }
  /** Never answered. */
  | { readonly kind: 'hang' }
  /** Newer servers: the database fails after so many whole pages; the document is complete. */
  | { readonly kind: 'truncated' };

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Parsed JSON, decompressed. */
  readonly body: unknown;
  /** As it came. */
  readonly bytes: number;
}

export interface FakeLapi {
  readonly url: string;
  generation: '1.4.6' | 'newer';
  readonly key: string;
  readonly machines: Map<string, { password: string; validated: boolean }>;
  readonly requests: SeenRequest[];
  readonly faults: Fault[];
  /** Tokens that are taken; tests clear them as a restart would. */
  readonly tokens: Set<string>;
  readonly alerts: unknown[];
  readonly metrics: unknown[];
  /** Held until this resolves, when set. */
  gate: Promise<void> | null;
  add(over: Partial<ServerDecision> & { readonly forMs?: number }): ServerDecision;
  /** Soft expiry. */
  expire(decision: ServerDecision): void;
  /** What a bouncer should hold: for each scope, value and type the longest that is active. */
  truth(): Map<string, ServerDecision>;
  /** Another process under the same address: no token holds, and unless `forgets` is false no last pull. */
  restart(forgets?: boolean): void;
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeLapi(clock: Pick<Clock, 'now'>, listenOn: string | number = 0): Promise<FakeLapi> {
  const decisions: ServerDecision[] = [];
  let lastPull: number | null = null;
  let nextId = 1;
  let nextToken = 1;

  const lapi: FakeLapi = {
    url: '',
    generation: 'newer',
    key: 'k1',
    machines: new Map([['m1', { password: 'secret-of-m1', validated: true }]]),
    requests: [],
    faults: [],
    tokens: new Set(),
    alerts: [],
    metrics: [],
    gate: null,
    add({ forMs = 3_600_000, ...over }) {
      const now = clock.now();
      const decision: ServerDecision = {
        id: nextId++,
        scope: 'Ip',
        value: '192.0.2.1',
        type: 'ban',
        origin: 'crowdsec',
        scenario: 'test/probe',
        createdAt: now,
        until: now + forMs,
        ...over,
      };
      decisions.push(decision);
      return decision;
    },
    expire(decision) {
      decision.until = Math.min(decision.until, clock.now());
    },
    truth() {
      const active = decisions.filter(({ until }) => until > clock.now());
      const longest = new Map<string, ServerDecision>();
      for (const decision of active) {
        const key = `${decision.scope} ${decision.type} ${decision.value}`;
        const other = longest.get(key);
        if (other === undefined || other.until < decision.until) longest.set(key, decision);
      }
      return longest;
    },
    restart(forgets = true) {
      lapi.tokens.clear();
      if (forgets) lastPull = null;
      server.closeAllConnections();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    close: () => lapi.stop(),
  };

  const wire = (decision: ServerDecision): Record<string, unknown> => {
    const left = decision.until - clock.now();
    const { id, scope, value, type, origin, scenario } = decision;
    // Nanoseconds then, whole seconds now.
    const duration =
      lapi.generation === '1.4.6' ? formatDuration(left + 0.123_456) : formatDuration(Math.round(left / 1_000) * 1_000);
    const element = { duration, id, origin, scenario, scope, type, value };
    return lapi.generation === '1.4.6' ? element : { ...element, uuid: `server-${id}` };
  };
  const isHidden = (decision: ServerDecision): boolean =>
    decisions.some(
      (other) =>
        other.value === decision.value &&
        other.type === decision.type &&
        other.scope === decision.scope &&
        other.until > decision.until,
    );

  const stream = (url: URL, isTruncated: boolean): string => {
    const now = clock.now();
    const isStartup = url.searchParams.get('startup') === 'true';
    const scopes = (url.searchParams.get('scopes') ?? 'Ip,Range').split(',');
    const wanted = decisions.filter(({ scope }) => scopes.includes(scope));
    const since = isStartup ? null : lastPull;
    const added = wanted.filter(
      (decision) => decision.until > now && (since === null || decision.createdAt > since) && !isHidden(decision),
    );
    const deleted = wanted.filter(
      (decision) => decision.until <= now && (since === null || decision.until > since - 2_000) && !isHidden(decision),
    );
    if (isTruncated) return '{"new": [], "deleted": []}';
    lastPull = now;
    if (lapi.generation === 'newer') {
      return `{"new": ${JSON.stringify(added.map(wire))}, "deleted": ${JSON.stringify(deleted.map(wire))}}`;
    }
    const list = (of: ServerDecision[]): unknown => (of.length === 0 ? null : of.map(wire));
    return JSON.stringify({ deleted: list(deleted), new: list(added) });
  };

  const live = (url: URL): string => {
    const address = parseIp(url.searchParams.get('ip') ?? '');
    const found = decisions.filter(({ scope, value, until }) => {
      const range = scope === 'Ip' || scope === 'Range' ? parseRange(value) : null;
      return until > clock.now() && address !== null && range !== null && rangeContains(range, address);
    });
    return found.length === 0 ? 'null' : JSON.stringify(found.map(wire));
  };

  const login = (body: unknown, userAgent: string): [number, string] => {
    const { machine_id: id, password } = body as { machine_id: string; password: string };
    const machine = lapi.machines.get(id);
    const refused = (message: string): [number, string] => [401, JSON.stringify({ code: 401, message })];
    if (userAgent.split('/').length !== 2) return refused('incorrect Username or Password');
    if (machine === undefined) return refused('ent: machine not found');
    if (!machine.validated) return refused(`machine ${id} not validated`);
    if (machine.password !== password) return refused('incorrect Username or Password');
    const issued = Math.floor(clock.now() / 1_000);
    const claims = { exp: issued + 3_600, id, orig_iat: issued };
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${nextToken++}`;
    lapi.tokens.add(token);
    return [200, JSON.stringify({ code: 200, expire: new Date(clock.now() + 3_600_000).toISOString(), token })];
  };

  const answer = (request: IncomingMessage, url: URL, body: unknown, fault: Fault | undefined): [number, string] => {
    const { pathname } = url;
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const isMachine = bearer !== undefined && lapi.tokens.has(bearer);
    const isBouncer = request.headers['x-api-key'] === lapi.key;
    if (request.method === 'POST' && pathname === '/v1/watchers/login') {
      return login(body, request.headers['user-agent'] ?? '');
    }
    if (request.method === 'POST' && pathname === '/v1/watchers') {
      const { machine_id: id, password, registration_token: token } = body as Record<string, string>;
      if (lapi.machines.has(id ?? '')) return [403, JSON.stringify({ message: `user '${id}': user already exist` })];
      lapi.machines.set(id ?? '', { password: password ?? '', validated: token !== undefined });
      return [token === undefined ? 201 : 202, ''];
    }
    if (pathname === '/v1/usage-metrics') {
      if (lapi.generation === '1.4.6') return [404, ''];
      if (!isMachine && !isBouncer) return [403, '{"message":"access forbidden"}'];
      lapi.metrics.push(body);
      return [201, ''];
    }
    if (pathname.startsWith('/v1/decisions')) {
      if (!isBouncer) return [403, '{"message":"access forbidden"}'];
      return [200, pathname.endsWith('/stream') ? stream(url, fault?.kind === 'truncated') : live(url)];
    }
    if (!isMachine) return [401, '{"code":401,"message":"signature is invalid"}'];
    if (pathname === '/v1/heartbeat') return [200, ''];
    if (pathname === '/v1/alerts' && request.method === 'POST') {
      const alerts = body as { scenario?: string }[];
      if (alerts.some(({ scenario }) => scenario === 'poison')) {
        return [500, '{"message":"validation failure list:\\n0.scenario in body is required"}'];
      }
      lapi.alerts.push(...alerts);
      return [201, JSON.stringify(alerts.map((_, index) => String(lapi.alerts.length + index)))];
    }
    return [404, ''];
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', 'http://lapi');
    const isPacked = request.headers['content-encoding'] === 'gzip';
    const text = isPacked ? gunzipSync(raw).toString() : raw.toString();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    lapi.requests.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body,
      bytes: raw.length,
    });
    const [next] = lapi.faults;
    const isDue = next !== undefined && (next.kind !== 'status' || url.pathname.startsWith(next.path ?? '/'));
    const fault = isDue ? lapi.faults.shift() : undefined;
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, { 'Content-Type': 'application/json; charset=utf-8' });
      response.end(fault.message === undefined ? '' : JSON.stringify({ message: fault.message }));
      return;
    }
    await lapi.gate;
    const [status, said] =
      isPacked && lapi.generation === '1.4.6'
        ? [400, JSON.stringify({ message: "invalid character '\\x1f' looking for beginning of value" })]
        : answer(request, url, body, fault);
    if (fault?.kind === 'reset') return void request.socket.destroy();
    response.writeHead(status, { 'Content-Type': 'application/json' });
    if (fault?.kind !== 'cut') return void response.end(said);
    response.write(said.slice(0, Math.floor(said.length * fault.share)), () => request.socket.destroy());
  };

  const server: Server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => {
    if (typeof listenOn === 'string') server.listen(listenOn, resolve);
    else server.listen(listenOn, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo | string;
  return Object.assign(lapi, {
    url: typeof address === 'string' ? `unix:${address}` : `http://127.0.0.1:${address.port}/`,
  });
}
