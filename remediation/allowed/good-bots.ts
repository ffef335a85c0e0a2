/**
 * Verified good bots: crawlers that are what their User-Agent claims. A claim proves nothing, so the address must lie in
 * ranges that the settings give, or resolve to a host of the operator and back (forward-confirmed reverse DNS). The DNS is
 * asked off the request path, with a time-out; what it answers about a stranger's address was written by the stranger.
 */
import type { Clock } from '../../core/clock.ts';
import { parseIp, parseRange, type IpAddress } from '../../core/ip.ts';
import { RecentMap } from '../../core/recent-map.ts';
import type { Log } from '../../core/log.ts';
import type { DnsResolver } from '../../core/dns-resolver.ts';
import { knownCrawlers, type Crawler } from './known-crawlers.ts';
import { anyContains } from './protected-sources.ts';

/** `unproven`: the DNS did not answer in time, so the claim counts for nothing now, but is asked about again soon. */
export type BotVerdict = 'verified' | 'refuted' | 'unproven';

export type BotClaim =
  | { readonly kind: 'none' }
  | { readonly kind: 'known'; readonly bot: string; readonly verdict: BotVerdict }
  /** `verdict` resolves within the time-out and never rejects. */
  | { readonly kind: 'pending'; readonly bot: string; readonly verdict: Promise<BotVerdict> };

export interface GoodBots {
  /** What these User-Agents claim and what is known about it. Starts a verification when nothing is. */
  claim(userAgents: readonly string[], address: IpAddress): BotClaim;
  /** Answers that are remembered, and questions that are open. */
  readonly size: { readonly known: number; readonly open: number };
  /** Ends open verifications as unproven. */
  close(): void;
}

export interface GoodBotsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly resolver: DnsResolver;
  /** What can be claimed; `crawlersOf` makes it of the settings. The known crawlers by default. */
  readonly crawlers?: readonly Crawler[];
  /** For one whole verification. */
  readonly timeoutMs?: number;
  readonly maxOpen?: number;
  readonly maxKnown?: number;
}

const hour = 3_600_000;
const rememberedMs: Readonly<Record<BotVerdict, number>> = { verified: 24 * hour, refuted: hour, unproven: 60_000 };

/** Names of one address that are looked at, and of those that are resolved. */
const maxNames = 16;
const maxForward = 3;
const hostName = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)+[a-z0-9-]{2,63}$/;

export function createGoodBots(options: GoodBotsOptions): GoodBots {
  const { clock, log, resolver, crawlers = knownCrawlers } = options;
  const { timeoutMs = 3_000, maxOpen = 64, maxKnown = 10_000 } = options;
  const known = new RecentMap<string, { readonly verdict: BotVerdict; readonly until: number }>(maxKnown);
  const open = new Map<string, { readonly verdict: Promise<BotVerdict>; readonly stop: () => void }>();
  let closed = false;

  const remember = (key: string, verdict: BotVerdict): void => {
    known.set(key, { verdict, until: clock.now() + rememberedMs[verdict] });
  };

  const verify = (crawler: Crawler, address: IpAddress, key: string): Promise<BotVerdict> => {
    const controller = new AbortController();
    const stopped = Promise.withResolvers<BotVerdict>();
    const stop = (): void => {
      stopped.resolve('unproven');
      controller.abort();
    };
    const timer = clock.after(timeoutMs, stop);
    const asked = askDns(resolver, crawler.domains, address, controller.signal).catch((thrown: unknown) => {
      log.debug({ err: thrown, clientIp: address.text, bot: crawler.name }, 'the DNS does not answer about a crawler');
      return 'unproven' as const;
    });
    const verdict = Promise.race([asked, stopped.promise]).then((verdict) => {
      timer.cancel();
      open.delete(key);
      remember(key, verdict);
      log.info({ clientIp: address.text, bot: crawler.name, verdict }, 'crawler verified by DNS');
      return verdict;
    });
    open.set(key, { verdict, stop });
    return verdict;
  };

  return {
    claim(userAgents, address) {
      const crawler = claimed(crawlers, userAgents);
      if (crawler === undefined) return { kind: 'none' };
      const bot = crawler.name;
      if (anyContains(crawler.ranges, address)) return { kind: 'known', bot, verdict: 'verified' };
      if (crawler.domains.length === 0) return { kind: 'known', bot, verdict: 'refuted' };
      const key = `${bot} ${address.text}`;
      const answer = known.get(key);
      if (answer !== undefined && answer.until > clock.now()) return { kind: 'known', bot, verdict: answer.verdict };
      const running = open.get(key);
      if (running !== undefined) return { kind: 'pending', bot, verdict: running.verdict };
      if (closed || open.size >= maxOpen) return { kind: 'known', bot, verdict: 'unproven' };
      return { kind: 'pending', bot, verdict: verify(crawler, address, key) };
    },
    get size() {
      return { known: known.size, open: open.size };
    },
    close() {
      closed = true;
      for (const { stop } of open.values()) stop();
    },
  };
}

/** The `goodBots.extra` of the settings. */
export interface ExtraCrawler {
  readonly name: string;
  /** A part of its User-Agent. */
  readonly userAgent: string;
  readonly ranges: readonly string[];
  readonly domains: readonly string[];
}

/**
 * The known crawlers and those of the settings. One of a known name adds its ranges, domains and words to it: that is how
 * published ranges are given.
 */
export function crawlersOf(extra: readonly ExtraCrawler[]): readonly Crawler[] {
  const byName = new Map(knownCrawlers.map((crawler) => [crawler.name, crawler]));
  for (const { name, userAgent, ranges, domains } of extra) {
    const before = byName.get(name);
    byName.set(name, {
      name,
      tokens: [...(before?.tokens ?? []), userAgent.toLowerCase()],
      domains: [...(before?.domains ?? []), ...domains.map((domain) => domain.toLowerCase().replace(/^\.|\.$/g, ''))],
      ranges: [...(before?.ranges ?? []), ...ranges.flatMap((text) => parseRange(text) ?? [])],
    });
  }
  return [...byName.values()];
}

function claimed(crawlers: readonly Crawler[], userAgents: readonly string[]): Crawler | undefined {
  for (const userAgent of userAgents) {
    const text = userAgent.toLowerCase();
    const crawler = crawlers.find(({ tokens }) => tokens.some((token) => text.includes(token)));
    if (crawler !== undefined) return crawler;
  }
  return undefined;
}

async function askDns(
  resolver: DnsResolver,
  domains: readonly string[],
  address: IpAddress,
  signal: AbortSignal,
): Promise<BotVerdict> {
  const names = await resolver.reverse(address.text, signal);
  const hosts = names.slice(0, maxNames).flatMap((name) => hostOf(name, domains));
  for (const host of hosts.slice(0, maxForward)) {
    const answers = await resolver.forward(host, address.version, signal);
    if (answers.slice(0, 64).some((answer) => parseIp(answer)?.text === address.text)) return 'verified';
  }
  return 'refuted';
}

/** The name when it is a well-formed host of one of the domains: a dot must come before the domain. */
function hostOf(name: unknown, domains: readonly string[]): string[] {
  if (typeof name !== 'string' || name.length > 254) return [];
  const host = name.toLowerCase().replace(/\.$/, '');
  return hostName.test(host) && domains.some((domain) => host.endsWith(`.${domain}`)) ? [host] : [];
}
