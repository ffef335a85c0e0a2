/**
 * Self-tests: a token, asked for over the admin socket, lets a few requests speak for 192.0.2.1 (TEST-NET-1, RFC 5737:
 * nobody's address), so that the whole path can be proved on a running gateway. What those requests met is counted here.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';
import type { Random } from '../core/random.ts';

export const selftestAddress = parseIp('192.0.2.1') as IpAddress;

const lifetimeMs = 60_000;
const mostRequests = 200;
const mostLive = 4;

export interface SelftestRun {
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  requests: number;
  /** Requests that were handed to the origin. */
  forwarded: number;
  /** Requests that were answered here instead. */
  refused: number;
}

export interface Selftests {
  begin(): SelftestRun;
  /** The run that a header value speaks for, or null. Costs the same for every wrong value. */
  claim(value: string): SelftestRun | null;
  find(token: string): SelftestRun | null;
  end(token: string): void;
}

export function createSelftests(clock: Clock, random: Random): Selftests {
  let live: SelftestRun[] = [];
  const find = (value: string): SelftestRun | null => {
    const now = clock.now();
    const asked = Buffer.from(value.padEnd(32, ' ').slice(0, 32), 'latin1');
    let found: SelftestRun | null = null;
    for (const run of live) {
      const same = timingSafeEqual(asked, Buffer.from(run.token, 'latin1')) && value.length === run.token.length;
      if (same && now < run.expiresAt) found = run;
    }
    return found;
  };
  return {
    begin() {
      const now = clock.now();
      const token = Buffer.from(random.bytes(16)).toString('hex');
      const run: SelftestRun = { token, expiresAt: now + lifetimeMs, requests: 0, forwarded: 0, refused: 0 };
      live = [...live.filter((other) => now < other.expiresAt).slice(1 - mostLive), run];
      return run;
    },
    claim(value) {
      const run = live.length === 0 ? null : find(value);
      if (run === null || run.requests >= mostRequests) return null;
      run.requests++;
      return run;
    },
    find,
    end(token) {
      live = live.filter((run) => run.token !== token);
    },
  };
}
