/** Questions to the DNS behind an interface, so that tests answer them: names of addresses, addresses of names. */
import { Resolver } from 'node:dns/promises';

export interface DnsResolver {
  /** Host names of an address; empty when it has none. Rejects when the DNS does not answer. */
  reverse(address: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Addresses of a host name; empty when it has none. Rejects when the DNS does not answer. */
  forward(name: string, version: 4 | 6, signal: AbortSignal): Promise<readonly string[]>;
}

/** Asks the system's name servers. Each question has a resolver of its own, because cancelling one cancels all of it. */
export function createDnsResolver(timeoutMs: number): DnsResolver {
  const ask = async (
    question: (resolver: Resolver) => Promise<readonly string[]>,
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
    const cancel = (): void => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await question(resolver);
    } catch (thrown) {
      if (isAbsence(thrown)) return [];
      throw thrown;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
  return {
    reverse: (address, signal) => ask((resolver) => resolver.reverse(address), signal),
    forward: (name, version, signal) =>
      ask((resolver) => (version === 4 ? resolver.resolve4(name) : resolver.resolve6(name)), signal),
  };
}

/** The DNS answered: there is nothing of that kind. */
export function isAbsence(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : '';
  return code === 'ENOTFOUND' || code === 'ENODATA';
}
