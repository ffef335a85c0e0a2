/**
 * The actions of a rule, by name. Those that only tell ModSecurity how to write its audit log are accepted in silence, those
 * that would change what happens to a request and cannot be done here give a warning. ModSecurity Reference Manual,
 * "Actions".
 */
import type { Action, WrittenVerdict } from './action.ts';
import { lowerAscii, trimBlanks } from './ascii.ts';
import type { Effect, PersistentCollection, Phase } from './definition.ts';
import { largestId } from './id-ranges.ts';
import { parseControl } from './parse-control.ts';
import { initialised, parseExpirevar, parseInitcol, parseSetenv, parseSetvar } from './parse-effect.ts';
import { emptyMacro, parseMacro } from './parse-macro.ts';
import { type Report, quoted, suggestion } from './report.ts';
import { type WrittenAction, splitActions } from './split-actions.ts';
import { findTransformationName, transformationNames } from './transformation-names.ts';

/** More actions than this in one rule are a mistake of whatever wrote it. */
export const mostActions = 2_000;

/** What an action means; none: it is accepted and does nothing. Null: it cannot be understood, `report` has heard why. */
type ReadAction = (value: string, report: Report) => readonly Action[] | null;

interface KnownAction {
  /** As the manual spells it. */
  readonly name: string;
  /** `optional`: with and without. */
  readonly value: 'needed' | 'none' | 'optional';
  readonly read: ReadAction;
}

const verdict = (written: WrittenVerdict): readonly Action[] => [{ kind: 'disruptive', verdict: written }];

const text =
  (kind: 'msg' | 'logdata' | 'tag'): ReadAction =>
  (value, report) => [{ kind, text: parseMacro(value, report) }];

const effect =
  (parse: (value: string, report: Report) => Effect | null): ReadAction =>
  (value, report) => {
    const parsed = parse(value, report);
    return parsed === null ? null : [{ kind: 'effect', effect: parsed }];
  };

const opened =
  (collection: PersistentCollection): ReadAction =>
  (value, report) => [{ kind: 'effect', effect: initialised(collection, value, report) }];

const without =
  (reason: string): ReadAction =>
  (_value, report) => {
    report('warning', reason);
    return [];
  };

const flag =
  (kind: 'chain' | 'capture' | 'multi-match'): ReadAction =>
  () => [{ kind }];

const phaseNames: ReadonlyMap<string, Phase> = new Map([
  ['1', 1],
  ['2', 2],
  ['3', 3],
  ['4', 4],
  ['5', 5],
  ['request', 2],
  ['response', 4],
  ['logging', 5],
]);

const severityNames = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const;

function readId(value: string, report: Report): readonly Action[] | null {
  const id = /^\d{1,10}$/.test(value) ? Number(value) : 0;
  if (id >= 1 && id <= largestId) return [{ kind: 'id', id }];
  report('error', `${quoted(value)} is no rule id: ids are whole numbers from 1.`);
  return null;
}

function readPhase(value: string, report: Report): readonly Action[] | null {
  const phase = phaseNames.get(lowerAscii(value));
  if (phase !== undefined) return [{ kind: 'phase', phase }];
  report('error', `${quoted(value)} is no phase: it is 1 to 5, request, response or logging.`);
  return null;
}

function readSeverity(value: string, report: Report): readonly Action[] | null {
  const named = severityNames.findIndex((name) => name === lowerAscii(value));
  const severity = /^[0-7]$/.test(value) ? Number(value) : named;
  if (severity !== -1) return [{ kind: 'severity', severity }];
  report('error', `${quoted(value)} is no severity: it is 0 to 7 or a name.${suggestion(value, severityNames)}`);
  return null;
}

function readTransformation(value: string, report: Report): readonly Action[] | null {
  const name = lowerAscii(value) === 'none' ? 'none' : findTransformationName(value);
  if (name !== null) return [{ kind: 'transformation', name }];
  report('error', `There is no transformation ${quoted(value)}.${suggestion(value, transformationNames)}`);
  return null;
}

function readControl(value: string, report: Report): readonly Action[] | null {
  const controls = parseControl(value, report);
  if (controls === null) return null;
  return controls.map((control) => ({ kind: 'effect', effect: { kind: 'control', control } }));
}

function readAllow(value: string, report: Report): readonly Action[] | null {
  const scope = value === '' ? 'all' : lowerAscii(value);
  if (scope === 'all' || scope === 'request' || scope === 'phase') return verdict({ kind: 'allow', scope });
  report('error', `${quoted(value)} is nothing that can be allowed: write allow, allow:phase or allow:request.`);
  return null;
}

function readStatus(value: string, report: Report): readonly Action[] | null {
  const status = /^\d{3}$/.test(value) ? Number(value) : 0;
  if (status >= 200 && status <= 599) return [{ kind: 'status', status }];
  report('error', `${quoted(value)} is no status that can be answered: it is 200 to 599.`);
  return null;
}

function readSkip(value: string, report: Report): readonly Action[] | null {
  const rules = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  if (rules >= 1) return [{ kind: 'skip', rules }];
  report('error', `${quoted(value)} is no number of rules to skip: it is a whole number from 1.`);
  return null;
}

function readProxy(_value: string, report: Report): readonly Action[] {
  report('warning', 'proxy is not available in this gateway: the request is denied instead.');
  return verdict({ kind: 'deny' });
}

const unseen = (name: string): ReadAction =>
  without(`${name} has no effect: the gateway keeps no audit log of bodies.`);

