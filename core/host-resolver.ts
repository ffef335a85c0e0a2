/**
 * Names of addresses and addresses of names for callers who cannot wait, over the DNS: what is not remembered is being asked
 * for. Specification: Go's `net.LookupAddr` and `net.LookupHost`, as CrowdSec's parsers and expressions use them.
 */
import { type Answer, type AnswerCache, createAnswerCache } from './answer-cache.ts';
import type { Clock } from './clock.ts';
import type { DnsResolver } from './dns-resolver.ts';
import { parseIp } from './ip.ts';

export interface HostResolver {
  /** Names of an address, each with its trailing dot; none when it has none, when the DNS does not answer, or for other text. */
  names(ip: string): Answer<readonly string[]>;
  /** Addresses of a host name, IPv4 first; an address is its own. None as above. */
  addresses(name: string): Answer<readonly string[]>;
}

/** One that is asked over the network, until it is closed. */
export interface NetworkHostResolver extends HostResolver {
  /** Nothing more is asked, and nobody waits any longer. */
  close(): void;
}

/** Where no DNS may be asked: nothing has a name. */
export const noHosts: HostResolver = { names: () => unknown, addresses: () => unknown };

export interface HostResolverDeps {
  readonly clock: Clock;
  readonly resolver: DnsResolver;
}

const knownForMs = 3_600_000;
const absentForMs = 300_000;
const patienceMs = 5_000;
const mostAnswers = 16_384;
const mostQuestions = 256;

/** Of one answer: owners of a reverse zone may list thousands. */
const mostInAnswer = 16;

/** Underscores are in use; anything else was not meant as a name (RFC 1035, 2.3.4: 253 characters). */
const hostName = /^[\w-]+(?:\.[\w-]+)*\.?$/;
const longestName = 254;

const nothing: readonly string[] = Object.freeze([]);
const unknown: Answer<readonly string[]> = Object.freeze({ kind: 'known', value: nothing });

export function createHostResolver({ clock, resolver }: HostResolverDeps): NetworkHostResolver {
  const cache = (): AnswerCache<readonly string[]> =>
    createAnswerCache<readonly string[]>(
      {
        lifeMs: ({ length }) => (length === 0 ? absentForMs : knownForMs),
        patienceMs,
        mostAnswers,
        mostQuestions,
        failed: () => nothing,
        refused: nothing,
      },
      clock,
    );
  const names = cache();
  const addresses = cache();
  return {
    names(text) {
      const ip = parseIp(text)?.text;
      if (ip === undefined) return unknown;
      return names.ask(ip, async (signal) =>
        (await resolver.reverse(ip, signal)).slice(0, mostInAnswer).map((name) => withDot(name)),
      );
    },
    addresses(text) {
      const address = parseIp(text);
      if (address !== null) return { kind: 'known', value: [address.text] };
      if (text.length > longestName || !hostName.test(text)) return unknown;
      const name = text.toLowerCase();
      return addresses.ask(name, (signal) => lookUpAddresses(resolver, name, signal));
    },
    close() {
      names.close();
      addresses.close();
    },
  };
}

function withDot(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

/** Addresses of both families, IPv4 first; one family that fails does not spoil the other. Never rejects. */
export async function lookUpAddresses(
  resolver: DnsResolver,
  name: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const both = await Promise.allSettled([resolver.forward(name, 4, signal), resolver.forward(name, 6, signal)]);
  return both.flatMap((one) => (one.status === 'fulfilled' ? one.value.slice(0, mostInAnswer / 2) : []));
}
