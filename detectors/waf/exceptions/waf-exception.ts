/**
 * Exceptions: what a rule is not to look at, in words that need no SecLang. The narrowest one names a rule, a path and a
 * parameter; each part that is left out makes it wider.
 */
import { lowerAscii } from '../seclang/ascii.ts';
import { collectionNames, scalarNames, type VariableName } from '../variable-names.ts';
import { bytesOf, nameText, pathText } from './place-text.ts';

export interface ExceptionTarget {
  readonly variable: VariableName;
  /** Of the value, in bytes, without regard to case; "" for every value of the variable. */
  readonly name: string;
}

export interface WafException {
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly ruleId: number;
  /** Name of a site; "" for all. */
  readonly site: string;
  /** As `parsePath` returns it: a path; with `*` at its end everything that begins so; "" for any. */
  readonly path: string;
  /** Null: the whole rule. */
  readonly target: ExceptionTarget | null;
  readonly comment: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Epoch milliseconds, or null for ever. */
  readonly until: number | null;
}

/** What can be asked about a request that an exception may concern. */
export type ExceptionScope = Pick<WafException, 'ruleId' | 'site' | 'path' | 'target'>;

/** Each costs a comparison for every request of its path. */
export const mostExceptions = 1_000;
export const longestPath = 2_048;
export const longestName = 256;

const variables: ReadonlySet<string> = new Set([...collectionNames, ...scalarNames]);

/** `ARGS:q`, `REQUEST_HEADERS:User-Agent`, `REQUEST_FILENAME`, as people write it; null when there is no such variable. */
export function parseTarget(text: string): ExceptionTarget | null {
  const target = targetOf(text);
  return target && { ...target, name: bytesOf(target.name) };
}

/** The same as a rule's match names it, where the name is in bytes. A count of values (`&ARGS:q`) goes with the values. */
export function targetOf(label: string): ExceptionTarget | null {
  const text = label.startsWith('&') ? label.slice(1) : label;
  const colon = text.indexOf(':');
  const variable = (colon === -1 ? text : text.slice(0, colon)).toUpperCase();
  if (!isVariable(variable)) return null;
  return { variable, name: colon === -1 ? '' : text.slice(colon + 1) };
}

export function formatTarget({ variable, name }: ExceptionTarget): string {
  return name === '' ? variable : `${variable}:${nameText(name)}`;
}

/**
 * A path or the beginning of one, as people write it, in the one spelling that is kept; null when it is none. `/search`,
 * `/caf%C3%A9` for `/café`, `/shop/*`; a `*` of the path itself is `%2A`.
 */
export function parsePath(text: string): string | null {
  if (text === '' || text === '*') return '';
  const isBeginning = text.endsWith('*');
  const path = isBeginning ? text.slice(0, -1) : text;
  if (!path.startsWith('/') || /[*?#]/.test(path)) return null;
  const spelled = pathText(bytesOf(path)) + (isBeginning ? '*' : '');
  return spelled === '/*' ? '' : spelled;
}

/** Whether one exception is enough for all that another one would except. */
export function covers(wider: ExceptionScope, narrower: ExceptionScope): boolean {
  if (wider.ruleId !== narrower.ruleId || (wider.site !== '' && wider.site !== narrower.site)) return false;
  return coversPath(wider.path, narrower.path) && coversTarget(wider.target, narrower.target);
}

function coversPath(wider: string, narrower: string): boolean {
  if (wider === '' || wider === narrower) return true;
  return wider.endsWith('*') && narrower.startsWith(wider.slice(0, -1));
}

function coversTarget(wider: ExceptionTarget | null, narrower: ExceptionTarget | null): boolean {
  if (wider === null) return true;
  if (narrower === null || wider.variable !== narrower.variable) return false;
  return wider.name === '' || lowerAscii(wider.name) === lowerAscii(narrower.name);
}

function isVariable(name: string): name is VariableName {
  return variables.has(name);
}
