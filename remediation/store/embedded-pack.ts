/**
 * How writes and changes cross between the main thread and the store's worker: columns instead of objects, because cloning
 * a thousand objects of ten fields stops the event loop about five times as long. The words that most decisions share
 * (origin, scenario, scope, type) travel once.
 */
import type { Bouncer } from '../bouncer.ts';
import type { Decision } from '../decision.ts';
import type { AllowlistEntry, RefusalEvent, StoreChange } from './store.ts';
import type { AlertRecord, LimitedWrite } from './write-limits.ts';

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

/** What each write is, in order; its content is the next of the list for that tag. */
export const writeTag = {
  added: 0,
  deleted: 1,
  entry: 2,
  entryDeleted: 3,
  alert: 4,
  refusal: 5,
  bouncer: 6,
  bouncerDeleted: 7,
} as const;
export type WriteTag = (typeof writeTag)[keyof typeof writeTag];

export interface Packed {
  readonly tags: WriteTag[];
  readonly decisions: DecisionColumns;
  readonly entries: AllowlistEntry[];
  /** Deleted allowlist values. */
  readonly values: string[];
  readonly alerts: AlertRecord[];
  readonly refusals: RefusalEvent[];
  readonly bouncers: Bouncer[];
  /** Of deleted bouncers. */
  readonly bouncerNames: string[];
}

export function emptyPack(): Packed {
  return {
    tags: [],
    decisions: { uuids: [], values: [], alertUuids: [], until: [], createdAt: [], kinds: [], kindOf: [] },
    entries: [],
    values: [],
    alerts: [],
    refusals: [],
    bouncers: [],
    bouncerNames: [],
  };
}

export function packWrites(writes: readonly LimitedWrite[]): Packed {
  const pack = emptyPack();
  const kindIndex = createKindIndex(pack.decisions.kinds);
  for (const write of writes) {
    switch (write.kind) {
      case 'decision-added':
      case 'decision-deleted':
        pack.tags.push(write.kind === 'decision-added' ? writeTag.added : writeTag.deleted);
        pushDecision(pack.decisions, write.decision, kindIndex(write.decision));
        break;
      case 'allowlist-added':
        pack.tags.push(writeTag.entry);
        pack.entries.push(write.entry);
        break;
      case 'allowlist-deleted':
        pack.tags.push(writeTag.entryDeleted);
        pack.values.push(write.value);
        break;
      case 'alert':
        pack.tags.push(writeTag.alert);
        pack.alerts.push(write.record);
        break;
      case 'refusal':
        pack.tags.push(writeTag.refusal);
        pack.refusals.push(write.event);
        break;
      case 'bouncer-added':
        pack.tags.push(writeTag.bouncer);
        pack.bouncers.push(write.bouncer);
        break;
      case 'bouncer-deleted':
        pack.tags.push(writeTag.bouncerDeleted);
        pack.bouncerNames.push(write.name);
        break;
      default:
        write satisfies never;
    }
  }
  return pack;
}

/** The changes in order. Records that followers do not hear of are not expected here. */
export function unpackChanges(pack: Packed): StoreChange[] {
  const changes: StoreChange[] = [];
  let decision = 0;
  let entry = 0;
  let value = 0;
  for (const tag of pack.tags) {
    switch (tag) {
      case writeTag.added:
        changes.push({ kind: 'decision-added', decision: decisionAt(pack.decisions, decision++) });
        break;
      case writeTag.deleted:
        changes.push({ kind: 'decision-deleted', decision: decisionAt(pack.decisions, decision++) });
        break;
      case writeTag.entry:
        changes.push({ kind: 'allowlist-added', entry: pack.entries[entry++] as AllowlistEntry });
        break;
      case writeTag.entryDeleted:
        changes.push({ kind: 'allowlist-deleted', value: pack.values[value++] as string });
        break;
      case writeTag.alert:
      case writeTag.refusal:
      case writeTag.bouncer:
      case writeTag.bouncerDeleted:
        break;
      default:
        tag satisfies never;
    }
  }
  return changes;
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
