/**
 * A match as a line of the log that ModSecurity writes, because expectations of tests are regular expressions on such lines.
 * Specification: ModSecurity Reference Manual, "Error log"; go-ftw reads `[id "…"]` from it.
 */
import type { RuleMatch, TransactionRequest } from '../engine/transaction-types.ts';

const severities = ['EMERGENCY', 'ALERT', 'CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG'] as const;

export function logLine(match: RuleMatch, request: TransactionRequest, blocked: boolean): string {
  const { place, severity } = match;
  const first = match.values[0];
  const found = first === undefined ? 'Unconditional match.' : `Matched ${quote(first.value)} at ${first.variable}.`;
  const fields: readonly (readonly [string, string])[] = [
    ['file', place.file],
    ['line', String(place.line)],
    ['id', String(match.ruleId)],
    ['msg', match.msg],
    ['data', match.logdata],
    ['severity', severity === null ? '' : (severities[severity] ?? '')],
    ['ver', match.ver],
    ...match.tags.map((tag) => ['tag', tag] as const),
    ['hostname', request.serverAddress],
    ['uri', request.target],
    ['unique_id', request.id],
  ];
  const written = fields.filter(([, value]) => value !== '').map(([name, value]) => `[${name} ${quote(value)}]`);
  const what = blocked ? `Access denied (phase ${match.phase}).` : 'Warning.';
  return `[client ${request.clientAddress}] ModSecurity: ${what} ${found} ${written.join(' ')}`;
}

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\v', '\\v'],
  ['\r', '\\r'],
]);

/** One line, whatever is in it: what is no printable ASCII is written out as in C. */
function quote(text: string): string {
  const escaped = text.replace(
    /["\\\x00-\x1f\x7f-\xff]/g,
    (character) => shortEscapes.get(character) ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${escaped}"`;
}

/** Every rule id that a log tells of, in order. */
export function idsOf(lines: readonly string[]): readonly number[] {
  return lines.flatMap((line) => Array.from(line.matchAll(/\[id "(\d+)"\]/g), (found) => Number(found[1])));
}
