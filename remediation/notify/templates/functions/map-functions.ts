/** Sprig's functions of maps. `set`, `unset`, `merge` and `mergeOverwrite` change their first argument, as there. */
import { ValueFault } from '../template-error.ts';
import type { RenderContext } from '../render-context.ts';
import {
  define,
  defineVariadic,
  isList,
  isMap,
  sortedEntries,
  type TemplateFunction,
  type TemplateMap,
  type TemplateValue,
  typeName,
} from '../values.ts';
import { isEmpty, toText } from './conversions.ts';

export const mapFunctions: Readonly<Record<string, TemplateFunction>> = {
  dict: defineVariadic([], 'any', (_, values, context) => {
    const out: TemplateMap = new Map();
    for (let at = 0; at < values.length; at += 2) {
      out.set(toText(values[at] ?? null, context), at + 1 < values.length ? (values[at + 1] ?? null) : '');
    }
    return out;
  }),
  get: define(['map', 'text'], ([map, key]) => map.get(key) ?? (map.has(key) ? null : '')),
  set: define(['map', 'text', 'any'], ([map, key, value]) => map.set(key, value)),
  unset: define(['map', 'text'], ([map, key]) => {
    map.delete(key);
    return map;
  }),
  hasKey: define(['map', 'text'], ([map, key]) => map.has(key)),
  // Go gives these in no order; a fixed one is one of them.
  keys: defineVariadic([], 'map', (_, maps) => maps.flatMap((map) => sortedEntries(map).map(([key]) => key))),
  values: define(['map'], ([map]) => sortedEntries(map).map(([, value]) => value)),
  pluck: defineVariadic(['text'], 'map', ([key], maps) =>
    maps.filter((map) => map.has(key)).map((map) => map.get(key) ?? null),
  ),
  pick: defineVariadic(['map'], 'text', ([map], keys) => {
    const wanted = new Set(keys);
    return new Map([...map].filter(([key]) => wanted.has(key)));
  }),
  omit: defineVariadic(['map'], 'text', ([map], keys) => {
    const unwanted = new Set(keys);
    return new Map([...map].filter(([key]) => !unwanted.has(key)));
  }),
  merge: merging(false),
  mustMerge: merging(false),
  mergeOverwrite: merging(true),
  mustMergeOverwrite: merging(true),
  deepCopy: define(['any'], ([value], context) => copied(value, context, 0)),
  mustDeepCopy: define(['any'], ([value], context) => copied(value, context, 0)),
  dig: defineVariadic([], 'any', (_, values) => dug(values)),
};

function merging(overwrites: boolean): TemplateFunction {
  return defineVariadic(['map'], 'map', ([into], sources, context) => {
    for (const source of sources) mergeInto(into, source, overwrites, context, 0);
    return into;
  });
}

/** What is empty on the left gives way; with `overwrites` the right wins. Maps are merged. */
function mergeInto(
  into: TemplateMap,
  source: TemplateMap,
  overwrites: boolean,
  context: RenderContext,
  depth: number,
): void {
  context.charge(source.size + 1);
  context.checkDepth(depth);
  for (const [key, value] of source) {
    const present = into.get(key);
    if (isMap(present) && isMap(value)) {
      mergeInto(present, value, overwrites, context, depth + 1);
    } else if (present === undefined || overwrites || (isEmpty(present) && !isEmpty(value))) {
      into.set(key, value);
    }
  }
}

function copied(value: TemplateValue, context: RenderContext, depth: number): TemplateValue {
  context.charge(1);
  context.checkDepth(depth);
  if (isList(value)) return value.map((each) => copied(each, context, depth + 1));
  if (!isMap(value)) return value;
  return new Map([...value].map(([key, each]) => [key, copied(each, context, depth + 1)]));
}

/** `dig "a" "b" default map`: the value at a path, or the default where the path ends early. */
function dug(values: readonly TemplateValue[]): TemplateValue {
  if (values.length < 3) throw new ValueFault('dig needs at least three arguments');
  const otherwise = values.at(-2) ?? null;
  let at = values.at(-1) ?? null;
  for (const key of values.slice(0, -2)) {
    if (typeof key !== 'string') throw new ValueFault(`dig takes keys that are texts, not ${typeName(key)}`);
    if (!isMap(at)) throw new ValueFault(`dig finds ${typeName(at)} where a map was expected`);
    if (!at.has(key)) return otherwise;
    at = at.get(key) ?? null;
  }
  return at;
}
