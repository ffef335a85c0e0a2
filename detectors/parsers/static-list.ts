/** The statics of a node, compiled: values and where they go, in order. Specification: CrowdSec `Node.ProcessStatics`. */
import { messageOf } from '../../core/errors.ts';
import type { Expression } from '../expr/compile.ts';
import { isMap } from '../expr/values.ts';
import { type Enricher, decimal } from './enrichers.ts';
import type { FieldReader } from './field-reader.ts';
import type { ParseStep } from './parse-observer.ts';
import type { ParserRun } from './parser-run.ts';
import type { Setter } from './target.ts';

export interface Static {
  /** The value where there is no expression. */
  readonly literal: string;
  readonly expression: Expression | null;
  /** Instead of the expression, where that only copies a text. */
  readonly copy: FieldReader | null;
  /** Null for a target that leads nowhere: the value is computed and dropped. */
  readonly set: Setter | null;
  /** Null unless the static is a method, which then takes the place of `set`. */
  readonly enrich: Enricher | null;
  /** Empty values are passed on too: ParseDate falls back to the time now. */
  readonly takesEmpty: boolean;
  /** As steps show it. */
  readonly target: string;
}

/** What the parsers count of expressions that raise. */
export interface ErrorCounter {
  errors: number;
}

/** False when the line ends here: a value of a type that is no text, or one that has to be awaited. */
export function applyStatics(statics: readonly Static[], run: ParserRun, counter: ErrorCounter): boolean {
  for (const one of statics) {
    let value = one.literal;
    if (one.copy !== null) value = one.copy(run.scope.evt);
    else if (one.expression !== null) {
      const computed = valueOf(one, one.expression, run, counter);
      if (computed === null) return false;
      if (computed === undefined) continue;
      value = computed;
    }
    if (value === '' && !one.takesEmpty) {
      if (run.step !== null) report(run, one, value, 'skipped');
      continue;
    }
    if (one.enrich !== null) {
      run.pending = one.enrich(value, run.scope.evt, run.mayWait);
      if (run.pending !== null) return false;
    } else one.set?.(run.scope.evt, value);
    if (run.step !== null) report(run, one, value, one.enrich === null && one.set === null ? 'unknown' : 'set');
  }
  return true;
}

/** The text, undefined when the expression raises (the static is left out), null when the line is to be abandoned. */
function valueOf(
  one: Static,
  expression: Expression,
  run: ParserRun,
  counter: ErrorCounter,
): string | undefined | null {
  let value: unknown;
  try {
    value = expression.evaluate(run.scope);
  } catch (error) {
    if (run.awaits(error)) return null;
    counter.errors++;
    if (run.step !== null) report(run, one, '', { error: messageOf(error) });
    return undefined;
  }
  if (typeof value === 'string') return value;
  const text = textOf(value);
  if (text === null) {
    counter.errors++;
    if (run.step !== null) report(run, one, String(value), 'aborted');
  }
  return text;
}

/** Integers in decimal, floats with six decimals, "" for nil, maps and lists; null for anything else. */
export function textOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
      return value.toString();
    case 'number':
      return decimal(value);
    case 'undefined':
      return '';
    case 'object':
      return value === null || Array.isArray(value) || isMap(value) ? '' : null;
    default:
      return null;
  }
}

function report(run: ParserRun, one: Static, value: string, outcome: StaticOutcome): void {
  run.step?.({ kind: 'static', depth: run.depth, target: one.target, value, outcome });
}

type StaticOutcome = Extract<ParseStep, { kind: 'static' }>['outcome'];
