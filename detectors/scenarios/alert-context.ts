/**
 * The context of alerts: values that expressions find in the events of an overflow, gathered under each key that a context
 * document declares. Evaluated once, at the overflow, over what the bucket kept, so that a pour costs nothing. `match` and
 * `req` are empty, as upstream has them for everything that is not its own request inspection.
 * Specification: CrowdSec `pkg/alertcontext/alertcontext.go`.
 */
import type { Event } from '../event.ts';
import type { Expression, ExpressionCompiler, Scope } from '../expr/compile.ts';
import { writeJson } from '../expr/go-json.ts';
import { formatValue } from '../expr/go-format.ts';
import type { ItemFault } from '../documents/item-fault.ts';
import type { ContextDocument } from './context-document.ts';
import { type EventNeeds, neededOf } from './event-needs.ts';

/** One item of an alert's `meta`. */
export interface ContextItem {
  readonly key: string;
  /** A JSON array of distinct values. */
  readonly value: string;
}

export interface AlertContext {
  /** What the expressions read of an event, and buckets must therefore keep. */
  readonly needs: EventNeeds;
  /** There is nothing to gather. */
  readonly isEmpty: boolean;
  /** Keys without a value are left out. An expression that raises gives none and is handed to `onError`. */
  gather(events: readonly Event[], onError: (error: unknown) => void): readonly ContextItem[];
}

/** Bytes of one item's value. */
const longestValue = 4_000;

/** What stands for the half of a value that had to go. */
const ellipsis = '...';

interface Entry {
  readonly key: string;
  readonly expressions: Expression[];
}

/** Compiles the documents; several may add to one key. Faults are gathered, not thrown. */
export function compileContexts(
  documents: readonly ContextDocument[],
  compiler: ExpressionCompiler,
): { readonly context: AlertContext; readonly faults: readonly ItemFault[] } {
  const entries = new Map<string, Entry>();
  const faults: ItemFault[] = [];
  for (const { entries: written, places } of documents) {
    for (const { key, expressions } of written) {
      const entry = entries.get(key) ?? { key, expressions: [] };
      entries.set(key, entry);
      for (const [index, source] of expressions.entries()) {
        if (entry.expressions.some((known) => known.source === source)) continue;
        try {
          entry.expressions.push(compiler.compile(source, 'any'));
        } catch (cause) {
          faults.push(places.expressionFault('', `${key}[${index}]`, cause));
        }
      }
    }
  }
  return { context: createAlertContext([...entries.values()]), faults };
}

function createAlertContext(entries: readonly Entry[]): AlertContext {
  return {
    isEmpty: entries.length === 0,
    needs: neededOf(entries.flatMap(({ expressions }) => expressions)),
    gather(events, onError) {
      const items: ContextItem[] = [];
      for (const { key, expressions } of entries) {
        const values = new Set<string>();
        for (const evt of events) addValues(values, expressions, evt, onError);
        if (values.size > 0) items.push({ key, value: shortJson([...values]) });
      }
      return items;
    },
  };
}

/** Stands for `match` and `req`; every member of it is absent. */
const nothing: object = Object.freeze({});

function addValues(
  values: Set<string>,
  expressions: readonly Expression[],
  evt: Event,
  onError: (error: unknown) => void,
): void {
  const scope: Scope = { evt, match: nothing, req: nothing };
  for (const expression of expressions) {
    let value: unknown;
    try {
      value = expression.evaluate(scope);
    } catch (error) {
      onError(error);
      continue;
    }
    for (const text of textsOf(value)) if (text !== '') values.add(text);
  }
}

/** Texts, whole numbers and lists are shown; upstream refuses the rest. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'bigint') return [String(value)];
  return Array.isArray(value) ? value.map((each) => (typeof each === 'string' ? each : formatValue(each))) : [];
}

/** The values as a JSON array that is short enough: the last ones go first, and the only one left is halved. */
function shortJson(values: string[]): string {
  // Each value takes three bytes at least, so that no more than this can fit.
  let kept = values.slice(0, longestValue / 3);
  let json = writeJson(kept);
  while (Buffer.byteLength(json) > longestValue) {
    const [first = ''] = kept;
    kept = kept.length > 1 ? kept.slice(0, -1) : [first.slice(0, first.length / 2).toWellFormed() + ellipsis];
    json = writeJson(kept);
  }
  return json;
}
