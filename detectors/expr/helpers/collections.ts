/** Helpers on lists and maps that CrowdSec adds to the language's own. */
import { flattened, uniqueItems } from '../builtins/collections.ts';
import type { HelperTable } from '../helper.ts';
import { anyArray, anyType, boolType, intType, stringType } from '../types.ts';
import { hasKey, isMap, ValueError } from '../values.ts';

export const collectionHelpers: HelperTable = {
  Flatten: {
    parameters: [anyType],
    variadic: true,
    returns: anyArray,
    pure: true,
    run: (...lists: unknown[]) => flattened(lists),
  },
  Distinct: { parameters: [anyArray], returns: anyArray, pure: true, run: uniqueItems },
  FlattenDistinct: {
    parameters: [anyType],
    variadic: true,
    returns: anyArray,
    pure: true,
    run: (...lists: unknown[]) => uniqueItems(flattened(lists)),
  },
  KeyExists: {
    parameters: [stringType, anyType],
    returns: boolType,
    run: (key: string, map: unknown) => {
      if (!isMap(map)) throw new ValueError('KeyExists wants a map');
      return hasKey(map, key);
    },
  },
  Get: {
    parameters: [anyArray, intType],
    returns: stringType,
    pure: true,
    run: (list: readonly unknown[], index: bigint) => {
      const item = index < 0n ? undefined : list[Number(index)];
      return typeof item === 'string' ? item : '';
    },
  },
};
