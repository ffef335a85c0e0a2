/** Actions that change variables: `setvar`, `expirevar`, `initcol`, `setenv` and the older `setuid`, `setsid`, `setrsc`. */
import { lowerAscii, trimBlanks } from './ascii.ts';
import type { Arithmetic, Effect, PersistentCollection } from './definition.ts';
import { parseMacro } from './parse-macro.ts';
import { type Report, quoted, suggestion } from './report.ts';

const persistentCollections = ['GLOBAL', 'IP', 'SESSION', 'USER', 'RESOURCE'] as const;
const writableCollections = ['TX', ...persistentCollections] as const;

/** `tx.score=+%{tx.critical}`, `!tx.score`, `tx.flag`. Null when it cannot be understood. */
export function parseSetvar(text: string, report: Report): Effect | null {
  const unset = text.startsWith('!');
  const written = unset ? trimBlanks(text.slice(1)) : text;
  const equals = unset ? -1 : assignmentAt(written);
  const name = equals === -1 ? written : trimBlanks(written.slice(0, equals));
  const variable = splitName('setvar', name, report);
  if (variable === null) return null;
  const { collection, key } = variable;
  const [arithmetic, value] = unset ? (['unset', ''] as const) : assignment(equals, written);
  return {
    kind: 'setvar',
    collection,
    key: parseMacro(key, report),
    arithmetic,
    value: parseMacro(value, report),
  };
}

function assignment(equals: number, written: string): readonly [Arithmetic, string] {
  if (equals === -1) return ['set', '1'];
  const value = written.slice(equals + 1);
  if (value.startsWith('+')) return ['add', value.slice(1)];
  if (value.startsWith('-')) return ['subtract', value.slice(1)];
  return ['set', value];
}

/** `ip.blocked=300`: seconds until the variable is gone. */
export function parseExpirevar(text: string, report: Report): Effect | null {
  const equals = assignmentAt(text);
  const variable = splitName('expirevar', trimBlanks(equals === -1 ? text : text.slice(0, equals)), report);
  if (variable === null) return null;
  // ModSecurity lets a variable without a time live for an hour.
  const seconds = equals === -1 ? '3600' : trimBlanks(text.slice(equals + 1));
  return {
    kind: 'expirevar',
    collection: variable.collection,
    key: parseMacro(variable.key, report),
    seconds: parseMacro(seconds, report),
  };
}

/** `ip=%{REMOTE_ADDR}`. */
export function parseInitcol(text: string, report: Report): Effect | null {
  const equals = text.indexOf('=');
  const name = trimBlanks(equals === -1 ? text : text.slice(0, equals));
  const collection = persistentCollections.find((one) => one.toLowerCase() === lowerAscii(name));
  if (collection === undefined) {
    const hint = suggestion(name, persistentCollections);
    report('error', `initcol knows ${persistentCollections.join(', ')}, but not ${quoted(name)}.${hint}`);
    return null;
  }
  if (equals === -1) {
    report('error', `initcol:${name} needs a key: write initcol:${name}=%{REMOTE_ADDR}, for example.`);
    return null;
  }
  return initialised(collection, trimBlanks(text.slice(equals + 1)), report);
}

/** What `setuid`, `setsid` and `setrsc` do: the collection of one user, session or resource becomes available. */
export function initialised(collection: PersistentCollection, key: string, report: Report): Effect {
  return { kind: 'initcol', collection, key: parseMacro(key, report) };
}

/** `NAME=value`; `!NAME` empties it. */
export function parseSetenv(text: string, report: Report): Effect | null {
  const unset = text.startsWith('!');
  const written = unset ? text.slice(1) : text;
  const equals = unset ? -1 : assignmentAt(written);
  const key = trimBlanks(equals === -1 ? written : written.slice(0, equals));
  if (key === '') {
    report('error', 'setenv names no variable: write setenv:NAME=value.');
    return null;
  }
  const value = equals === -1 ? (unset ? '' : '1') : written.slice(equals + 1);
  return { kind: 'setenv', key: parseMacro(key, report), value: parseMacro(value, report) };
}

/** The first `=` that is not inside of `%{…}`; -1: there is none. */
function assignmentAt(text: string): number {
  let inMacro = false;
  for (let at = 0; at < text.length; at++) {
    if (inMacro) inMacro = text[at] !== '}';
    else if (text[at] === '=') return at;
    else if (text.startsWith('%{', at)) inMacro = true;
  }
  return -1;
}

function splitName(
  action: string,
  name: string,
  report: Report,
): { readonly collection: (typeof writableCollections)[number]; readonly key: string } | null {
  const separator = name.search(/[.:]/);
  const written = separator === -1 ? name : name.slice(0, separator);
  const key = separator === -1 ? '' : name.slice(separator + 1);
  const collection = writableCollections.find((one) => one.toLowerCase() === lowerAscii(written));
  if (collection !== undefined && key !== '') return { collection, key };
  const reason =
    collection === undefined && separator !== -1
      ? `${action} can change ${writableCollections.join(', ')}, but not ${quoted(written)}.${suggestion(written, writableCollections)}`
      : `${action} needs a collection and a name, such as tx.score, and not ${quoted(name)}.`;
  report('error', reason);
  return null;
}
