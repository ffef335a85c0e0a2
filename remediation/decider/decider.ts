/**
 * `Decider`: alerts in, decisions out. Allowlist, protected sources and good bots are asked first, then the profiles; what
 * they decide is published before `decide` returns, so that the request that overflows a bucket is itself refused. Only a
 * crawler whose claim is not settled yet is decided about later. Modes are the gateway's matter: in `observe` decisions
 * are made and indexed like everywhere.
 */
import { formatRange, parseIp, parseRange, rangeOf, type IpRange } from '../../core/ip.ts';
import type { GatewayError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Alert, Scope } from '../../detectors/alert.ts';
import type { AllowlistItem } from '../allowed/allowlists.ts';
import type { DecisionIndex } from '../index/decision-index.ts';
import type { Decision } from '../decision.ts';
import type { BotVerdict, GoodBots } from '../allowed/good-bots.ts';
import type { DecisionDraft, Profiles } from './profiles.ts';
import type { ProtectedSources } from '../allowed/protected-sources.ts';
import type { Publisher } from '../exchange/publish.ts';
import { maxNameLength, maxValueLength } from '../store/write-limits.ts';

export type Outcome =
  | { readonly kind: 'decided'; readonly decisions: readonly Decision[] }
  /** No profile matched, or those that did make no decisions. */
  | { readonly kind: 'undecided' }
  /** The alert is dropped, as CrowdSec drops it. */
  | { readonly kind: 'allowlisted'; readonly item: AllowlistItem }
  | { readonly kind: 'protected'; readonly reason: string }
  | { readonly kind: 'good-bot'; readonly bot: string }
  /** Decided when the verification ends, a few seconds at most: `settled` resolves then, and never rejects. */
  | { readonly kind: 'held'; readonly bot: string; readonly settled: Promise<void> }
  /** A profile failed and has no `on_error`. */
  | { readonly kind: 'rejected'; readonly error: GatewayError };

export interface DecideHow {
  /** Replayed logs and alerts from outside: addresses are taken as they are, IPv6 clients are not widened to their prefix. */
  readonly literal?: boolean;
  /** An alert that a profile rejects is not published: whoever sent it is told so, and keeps it. */
  readonly refusable?: boolean;
}

export interface Decider {
  decide(alert: Alert, how?: DecideHow): Outcome;
  /**
   * Publishes an alert that brings its own decisions, from a person or a machine: neither allowlist nor protected sources are
   * asked, since somebody meant it. Profiles are asked only whom to notify.
   */
  accept(alert: Alert, decisions: readonly Decision[]): void;
  /** Decides about what is held as if nothing were proven. */
  close(): void;
}

export interface DeciderOptions extends Runtime {
  readonly index: Pick<DecisionIndex, 'allowedRange'>;
  readonly protectedSources: ProtectedSources;
  /** Null: crawlers are decided about like others. */
  readonly goodBots: GoodBots | null;
  readonly profiles: Profiles;
  readonly publisher: Pick<Publisher, 'publish'>;
  /** Length of the prefix that our decisions about IPv6 clients cover; 128 for the address alone. */
  readonly ipv6Prefix?: number;
  /** Scenarios that count as crawl rules besides those whose `behavior` says so. */
  readonly crawlScenarios?: readonly string[];
  /** Alerts that wait for a verification at most; further ones are decided about at once. */
  readonly maxHeld?: number;
}

