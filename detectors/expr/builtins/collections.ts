/** Builtins on lists and maps. A function that makes a list makes a new one; nothing is changed in place. */
import { type Builtin, type BuiltinTable, TypeMistake } from '../builtin.ts';
import { maybe } from '../operator-types.ts';
import { byteLength, runeCount } from '../text.ts';
import {
  anyArray,
  anyMap,
  anyType,
  intType,
  isAny,
  joined,
  stringArray,
  stringType,
  type Type,
  typeText,
} from '../types.ts';
import {
  compare,
  elementBudget,
  equal,
  goType,
  hasKey,
  isMap,
  mapEntries,
  ownValue,
  setOwn,
  ValueError,
} from '../values.ts';
import { invalidArgument } from './signature.ts';

export const collectionBuiltins: BuiltinTable = {
  len: {
    least: 1,
    most: 1,
    check: ([type = anyType]) => {
      if (maybe(type, 'string') || type.kind === 'array' || type.kind === 'map') return intType;
      throw new TypeMistake(`invalid argument for len (type ${typeText(type)})`);
    },
    run: (value: unknown) => BigInt(lengthOf(value)),
  },
  type: { least: 1, most: 1, check: () => stringType, run: (value: unknown) => kindName(value) },
  first: onList('first', elementType, (list) => list[0] ?? null),
  last: onList('last', elementType, (list) => list.at(-1) ?? null),
  reverse: onList(
    'reverse',
    (type) => type,
    (list) => list.toReversed(),
  ),
  uniq: onList(
    'uniq',
    (type) => type,
    (list) => uniqueItems(list),
  ),
  flatten: onList(
    'flatten',
    () => anyArray,
    (list) => flattened(list),
  ),
  get: {
    least: 2,
    most: 2,
    check: ([type = anyType, key = anyType]) => {
      if (type.kind === 'map') return type.value;
      if (type.kind === 'array') {
        if (maybe(key, 'int')) return anyType;
        throw new TypeMistake(`non-integer slice index ${typeText(key)}`, 1);
      }
      if (isAny(type) || type.kind === 'nil' || type.kind === 'struct') return anyType;
      throw new TypeMistake(`type ${typeText(type)} does not support indexing`);
    },
    run: (value: unknown, key: unknown) => getItem(value, key),
  },
  take: {
    least: 2,
    most: 2,
    check: ([type = anyType, count = anyType]) => {
      if (!maybe(type, 'array')) throw new TypeMistake(`cannot take from ${typeText(type)}`);
      if (!maybe(count, 'int')) throw new TypeMistake(`cannot take ${typeText(count)} elements`, 1);
      return type;
    },
    run: (list: unknown, count: unknown) => {
      if (!Array.isArray(list)) throw invalidArgument('take', list);
      if (typeof count !== 'bigint') throw invalidArgument('take', count);
      if (count < 0n) throw new ValueError('invalid argument for take (expected non-negative integer)');
      return list.slice(0, Number(count));
    },
  },
  concat: {
    least: 1,
    most: 255,
    check: (types) => {
      let common: Type | null = null;
      for (const [index, type] of types.entries()) {
        if (!maybe(type, 'array')) throw new TypeMistake(`cannot concat ${typeText(type)}`, index);
        common = common === null ? type : joined(common, type);
      }
      return common?.kind === 'array' ? common : anyArray;
    },
    run: (...lists: unknown[]) => concatenated(lists),
  },
  keys: onMap('keys', stringArray, (map) => mapEntries(map).map(([key]) => key)),
  values: onMap('values', anyArray, (map) => mapEntries(map).map(([, value]) => value ?? null)),
  toPairs: onMap('toPairs', anyArray, (map) => mapEntries(map).map(([key, value]) => [key, value ?? null])),
  fromPairs: onList(
    'fromPairs',
    () => anyMap,
    (list) => mapOfPairs(list),
  ),
  sort: {
    least: 1,
    most: 2,
    check: ([type = anyType, order]) => {
      if (!maybe(type, 'array')) throw new TypeMistake(`cannot sort ${typeText(type)}`);
      if (order && !maybe(order, 'string')) throw new TypeMistake('the order must be "asc" or "desc"', 1);
      return type;
    },
    run: (list: unknown, order: unknown = 'asc') => {
      if (!Array.isArray(list)) throw invalidArgument('sort', list);
      const sign = orderSign(order);
      return list.toSorted((left, right) => sign * compare(left, right, '<'));
    },
  },
};

