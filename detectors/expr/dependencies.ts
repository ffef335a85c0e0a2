/**
 * What the helpers of the expression language are handed. Only the first three are needed; a helper whose dependency is
 * absent is known by name and signature, but an expression that calls it is refused when it is compiled.
 */
import type { Answer } from '../../core/answer-cache.ts';
import type { Clock } from '../../core/clock.ts';
import type { HostResolver } from '../../core/host-resolver.ts';
import type { Log } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { DataFiles, PatternTest } from './data-files.ts';

/** Counts of decisions about one value (`Ip`, `Range`, …), answered from memory: expressions never wait. */
export interface DecisionCounts {
  total(value: string): number;
  /** Decisions made at or after `sinceMs`, epoch milliseconds. */
  since(value: string, sinceMs: number): number;
  active(value: string): number;
  /** Of the active decision that lasts longest; 0 when there is none. */
  activeTimeLeftMs(value: string): number;
}

/** Records of MaxMind databases with their Go member names, or null when the address is not in them. */
export interface GeoLookup {
  city(ip: string): object | null;
  asn(ip: string): object | null;
  /** CIDR text of the record's network. */
  range(ip: string): string | null;
  /** ISO code. */
  country(ip: string): string | null;
}

/** The caches that parser nodes fill (`stash:`) and expressions ask. */
export interface StashCaches {
  get(cache: string, key: string): string | null;
  set(cache: string, key: string, value: string, ttlMs: number | null): void;
}

/** The members of Go's names that expressions read. */
export interface HttpAnswer {
  readonly StatusCode: bigint;
  readonly Body: string;
  /** By canonical name (`Content-Type`). */
  readonly Headers: Readonly<Record<string, readonly string[]>>;
}

export interface HttpQuestion {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers of web servers. What failed, or may not be asked, is an answer of its own. */
export interface HttpAsker {
  ask(question: HttpQuestion): Answer<HttpAnswer | HttpFailure>;
}

export interface HttpFailure {
  /** Why there is no answer, in words that follow "HTTPGet: ". */
  readonly failure: string;
}

export interface HelperDependencies {
  readonly clock: Clock;
  readonly files: DataFiles;
  /** Compiles RE2 syntax to a pattern safe for the request path; throws when the syntax is wrong. */
  readonly regex: (pattern: string) => PatternTest;
  readonly random?: Random;
  readonly log?: Pick<Log, 'info'>;
  readonly hostname?: string;
  /** Absent: every count is 0, as in CrowdSec without a database. */
  readonly decisionCounts?: DecisionCounts;
  readonly geo?: GeoLookup;
  readonly resolver?: HostResolver;
  readonly stash?: StashCaches;
  readonly injection?: { isSqli(text: string): boolean; isXss(text: string): boolean };
  readonly http?: HttpAsker;
  readonly cti?: (ip: string) => object;
  readonly sendAlert?: () => boolean;
}
