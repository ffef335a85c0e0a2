/**
 * What other Local APIs answered about single addresses, put into the index for as long as it is good: the request path asks the
 * index and nobody else. Such decisions are not stored; who asks again knows better.
 */
import type { IpAddress } from '../../core/ip.ts';
import type { Decision } from '../../remediation/decision.ts';
import type { DecisionIndex } from '../../remediation/decision-index.ts';
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
  const held = new Map<string, Decision>();
  /** Addresses by decision: those of one network bring the same one. */
  const uses = new Map<string, number>();

  function letGo(address: string): void {
    const decision = held.get(address);
    if (decision === undefined) return;
    held.delete(address);
    const left = (uses.get(decision.uuid) ?? 1) - 1;
    if (left > 0) return void uses.set(decision.uuid, left);
    uses.delete(decision.uuid);
    index.remove(decision);
  }

  function hold(address: string, answer: LiveAnswer): void {
    letGo(address);
    if (answer === null) return;
    const [oldest] = held.keys();
    if (held.size >= mostHeld && oldest !== undefined) letGo(oldest);
    const decision = decisionOf(source, answer, now());
    held.set(address, decision);
    uses.set(decision.uuid, (uses.get(decision.uuid) ?? 0) + 1);
    index.add(decision);
  }

  async function ask(address: IpAddress): Promise<void> {
    hold(address.text, await live.ask(address));
  }

  return {
    pending(address, at) {
      if (live.known(address, at) !== undefined) return null;
      // Nothing that others could say is severer.
      return index.lookup({ address }, at)?.type === 'ban' ? null : ask(address);
    },
  };
}
