/**
 * How writes and changes cross between the main thread and the store's worker: columns instead of objects, because cloning
 * a thousand objects of ten fields stops the event loop about five times as long. The words that most decisions share
 * (origin, scenario, scope, type) travel once.
 */
import type { Decision } from '../decision.ts';
import type { StoreChange } from './store.ts';
import type { LimitedWrite } from './write-limits.ts';

/** What decisions have in common by the thousand. */
export interface DecisionKind {
  readonly origin: string;
  readonly scenario: string;
  readonly scope: string;
  readonly type: string;
  readonly simulated: boolean;
}

export interface DecisionColumns {
  readonly uuids: string[];
  readonly values: string[];
  readonly alertUuids: (string | null)[];
  readonly until: number[];
  readonly createdAt: number[];
  readonly kinds: DecisionKind[];
  /** Index into `kinds` of each decision. */
  readonly kindOf: number[];
}

/** Decisions as the file has them. */
export interface StoredColumns extends DecisionColumns {
  readonly ids: number[];
  /** Null of those that were not deleted. */
  readonly deletedAt: (number | null)[];
}

/** What each write or change is, in order: its content is the next of `decisions`, or the next of `others`. */
export const packTag = { added: 0, deleted: 1, other: 2 } as const;
export type PackTag = (typeof packTag)[keyof typeof packTag];

interface DecisionWrite {
  readonly kind: 'decision-added' | 'decision-deleted';
}
export type OtherWrite = Exclude<LimitedWrite, DecisionWrite>;
export type OtherChange = Exclude<StoreChange, DecisionWrite>;

export interface PackedWrites {
  readonly tags: PackTag[];
  readonly decisions: DecisionColumns;
  readonly others: OtherWrite[];
}

export interface PackedChanges {
  readonly tags: PackTag[];
  readonly decisions: StoredColumns;
  readonly others: OtherChange[];
}

export function packWrites(writes: readonly LimitedWrite[]): PackedWrites {
  const pack: PackedWrites = { tags: [], decisions: emptyColumns(), others: [] };
  const kindIndex = createKindIndex(pack.decisions.kinds);
  for (const write of writes) {
    if ('decision' in write) {
      pack.tags.push(write.kind === 'decision-added' ? packTag.added : packTag.deleted);
      pushDecision(pack.decisions, write.decision, kindIndex(write.decision));
    } else {
      pack.tags.push(packTag.other);
      pack.others.push(write);
    }
  }
  return pack;
}

export function emptyChanges(): PackedChanges {
  return { tags: [], decisions: emptyStored(), others: [] };
}

export function emptyStored(): StoredColumns {
  return { ...emptyColumns(), ids: [], deletedAt: [] };
}

function emptyColumns(): DecisionColumns {
  return { uuids: [], values: [], alertUuids: [], until: [], createdAt: [], kinds: [], kindOf: [] };
}

/** The changes in order. */
export function unpackChanges({ tags, decisions, others }: PackedChanges): StoreChange[] {
  let row = 0;
  let other = 0;
  return tags.map((tag): StoreChange => {
    if (tag === packTag.other) return others[other++] as OtherChange;
    const decision = decisionAt(decisions, row);
    const id = decisions.ids[row] as number;
    const deletedAt = decisions.deletedAt[row++] as number | null;
    if (deletedAt === null) return { kind: 'decision-added', decision, id };
    return { kind: 'decision-deleted', decision, id, deletedAt };
  });
}

/** The decision of row `index`, which must exist. */
export function decisionAt(columns: DecisionColumns, index: number): Decision {
  const kind = columns.kinds[columns.kindOf[index] as number] as DecisionKind;
  return {
    uuid: columns.uuids[index] as string,
    origin: kind.origin,
    scenario: kind.scenario,
    scope: kind.scope,
    value: columns.values[index] as string,
    type: kind.type,
    until: columns.until[index] as number,
    createdAt: columns.createdAt[index] as number,
    simulated: kind.simulated,
    alertUuid: columns.alertUuids[index] as string | null,
  };
}

function pushDecision(columns: DecisionColumns, decision: Decision, kind: number): void {
  columns.uuids.push(decision.uuid);
  columns.values.push(decision.value);
  columns.alertUuids.push(decision.alertUuid);
  columns.until.push(decision.until);
  columns.createdAt.push(decision.createdAt);
  columns.kindOf.push(kind);
}

/** Finds or adds the kind of a decision. Lists come in runs of one kind, so the last one is tried first. */
function createKindIndex(kinds: DecisionKind[]): (decision: DecisionKind) => number {
  const byScenario = new Map<string, number[]>();
  let last = -1;
  return (decision) => {
    if (last >= 0 && sameKind(kinds[last] as DecisionKind, decision)) return last;
    const candidates = byScenario.get(decision.scenario) ?? [];
    const known = candidates.find((index) => sameKind(kinds[index] as DecisionKind, decision));
    if (known !== undefined) return (last = known);
    const { origin, scenario, scope, type, simulated } = decision;
    last = kinds.push({ origin, scenario, scope, type, simulated }) - 1;
    candidates.push(last);
    byScenario.set(scenario, candidates);
    return last;
  };
}

function sameKind(a: DecisionKind, b: DecisionKind): boolean {
  return (
    a.scenario === b.scenario &&
    a.origin === b.origin &&
    a.scope === b.scope &&
    a.type === b.type &&
    a.simulated === b.simulated
  );
}
