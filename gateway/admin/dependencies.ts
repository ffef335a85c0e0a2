/**
 * What the admin surfaces are handed by the composition root: the control socket that the command line speaks to, and the
 * admin listener with health and metrics. Everything is plain data and narrow functions, so that tests can assemble it.
 */
import type { GatewayError } from '../../core/errors.ts';
import type { IpAddress } from '../../core/ip.ts';
import type { Alert } from '../../detectors/alert.ts';
import type { Decision } from '../../remediation/decision.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ScenarioDetector } from '../../detectors/scenarios/detector.ts';
import type { AllowlistItem } from '../../remediation/allowed/allowlists.ts';
import type { LapiCounters } from '../../remediation/lapi/server/lapi-counters.ts';
import type { ProtectedSources } from '../../remediation/allowed/protected-sources.ts';
import type { DecisionIndex } from '../../remediation/index/decision-index.ts';
import type { Store } from '../../remediation/store/store.ts';
import type { ClientResolver } from '../client-address.ts';
import type { Counters } from '../counters.ts';
import type { LogReading } from '../detection.ts';
import type { SimulationSwitch } from '../simulation-switch.ts';
import type { Selftests } from '../selftests.ts';
import type { SiteTable } from '../sites.ts';
import type { ExceptionDesk } from '../waf/open-core-rules.ts';
import type { LayerSummary } from '../waf/open-waf.ts';
import type { RuleTrace } from '../waf/rule-trace.ts';
import type { WafCounters } from '../waf/waf-counters.ts';
import type { AdminPublisher } from './admin-publisher.ts';
import type { LapiModel, LapiUpstreamModel, NotificationModel } from './operator-models.ts';
import type { ScenarioExplainer } from '../../detectors/scenarios/scenario-explainer.ts';

/** What does not change while the gateway runs. */
export interface GatewayFacts {
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Where clients reach the gateway from this machine: `http://127.0.0.1:8080`. With `listenSocket`, only its host matters. */
  readonly url: string;
  /** The unix socket that the gateway listens on instead of a port, or null. */
  readonly listenSocket: string | null;
  readonly adminUrl: string | null;
  /** Where bouncers ask: a URL, or `unix:` and a path; null when they cannot. */
  readonly appsecUrl: string | null;
  /** Where other web servers ask whether a request may pass, as `appsecUrl`. */
  readonly forwardAuthUrl: string | null;
  /** Where agents and bouncers reach the Local API; none when it is off. */
  readonly lapiUrls: readonly string[];
  readonly dataFolder: string;
  /** The settings file that was read, or null when there is none and the defaults are used. */
  readonly settingsFile: string | null;
  /** No origin was configured: the gateway shows its own pages. */
  readonly demo: boolean;
  /** Settings worth telling, in plain words: name and value. */
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  /** What the settings loader warned of. */
  readonly warnings: readonly string[];
}

/** What the gateway knows of itself from moment to moment. */
export interface GatewayPulse {
  readonly draining: boolean;
  /** Every decision of the store is in the index: false only while the first snapshot is read. */
  readonly decisionsReady: boolean;
  /** Milliseconds since the store was last known to be in step with the index, or null before the first time. */
  readonly followAgeMs: number | null;
  /** Requests shown to the scenarios, each counted once although it is poured before and after its response. */
  readonly poured: number;
  /**
   * Peers that sent forwarding headers without being trusted proxies, with their requests; bounded, most first. Many from
   * one private address mean that a proxy is missing in `trustedProxies`.
   */
  readonly untrustedForwarders: readonly { readonly peer: string; readonly requests: number }[];
}

/** How many decisions of one kind are in force. */
export interface ActiveDecisions {
  readonly origin: string;
  readonly scenario: string;
  readonly type: string;
  readonly count: number;
}

/** The ways that people are told, for whoever tries them out. */
export interface NotificationDesk {
  status(): readonly NotificationModel[];
  /**
   * Sends at once, past grouping and queue.
   * @throws GatewayError with what went wrong.
   */
  test(name: string, alert: Alert, decisions: readonly Decision[]): Promise<void>;
  /** Asks the profiles about the alert anew and hands it to whom they name; returns those. Makes no decisions. */
  reinject(alert: Alert, decisions: readonly Decision[]): readonly string[];
}

/** The list of programs that ask, of which `changed` must be told. */
export interface DeskOfAskers {
  changed(): void;
  /** Nothing is written about this one any more. */
  forget?(name: string): void;
}

export interface AdminDependencies extends Runtime {
  readonly store: Store;
  readonly publisher: AdminPublisher;
  readonly bouncerKeys: DeskOfAskers;
  /** Absent where no machine may report. */
  readonly machines?: DeskOfAskers;
  /** Decisions in force, by origin, scenario and type; absent where nobody counts them. */
  readonly activeDecisions?: () => Iterable<ActiveDecisions>;
  /** What the Local API counts; absent where none is served. */
  readonly lapiCounters?: Pick<
    LapiCounters,
    'routes' | 'machines' | 'bouncers' | 'decisionsFound' | 'decisionsMissing' | 'refusedCredentials' | 'durations'
  >;
  /** Which scenarios only simulate. */
  readonly simulation?: SimulationSwitch;
  /** Absent: nobody is notified. */
  readonly notifications?: NotificationDesk;
  /** Other Local APIs; absent: none. */
  readonly upstreams?: () => readonly LapiUpstreamModel[];
  /** Local APIs that are served and asked; absent: none. */
  readonly lapi?: () => Promise<LapiModel>;
  /** Entries of the settings, shown as a list of their own. */
  readonly settingsAllowlist?: readonly AllowlistItem[];
  readonly index: Pick<DecisionIndex, 'lookup' | 'isAllowed' | 'allowedRange' | 'size' | 'memoryBytes'>;
  readonly detector: Pick<ScenarioDetector, 'scenarios' | 'faults' | 'counters'>;
  /** Documents of scenarios and parsers, data files and expressions that are not used, and why; without it, those of the detector are told. */
  readonly faults?: readonly GatewayError[];
  /** The rules of the WAF that run on some site. */
  readonly layers: readonly LayerSummary[];
  /** Rules and appsec-configs that are not used, and why. */
  readonly ruleFaults: readonly GatewayError[];
  /** What the core rules are told to look away from. Null: no core rules run. */
  readonly exceptions: ExceptionDesk | null;
  readonly wafCounters: WafCounters;
  /** What rules say about each request, while somebody asks. */
  readonly trace: RuleTrace;
  /** The last lines of the gateway's own log; absent where nobody keeps them. */
  readonly recentLog?: () => string;
  /** The logs of other programs that are read. */
  readonly reading: () => LogReading;
  readonly explainer: ScenarioExplainer;
  readonly selftests: Selftests;
  /** Forgets buckets and silences of one source, so that self-tests do not disturb each other. */
  readonly forgetSource: (address: IpAddress) => void;
  readonly counters: Counters;
  readonly sites: SiteTable;
  readonly clients: Pick<ClientResolver, 'trustedRanges' | 'peerOf' | 'clientOf' | 'clientAt'>;
  /** Whom scenarios never ban. */
  readonly protectedSources: ProtectedSources;
  readonly facts: GatewayFacts;
  readonly pulse: () => GatewayPulse;
}
