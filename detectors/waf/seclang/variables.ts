/** Finding variables by the names that rule files give them. */
import { type VariableName, collectionNames, scalarNames } from '../variable-names.ts';
import { lowerAscii } from './ascii.ts';

export interface Variable {
  readonly name: VariableName;
  readonly isCollection: boolean;
}

/** What other engines call the same thing. */
const aliases: readonly (readonly [string, VariableName])[] = [['REQUEST_XML', 'XML']];

/** Variables of ModSecurity that tell about a server which this is not. */
const unsupported: ReadonlySet<string> = new Set([
  'MSC_PCRE_ERROR',
  'MSC_PCRE_LIMITS_EXCEEDED',
  'PERF_ALL',
  'PERF_COMBINED',
  'PERF_GC',
  'PERF_LOGGING',
  'PERF_PHASE1',
  'PERF_PHASE2',
  'PERF_PHASE3',
  'PERF_PHASE4',
  'PERF_PHASE5',
  'PERF_RULES',
  'PERF_SREAD',
  'PERF_SWRITE',
  'SCRIPT_BASENAME',
  'SCRIPT_FILENAME',
  'SCRIPT_GID',
  'SCRIPT_GROUPNAME',
  'SCRIPT_MODE',
  'SCRIPT_UID',
  'SCRIPT_USERNAME',
  'SDBM_DELETE_ERROR',
  'STREAM_INPUT_BODY',
  'STREAM_OUTPUT_BODY',
  'USERAGENT_IP',
  'WEBSERVER_ERROR_LOG',
]);

export const allVariableNames: readonly VariableName[] = [...collectionNames, ...scalarNames];

const byName: ReadonlyMap<string, Variable> = new Map([
  ...collectionNames.map((name): [string, Variable] => [name.toLowerCase(), { name, isCollection: true }]),
  ...scalarNames.map((name): [string, Variable] => [name.toLowerCase(), { name, isCollection: false }]),
  ...aliases.map(([alias, name]): [string, Variable] => [alias.toLowerCase(), { name, isCollection: true }]),
]);

/** Without regard to case. */
export function findVariable(name: string): Variable | null {
  return byName.get(lowerAscii(name)) ?? null;
}

export function isUnsupportedVariable(name: string): boolean {
  return unsupported.has(name.toUpperCase());
}
