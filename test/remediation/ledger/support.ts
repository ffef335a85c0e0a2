/** A ledger with a clock of its own, and short ways to tell and ask it. */
import { parseRange, type IpRange } from '../../../core/ip.ts';
import { createSystemRandom } from '../../../core/random.ts';
import type { Decision } from '../../../remediation/decision.ts';
import {
  createDecisionLedger,
  type DecisionLedger,
  type DecisionLedgerOptions,
  type LedgerFilter,
  type StreamQuestion,
} from '../../../remediation/ledger/decision-ledger.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { collectedLog, decisionOf } from '../support.ts';

export interface LedgerWorld {
  readonly clock: ManualClock;
  readonly ledger: DecisionLedger;
  readonly add: (id: number, over?: Partial<Decision>) => Decision;
  readonly remove: (id: number, decision: Decision) => void;
  /** The body of a live answer. */
  readonly live: (filter?: LedgerFilter) => string;
  /** The body of a stream answer; a delta when `lastPull` is given, even null. */
  readonly stream: (question?: Partial<StreamQuestion>) => string;
}

export function createLedgerWorld(options: Partial<DecisionLedgerOptions> = {}): LedgerWorld {
  const clock = createManualClock();
  const ledger = createDecisionLedger({ clock, random: createSystemRandom(), log: collectedLog().log, ...options });
  return {
    clock,
    ledger,
    add(id, over = {}) {
      const decision = decisionOf({ createdAt: clock.now(), until: clock.now() + 4 * 3_600_000, ...over });
      ledger.apply({ kind: 'decision-added', decision, id }, clock.now());
      return decision;
    },
    remove(id, decision) {
      ledger.apply({ kind: 'decision-deleted', decision, id, deletedAt: clock.now() }, clock.now());
    },
    live: (filter = {}) => joined(ledger.live(filter, clock.now())),
    stream: (question = {}) => joined(ledger.stream(questionOf(clock.now(), question))),
  };
}

export function questionOf(now: number, over: Partial<StreamQuestion> = {}): StreamQuestion {
  const startup = !('lastPull' in over);
  return { filter: {}, startup, lastPull: null, askedAt: now, now, dedup: true, ...over };
}

export function joined(pieces: Iterable<Uint8Array>): string {
  return Buffer.concat([...pieces]).toString('utf8');
}

export function network(text: string): IpRange {
  const range = parseRange(text);
  if (range === null) throw new Error(`${text} is no network`);
  return range;
}

export interface StreamAnswer {
  readonly new: readonly {
    readonly id: number;
    readonly value: string;
    readonly uuid: string;
    readonly type: string;
  }[];
  readonly deleted: StreamAnswer['new'];
}

export function idsOf(body: string): { readonly new: number[]; readonly deleted: number[] } {
  const answer = JSON.parse(body) as StreamAnswer;
  return { new: answer.new.map(({ id }) => id), deleted: answer.deleted.map(({ id }) => id) };
}
