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
  /** Of one piece of the feed. */
  entries(entries: readonly FeedEntry[], facts: FeedFacts): string;
  tail(facts: FeedFacts): string;
}

export const feedFormats = {
  /** One address or network a line: what routers, mail servers and "external block lists" take. */
  plain: {
    contentType: 'text/plain; charset=utf-8',
    disjoint: false,
    head: () => '',
    entries: (entries) => lines(entries, ({ text }) => text),
    tail: () => '',
  },
  csv: {
    contentType: 'text/csv; charset=utf-8',
    disjoint: false,
    head: () => 'value,scope,type,origin,scenario,expiration\n',
    entries: (entries) =>
      lines(entries, ({ text, decision: { scope, type, origin, scenario }, until }) =>
        [text, scope, type, origin, scenario, new Date(until).toISOString()].map(csvField).join(),
      ),
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
    entries: nftElements,
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
    entries: (entries, { name, now }) =>
      lines(
        entries.flatMap(withoutEverything),
        ({ text, range, until }) =>
          `add ${setOf(name, range.address.version)}-new ${text} timeout ${secondsLeft(until, now)}`,
      ),
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

function lines(entries: readonly FeedEntry[], line: (entry: FeedEntry) => string): string {
  return entries.map((entry) => `${line(entry)}\n`).join('');
}

/** One command for each set: nft looks through a whole set of networks for every command that adds to it. */
function nftElements(entries: readonly FeedEntry[], { name, now }: FeedFacts): string {
  const bySet = Map.groupBy(
    entries,
    ({ isAddress, range }) => `${isAddress ? 'address' : 'network'}${range.address.version}`,
  );
  return Array.from(bySet, ([set, members]) => {
    const elements = members.map(({ text, until }) => `${text} timeout ${secondsLeft(until, now)}s`);
    return `add element inet ${name} ${set} { ${elements.join(', ')} }\n`;
  }).join('');
}

/** ipset keeps no network of all addresses, and would take nothing of a feed that has one: its two halves instead. */
function withoutEverything(entry: FeedEntry): readonly FeedEntry[] {
  if (entry.range.prefix > 0) return [entry];
  const halves = entry.range.address.version === 4 ? ['0.0.0.0/1', '128.0.0.0/1'] : ['::/1', '8000::/1'];
  return halves.map((text) => ({ ...entry, text }));
}

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
