/**
 * Exceptions: what a rule is not to look at, in words that need no SecLang. The narrowest one names a rule, a path and a
 * parameter; each part that is left out makes it wider.
 */
import { collectionNames, scalarNames, type VariableName } from '../variable-names.ts';

export interface ExceptionTarget {
  readonly variable: VariableName;
  /** Of the value, without regard to case; "" for every value of the variable. */
  readonly name: string;
}

export interface WafException {
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly ruleId: number;
  /** Name of a site; "" for all. */
  readonly site: string;
  /** A decoded path; with `*` at its end everything that begins so; "" for any. */
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

const variables: ReadonlySet<string> = new Set([...collectionNames, ...scalarNames]);

/** `ARGS:q`, `REQUEST_HEADERS:User-Agent`, `REQUEST_FILENAME`; null when there is no such variable. */
export function parseTarget(text: string): ExceptionTarget | null {
  const colon = text.indexOf(':');
  const variable = (colon === -1 ? text : text.slice(0, colon)).toUpperCase();
  if (!isVariable(variable)) return null;
  return { variable, name: colon === -1 ? '' : text.slice(colon + 1) };
}

export function formatTarget({ variable, name }: ExceptionTarget): string {
  return name === '' ? variable : `${variable}:${name}`;
}

function isVariable(name: string): name is VariableName {
  return variables.has(name);
}
