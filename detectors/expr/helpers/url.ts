/** URL helpers. Decoding is lenient where CrowdSec's is: what an attacker wrote badly is still looked at. */
import type { HelperTable } from '../helper.ts';
import { stringArray, stringType, type MapType } from '../types.ts';
import { setOwn } from '../values.ts';

const queryType: MapType = { kind: 'map', value: stringArray };

/** More parameters than this are not parsed. */
const mostParameters = 10_000;

export const urlHelpers: HelperTable = {
  ParseUri: {
    parameters: [stringType],
    returns: queryType,
    pure: true,
    run: (uri: string) => parseQuery(queryOf(uri)),
  },
  ParseQuery: {
    parameters: [stringType],
    returns: queryType,
    pure: true,
    run: (query: string) => parseQuery(query),
  },
  ExtractQueryParam: {
    parameters: [stringType, stringType],
    returns: stringArray,
    pure: true,
    run: (uri: string, name: string) => {
      const query = parseQuery(queryOf(uri));
      return Object.hasOwn(query, name) ? query[name] : [];
    },
  },
  PathEscape: {
    parameters: [stringType],
    returns: stringType,
    pure: true,
    run: (text: string) => escapeBytes(text, /[^A-Za-z0-9\-_.~$&+=:@]/g),
  },
  QueryEscape: {
    parameters: [stringType],
    returns: stringType,
    pure: true,
    run: (text: string) => escapeBytes(text, /[^A-Za-z0-9\-_.~ ]/g).replaceAll(' ', '+'),
  },
  PathUnescape: {
    parameters: [stringType],
    returns: stringType,
    pure: true,
    run: (text: string) => strictUnescape(text, false),
  },
  QueryUnescape: {
    parameters: [stringType],
    returns: stringType,
    pure: true,
    run: (text: string) => strictUnescape(text, true),
  },
};

/** What stands between the first `?` and the fragment; "" for a URI that Go would not parse. */
function queryOf(uri: string): string {
  const withoutFragment = uri.split('#', 1)[0] ?? '';
  const mark = withoutFragment.indexOf('?');
  if (mark === -1 || /[\x00-\x1f\x7f]/.test(uri)) return '';
  return withoutFragment.slice(mark + 1);
}

/** Every key with its values in order; `+` is a space, and a broken escape stays as it is written. */
function parseQuery(query: string): Record<string, string[]> {
  const parameters: Record<string, string[]> = {};
  if (query === '') return parameters;
  for (const part of query.split('&', mostParameters)) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const key = lenientUnescape(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? '' : lenientUnescape(part.slice(equals + 1));
    if (Object.hasOwn(parameters, key)) parameters[key]?.push(value);
    else setOwn(parameters, key, [value]);
  }
  return parameters;
}

function escapeBytes(text: string, special: RegExp): string {
  return text
    .replaceAll(special, (unit) => (unit.charCodeAt(0) < 0x80 ? percent(unit.charCodeAt(0)) : unit))
    .replaceAll(
      // Whole runs at once: the halves of a surrogate pair are one character.
      /[\u0080-\uffff]+/g,
      (run) => [...Buffer.from(run)].map(percent).join(''),
    );
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Decoded, or the text itself when any escape is broken. */
function strictUnescape(text: string, plusIsSpace: boolean): string {
  if (/%(?![\da-fA-F]{2})/.test(text)) return text;
  return lenient(text, plusIsSpace);
}

function lenientUnescape(text: string): string {
  return lenient(text, true);
}

function lenient(text: string, plusIsSpace: boolean): string {
  const spaced = plusIsSpace ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  return spaced.replaceAll(/(?:%[\da-fA-F]{2})+/g, decodedRun);
}

/** A run of escapes; mostly it is one, of an ASCII character, which needs no buffer. */
function decodedRun(run: string): string {
  const first = Number.parseInt(run.slice(1, 3), 16);
  if (run.length === 3 && first < 0x80) return String.fromCharCode(first);
  return Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8');
}
