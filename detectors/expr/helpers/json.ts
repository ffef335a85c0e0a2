/** JSON helpers: pieces of JSON texts by path, whole texts into `evt.Unmarshaled`, and values back to JSON. */
import { readJson, writeJson } from '../go-json.ts';
import type { HelperTable } from '../helper.ts';
import { anyMap, anyType, nilType, stringType as text } from '../types.ts';
import { setOwn, ValueError } from '../values.ts';
import { findJson, type JsonKind, pathSteps, unescapeJson } from './json-path.ts';

export const jsonHelpers: HelperTable = {
  JsonExtract: {
    parameters: [text, text],
    returns: text,
    pure: true,
    run: (json: string, path: string) => findJson(json, pathSteps(path))?.raw ?? '',
  },
  JsonExtractLib: {
    parameters: [text, text],
    variadic: true,
    returns: text,
    pure: true,
    run: (json: string, ...keys: string[]) => findJson(json, keys)?.raw ?? '',
  },
  JsonExtractUnescape: {
    parameters: [text, text],
    variadic: true,
    returns: text,
    pure: true,
    run: (json: string, ...keys: string[]) => {
      const piece = findJson(json, keys);
      return piece?.kind === 'string' ? (unescapeJson(piece.raw) ?? '') : '';
    },
  },
  JsonExtractSlice: {
    parameters: [text, text],
    returns: anyType,
    pure: true,
    run: (json: string, path: string) => decoded(json, path, 'array'),
  },
  JsonExtractObject: {
    parameters: [text, text],
    returns: anyType,
    pure: true,
    run: (json: string, path: string) => decoded(json, path, 'object'),
  },
  ToJsonString: { parameters: [anyType], returns: text, run: (value: unknown) => writeJson(value) },
  UnmarshalJSON: {
    parameters: [text, anyMap, text],
    returns: nilType,
    stores: { map: 1, key: 2 },
    run: (json: string, map: object, key: string) => {
      setOwn(map, key, readJson(json));
      return null;
    },
  },
};

/** nil when the piece is of another kind, absent or damaged. */
function decoded(json: string, path: string, kind: JsonKind): unknown {
  const piece = findJson(json, pathSteps(path));
  if (piece?.kind !== kind) return null;
  try {
    return readJson(piece.raw);
  } catch (thrown) {
    if (thrown instanceof ValueError) return null;
    throw thrown;
  }
}