const knownActions: readonly KnownAction[] = [
  { name: 'accuracy', value: 'needed', read: () => [] },
  { name: 'allow', value: 'optional', read: readAllow },
  { name: 'append', value: 'needed', read: without('append has no effect: responses are not changed.') },
  { name: 'auditlog', value: 'none', read: () => [{ kind: 'log', log: null, auditLog: true }] },
  { name: 'block', value: 'none', read: () => verdict({ kind: 'block' }) },
  { name: 'capture', value: 'none', read: flag('capture') },
  { name: 'chain', value: 'none', read: flag('chain') },
  { name: 'ctl', value: 'needed', read: readControl },
  { name: 'deny', value: 'none', read: () => verdict({ kind: 'deny' }) },
  { name: 'deprecatevar', value: 'needed', read: without('deprecatevar has no effect: use expirevar.') },
  { name: 'drop', value: 'none', read: () => verdict({ kind: 'drop' }) },
  { name: 'exec', value: 'needed', read: without('exec has no effect: rules cannot start programs.') },
  { name: 'expirevar', value: 'needed', read: effect(parseExpirevar) },
  { name: 'initcol', value: 'needed', read: effect(parseInitcol) },
  { name: 'log', value: 'none', read: () => [{ kind: 'log', log: true, auditLog: true }] },
  { name: 'logdata', value: 'needed', read: text('logdata') },
  { name: 'maturity', value: 'needed', read: () => [] },
  { name: 'msg', value: 'needed', read: text('msg') },
  { name: 'multiMatch', value: 'none', read: flag('multi-match') },
  { name: 'noauditlog', value: 'none', read: () => [{ kind: 'log', log: null, auditLog: false }] },
  { name: 'nolog', value: 'none', read: () => [{ kind: 'log', log: false, auditLog: false }] },
  { name: 'pass', value: 'none', read: () => verdict({ kind: 'pass' }) },
  { name: 'pause', value: 'needed', read: without('pause has no effect: a gateway that waits is easy to exhaust.') },
  { name: 'phase', value: 'needed', read: readPhase },
  { name: 'prepend', value: 'needed', read: without('prepend has no effect: responses are not changed.') },
  { name: 'proxy', value: 'needed', read: readProxy },
  {
    name: 'redirect',
    value: 'needed',
    read: (value, report) => verdict({ kind: 'redirect', url: parseMacro(value, report) }),
  },
  { name: 'rev', value: 'needed', read: (value) => [{ kind: 'rev', text: value }] },
  ...['sanitise', 'sanitize'].flatMap((verb) =>
    [
      ['Arg', 'needed'] as const,
      ['Matched', 'none'] as const,
      ['MatchedBytes', 'optional'] as const,
      ['RequestHeader', 'needed'] as const,
      ['ResponseHeader', 'needed'] as const,
    ].map(([what, value]) => ({ name: verb + what, value, read: unseen(verb + what) })),
  ),
  { name: 'setenv', value: 'needed', read: effect(parseSetenv) },
  { name: 'setrsc', value: 'needed', read: opened('RESOURCE') },
  { name: 'setsid', value: 'needed', read: opened('SESSION') },
  { name: 'setuid', value: 'needed', read: opened('USER') },
  { name: 'setvar', value: 'needed', read: effect(parseSetvar) },
  { name: 'severity', value: 'needed', read: readSeverity },
  { name: 'skip', value: 'needed', read: readSkip },
  { name: 'skipAfter', value: 'needed', read: (value) => [{ kind: 'skip-after', marker: value }] },
  { name: 'status', value: 'needed', read: readStatus },
  { name: 't', value: 'needed', read: readTransformation },
  { name: 'tag', value: 'needed', read: text('tag') },
  { name: 'ver', value: 'needed', read: (value) => [{ kind: 'ver', text: value }] },
  {
    name: 'xmlns',
    value: 'needed',
    read: without('xmlns has no effect: names in XML are compared as they are written.'),
  },
  { name: 'id', value: 'needed', read: readId },
];

const byName: ReadonlyMap<string, KnownAction> = new Map(
  knownActions.map((action) => [action.name.toLowerCase(), action]),
);
const actionNames = knownActions.map(({ name }) => name);

export interface ParsedActions {
  readonly actions: readonly Action[];
  /** Also told of a list that cannot be used: the next rule belongs to it. */
  readonly chains: boolean;
  /** False: at least one action cannot be understood. */
  readonly valid: boolean;
}

/** Reads every action, so that all mistakes are told at once. */
export function parseActions(list: string, report: Report): ParsedActions {
  const split = splitActions(list);
  if (split.kind === 'fault') {
    report('error', split.reason);
    return { actions: [], chains: /(?:^|,)[ \t]*chain[ \t]*(?:,|$)/i.test(list), valid: false };
  }
  if (split.actions.length > mostActions) {
    report('error', `A rule can have ${mostActions} actions at most.`);
    return { actions: [], chains: false, valid: false };
  }
  const actions: Action[] = [];
  let valid = true;
  for (const written of split.actions) {
    const read = readAction(written, report);
    if (read === null) valid = false;
    else actions.push(...read);
  }
  return { actions, chains: split.actions.some(({ name }) => name === 'chain'), valid };
}

function readAction({ name, value }: WrittenAction, report: Report): readonly Action[] | null {
  const known = byName.get(name);
  if (known === undefined) {
    report('error', `There is no action ${quoted(name)}.${suggestion(name, actionNames)}`);
    return null;
  }
  if (known.value === 'needed' && (value === null || value === '')) {
    // An empty text is one, and an empty list entry is not.
    if (value === '' && (name === 'msg' || name === 'logdata')) return [{ kind: name, text: emptyMacro }];
    report('error', `The action ${known.name} needs a value: write ${known.name}:….`);
    return null;
  }
  if (known.value === 'none' && value !== null) {
    report('error', `The action ${known.name} takes no value.`);
    return null;
  }
  return known.read(trimBlanks(value ?? ''), report);
}
