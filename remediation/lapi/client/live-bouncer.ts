/**
 * `LiveBouncer`: the mode in which Local APIs are asked about each address when it comes. A request waits for the answer a
 * fraction of a second at most, and only when nothing is known of its address; decisions of several Local APIs are weighed and
 * the severest counts. Specification: CrowdSec `GET /v1/decisions?ip=`, live mode of the bouncers that CrowdSec publishes.
 */
import type { IpAddress } from '../../../core/ip.ts';
import { severer, type LiveAnswer, type LiveUpstream, type LiveUpstreamStatus } from './live-upstream.ts';

export interface LiveBouncer {
  /** At once, from memory: a decision, null for none, or undefined when `ask` would tell more. */
  known(address: IpAddress, now: number): LiveAnswer | undefined;
  /** The answer, within the time that settings allow. Equal questions are asked once. Never rejects. */
  ask(address: IpAddress): Promise<LiveAnswer>;
  status(): readonly LiveUpstreamStatus[];
  /** Gives up on what is being asked and asks nothing more; what is remembered stays in force. */
  close(): void;
}

export function createLiveBouncer(upstreams: readonly LiveUpstream[]): LiveBouncer {
  return {
    known({ text }, now) {
      let answer: LiveAnswer = null;
      let isComplete = true;
      for (const upstream of upstreams) {
        const said = upstream.known(text, now);
        if (said === undefined) isComplete = false;
        else answer = severer(answer, said);
      }
      // Nothing that the others could say is severer than a ban.
      return isComplete || answer?.type === 'ban' ? answer : undefined;
    },
    async ask({ text }) {
      const answers = await Promise.all(upstreams.map((upstream) => upstream.ask(text)));
      return answers.reduce(severer, null);
    },
    status: () => upstreams.map((upstream) => upstream.status()),
    close() {
      for (const upstream of upstreams) upstream.close();
    },
  };
}
