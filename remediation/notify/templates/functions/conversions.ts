/** What several functions need: Sprig's lenient reading of values as numbers and texts, its idea of "empty", lists. */
import { parseNumber } from '../literals.ts';
import { formatValue } from '../format-value.ts';
import type { RenderContext } from '../render-context.ts';
import { ValueFault } from '../template-error.ts';
import { TemplateTime } from '../template-time.ts';
import { isList, isMap, isTrue, kindName, type TemplateList, type TemplateValue, wrap64 } from '../values.ts';

/** Anything as an integer; what is none is 0. */
export function toInt64(value: TemplateValue): bigint {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      return Number.isFinite(value) ? wrap64(BigInt(Math.trunc(value))) : 0n;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string': {
      // `1.00` is an integer that somebody wrote with places.
      const parsed = parseNumber(value.replace(/^([+-]?[0-9]+)\.0*$/, '$1'));
      return typeof parsed === 'bigint' ? parsed : 0n;
    }
    default:
      return 0n;
  }
}

export function toFloat64(value: TemplateValue): number {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'number':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(value) ? Number(value) : 0;
    default:
      return 0;
  }
}

/** An integer that counts things in memory. */
export function toCount(value: bigint, what: string): number {
  if (value < 0n) throw new ValueFault(`${what} is negative: ${value}`);
  return Number(value < 1_000_000_000n ? value : 1_000_000_000n);
}

/** Sprig's `empty`: as `if` sees it, with nil. */
export function isEmpty(value: TemplateValue): boolean {
  return !isTrue(value);
}

export function toText(value: TemplateValue, context: RenderContext): string {
  return typeof value === 'string' ? value : formatValue(value, context);
}

/** The texts of a list without its nils; of anything else its own text. */
export function toTexts(value: TemplateValue, context: RenderContext): readonly string[] {
  if (value === null) return [];
  if (!isList(value)) return [toText(value, context)];
  context.charge(value.length);
  return value.filter((each) => each !== null).map((each) => toText(each, context));
}

/** @throws ValueFault in the words of Sprig, such as `Cannot push on type string`. */
export function listOf(value: TemplateValue, complaint: string, context: RenderContext): TemplateList {
  if (!isList(value)) throw new ValueFault(`${complaint} ${kindName(value)}`);
  context.charge(value.length >> 2);
  return value;
}

/** Go's `reflect.DeepEqual`. */
export function deepEqual(left: TemplateValue, right: TemplateValue, context: RenderContext, depth = 0): boolean {
  context.charge(1);
  context.checkDepth(depth);
  if (left === right) return true;
  if (isList(left) && isList(right)) {
    return (
      left.length === right.length &&
      left.every((each, index) => deepEqual(each, right[index] ?? null, context, depth + 1))
    );
  }
  if (isMap(left) && isMap(right)) {
    return (
      left.size === right.size &&
      [...left].every(([key, each]) => {
        const other = right.get(key);
        return other !== undefined && deepEqual(each, other, context, depth + 1);
      })
    );
  }
  return left instanceof TemplateTime && right instanceof TemplateTime && left.nanoseconds === right.nanoseconds;
}
