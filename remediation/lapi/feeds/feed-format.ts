/**
 * The spellings of a feed: what firewalls and people read. A format is told of addresses as they come and of networks at the
 * end, when the ones that lie within others are gone where it wants that.
 */
import type { FeedEntry } from './feed-entry.ts';

export interface FeedFacts {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Which versions were asked for. */
  readonly versions: readonly (4 | 6)[];
  /** Name of the table or set. */
  readonly name: string;
}

export interface FeedFormat {
  readonly contentType: string;
  /** Networks may not lie within each other. */
  readonly disjoint: boolean;
  head(facts: FeedFacts): string;
  entry(entry: FeedEntry, facts: FeedFacts): string;
  tail(facts: FeedFacts): string;
}

export const feedFormats = {
  /** One address or network a line: what routers, mail servers and "external block lists" take. */
  plain: {
    contentType: 'text/plain; charset=utf-8',
    disjoint: false,
    head: () => '',
    entry: ({ text }) => `${text}\n`,
    tail: () => '',
  },
  csv: {
    contentType: 'text/csv; charset=utf-8',
    disjoint: false,
    head: () => 'value,scope,type,origin,scenario,expiration\n',
    entry: ({ text, decision, until }) =>
      `${[text, decision.scope, decision.type, decision.origin, decision.scenario, new Date(until).toISOString()].map(csvField).join()}\n`,
    tail: () => '',
  },
  /** For `nft -f`: replaces the sets in one transaction; the rules that use them are the operator's own. */
  nftables: {
    contentType: 'text/plain; charset=utf-8',
    disjoint: true,
    head: ({ name, versions }) =>
      [
        `add table inet ${name}`,
        ...versions.flatMap((version) => [
          `add set inet ${name} address${version} { type ipv${version}_addr; flags timeout; }`,
          `add set inet ${name} network${version} { type ipv${version}_addr; flags interval, timeout; }`,
          `flush set inet ${name} address${version}`,
          `flush set inet ${name} network${version}`,
        ]),
        '',
      ].join('\n'),
    entry: ({ text, range, isAddress, until }, { name, now }) =>
      `add element inet ${name} ${isAddress ? 'address' : 'network'}${range.address.version} { ${text} timeout ${secondsLeft(until, now)}s }\n`,
    tail: () => '',
  },
  /** For `ipset restore -exist`: fills new sets and swaps them in. `iptables` matches them by name. */
  ipset: {
    contentType: 'text/plain; charset=utf-8',
    disjoint: false,
    head: ({ name, versions }) =>
      versions
        .flatMap((version) => [
          `create ${setOf(name, version)} ${setType(version)}`,
          `create ${setOf(name, version)}-new ${setType(version)}`,
          `flush ${setOf(name, version)}-new`,
          '',
        ])
        .join('\n'),
    entry: ({ text, range, until }, { name, now }) =>
      `add ${setOf(name, range.address.version)}-new ${text} timeout ${secondsLeft(until, now)}\n`,
    tail: ({ name, versions }) =>
      versions
        .flatMap((version) => [
          `swap ${setOf(name, version)}-new ${setOf(name, version)}`,
          `destroy ${setOf(name, version)}-new`,
          '',
        ])
        .join('\n'),
  },
} as const satisfies Readonly<Record<string, FeedFormat>>;

export type FeedName = keyof typeof feedFormats;

/** Takes no memory before it is used. */
const mostElements = 4_194_304;

/** What ipset keeps at most; longer decisions are there again at the next reading. */
const longestTimeoutS = 2_147_483;

function secondsLeft(until: number, now: number): number {
  return Math.min(longestTimeoutS, Math.max(1, Math.ceil((until - now) / 1_000)));
}

function setOf(name: string, version: 4 | 6): string {
  return `${name}${version}`;
}

/** The same at every reading: ipset refuses to create a set that is there with another limit. */
function setType(version: 4 | 6): string {
  return `hash:net family ${version === 4 ? 'inet' : 'inet6'} maxelem ${mostElements} timeout 0`;
}

/** RFC 4180. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
