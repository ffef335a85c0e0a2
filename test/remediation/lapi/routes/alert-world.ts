/** The routes of machines on a store in memory, with a machine that is logged in and a profile that bans addresses for four hours. */
import fastify, { type FastifyInstance, type InjectOptions } from 'fastify';
import type { Test } from 'tap';
import { createSystemRandom } from '../../../../core/random.ts';
import { createDecider } from '../../../../remediation/decider/decider.ts';
import { createDecisionHistory } from '../../../../remediation/index/decision-history.ts';
import { createDecisionIndex, type DecisionIndex } from '../../../../remediation/index/decision-index.ts';
import type { AllowlistItem } from '../../../../remediation/allowed/allowlists.ts';
import { createBouncerKeys } from '../../../../remediation/callers/bouncer-keys.ts';
import { createMachineDesk, type MachineDesk } from '../../../../remediation/callers/machine-desk.ts';
import { LapiError, type LapiDependencies } from '../../../../remediation/lapi/lapi-context.ts';
import { alertRoutes } from '../../../../remediation/lapi/routes/alerts.ts';
import { allowlistRoutes } from '../../../../remediation/lapi/routes/allowlists.ts';
import { decisionDeleteRoutes } from '../../../../remediation/lapi/routes/decisions-delete.ts';
import { createDecisionLedger } from '../../../../remediation/ledger/decision-ledger.ts';
import type { ProfileOutcome } from '../../../../remediation/decider/profiles.ts';
import { createProtectedSources } from '../../../../remediation/allowed/protected-sources.ts';
import { createPublisher, type Publication, type Publisher } from '../../../../remediation/exchange/publish.ts';
import { createMemoryStore } from '../../../../remediation/store/memory.ts';
import type { Store } from '../../../../remediation/store/store.ts';
import type { Alert } from '../../../../detectors/alert.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { collectedLog, type LogLine, settle } from '../../support.ts';

export const hour = 3_600_000;
const many = { maxAge: 30 * 24 * hour, maxRows: 1_000_000 };
const retention = { alerts: many, refusals: many, decisions: many, usage: many };

export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
  // Tests look into it as they know it.
  readonly json: () => never;
}

export interface AlertWorld {
  readonly app: FastifyInstance;
  readonly clock: ManualClock;
  readonly store: Store;
  readonly index: DecisionIndex;
  readonly publisher: Publisher;
  readonly published: Publication[];
  readonly lines: LogLine[];
  readonly machines: MachineDesk;
  /** Set: whoever asks has no trusted address. */
  isUntrusted: boolean;
  /** Set: what the store rejects writes with. */
  storeFault: Error | null;
  ask(method: 'GET' | 'HEAD' | 'POST' | 'DELETE', url: string, body?: unknown): Promise<Answer>;
  /** Posts alerts and returns their ids. */
  post(...alerts: object[]): Promise<number[]>;
}

export interface WorldOver {
  readonly store?: Store;
  readonly settingsAllowlist?: readonly AllowlistItem[];
  /** Writes that may wait for the store. */
  readonly maxQueued?: number;
  /** What the profiles say instead. */
  readonly evaluate?: (alert: Alert) => Partial<ProfileOutcome>;
}

