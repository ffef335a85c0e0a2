/**
 * Rules while the program is being read, when updates can still change them, and what becomes of them in the end.
 */
import type { Action, WrittenVerdict } from './action.ts';
import type {
  Disruptive,
  Effect,
  Flow,
  OperatorDefinition,
  Phase,
  RuleDefinition,
  RulePlace,
  Target,
} from './definition.ts';
import type { Macro } from './macro.ts';
import { emptyMacro } from './parse-macro.ts';

/** One `SecRule` or `SecAction`. */
export interface RuleDraft {
  readonly place: RulePlace;
  readonly operator: OperatorDefinition | null;
  targets: readonly Target[];
  excluded: readonly Target[];
  /** As written, and then those of updates. */
  actions: readonly Action[];
}

/** A rule with those that are chained to it: they are removed and evaluated together. */
export interface ChainDraft {
  readonly kind: 'chain';
  readonly id: number;
  readonly phase: Phase;
  /** Default actions of the phase, as they were where the rule stands. */
  readonly defaults: readonly Action[];
  readonly links: [RuleDraft, ...RuleDraft[]];
  removed: boolean;
}

const redirections: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The rule as the engine wants it. */
export function settleChain({ id, phase, defaults, links }: ChainDraft): RuleDefinition {
  const inherited = defaults.filter(({ kind }) => inheritedByLinks.has(kind));
  const [head, ...rest] = links;
  let chained: RuleDefinition | null = null;
  for (const link of rest.toReversed()) {
    chained = { ...settleRule(link, inherited), id: 0, phase, disruptive: { kind: 'pass' }, chained };
  }
  return { ...settleRule(head, defaults), id, phase, chained };
}

/** What a chained rule takes from the default actions: nothing that happens once for the whole chain. */
const inheritedByLinks: ReadonlySet<Action['kind']> = new Set(['transformation', 'log', 'capture', 'multi-match']);

function settleRule(draft: RuleDraft, defaults: readonly Action[]): Omit<RuleDefinition, 'id' | 'phase' | 'chained'> {
  const byDefault = foldActions(defaults);
  const folded = foldActions([...defaults, ...draft.actions]);
  const verdict = folded.verdict.kind === 'block' ? byDefault.verdict : folded.verdict;
  const { flow, log, auditLog, msg, logdata, severity, tags, ver, rev } = folded;
  return {
    kind: 'rule',
    place: draft.place,
    operator: draft.operator,
    targets: draft.targets,
    excluded: draft.excluded,
    transformations: folded.transformations,
    multiMatch: folded.multiMatch,
    capture: folded.capture,
    effects: folded.effects,
    disruptive: settleVerdict(verdict, folded.status),
    flow,
    log,
    auditLog,
    msg,
    logdata,
    severity,
    tags,
    ver,
    rev,
  };
}

interface Folded {
  transformations: string[];
  effects: Effect[];
  tags: Macro[];
  verdict: WrittenVerdict;
  status: number | null;
  flow: Flow;
  log: boolean;
  auditLog: boolean;
  capture: boolean;
  multiMatch: boolean;
  msg: Macro;
  logdata: Macro;
  severity: number | null;
  ver: string;
  rev: string;
}

/** Goes through a list in its order. Without a verdict nothing happens, and everything that matches is logged. */
function foldActions(actions: readonly Action[]): Folded {
  const folded: Folded = {
    transformations: [],
    effects: [],
    tags: [],
    verdict: { kind: 'pass' },
    status: null,
    flow: { kind: 'next' },
    log: true,
    auditLog: true,
    capture: false,
    multiMatch: false,
    msg: emptyMacro,
    logdata: emptyMacro,
    severity: null,
    ver: '',
    rev: '',
  };
  for (const action of actions) foldAction(folded, action);
  return folded;
}

function foldAction(folded: Folded, action: Action): void {
  switch (action.kind) {
    case 'transformation':
      if (action.name === 'none') folded.transformations = [];
      else folded.transformations.push(action.name);
      return;
    case 'effect':
      folded.effects.push(action.effect);
      return;
    case 'disruptive':
      folded.verdict = action.verdict;
      return;
    case 'status':
      folded.status = action.status;
      return;
    case 'skip':
      folded.flow = { kind: 'skip', rules: action.rules };
      return;
    case 'skip-after':
      folded.flow = { kind: 'skip-after', marker: action.marker };
      return;
    case 'log':
      folded.log = action.log ?? folded.log;
      folded.auditLog = action.auditLog ?? folded.auditLog;
      return;
    case 'tag':
      folded.tags.push(action.text);
      return;
    case 'msg':
    case 'logdata':
      folded[action.kind] = action.text;
      return;
    case 'ver':
    case 'rev':
      folded[action.kind] = action.text;
      return;
    case 'severity':
      folded.severity = action.severity;
      return;
    case 'capture':
      folded.capture = true;
      return;
    case 'multi-match':
      folded.multiMatch = true;
      return;
    case 'id':
    case 'phase':
    case 'chain':
      return;
    default:
      action satisfies never;
  }
}

function settleVerdict(verdict: WrittenVerdict, status: number | null): Disruptive {
  switch (verdict.kind) {
    case 'block':
      return { kind: 'pass' };
    case 'pass':
    case 'drop':
      return { kind: verdict.kind };
    case 'deny':
      return { kind: 'deny', status: status ?? 403 };
    case 'redirect':
      return { kind: 'redirect', url: verdict.url, status: status !== null && redirections.has(status) ? status : 302 };
    case 'allow':
      return { kind: 'allow', scope: verdict.scope };
    default:
      return verdict satisfies never;
  }
}