function onList(name: string, returns: (type: Type) => Type, run: (list: readonly unknown[]) => unknown): Builtin {
  return {
    least: 1,
    most: 1,
    check: ([type = anyType]) => {
      if (!maybe(type, 'array')) throw new TypeMistake(`invalid argument for ${name} (type ${typeText(type)})`);
      return returns(type);
    },
    run: (list: unknown) => {
      if (!Array.isArray(list)) throw invalidArgument(name, list);
      return run(list as readonly unknown[]);
    },
  };
}

function onMap(name: string, returns: Type, run: (map: object) => unknown): Builtin {
  return {
    least: 1,
    most: 1,
    check: ([type = anyType]) => {
      if (maybe(type, 'map')) return returns;
      throw new TypeMistake(`cannot get ${name} from ${typeText(type)}`);
    },
    run: (map: unknown) => {
      if (!isMap(map)) throw new ValueError(`cannot get ${name} from ${goType(map)}`);
      return run(map);
    },
  };
}

function elementType(type: Type): Type {
  // An empty list has no first element, so a known element type is not certain unless nil belongs to it.
  return type.kind === 'array' && type.element.kind === 'struct' ? type.element : anyType;
}

/** @throws ValueError */
export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return runeCount(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return value instanceof Map ? value.size : Object.keys(value).length;
  throw invalidArgument('len', value);
}

/** `asc` is 1, `desc` is -1. @throws ValueError */
export function orderSign(order: unknown): 1 | -1 {
  if (order === 'asc') return 1;
  if (order === 'desc') return -1;
  throw new ValueError(`invalid order ${String(order)}, expected asc or desc`);
}

function kindName(value: unknown): string {
  const type = goType(value);
  if (type === '<nil>') return 'nil';
  if (type === 'float64') return 'float';
  if (type.startsWith('[]')) return 'array';
  return type.startsWith('map[') ? 'map' : type.replace('*', '');
}

/** Unlike `[…]`, gives nil for what is not there, and for any member of nil. */
function getItem(value: unknown, key: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value) || typeof value === 'string') {
    if (typeof key !== 'bigint') throw new ValueError(`cannot fetch ${goType(key)} from ${goType(value)}`);
    const length = typeof value === 'string' ? byteLength(value) : value.length;
    const position = Number(key) < 0 ? length + Number(key) : Number(key);
    if (position < 0 || position >= length) return null;
    return typeof value === 'string' ? BigInt(Buffer.from(value)[position] ?? 0) : (value[position] ?? null);
  }
  if (!isMap(value)) return null;
  return hasKey(value, key) ? ownValue(value, key) : null;
}

/** Scalars by a set, the rest by comparing; a list of many maps would be slow, so it is limited. */
export function uniqueItems(list: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>();
  const kept: unknown[] = [];
  const objects: unknown[] = [];
  for (const item of list) {
    if (typeof item === 'object' && item !== null) {
      if (objects.some((other) => equal(item, other))) continue;
      if (objects.push(item) > 10_000) throw new ValueError('too many different objects in a list');
    } else {
      const key = typeof item === 'bigint' && Number.isSafeInteger(Number(item)) ? Number(item) : item;
      if (seen.has(key)) continue;
      seen.add(key);
    }
    kept.push(item);
  }
  return kept;
}

export function flattened(list: readonly unknown[]): unknown[] {
  const flat = list.flat(100);
  if (flat.length > elementBudget) throw new ValueError('memory budget exceeded');
  return flat;
}

function concatenated(lists: readonly unknown[]): unknown[] {
  let length = 0;
  for (const list of lists) {
    if (!Array.isArray(list)) throw new ValueError(`cannot concat ${goType(list)}`);
    length += list.length;
  }
  if (length > elementBudget) throw new ValueError('memory budget exceeded');
  return lists.flat();
}

function mapOfPairs(list: readonly unknown[]): unknown {
  const map: Record<string, unknown> = {};
  for (const pair of list) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new ValueError('invalid pair');
    const [key, value] = pair as unknown[];
    if (typeof key !== 'string') throw new ValueError(`a map key must be a string (got ${goType(key)})`);
    setOwn(map, key, value);
  }
  return map;
}
