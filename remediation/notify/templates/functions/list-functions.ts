/** Sprig's functions of lists. Lists are never changed in place. The `must…` forms are the same: every fault ends the run. */
import { ValueFault } from '../template-error.ts';
import type { RenderContext } from '../render-context.ts';
import {
  define,
  defineVariadic,
  isList,
  kindName,
  type TemplateFunction,
  type TemplateList,
  type TemplateValue,
} from '../values.ts';
import { deepEqual, isEmpty, listOf, toInt64 } from './conversions.ts';

const plain: Readonly<Record<string, TemplateFunction>> = {
  append: define(['any', 'any'], ([list, value], context) => [...listOf(list, 'Cannot push on type', context), value]),
  push: define(['any', 'any'], ([list, value], context) => [...listOf(list, 'Cannot push on type', context), value]),
  prepend: define(['any', 'any'], ([list, value], context) => [
    value,
    ...listOf(list, 'Cannot prepend on type', context),
  ]),
  first: define(['any'], ([list], context) => listOf(list, 'Cannot find first on type', context)[0] ?? null),
  last: define(['any'], ([list], context) => listOf(list, 'Cannot find last on type', context).at(-1) ?? null),
  rest: define(['any'], ([list], context) => listOf(list, 'Cannot find rest on type', context).slice(1)),
  initial: define(['any'], ([list], context) => listOf(list, 'Cannot find initial on type', context).slice(0, -1)),
  reverse: define(['any'], ([list], context) => listOf(list, 'Cannot find reverse on type', context).toReversed()),
  uniq: define(['any'], ([list], context) => distinct(listOf(list, 'Cannot find uniq on type', context), context)),
  compact: define(['any'], ([list], context) =>
    listOf(list, 'Cannot compact on type', context).filter((each) => !isEmpty(each)),
  ),
  without: defineVariadic(['any'], 'any', ([list], omitted, context) =>
    listOf(list, 'Cannot find without on type', context).filter(
      (each) => !omitted.some((other) => deepEqual(each, other, context)),
    ),
  ),
  has: define(['any', 'any'], ([needle, list], context) =>
    list === null
      ? false
      : listOf(list, 'Cannot find has on type', context).some((each) => deepEqual(needle, each, context)),
  ),
  slice: defineVariadic(['any'], 'any', ([list], bounds, context) =>
    sliced(listOf(list, 'list should be type of slice or array but', context), bounds),
  ),
  chunk: define(['int', 'any'], ([size, list], context) =>
    chunks(Number(size), listOf(list, 'Cannot chunk type', context)),
  ),
};

const musts = Object.entries(plain).flatMap(([name, each]) => [
  [`must${name.charAt(0).toUpperCase()}${name.slice(1)}`, each] as const,
]);

export const listFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...plain,
  ...Object.fromEntries(musts),
  list: defineVariadic([], 'any', (_, values) => values),
  tuple: defineVariadic([], 'any', (_, values) => values),
  concat: defineVariadic([], 'any', (_, lists, context) => {
    const all = lists.map((list) => {
      if (!isList(list)) throw new ValueFault(`Cannot concat type ${kindName(list)} as list`);
      return list;
    });
    context.charge(all.reduce((sum, each) => sum + each.length, 0));
    return all.flat(1);
  }),
};

function distinct(list: TemplateList, context: RenderContext): TemplateList {
  const seen = new Set<TemplateValue>();
  const nested: TemplateValue[] = [];
  return list.filter((each) => {
    // Only values with parts have to be compared one by one.
    if (typeof each !== 'object' || each === null) return !seen.has(each) && seen.add(each) !== undefined;
    if (nested.some((other) => deepEqual(each, other, context))) return false;
    nested.push(each);
    return true;
  });
}

function sliced(list: TemplateList, bounds: readonly TemplateValue[]): TemplateValue {
  if (list.length === 0) return null;
  const start = Number(toInt64(bounds[0] ?? 0n));
  const end = bounds.length < 2 ? list.length : Number(toInt64(bounds[1] ?? 0n));
  if (start < 0 || end > list.length || start > end) {
    throw new ValueFault(`slice bounds out of range [${start}:${end}] with length ${list.length}`);
  }
  return list.slice(start, end);
}

function chunks(size: number, list: TemplateList): TemplateList {
  if (size < 1) throw new ValueFault(`chunk size is not positive: ${size}`);
  const out: TemplateList[] = [];
  for (let at = 0; at < list.length; at += size) out.push(list.slice(at, at + size));
  return out;
}