export function createAlertWorld(t: Test, over: WorldOver = {}): AlertWorld {
  const clock = createManualClock();
  const random = createSystemRandom();
  const { log, lines } = collectedLog();
  const runtime = { clock, random, log };
  const settingsAllowlist = over.settingsAllowlist ?? [];
  const index = createDecisionIndex({ ...runtime, allowlist: settingsAllowlist });
  const store = over.store ?? createMemoryStore({ retention, maxDecisions: 1_000_000 }, runtime);
  const ledger = createDecisionLedger(runtime);
  const machines = createMachineDesk({ store, clock });
  const history = createDecisionHistory({ clock });
  const publisher = createPublisher({
    ...runtime,
    index,
    history,
    store: bound(store, () => world.storeFault),
    ...(over.maxQueued !== undefined && { maxQueued: over.maxQueued }),
  });
  const published: Publication[] = [];
  publisher.listen((publication) => published.push(publication));
  const decider = createDecider({
    ...runtime,
    index,
    publisher,
    goodBots: null,
    protectedSources: createProtectedSources({ trustedProxies: [] }),
    profiles: { names: ['test'], evaluate: (alert) => ({ ...banFourHours(alert), ...over.evaluate?.(alert) }) },
  });
  const deps: LapiDependencies = {
    ...runtime,
    store,
    publisher,
    machines,
    bouncers: createBouncerKeys({ ...runtime, store }),
    ledger,
    decider,
    index,
    settingsAllowlist,
    version: 'test',
    gatewayName: 'portcullis',
  };
  const app = application(deps, () => world.isUntrusted);
  const stop = new AbortController();
  const following = (async () => {
    for await (const { changes } of store.changes(null, stop.signal)) {
      for (const change of changes) ledger.apply(change, clock.now());
    }
  })();
  t.teardown(async () => {
    stop.abort();
    await app.close();
    world.storeFault = null;
    const closing = publisher.close(0);
    clock.advance(60_000);
    await closing;
    await store.close();
    await following;
  });

  const world: AlertWorld = {
    app,
    clock,
    store,
    index,
    publisher,
    published,
    lines,
    machines,
    isUntrusted: false,
    storeFault: null,
    async ask(method, url, body) {
      const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const options: InjectOptions = { method, url, ...(payload === undefined ? {} : { payload }) };
      const answer = await app.inject(options);
      await settle(4);
      return {
        status: answer.statusCode,
        type: answer.headers['content-type'],
        text: answer.body,
        json: () => JSON.parse(answer.body) as never,
      };
    },
    async post(...alerts) {
      const answer = await world.ask('POST', '/v1/alerts', alerts);
      t.equal(answer.status, 201, answer.text);
      return (JSON.parse(answer.text) as string[]).map(Number);
    },
  };
  return world;
}

/** The store as the publisher has it, which a test may take away. */
function bound(store: Store, fault: () => Error | null): Pick<Store, 'apply'> {
  return {
    async apply(writes) {
      const thrown = fault();
      if (thrown !== null) throw thrown;
      await store.apply(writes);
    },
  };
}

function banFourHours(alert: Alert): ProfileOutcome {
  const { scope } = alert.source;
  const draft = { type: 'ban', scope, origin: 'crowdsec', durationMs: 4 * hour, simulated: alert.simulated };
  return {
    drafts: alert.remediation && scope === 'Ip' ? [draft] : [],
    matched: [{ profile: 'test', notifications: ['mail'] }],
    rejected: null,
  };
}

function application(deps: LapiDependencies, isUntrusted: () => boolean): FastifyInstance {
  const app = fastify({ exposeHeadRoutes: false, bodyLimit: 50 * 1024 ** 2 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.decorateRequest('lapiCaller', null);
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof LapiError)) return reply.code(599).send(String((error as Error).stack));
    return reply.code(error.status).send({ message: error.message });
  });
  const machine = async (request: { lapiCaller: unknown }): Promise<void> => {
    request.lapiCaller = { kind: 'machine', machine: { id: 'm1' } };
  };
  const guards = {
    machine,
    bouncer: machine,
    either: machine,
    trustedIp: async () => {
      if (isUntrusted()) throw new LapiError(403, 'access forbidden from this IP (192.0.2.77)');
    },
  };
  for (const family of [alertRoutes, decisionDeleteRoutes, allowlistRoutes]) family(app, deps, guards);
  return app;
}

/** An alert that has all it must have, about one address. */
export function postedAlert(over: object = {}): object {
  return {
    capacity: 10,
    decisions: null,
    events: [],
    events_count: 1,
    leakspeed: '10s',
    message: 'm',
    scenario: 's',
    scenario_hash: '',
    scenario_version: '',
    simulated: false,
    source: { scope: 'Ip', value: '198.51.100.1', ip: '198.51.100.1' },
    start_at: '2026-01-01T00:00:00Z',
    stop_at: '2026-01-01T00:00:00Z',
    ...over,
  };
}

export function postedDecision(over: object = {}): object {
  return {
    duration: '1h',
    origin: 'cscli',
    scenario: 'manual',
    scope: 'Ip',
    type: 'ban',
    value: '198.51.100.44',
    ...over,
  };
}
