/**
 * What other Local APIs answered about single addresses, put into the index for as long as it is good: the request path asks the
 * index and nobody else. Such decisions are not stored; who asks again knows better.
 */
import type { IpAddress } from '../../core/ip.ts';
import { OldestFirstMap } from '../../core/oldest-first-map.ts';
import { type Decision, uuidTag } from '../../remediation/decision.ts';
import type { DecisionIndex } from '../../remediation/index/decision-index.ts';
import type { LiveBouncer } from '../../remediation/lapi/client/live-bouncer.ts';
import type { LiveAnswer } from '../../remediation/lapi/client/live-upstream.ts';
import { decisionOf } from '../../remediation/lapi/client/mirrored-decision.ts';
import type { LiveQuestions } from '../live-questions.ts';

export interface LiveDecisionsParts {
  readonly live: Pick<LiveBouncer, 'known' | 'ask'>;
  readonly index: Pick<DecisionIndex, 'add' | 'remove' | 'lookup'>;
  readonly now: () => number;
  /** Addresses whose decision is in the index; the one that was answered longest ago leaves first. */
  readonly mostHeld: number;
}

/** No Local API of the settings can have this name. */
const source = '-live';

export function createLiveDecisions({ live, index, now, mostHeld }: LiveDecisionsParts): LiveQuestions {
  const held = new OldestFirstMap<string, Decision>();

  function letGo(address: string): void {
    const decision = held.get(address);
    if (decision === undefined) return;
    held.delete(address);
    index.remove(decision);
  }

  /** Of a range, a country or a system it is only known that this address is meant, and whoever asks next is told anew. */
  function hold(address: string, answer: LiveAnswer): void {
    letGo(address);
    if (answer === null) return;
    const oldest = held.size >= mostHeld ? held.oldest() : undefined;
    if (oldest !== undefined) letGo(oldest);
    const decision = decisionOf(source, { ...answer, scope: 'Ip', value: address }, now());
    held.set(address, decision);
    index.add(decision);
  }

  async function ask(address: IpAddress): Promise<void> {
    hold(address.text, await live.ask(address));
  }

  return {
    pending(address, at) {
      if (live.known(address, at) !== undefined) return null;
      const found = index.lookup({ address }, at);
      // Nothing that others could say is severer than a ban, but what they said before may have been lifted there.
      const earlier = held.get(address.text);
      const isTheirs = earlier !== undefined && found?.uuidTag === uuidTag(earlier.uuid);
      return found?.type === 'ban' && !isTheirs ? null : ask(address);
    },
  };
}