export function createDecider(options: DeciderOptions): Decider {
  const { index, protectedSources, goodBots, profiles, publisher, clock, random, log } = options;
  const { ipv6Prefix = 64, crawlScenarios = [], maxHeld = 256 } = options;
  const held = new Set<{ readonly alert: Alert; readonly how: DecideHow }>();

  const make = (alert: Alert, draft: DecisionDraft, how: DecideHow): Decision[] => {
    const target = targetOf(draft.scope, alert.source.value, how.literal === true ? 128 : ipv6Prefix);
    if (target === null) {
      const detail = {
        code: 'DECISION_INVALID',
        scenario: alert.scenario,
        scope: draft.scope,
        value: alert.source.value,
      };
      log.warn(detail, 'an alert has a value that does not fit the scope of its decision; none is made');
      return [];
    }
    const { type, origin, simulated, durationMs } = draft;
    const { scenario, stopAt, uuid: alertUuid } = alert;
    const createdAt = clock.now();
    return [
      {
        uuid: random.uuid(),
        origin,
        scenario,
        ...target,
        type,
        until: stopAt + durationMs,
        createdAt,
        simulated,
        alertUuid,
      },
    ];
  };

  const judge = (alert: Alert, how: DecideHow): Outcome => {
    const { drafts, matched, rejected } = profiles.evaluate(alert);
    if (rejected !== null && how.refusable === true) return { kind: 'rejected', error: rejected };
    const decisions = drafts.flatMap((draft) => make(alert, draft, how));
    publisher.publish({ alert, decisions, matched });
    if (rejected !== null) return { kind: 'rejected', error: rejected };
    return decisions.length > 0 ? { kind: 'decided', decisions } : { kind: 'undecided' };
  };

  const spare = (alert: Alert, bot: string): Outcome => {
    log.info({ clientIp: alert.source.ip, scenario: alert.scenario, bot }, 'a verified crawler is not decided about');
    publisher.publish({ alert, decisions: [], matched: [] });
    return { kind: 'good-bot', bot };
  };

  const hold = (alert: Alert, how: DecideHow, bot: string, verdict: Promise<BotVerdict>): Outcome => {
    const detail = { clientIp: alert.source.ip, scenario: alert.scenario, bot };
    if (held.size >= maxHeld) {
      log.warn(detail, 'too many alerts wait for a crawler to be verified; this one is decided about at once');
      return judge(alert, how);
    }
    const entry = { alert, how };
    held.add(entry);
    log.info(detail, 'the decision waits for a crawler to be verified');
    const settle = async (): Promise<void> => {
      const found = await verdict;
      if (!held.delete(entry)) return;
      if (found === 'verified') spare(alert, bot);
      else judge(alert, how);
    };
    const settled = settle().catch((thrown: unknown) =>
      log.error({ err: thrown, ...detail }, 'a held alert could not be decided about'),
    );
    return { kind: 'held', bot, settled };
  };

  const considerBot = (alert: Alert, how: DecideHow): Outcome | null => {
    const address = parseIp(alert.source.ip);
    if (goodBots === null || address === null || !isCrawl(alert, crawlScenarios)) return null;
    const claim = goodBots.claim(userAgentsOf(alert), address);
    switch (claim.kind) {
      case 'none':
        return null;
      case 'known':
        return claim.verdict === 'verified' ? spare(alert, claim.bot) : null;
      case 'pending':
        return hold(alert, how, claim.bot, claim.verdict);
      default:
        return claim satisfies never;
    }
  };

  return {
    decide(alert, how = {}) {
      const { scenario, source } = alert;
      for (const network of networksOf(alert)) {
        const item = index.allowedRange(network);
        if (item !== null) {
          log.info(
            { scenario, value: source.value, allowedBy: item.value, comment: item.comment },
            'the source is allowlisted',
          );
          return { kind: 'allowlisted', item };
        }
      }
      for (const network of networksOf(alert)) {
        const reason = protectedSources.reasonFor(network);
        if (reason !== null) {
          log.warn(
            { scenario, value: source.value, reason },
            'a protected source raised an alert; it is not decided about',
          );
          publisher.publish({ alert, decisions: [], matched: [] });
          return { kind: 'protected', reason };
        }
      }
      return considerBot(alert, how) ?? judge(alert, how);
    },
    accept(alert, decisions) {
      const { matched, rejected } = profiles.evaluate(alert);
      if (rejected !== null) {
        log.warn({ err: rejected, scenario: alert.scenario }, 'a profile failed; whom it would notify is not told');
      }
      publisher.publish({ alert, decisions, matched });
    },
    close() {
      const left = [...held];
      held.clear();
      for (const { alert, how } of left) judge(alert, how);
    },
  };
}

/** The networks that an alert is about: its value when that is one, and the offending address. */
function networksOf({ source }: Alert): IpRange[] {
  const texts = isAddressed(source.scope) ? [source.value, source.ip] : [source.ip];
  return [...new Set(texts)].flatMap((text) => (text === '' ? [] : (parseRange(text) ?? [])));
}

/** Scope and canonical value of a decision, or null when the value does not fit the scope or is longer than a store keeps. */
function targetOf(scope: Scope, value: string, ipv6Prefix: number): { scope: Scope; value: string } | null {
  switch (scope) {
    case 'Ip':
    case 'Range': {
      const range = parseRange(value);
      if (range === null) return null;
      const { address, prefix } = range;
      const isAddress = prefix === (address.version === 4 ? 32 : 128);
      if (isAddress && address.version === 6 && ipv6Prefix < 128) {
        return { scope: 'Range', value: formatRange(rangeOf(address, ipv6Prefix)) };
      }
      return isAddress && scope === 'Ip'
        ? { scope, value: address.text }
        : { scope: 'Range', value: formatRange(range) };
    }
    case 'AS': {
      const number = value.replace(/^as/i, '');
      return /^\d{1,10}$/.test(number) ? { scope, value: number } : null;
    }
    case 'Country':
      return /^[a-z]{2}$/i.test(value) ? { scope, value: value.toUpperCase() } : null;
    default:
      return value === '' || value.length > maxValueLength || scope.length > maxNameLength ? null : { scope, value };
  }
}

function isAddressed(scope: Scope): boolean {
  return scope === 'Ip' || scope === 'Range';
}

/** The hub's `behavior` is a word or a list of words. */
function isCrawl({ scenario, labels }: Alert, crawlScenarios: readonly string[]): boolean {
  if (crawlScenarios.includes(scenario)) return true;
  const { behavior } = labels;
  const words = Array.isArray(behavior) ? behavior : [behavior];
  return words.some((word) => typeof word === 'string' && word.includes('http:crawl'));
}

function userAgentsOf(alert: Alert): string[] {
  const seen = new Set<string>();
  for (const { meta } of alert.events) {
    for (const { key, value } of meta) if (key === 'http_user_agent' && seen.size < 16) seen.add(value.slice(0, 512));
  }
  return [...seen];
}
