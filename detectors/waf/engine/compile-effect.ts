/** What rules do to a transaction, as functions. They run for each value that matches, before a chain is decided. */
import type { Effect, PersistentCollection } from '../seclang/definition.ts';
import type { Text } from '../text/text.ts';
import type { TextPool } from '../text/text-pool.ts';
import { compileControl } from './compile-control.ts';
import { compileKey, type CompiledMacro, compileMacro } from './compile-macro.ts';
import type { CompiledEffect } from './compiled-rule.ts';
import type { RuleCatalog } from './rule-catalog.ts';
import type { TransactionState } from './transaction-state.ts';
import type { TxLayout } from './tx-variables.ts';

export interface EffectParts {
  readonly layout: TxLayout;
  readonly pool: TextPool;
  readonly catalog: RuleCatalog;
}

type SetVar = Extract<Effect, { readonly kind: 'setvar' }>;

/** Null: it has no effect here. @throws GatewayError PATTERN_INVALID of a `ctl`. */
export function compileEffect(effect: Effect, parts: EffectParts): CompiledEffect | null {
  const { layout } = parts;
  switch (effect.kind) {
    case 'setvar':
      return effect.collection === 'TX'
        ? compileSetTx(effect, parts)
        : compileSetRecord(effect, effect.collection, layout);
    case 'expirevar':
      return effect.collection === 'TX'
        ? null
        : compileExpire(effect.collection, compileKey(effect.key, layout), compileMacro(effect.seconds, layout));
    case 'initcol': {
      const key = compileMacro(effect.key, layout);
      return (state) => state.openRecord(effect.collection, key.expand(state));
    }
    case 'setenv': {
      const key = compileKey(effect.key, layout);
      const value = compileMacro(effect.value, layout);
      return (state) => state.setEnv(key.expand(state), value.expand(state));
    }
    case 'control':
      return compileControl(effect.control, parts.catalog);
    default:
      return effect satisfies never;
  }
}

/** The counters of the Core Rule Set that detections add to; the sums that its evaluation makes of them are not counted twice. */
const scoreKey = /^(?:(?:in|out)bound_)?anomaly_score_pl[1-4]$/;

function compileSetTx(effect: SetVar, { layout, pool }: EffectParts): CompiledEffect {
  const key = compileKey(effect.key, layout);
  const value = compileMacro(effect.value, layout);
  if (key.constant === null) return dynamicSetTx(key, value, effect);
  const slot = layout.slotOf(key.constant);
  switch (effect.arithmetic) {
    case 'unset':
      return ({ tx }) => void (tx.slots[slot] = null);
    case 'set': {
      if (value.constant === null) return (state) => void (state.tx.slots[slot] = state.text(value.expand(state)));
      const text = pool.text(value.constant);
      return ({ tx }) => void (tx.slots[slot] = text);
    }
    case 'add':
    case 'subtract': {
      const sign = effect.arithmetic === 'add' ? 1 : -1;
      const scores = scoreKey.test(key.constant);
      return (state) => {
        const delta = sign * integer(value.expand(state));
        state.tx.slots[slot] = sum(state, state.tx.slots[slot] ?? null, delta);
        if (scores) state.score += delta;
      };
    }
    default:
      return effect.arithmetic satisfies never;
  }
}

function dynamicSetTx(key: CompiledMacro, value: CompiledMacro, { arithmetic }: SetVar): CompiledEffect {
  return (state) => {
    const name = key.expand(state);
    if (arithmetic === 'unset') state.tx.set(name, null);
    else if (arithmetic === 'set') state.tx.set(name, state.text(value.expand(state)));
    else {
      const delta = integer(value.expand(state)) * (arithmetic === 'add' ? 1 : -1);
      state.tx.set(name, sum(state, state.tx.get(name), delta));
    }
  };
}

/** Without effect where no `initcol` has opened the collection. */
function compileSetRecord(effect: SetVar, collection: PersistentCollection, layout: TxLayout): CompiledEffect {
  const key = compileKey(effect.key, layout);
  const value = compileMacro(effect.value, layout);
  return (state) => {
    const record = state.records?.get(collection);
    if (record === undefined) return;
    const name = key.expand(state);
    const text = value.expand(state);
    if (effect.arithmetic === 'unset') record.unset(name);
    else if (effect.arithmetic === 'set') record.set(name, text.slice(0, state.options.valueBytes));
    else {
      const delta = integer(text) * (effect.arithmetic === 'add' ? 1 : -1);
      record.set(name, String(integer(record.get(name) ?? '') + delta));
    }
  };
}

function compileExpire(collection: PersistentCollection, key: CompiledMacro, seconds: CompiledMacro): CompiledEffect {
  return (state) => {
    state.records?.get(collection)?.expire(key.expand(state), integer(seconds.expand(state)));
  };
}

function sum(state: TransactionState, current: Text | null, delta: number): Text {
  return state.numberText((current === null ? 0 : integer(current.value)) + delta);
}

/** What is no number counts as 0. */
function integer(text: string): number {
  const number = Number.parseInt(text, 10);
  return Number.isSafeInteger(number) ? number : 0;
}
