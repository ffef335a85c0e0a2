/**
 * The composition root: the only place where the parts of the house meet. Starts them in the order in which they need each
 * other and stops them in reverse. Requests are accepted only when every known decision is in the index.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { readTextFile } from '../config/read-text-file.ts';
import { systemClock } from '../core/clock.ts';
import { createLog, type LogDestination } from '../core/log.ts';
import { RecentLines } from '../core/recent-lines.ts';
import { isInstalled, packageVersion } from '../core/package-root.ts';
import { createSystemRandom } from '../core/random.ts';
import { releaseMemory } from '../core/release-memory.ts';
import type { Runtime } from '../core/runtime.ts';
import { threadTime } from '../core/thread-time.ts';
import { openGeoDatabases } from '../detectors/lookups/geoip.ts';
import type { Alert } from '../detectors/alert.ts';
import { probeLinearEngine } from '../detectors/regex/linear-engine.ts';
import { createBouncerKeys } from '../remediation/callers/bouncer-keys.ts';
import { createProtectedSources } from '../remediation/allowed/protected-sources.ts';
import { createStore } from '../remediation/store/index.ts';
import { createAdminPublisher } from './admin/admin-publisher.ts';
import { createAdminServer } from './admin/admin-server.ts';
import { createControlServer } from './admin/control-server.ts';
import type { AdminDependencies, GatewayFacts } from './admin/dependencies.ts';
import { openAppsec } from './appsec/open-appsec.ts';
import { createClientResolver, type Geography } from './client-address.ts';
import { openForwardAuth } from './forward-auth/open-forward-auth.ts';
import { startDemoOrigin } from './demo-origin.ts';
import { createDetection } from './detection.ts';
import { openNotifications } from './open-notifications.ts';
import type { ListenAddress } from './options.ts';
import { gatewayName, openLapi, type OpenedLapi } from './lapi/open-lapi.ts';
import { lapiModel, upstreamModels } from './lapi/lapi-views.ts';
import { openUpstreams } from './lapi/open-upstreams.ts';
import { createOrigins } from './origins.ts';
import { openDecider, openDecisions } from './remediation-chain.ts';
import { createSelftests } from './selftests.ts';
import { type ReadSettings, readSettings, type Settings } from './settings.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { openWaf } from './waf/open-waf.ts';
import { RuleTrace } from './waf/rule-trace.ts';
import { WafWatch } from './waf/waf-watch.ts';

export interface StartOptions {
  /** The value of `--config`, or null. */
  readonly configFile: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Takes the lines of the log, instead of standard error. */
  readonly logTo?: LogDestination;
  /** Told while many decisions are read from the store. */
  readonly onProgress?: (decisions: number) => void;
}

export interface RunningGateway {
  /** Where clients reach it from this machine. */
  readonly url: string;
  readonly adminUrl: string | null;
  readonly controlSocket: string;
  readonly mode: Settings['mode'];
  /** No origin was set: the demo site stands behind the gateway. */
  readonly demo: boolean;
  readonly settings: Settings;
  readonly facts: GatewayFacts;
  readonly scenarios: number;
  readonly decisions: number;
  /** Opens log files anew, after a rotation. */
  reopenLogs(): void;
  /** Finishes what is in flight, then stops. Safe twice. */
  stop(): Promise<void>;
}

