/** `ctl:` actions: what a rule changes for the rest of one transaction. ModSecurity Reference Manual, "ctl". */
import { lowerAscii, trimBlanks } from './ascii.ts';
import type { Control, IdRange, Target } from './definition.ts';
import { parseIdRanges } from './id-ranges.ts';
import { checkedPattern } from './name-pattern.ts';
import { parseTargets } from './parse-targets.ts';
import { type Report, quoted, suggestion } from './report.ts';
import { parseOnOff, parseEngineMode, parseSize } from './scalar-values.ts';

type ReadControl = (value: string, report: Report) => readonly Control[] | null;

const audit =
  (name: string): ReadControl =>
  (value) => [{ kind: 'audit', name, value }];

const onOff =
  (
    kind:
      | 'force-request-body-variable'
      | 'force-response-body-variable'
      | 'request-body-access'
      | 'response-body-access',
  ): ReadControl =>
  (value, report) => {
    const on = parseOnOff(value, report);
    return on === null ? null : [{ kind, on }];
  };

const limit =
  (kind: 'request-body-limit' | 'response-body-limit'): ReadControl =>
  (value, report) => {
    const bytes = parseSize(value, report);
    return bytes === null ? null : [{ kind, bytes }];
  };

const processors = ['URLENCODED', 'MULTIPART', 'JSON', 'XML', 'RAW'] as const;

const processor =
  (kind: 'request-body-processor' | 'response-body-processor'): ReadControl =>
  (value, report) => {
    const name = processors.find((one) => one.toLowerCase() === lowerAscii(value));
    if (name !== undefined) return [{ kind, processor: name }];
    report('error', `There is no body processor ${quoted(value)}.${suggestion(value, processors)}`);
    return null;
  };

const byPattern =
  (kind: 'remove-by-tag' | 'remove-by-msg'): ReadControl =>
  (value, report) => {
    const pattern = checkedPattern(value, report);
    return pattern === null ? null : [{ kind, pattern }];
  };

const readIds = (value: string, report: Report): readonly IdRange[] | null => {
  const ids = parseIdRanges(value);
  if (ids === null) report('error', `${quoted(value)} is no rule id and no range such as 942100-942199.`);
  return ids;
};

const readRuleEngine: ReadControl = (value, report) => {
  const mode = parseEngineMode(value, report);
  return mode === null ? null : [{ kind: 'rule-engine', mode }];
};

const removeById: ReadControl = (value, report) => {
  const ids = readIds(value, report);
  return ids === null ? null : [{ kind: 'remove-by-id', ids }];
};

const removeTargetById: ReadControl = (value, report) =>
  withTargets(value, report, (rules, targets) => {
    const ids = readIds(rules, report);
    return ids === null ? null : targets.map((target) => ({ kind: 'remove-target-by-id', ids, target }));
  });

const removeTarget =
  (kind: 'remove-target-by-tag' | 'remove-target-by-msg'): ReadControl =>
  (value, report) =>
    withTargets(value, report, (rules, targets) => {
      const pattern = checkedPattern(rules, report);
      return pattern === null ? null : targets.map((target) => ({ kind, pattern, target }));
    });

const controls: readonly (readonly [string, ReadControl])[] = [
  ['auditEngine', audit('auditEngine')],
  ['auditLogParts', audit('auditLogParts')],
  ['debugLogLevel', audit('debugLogLevel')],
  ['forceRequestBodyVariable', onOff('force-request-body-variable')],
  ['forceResponseBodyVariable', onOff('force-response-body-variable')],
  ['hashEnforcement', audit('hashEnforcement')],
  ['hashEngine', audit('hashEngine')],
  ['parseXmlIntoArgs', audit('parseXmlIntoArgs')],
  ['requestBodyAccess', onOff('request-body-access')],
  ['requestBodyLimit', limit('request-body-limit')],
  ['requestBodyProcessor', processor('request-body-processor')],
  ['responseBodyAccess', onOff('response-body-access')],
  ['responseBodyLimit', limit('response-body-limit')],
  ['responseBodyProcessor', processor('response-body-processor')],
  ['ruleEngine', readRuleEngine],
  ['ruleRemoveById', removeById],
  ['ruleRemoveByMsg', byPattern('remove-by-msg')],
  ['ruleRemoveByTag', byPattern('remove-by-tag')],
  ['ruleRemoveTargetById', removeTargetById],
  ['ruleRemoveTargetByMsg', removeTarget('remove-target-by-msg')],
  ['ruleRemoveTargetByTag', removeTarget('remove-target-by-tag')],
];

const controlNames = controls.map(([name]) => name);
const byName: ReadonlyMap<string, ReadControl> = new Map(
  controls.map(([name, read]): [string, ReadControl] => [name.toLowerCase(), read]),
);

/** Null when it cannot be understood; `report` has heard why. */
export function parseControl(text: string, report: Report): readonly Control[] | null {
  const equals = text.indexOf('=');
  const name = trimBlanks(equals === -1 ? text : text.slice(0, equals));
  const read = byName.get(lowerAscii(name));
  if (read === undefined) {
    report('error', `There is no ctl ${quoted(name)}.${suggestion(name, controlNames)}`);
    return null;
  }
  const value = equals === -1 ? '' : trimBlanks(text.slice(equals + 1));
  if (value === '') {
    report('error', `ctl:${name} needs a value: write ctl:${name}=….`);
    return null;
  }
  return read(value, report);
}

/** Splits `942100;ARGS:token`. The target may be written with the `!` that updates have. */
function withTargets(
  value: string,
  report: Report,
  make: (rules: string, targets: readonly Target[]) => readonly Control[] | null,
): readonly Control[] | null {
  const semicolon = value.indexOf(';');
  const targetText = semicolon === -1 ? '' : trimBlanks(value.slice(semicolon + 1));
  if (targetText === '') {
    report('error', `${quoted(value)} names no variable: write a semicolon and a variable behind the rules.`);
    return null;
  }
  const parsed = parseTargets(targetText, report);
  if (parsed === null) return null;
  return make(trimBlanks(value.slice(0, semicolon)), [...parsed.targets, ...parsed.excluded]);
}
