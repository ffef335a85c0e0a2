/** Puts the remediation together: alerts in, decisions in the index and on their way to the store. */
import { readFile } from 'node:fs/promises';
import { GatewayError, messageOf } from '../core/errors.ts';
import { packageRoot } from '../core/package-root.ts';
import type { Runtime } from '../core/runtime.ts';
import { createExpressionCompiler } from '../detectors/expr/compile.ts';
import type { HelperDependencies } from '../detectors/expr/dependencies.ts';
import { profileEnvironment } from '../detectors/expr/environment.ts';
import { alertView } from '../detectors/expr/environment/alert-view.ts';
import { type AllowlistItem, settingsAllowlist } from '../remediation/allowed/allowlists.ts';
import { createDecider, type Decider } from '../remediation/decider/decider.ts';
import { createDecisionHistory, type DecisionHistory } from '../remediation/index/decision-history.ts';
import { createDecisionIndex, type DecisionIndex, startSweeper } from '../remediation/index/decision-index.ts';
import { datedAddresses } from '../core/dated-addresses.ts';
import { createDnsResolver } from '../core/dns-resolver.ts';
import { type Follower, followStore } from '../remediation/exchange/follow.ts';
import { crawlersOf, createGoodBots, type GoodBots } from '../remediation/allowed/good-bots.ts';
import { knownCrawlers } from '../remediation/allowed/known-crawlers.ts';
import { parseProfiles, type ProfileDocument } from '../remediation/decider/profile-documents.ts';
import { createProfiles, type Profiles } from '../remediation/decider/profiles.ts';
import { createDecisionLedger, type DecisionLedger } from '../remediation/ledger/decision-ledger.ts';
import type { ProtectedSources } from '../remediation/allowed/protected-sources.ts';
import { createPublisher, type Publisher } from '../remediation/exchange/publish.ts';
import type { Store } from '../remediation/store/store.ts';
import { selftestAddress } from './selftests.ts';
import { servesLapi } from './lapi/open-lapi.ts';
import type { Settings } from './settings.ts';

/** The decisions in force, and how they stay in step with the store. */
export interface DecisionState {
  readonly index: DecisionIndex;
  readonly history: DecisionHistory;
  readonly publisher: Publisher;
  readonly follower: Follower;
  /** Null when no Local API is served. */
  readonly ledger: DecisionLedger | null;
  readonly settingsAllowlist: readonly AllowlistItem[];
  close(): Promise<void>;
}

/** How far back escalation looks. */
const historyMs = 30 * 86_400_000;
const historyValues = 100_000;

/** Resolves when every decision of the store is in the index: a gateway that is not ready must not let requests pass. */
export async function openDecisions(
  settings: Settings,
  store: Store,
  runtime: Runtime,
  onProgress: (changes: number) => void,
): Promise<DecisionState> {
  const { clock } = runtime;
  const { ipv6Prefix } = settings.client;
  const allowlist = settings.remediation.allowlist.map((entry) => ({ ...entry, list: settingsAllowlist, until: null }));
  const index = createDecisionIndex({
    ...runtime,
    allowlist,
    resolveName: (name) => datedAddresses(name, dnsTimeoutMs),
  });
  const history = createDecisionHistory({ clock, ipv6Prefix, exempt: selftestAddress.text });
  const publisher = createPublisher({ ...runtime, index, history, store });
  const asOf = clock.now();
  try {
    history.seed(await store.decisionCounts(asOf - historyMs, historyValues), asOf);
  } catch (thrown) {
    runtime.log.warn({ cause: messageOf(thrown) }, 'the store does not tell earlier decisions: durations start anew');
  }
  const pending = (): ReturnType<Publisher['pendingDecisions']> => publisher.pendingDecisions();
  const { maxRows: maxEnded } = settings.store.retention.decisions;
  // Gateways that share a store hear of a decision at different moments, and bouncers may ask any of them.
  const overlapMs = settings.store.type === 'redis' ? 5_000 : 0;
  const ledger = servesLapi(settings) ? createDecisionLedger({ ...runtime, maxEnded, overlapMs }) : null;
  const follower = followStore({ ...runtime, store, index, history, ...(ledger && { ledger }), pending, onProgress });
  const sweeps = [index, ...(ledger ? [ledger] : [])].map((swept) => startSweeper(swept, clock));
  return {
    index,
    history,
    publisher,
    follower,
    ledger,
    settingsAllowlist: allowlist,
    async close() {
      for (const sweep of sweeps) sweep.cancel();
      await publisher.close();
      await follower.close();
    },
  };
}

export interface DeciderParts {
  readonly decisions: DecisionState;
  readonly helpers: HelperDependencies;
  readonly protectedSources: ProtectedSources;
}

export interface OpenedDecider {
  readonly decider: Decider;
  readonly profiles: Profiles;
  readonly profileDocuments: readonly ProfileDocument[];
  close(): void;
}

/** The decider with its profiles and its knowledge of good bots. */
export async function openDecider(settings: Settings, runtime: Runtime, parts: DeciderParts): Promise<OpenedDecider> {
  const { remediation, client } = settings;
  const { decisions, helpers, protectedSources } = parts;
  const file = remediation.profiles ?? `${packageRoot}/remediation/decider/default-profiles.yaml`;
  const profileDocuments = parseProfiles(await readProfiles(file), file);
  const profiles = createProfiles({
    documents: profileDocuments,
    compiler: createExpressionCompiler({ environment: profileEnvironment, helpers }),
    view: alertView,
    log: runtime.log,
    maxDurationMs: remediation.maxDuration,
  });
  const goodBots = openGoodBots(remediation.goodBots, runtime);
  const decider = createDecider({
    ...runtime,
    index: decisions.index,
    protectedSources,
    goodBots,
    profiles,
    publisher: decisions.publisher,
    ipv6Prefix: client.ipv6Prefix,
    crawlScenarios: remediation.goodBots.crawlScenarios,
  });
  return {
    decider,
    profiles,
    profileDocuments,
    close() {
      decider.close();
      goodBots?.close();
    },
  };
}

async function readProfiles(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new GatewayError('PROFILE_INVALID', `the profiles ${file} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Check `remediation.profiles`, or leave it out to use the built-in ones.',
      cause,
    });
  }
}

const dnsTimeoutMs = 1_500;

function openGoodBots(options: Settings['remediation']['goodBots'], { clock, log }: Runtime): GoodBots | null {
  if (!options.enabled) return null;
  const crawlers = [...crawlersOf(options.extra), ...knownCrawlers];
  return createGoodBots({ clock, log, resolver: createDnsResolver(dnsTimeoutMs), crawlers });
}