/** @throws GatewayError: settings, addresses, store, profiles; everything that had started is stopped again. */
export async function startGateway(options: StartOptions): Promise<RunningGateway> {
  const undo: (() => Promise<void> | void)[] = [];
  const stop = createStop(undo);
  try {
    return await start(options, undo, stop);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function start(
  options: StartOptions,
  undo: (() => Promise<void> | void)[],
  stop: () => Promise<void>,
): Promise<RunningGateway> {
  const startedAt = systemClock.now();
  const { read, demo } = await settingsOrDemo(options, undo);
  const { settings } = read;
  const recentLog = new RecentLines();
  const runtime: Runtime = {
    clock: systemClock,
    random: createSystemRandom(),
    log: createLog(settings.log.level, options.logTo, recentLog),
  };
  for (const warning of read.warnings) runtime.log.warn({}, warning);
  probeLinearEngine(runtime.clock);
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });

  const geo = await openGeoDatabases(pathsOf(settings.geoip), runtime);
  undo.push(() => geo.close());
  const store = await createStore(settings.store, runtime);
  undo.push(() => store.close());
  const decisions = await openDecisions(settings, store, runtime, options.onProgress ?? (() => {}));
  undo.push(() => decisions.close());
  await decisions.follower.ready;

  const { index, history, publisher, follower, ledger } = decisions;
  const detection = await createDetection(settings, {
    ...runtime,
    geo,
    decisionCounts: history,
    env: options.env,
  });
  const { detector, explainer, helpers } = detection;
  undo.push(() => detection.close());
  const geography = geographyOf(settings, geo);
  const clients = createClientResolver(settings.client, geography);
  const protectedSources = createProtectedSources({
    trustedProxies: clients.trustedRanges,
    protectPrivate: settings.remediation.protectPrivate,
  });
  const remediation = await openDecider(settings, runtime, { decisions, helpers, protectedSources });
  undo.push(() => remediation.close());
  const notifications = await openNotifications(settings, {
    ...runtime,
    ...remediation,
    publisher,
    env: options.env,
    gatewayName,
  });
  undo.push(() => notifications.close());
  const decide = (alerts: readonly Alert[]): void => {
    for (const alert of alerts) remediation.decider.decide(alert);
  };

  const origins = await createOrigins(
    settings,
    settings.unknownHost === 'default' ? settings.origin : null,
    runtime.clock,
  );
  undo.push(() => origins.close());
  const selftests = createSelftests(runtime.clock, runtime.random);
  const sites = origins.table;
  const trace = new RuleTrace(runtime.clock);
  const watch = new WafWatch({ ...runtime, threadTime });
  const judgedSites = settings.forwardAuth.listen === null ? sites : origins.judged;
  const opened = await openWaf(settings, { ...runtime, sites: judgedSites, helpers, trace, watch });
  const upstreams = await openUpstreams(settings, {
    ...runtime,
    store,
    publisher,
    index,
    version: packageVersion(),
    startedAt,
    scenarios: () => detector.scenarios.map(({ name }) => name),
  });
  undo.push(() => upstreams.close());
  const traffic = createTraffic(settings, {
    ...runtime,
    sites,
    clients,
    index,
    engine: detection.engine,
    decide,
    store,
    selftests,
    waf: opened.waf,
    live: upstreams.live,
  });
  upstreams.tell({ counters: traffic.counters, reading: () => detection.reading() });
  const bouncerKeys = createBouncerKeys({ ...runtime, store });
  undo.push(() => bouncerKeys.close());
  const lapi = openLapi(settings, {
    ...runtime,
    store,
    publisher,
    ledger,
    decider: remediation.decider,
    index,
    bouncers: bouncerKeys,
    settingsAllowlist: decisions.settingsAllowlist,
    version: packageVersion(),
  });
  undo.push(() => lapi?.close());
  const facts = factsOf(read, demo, startedAt, traffic);
  const admin: AdminDependencies = {
    ...runtime,
    store,
    publisher: createAdminPublisher(publisher, runtime.clock, (alert, manual) =>
      remediation.decider.accept(alert, manual),
    ),
    bouncerKeys,
    index,
    detector,
    faults: detection.faults,
    layers: opened.layers,
    ruleFaults: opened.faults,
    exceptions: opened.exceptions,
    wafCounters: watch.counters,
    trace,
    recentLog: () => recentLog.text(),
    reading: () => detection.reading(),
    explainer,
    simulation: detection.simulation,
    ...(notifications.desk && { notifications: notifications.desk }),
    settingsAllowlist: decisions.settingsAllowlist,
    ...(lapi && { machines: lapi.machines, lapiCounters: lapi.server.counters }),
    ...(ledger && { activeDecisions: () => ledger.countsBy(runtime.clock.now()) }),
    upstreams: () => upstreamModels(upstreams),
    lapi: () => lapiModel({ lapi, addresses: facts.lapiUrls, bouncers: bouncerKeys, upstreams }),
    selftests,
    forgetSource: (address) => detector.forget(address.text),
    counters: traffic.counters,
    sites,
    clients,
    protectedSources,
    facts,
    pulse: () => ({
      draining: traffic.server.draining,
      decisionsReady: follower.status().ageMs !== null,
      followAgeMs: follower.status().ageMs,
      untrustedForwarders: traffic.forwarders.list(),
      poured: traffic.counters.poured,
    }),
  };
  // Before the listener, so that health is there from the first request to the last, the drain included.
  facts.adminUrl = await openAdmin(settings, admin, lapi, undo);
  undo.push(() => traffic.close());
  const appsec = openAppsec(settings, {
    ...runtime,
    rules: opened.forBouncers,
    watch,
    engine: detection.engine,
    decide,
    refusals: traffic.refusals,
    counters: traffic.counters,
    keys: bouncerKeys,
    index,
  });
  undo.push(() => appsec?.close());
  const forwardAuth = openForwardAuth(settings, { ...runtime, traffic, sites: judgedSites, geography });
  undo.push(() => forwardAuth?.close());
  releaseMemory();
  const lapiPort = await lapi?.server.listen();
  facts.lapiUrls = lapiPlaces(settings, lapiPort?.port ?? 0, facts.adminUrl);
  const appsecPort = await appsec?.listen();
  if (settings.appsec.listen !== null) facts.appsecUrl = listenerName(settings.appsec.listen, appsecPort ?? 0);
  const forwardAuthPort = await forwardAuth?.listen();
  if (settings.forwardAuth.listen !== null) {
    facts.forwardAuthUrl = listenerName(settings.forwardAuth.listen, forwardAuthPort ?? 0);
  }
  await traffic.server.listen();
  detection.start(decide);
  return {
    url: facts.url,
    adminUrl: facts.adminUrl,
    controlSocket: settings.admin.socket,
    mode: settings.mode,
    demo,
    settings,
    facts,
    scenarios: detector.scenarios.length,
    decisions: index.size.total,
    reopenLogs: () => traffic.accessLog.reopen(),
    stop,
  };
}

