/** Addresses of a name together with how long they are good for, asked of the system's name servers. */
import { Resolver } from 'node:dns/promises';
import { isAbsence } from './dns-resolver.ts';

export interface DatedAddress {
  readonly address: string;
  readonly ttlSeconds: number;
}

/** Both families; empty when the name has none. Rejects when a question is not answered. */
export async function datedAddresses(name: string, timeoutMs: number): Promise<readonly DatedAddress[]> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
  const asked = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ]);
  const failures: unknown[] = [];
  const found = asked.flatMap((answer) => {
    if (answer.status === 'fulfilled') return answer.value.map(({ address, ttl }) => ({ address, ttlSeconds: ttl }));
    if (!isAbsence(answer.reason)) failures.push(answer.reason);
    return [];
  });
  // An address less would be taken for one that the name no longer has.
  if (failures.length > 0) throw failures[0];
  return found;
}
