/** The variables of a rule, as the evaluator asks for them. What a rule excludes is settled here. */
import { lowerAscii } from '../seclang/ascii.ts';
import type { RuleDefinition, Target } from '../seclang/definition.ts';
import type { CollectionName } from '../variable-names.ts';
import type { CompiledTarget } from './compiled-rule.ts';
import type { Entry } from './entry.ts';
import { entriesOf, entryTest, type Selections } from './selection.ts';
import type { TransactionState } from './transaction-state.ts';
import type { TxLayout } from './tx-variables.ts';
import { collections, isScalar, scalarNumber, scalars } from './variables.ts';

export interface TargetParts {
  readonly layout: TxLayout;
  readonly selections: Selections;
}

/** @throws GatewayError PATTERN_INVALID of a selector. */
export function compileTargets({ targets, excluded }: RuleDefinition, parts: TargetParts): readonly CompiledTarget[] {
  return targets.flatMap((target) => {
    const refused = excluded.filter(({ variable }) => variable === target.variable);
    if (refused.some(({ selector }) => selector.kind === 'all')) return [];
    const compiled = compileTarget(target, refused, parts);
    return compiled === null ? [] : [compiled];
  });
}

/** Null: it is excluded. */
function compileTarget(target: Target, excluded: readonly Target[], parts: TargetParts): CompiledTarget | null {
  const { variable } = target;
  if (isScalar(variable)) {
    if (target.count) return countOf(target, () => 1);
    if (variable === 'MATCHED_VAR') return { kind: 'matched' };
    const { since, read } = scalars[variable];
    if (since !== 'live') return { kind: 'scalar', variable, number: scalarNumber(variable) };
    return { kind: 'live-scalar', variable, read: (state) => state.text(read(state)) };
  }
  if (variable === 'TX') return compileTx(target, excluded, parts.layout);
  if (collections[variable].since === 'live') return compileLive(target, variable, excluded);
  const selection = parts.selections.of(variable, target.selector, excluded);
  if (!target.count) return { kind: 'selection', selection };
  return countOf(target, (state) => entriesOf(selection, state).length);
}

function compileTx(target: Target, excluded: readonly Target[], layout: TxLayout): CompiledTarget | null {
  const { selector } = target;
  const accepts = entryTest(selector, excluded);
  if (selector.kind === 'key') {
    if (accepts?.(selector.key, selector.key) === false) return null;
    const slot = layout.slotOf(selector.key);
    if (!target.count) return { kind: 'slot', slot, key: selector.key };
    return countOf(target, (state) => (state.tx.slots[slot] === null ? 0 : 1));
  }
  const test = accepts ?? (() => true);
  // Settled at the first look, when all rules have been compiled.
  let slots: readonly number[] | null = null;
  const read = (state: TransactionState): readonly Entry[] => {
    slots ??= layout.names.flatMap((name, slot) => (test(name, name) ? [slot] : []));
    return state.tx.entries(slots, (key) => test(key, key));
  };
  if (!target.count) return { kind: 'live-entries', variable: 'TX', read };
  return countOf(target, (state) => read(state).length);
}

function compileLive(target: Target, variable: CollectionName, excluded: readonly Target[]): CompiledTarget {
  const accepts = entryTest(target.selector, excluded);
  const all = collections[variable].read;
  // A copy where a match adds to what is read.
  const read = (state: TransactionState): readonly Entry[] => {
    const entries = all(state);
    if (accepts !== null) return entries.filter(({ name, key }) => accepts(name, key === '' ? lowerAscii(name) : key));
    return variable === 'MATCHED_VARS' ? entries.slice() : entries;
  };
  if (!target.count) return { kind: 'live-entries', variable, read };
  return countOf(target, (state) => read(state).length);
}

function countOf(target: Target, count: (state: TransactionState) => number): CompiledTarget {
  const name = nameOf(target);
  return {
    kind: 'count',
    variable: target.variable,
    label: `&${target.variable}`,
    name,
    key: lowerAscii(name ?? ''),
    count,
  };
}

/** As the file has it; null for all values. */
function nameOf({ selector }: Target): string | null {
  switch (selector.kind) {
    case 'all':
      return null;
    case 'key':
      return selector.written;
    case 'pattern':
      return `/${selector.source}/`;
    case 'xpath':
      return selector.path;
    default:
      return selector satisfies never;
  }
}