/** Runs what was noted in reverse order, once. What fails does not keep the rest from stopping. */
function createStop(undo: (() => Promise<void> | void)[]): () => Promise<void> {
  let stopping: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const step of undo.toReversed()) {
      try {
        await step();
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything stopped cleanly');
  };
  return () => {
    stopping ??= run();
    return stopping;
  };
}

/** Without a settings file and without an origin, the demo site takes the origin's place. */
async function settingsOrDemo(
  { configFile, env, cwd }: StartOptions,
  undo: (() => Promise<void> | void)[],
): Promise<{ readonly read: ReadSettings; readonly demo: boolean }> {
  const request = { configFile, cwd, installed: isInstalled, readFile: readTextFile };
  const configured =
    configFile !== null ||
    Boolean(env.PORTCULLIS_CONFIG || env.ORIGIN || env.PORTCULLIS_ORIGIN || env.PORTCULLIS_SITES) ||
    existsSync(resolve(cwd, 'portcullis.yaml'));
  if (configured) return { read: readSettings({ ...request, env }), demo: false };
  const demoOrigin = await startDemoOrigin();
  undo.push(() => demoOrigin.close());
  // In the demo visitors are made up on this machine: X-Forwarded-For from loopback says who they are.
  const demoEnv = { PORTCULLIS_CLIENT_TRUSTED_PROXIES: 'loopback', ...env, PORTCULLIS_ORIGIN: demoOrigin.url };
  return { read: readSettings({ ...request, env: demoEnv }), demo: true };
}

async function openAdmin(
  settings: Settings,
  admin: AdminDependencies,
  lapi: OpenedLapi | null,
  undo: (() => Promise<void> | void)[],
): Promise<string | null> {
  const control = createControlServer({ socketPath: settings.admin.socket }, admin);
  undo.push(() => control.close());
  await control.listen();
  const { listen } = settings.admin;
  if (listen === null) return null;
  const plugins = lapi !== null && settings.lapi.listen === 'admin' ? [lapi.server.plugin] : [];
  const server = createAdminServer({ listen, plugins }, admin);
  undo.push(() => server.close());
  return urlOf(listen, await server.listen());
}

/** How to reach an address from this machine. */
function urlOf(listen: ListenAddress, port: number): string {
  if ('socketPath' in listen) return 'http://localhost';
  const anywhere = listen.host === null || listen.host === '0.0.0.0' || listen.host === '::';
  const host = anywhere ? '127.0.0.1' : (listen.host ?? '');
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where the Local API is reached: none, one, or two. */
function lapiPlaces({ lapi }: Settings, port: number, adminUrl: string | null): string[] {
  const { listen, socket, tls } = lapi;
  const places: string[] = [];
  if (listen === 'admin') places.push(...(adminUrl === null ? [] : [adminUrl]));
  else if (listen !== null) {
    const name = listenerName(listen, port);
    places.push(tls === null ? name : name.replace(/^http:/, 'https:'));
  }
  if (socket !== null) places.push(`unix:${socket}`);
  return places;
}

/** As `urlOf`, and a socket by its path. */
function listenerName(listen: ListenAddress, port: number): string {
  return 'socketPath' in listen ? `unix:${listen.socketPath}` : urlOf(listen, port);
}

/** What is known only when a listener is open. */
type Mutable<T, Keys extends keyof T> = Omit<T, Keys> & { -readonly [Key in Keys]: T[Key] };

function factsOf(
  { settings, file, warnings }: ReadSettings,
  demo: boolean,
  startedAt: number,
  { server }: Traffic,
): Mutable<GatewayFacts, 'adminUrl' | 'appsecUrl' | 'forwardAuthUrl' | 'lapiUrls'> {
  const { listen } = settings;
  return {
    version: packageVersion(),
    startedAt,
    // The port is known once the listener is open.
    get url() {
      return urlOf(listen, server.port);
    },
    listenSocket: 'socketPath' in listen ? listen.socketPath : null,
    adminUrl: null,
    appsecUrl: null,
    forwardAuthUrl: null,
    lapiUrls: [],
    dataFolder: settings.dataDir,
    settingsFile: existsSync(file) ? file : null,
    demo,
    settings: [
      { name: 'store', value: settings.store.type },
      { name: 'client header', value: settings.client.header },
      { name: 'trusted proxies', value: settings.client.trustedProxies.join(', ') || 'none' },
      { name: 'IPv6 prefix', value: `/${settings.client.ipv6Prefix}` },
    ],
    warnings,
  };
}

function pathsOf({ country, city, asn }: Settings['geoip']): { country?: string; city?: string; asn?: string } {
  return { ...(country && { country }), ...(city && { city }), ...(asn && { asn }) };
}

function geographyOf(settings: Settings, geo: Awaited<ReturnType<typeof openGeoDatabases>>): Geography | null {
  const { country, city, asn } = settings.geoip;
  if (country === null && city === null && asn === null) return null;
  return { country: (ip) => geo.country(ip), asn: (ip) => String(geo.asn(ip)?.number ?? '') };
}
