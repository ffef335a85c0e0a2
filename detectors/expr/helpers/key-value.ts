/**
 * `key=value` texts into a string map under `evt.Unmarshaled`. Read by hand, once from left to right: the pattern that
 * CrowdSec uses would be a regular expression over text that an attacker chooses.
 */
import { FieldMap, type StringMap } from '../../event.ts';
import type { HelperTable } from '../helper.ts';
import { anyMap, nilType, stringType } from '../types.ts';
import { ownValue, setOwn, ValueError } from '../values.ts';

export const keyValueHelpers: HelperTable = {
  ParseKV: {
    parameters: [stringType, anyMap, stringType],
    returns: nilType,
    stores: { map: 1, key: 2 },
    run: (text: string, map: object, key: string) => store('ParseKV', pairs(text), map, key),
  },
  ParseKVLax: {
    parameters: [stringType, anyMap, stringType],
    returns: nilType,
    stores: { map: 1, key: 2 },
    run: (text: string, map: object, key: string) => store('ParseKVLax', laxPairs(text), map, key),
  },
};

type Pair = readonly [key: string, value: string];

function store(name: string, found: readonly Pair[], map: object, key: string): null {
  if (found.length === 0) throw new ValueError(`${name} found no key=value pair`);
  const known = ownValue(map, key);
  if (known !== null && known !== undefined && !(known instanceof FieldMap)) {
    throw new ValueError(`${name}: ${key} holds something else already`);
  }
  const target: StringMap = known instanceof FieldMap ? known : new FieldMap();
  for (const [name, value] of found) setOwn(target, name, value);
  setOwn(map, key, target);
  return null;
}

/** Go's `\s`. */
function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13 && code !== 11);
}

/** `key="quoted"`, `key=bare` or `key=`: a key is a run without `=` and white space. Escapes in quotes stay as written. */
function pairs(text: string): Pair[] {
  const found: Pair[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    while (at < text.length && text.charCodeAt(at) !== 61 && !isSpace(text.charCodeAt(at))) at++;
    if (at === start || text.charCodeAt(at) !== 61) {
      at++;
      continue;
    }
    const key = text.slice(start, at++);
    const quoteEnd = text.charCodeAt(at) === 34 ? quotedEnd(text, at) : -1;
    if (quoteEnd !== -1) {
      found.push([key, text.slice(at + 1, quoteEnd)]);
      at = quoteEnd + 1;
      continue;
    }
    const valueStart = at;
    while (at < text.length && text.charCodeAt(at) !== 61 && !isSpace(text.charCodeAt(at))) at++;
    found.push([key, text.slice(valueStart, at)]);
  }
  return found;
}

/** The offset of the closing quote, or -1. */
function quotedEnd(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 92) index++;
    else if (code === 34) return index;
  }
  return -1;
}

/** Values run to the next `identifier=` outside quotes; space around them and quotes around the whole are dropped. */
function laxPairs(text: string): Pair[] {
  const keys = laxKeys(text);
  return keys.map(({ start, end }, index): Pair => {
    const value = text.slice(end + 1, keys[index + 1]?.start ?? text.length).trim();
    const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    return [text.slice(start, end), quoted ? value.slice(1, -1) : value];
  });
}

/** Where each `identifier=` starts, and where its `=` is. */
function laxKeys(text: string): { start: number; end: number }[] {
  const keys: { start: number; end: number }[] = [];
  let at = 0;
  let boundary = true;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 34 && (text.charCodeAt(at - 1) === 61 || boundary)) {
      const end = quotedEnd(text, at);
      at = end === -1 ? at + 1 : end + 1;
      boundary = false;
    } else if (boundary && isIdentifierStart(code)) {
      const start = at;
      while (at < text.length && isIdentifierPart(text.charCodeAt(at))) at++;
      if (text.charCodeAt(at) === 61) keys.push({ start, end: at++ });
      boundary = false;
    } else {
      boundary = isSpace(code) || !(isIdentifierPart(code) || code === 61);
      at++;
    }
  }
  return keys;
}

function isIdentifierStart(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}

function isIdentifierPart(code: number): boolean {
  return isIdentifierStart(code) || (code >= 48 && code <= 57) || code === 46 || code === 45;
}
