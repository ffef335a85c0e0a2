/**
 * A gateway's insides for the tests of the admin surfaces: a memory store, the real index, publisher and history, the real
 * detector. Only the expressions are written as JavaScript, so that these tests do not depend on the expression language.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayError } from '../../../core/errors.ts';
import { systemClock } from '../../../core/clock.ts';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import type { Alert } from '../../../detectors/alert.ts';
import type { Expression, ExpressionCompiler, Scope } from '../../../detectors/expr/compile.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { createScenarioDetector } from '../../../detectors/scenarios/detector.ts';
import { readScenarioDocuments } from '../../../detectors/scenarios/scenario-document.ts';
import { createAdminPublisher } from '../../../gateway/admin/admin-publisher.ts';
import type { AdminDependencies, GatewayFacts, GatewayPulse } from '../../../gateway/admin/dependencies.ts';
import { createScenarioExplainer } from '../../../detectors/scenarios/scenario-explainer.ts';
import type { LogReading } from '../../../gateway/detection.ts';
import { createClientResolver } from '../../../gateway/client-address.ts';
import { createCounters } from '../../../gateway/counters.ts';
import { createHttp1Origin } from '../../../gateway/origin/http1-origin.ts';
import { createSelftests } from '../../../gateway/selftests.ts';
import { createSiteTable, type Mode, type Site } from '../../../gateway/sites.ts';
import { RuleTrace } from '../../../gateway/waf/rule-trace.ts';
import { createWafCounters } from '../../../gateway/waf/waf-counters.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { createBouncerKeys } from '../../../remediation/callers/bouncer-keys.ts';
import { createDecisionIndex } from '../../../remediation/index/decision-index.ts';
import type { Decision } from '../../../remediation/decision.ts';
import { createProtectedSources } from '../../../remediation/allowed/protected-sources.ts';
import { createPublisher, type Publisher } from '../../../remediation/exchange/publish.ts';
import { createMemoryStore } from '../../../remediation/store/memory.ts';
import { storeOptions } from '../../../remediation/store/options.ts';
import type { RefusalEvent, Store } from '../../../remediation/store/store.ts';

export interface World {
  readonly deps: AdminDependencies;
  readonly store: Store;
  readonly publisher: Publisher;
  readonly pulse: { -readonly [Key in keyof GatewayPulse]: GatewayPulse[Key] };
  readonly folder: string;
  readonly socketPath: string;
}

interface Teardown {
  teardown(run: () => unknown): unknown;
}

const noLogs: LogReading = {
  sources: [],
  queue: { taken: 0, refused: 0, queued: 0, queuedCharacters: 0, failed: 0 },
  lines: { lines: 0, discarded: 0, whitelisted: 0, whitelistedOverflows: 0, waiting: 0 },
  nodes: [],
};

/** `wants` is a regular expression over the path, and the filter's second half is always true. */
const scenarios = String.raw`
type: leaky
name: test/sensitive-files
description: asks for secrets
filter: "evt.Meta.service == 'http' && evt.Parsed.request matches '[.](env|git|aws|htpasswd|bak|sql)'"
groupby: evt.Meta.source_ip
distinct: evt.Parsed.request
capacity: 4
leakspeed: 10s
blackhole: 1m
labels:
  remediation: true
---
type: leaky
name: test/probing
description: asks for what is not there
filter: "evt.Meta.service == 'http' and evt.Meta.http_status in ['404', '403']"
groupby: evt.Meta.source_ip
capacity: 10
leakspeed: 10s
labels:
  remediation: true
---
type: leaky
name: test/broken
description: cannot be read
filter: "nonsense("
capacity: 1
leakspeed: 1s
labels: {}
`;

const values: Readonly<Record<string, (scope: Scope) => unknown>> = {
  "evt.Meta.service == 'http'": ({ evt }) => evt?.Meta.service === 'http',
  "evt.Parsed.request matches '[.](env|git|aws|htpasswd|bak|sql)'": ({ evt }) =>
    /[.](env|git|aws|htpasswd|bak|sql)/.test(evt?.Parsed.request ?? ''),
  "evt.Meta.http_status in ['404', '403']": ({ evt }) => ['404', '403'].includes(evt?.Meta.http_status ?? ''),
  'evt.Meta.source_ip': ({ evt }) => evt?.Meta.source_ip ?? '',
  'evt.Parsed.request': ({ evt }) => evt?.Parsed.request ?? '',
};

const compiler: ExpressionCompiler = {
  compile(source): Expression {
    const parts = source.split(/ (?:&&|and) /);
    const known = parts.map((part) => values[part]);
    if (known.some((value) => value === undefined)) throw new Error(`cannot read ${source}`);
    const reads = new Set([...source.matchAll(/evt\.\w+\.\w+/g)].map(([path]) => path));
    return {
      source,
      ast: { kind: 'nil', at: 0 },
      reads,
      writes: new Set(),
      files: new Set(),
      evaluate(scope) {
        if (known.length === 1) return known[0]?.(scope);
        return known.every((value) => value?.(scope) === true);
      },
    };
  },
};

const originOptions = {
  connections: 1,
  connectTimeoutMs: 1_000,
  headersTimeoutMs: 1_000,
  keepAliveTimeoutMs: 1_000,
  headBytes: 16_384,
};

export interface WorldOptions {
  readonly mode?: Mode;
  readonly origin?: string;
  readonly facts?: Partial<GatewayFacts>;
  readonly faults?: readonly GatewayError[];
}

