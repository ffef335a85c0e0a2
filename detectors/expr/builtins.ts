/**
 * The functions of the language itself (expr-lang 1.17), apart from loops over predicates, whose types alone are here
 * (`predicate-builtins.ts` runs them). Arguments of types that a function does not take raise; nothing is converted.
 */
import type { Clock } from '../../core/clock.ts';
import { type BuiltinTable, TypeMistake } from './builtin.ts';
import { collectionBuiltins } from './builtins/collections.ts';
import { numberBuiltins } from './builtins/numbers.ts';
import { textBuiltins } from './builtins/texts.ts';
import { timeBuiltins } from './builtins/times.ts';
import { maybe } from './operator-types.ts';
import { anyType, arrayOf, boolType, intType, isAny, type Type, typeText } from './types.ts';

export function createBuiltins(clock: Clock): BuiltinTable {
  return { ...textBuiltins, ...numberBuiltins, ...collectionBuiltins, ...timeBuiltins(clock), ...predicateBuiltins };
}

const predicateBuiltins: BuiltinTable = {
  all: yesNo(boolType),
  any: yesNo(boolType),
  none: yesNo(boolType),
  one: yesNo(boolType),
  find: yesNo(elementOf),
  findLast: yesNo(elementOf),
  findIndex: yesNo(anyType),
  findLastIndex: yesNo(anyType),
  filter: yesNo((collection) => arrayOf(elementOf(collection))),
  count: {
    least: 1,
    most: 2,
    check: ([collection = anyType, predicate]) => {
      const tested = predicate ?? elementOf(wantArray('count', collection));
      if (!maybe(tested, 'bool')) throw new TypeMistake(`predicate should return boolean (got ${typeText(tested)})`, 1);
      return intType;
    },
  },
  map: {
    least: 2,
    most: 2,
    check: ([, result = anyType]) => arrayOf(result.kind === 'nil' ? anyType : result),
  },
  sum: {
    least: 1,
    most: 2,
    check: ([collection = anyType, result]) => {
      const summed = result ?? elementOf(wantArray('sum', collection));
      if (isAny(summed) || summed.kind === 'int' || summed.kind === 'float') return summed;
      throw new TypeMistake(`invalid argument for sum (type ${typeText(summed)})`);
    },
  },
  groupBy: { least: 2, most: 2, check: () => anyType },
  sortBy: {
    least: 2,
    most: 3,
    check: ([collection = anyType, , order]) => {
      if (order && !maybe(order, 'string')) throw new TypeMistake('the order must be "asc" or "desc"', 2);
      return arrayOf(elementOf(collection));
    },
  },
  reduce: { least: 2, most: 3, check: () => anyType },
};

/** A function whose predicate must answer yes or no. */
function yesNo(result: Type | ((collection: Type) => Type)): BuiltinTable[string] {
  return {
    least: 2,
    most: 2,
    check: ([collection = anyType, predicate = anyType]) => {
      if (!maybe(predicate, 'bool')) {
        throw new TypeMistake(`predicate should return boolean (got ${typeText(predicate)})`, 1);
      }
      return typeof result === 'function' ? result(collection) : result;
    },
  };
}

function elementOf(collection: Type): Type {
  return collection.kind === 'array' ? collection.element : anyType;
}

function wantArray(name: string, type: Type): Type {
  if (maybe(type, 'array')) return type;
  throw new TypeMistake(`builtin ${name} takes only array (got ${typeText(type)})`);
}