export async function createWorld(
  t: Teardown,
  { mode = 'block', origin = 'http://127.0.0.1:9', ...more }: WorldOptions = {},
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'admin-'));
  const runtime = { clock: systemClock, random: createSystemRandom(), log: createLog('silent') };
  const store = createMemoryStore(storeOptions.parse({ type: 'memory' }), runtime);
  const index = createDecisionIndex(runtime);
  const history = createDecisionHistory(runtime);
  const publisher = createPublisher({ ...runtime, index, history, store });
  const { documents } = readScenarioDocuments(scenarios, 'test.yaml');
  const expressions = { event: compiler, overflow: compiler };
  const detector = createScenarioDetector({ documents }, { ...runtime, expressions, files: noDataFiles });
  const client = createHttp1Origin(new URL(origin), originOptions, runtime.clock);
  const site: Site = {
    name: 'shop.example',
    hosts: ['shop.example'],
    origin,
    mode,
    client,
    load: { inFlight: 0 },
    waf: { 'core-rules': 'off', 'virtual-patches': 'off', onFailure: 'block' },
  };
  const clients = createClientResolver({ trustedProxies: ['10.0.0.0/8'], header: 'auto' }, null);
  const pulse: World['pulse'] = {
    draining: false,
    decisionsReady: true,
    followAgeMs: 10,
    untrustedForwarders: [],
    poured: 0,
  };
  t.teardown(async () => {
    detector.close();
    await publisher.close(100);
    await store.close();
    await client.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const deps: AdminDependencies = {
    ...runtime,
    store,
    publisher: createAdminPublisher(publisher, runtime.clock),
    layers: [],
    ruleFaults: [],
    exceptions: null,
    wafCounters: createWafCounters(),
    trace: new RuleTrace(runtime.clock),
    bouncerKeys: createBouncerKeys({ ...runtime, store }),
    index,
    detector,
    ...(more.faults === undefined ? {} : { faults: more.faults }),
    reading: () => noLogs,
    explainer: createScenarioExplainer({ documents }, expressions),
    selftests: createSelftests(runtime.clock, runtime.random),
    forgetSource: (address) => detector.forget(address.text),
    counters: createCounters(),
    sites: createSiteTable([site], null),
    clients,
    protectedSources: createProtectedSources({ trustedProxies: clients.trustedRanges }),
    facts: {
      version: '1.2.3',
      startedAt: runtime.clock.now() - 60_000,
      url: 'http://127.0.0.1:9',
      listenSocket: null,
      adminUrl: 'http://127.0.0.1:9180',
      appsecUrl: null,
      forwardAuthUrl: null,
      lapiUrls: [],
      dataFolder: folder,
      settingsFile: null,
      demo: false,
      settings: [{ name: 'store', value: 'memory' }],
      warnings: [],
      ...more.facts,
    },
    pulse: () => pulse,
  };
  return { deps, store, publisher, pulse, folder, socketPath: join(folder, 'admin.sock') };
}

export function decision(fields: Partial<Decision> = {}): Decision {
  const now = systemClock.now();
  return {
    uuid: crypto.randomUUID(),
    origin: 'crowdsec',
    scenario: 'test/sensitive-files',
    scope: 'Ip',
    value: '203.0.113.9',
    type: 'ban',
    until: now + 3_600_000,
    createdAt: now,
    simulated: false,
    alertUuid: null,
    ...fields,
  };
}

export function alert(fields: Partial<Alert> = {}): Alert {
  const now = systemClock.now();
  return {
    uuid: crypto.randomUUID(),
    kind: 'crowdsec',
    scenario: 'test/sensitive-files',
    scenarioHash: 'ab'.repeat(32),
    scenarioVersion: '0.1',
    message: "Ip 203.0.113.9 performed 'test/sensitive-files' (5 events over 1s) at 2026-01-01 00:00:04 +0000 UTC",
    source: {
      scope: 'Ip',
      value: '203.0.113.9',
      ip: '203.0.113.9',
      range: '',
      asNumber: '64496',
      asName: 'Example Net',
      country: 'CH',
      latitude: 0,
      longitude: 0,
    },
    eventsCount: 5,
    events: [
      {
        timestamp: new Date(now).toISOString(),
        meta: [
          { key: 'http_path', value: '/.env\u001b[31m' },
          { key: 'http_status', value: '404' },
          { key: 'http_user_agent', value: 'curl/8' },
          { key: 'http_verb', value: 'GET' },
          { key: 'source_ip', value: '203.0.113.9' },
        ],
      },
    ],
    startAt: now - 1_000,
    stopAt: now,
    createdAt: now,
    capacity: 4,
    leakspeed: '10s',
    simulated: false,
    remediation: true,
    labels: { remediation: true },
    meta: [],
    requestIds: ['00000000000000aa'],
    ...fields,
  };
}

export function refusal(fields: Partial<RefusalEvent> = {}): RefusalEvent {
  return {
    requestId: '00000000000000bb',
    at: systemClock.now(),
    clientIp: '203.0.113.9',
    clientFrom: 'x-forwarded-for',
    peerIp: '10.0.0.1',
    site: 'shop.example',
    method: 'GET',
    target: '/login?next=\u001b]0;owned\u0007',
    status: 403,
    reason: 'decision',
    findings: [],
    remediation: 'ban',
    decisionUuid: null,
    scenario: 'test/sensitive-files',
    userAgent: 'curl/8',
    detail: 'Ip 203.0.113.9',
    ...fields,
  };
}
