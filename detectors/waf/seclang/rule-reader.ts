/** The directives that are about rules: `SecRule` and `SecAction` with their chains, markers, defaults, removals, updates. */
import type { Action } from './action.ts';
import type { OperatorDefinition, Phase, RuleEntry, RulePlace } from './definition.ts';
import { parseIdRanges } from './id-ranges.ts';
import { namePattern } from './name-pattern.ts';
import { type ParsedActions, parseActions } from './parse-actions.ts';
import { parseOperator } from './parse-operator.ts';
import { type Targets, parseTargets } from './parse-targets.ts';
import { type Report, quoted } from './report.ts';
import type { ChainDraft, RuleDraft } from './rule-draft.ts';
import { type Choice, RuleList, updateActions, updateTargets } from './rule-list.ts';

/** The largest rule sets for sale have some 20,000. */
const mostRules = 50_000;
/** Removals and updates by range, tag and message look at every rule, in the end for some seconds. */
const mostLooks = 10_000_000;
const mostLinks = 100;
/** They become a part of every rule. */
const mostDefaults = 100;

/** Where a directive stands. */
export interface Site {
  readonly place: RulePlace;
  readonly folder: string;
  readonly report: Report;
}

type ReportAt = (place: RulePlace) => Report;
type Values = readonly string[];

/** A chain whose next rule is awaited. */
interface OpenChain {
  /** Null: a rule of it has a mistake, so none is used. */
  readonly head: { readonly id: number; readonly phase: Phase; readonly links: [RuleDraft, ...RuleDraft[]] } | null;
  readonly place: RulePlace;
}

const noTargets: Targets = { targets: [], excluded: [] };

export class RuleReader {
  static readonly names: readonly string[] = [
    'SecRule',
    'SecAction',
    'SecMarker',
    'SecDefaultAction',
    'SecRuleRemoveById',
    'SecRuleRemoveByTag',
    'SecRuleRemoveByMsg',
    'SecRuleUpdateTargetById',
    'SecRuleUpdateTargetByTag',
    'SecRuleUpdateTargetByMsg',
    'SecRuleUpdateActionById',
  ];

  private readonly rules = new RuleList();
  private readonly defaults = new Map<Phase, readonly Action[]>();
  private chain: OpenChain | null = null;
  private looks = 0;
  private readonly readers: ReadonlyMap<string, (values: Values, site: Site, reportAt: ReportAt) => void>;

  constructor() {
    this.readers = new Map([
      ['secrule', (values, site) => this.readRule(values, site)],
      ['secaction', (values, site) => this.readAction(values, site)],
      ['secmarker', (values, site, reportAt) => this.readMarker(values, site, reportAt)],
      ['secdefaultaction', (values, site) => this.readDefaults(values, site)],
      ['secruleremovebyid', (values, site) => this.remove('ids', [values.join(' ')], site)],
      ['secruleremovebytag', (values, site) => this.remove('tag', values, site)],
      ['secruleremovebymsg', (values, site) => this.remove('msg', values, site)],
      ['secruleupdatetargetbyid', (values, site) => this.updateTargets('ids', values, site)],
      ['secruleupdatetargetbytag', (values, site) => this.updateTargets('tag', values, site)],
      ['secruleupdatetargetbymsg', (values, site) => this.updateTargets('msg', values, site)],
      ['secruleupdateactionbyid', (values, site) => this.updateActions(values, site)],
    ]);
  }

  /** `name` is lower case, here and below. */
  knows(name: string): boolean {
    return this.readers.has(name);
  }

  apply(name: string, values: Values, site: Site, reportAt: ReportAt): void {
    this.readers.get(name)?.(values, site, reportAt);
  }

  settle(): readonly RuleEntry[] {
    return this.rules.settle();
  }

  /** A chain cannot go on beyond a marker or the end. */
  endChain(reportAt: ReportAt): void {
    if (this.chain?.head) {
      reportAt(this.chain.place)('error', 'The chain has no further rule: its last one must not say "chain".');
    }
    this.chain = null;
  }

  /** A rule whose arguments cannot be told apart spoils its chain too. */
  spoil(name: string, rest: string, place: RulePlace): void {
    if (name !== 'secrule' && name !== 'secaction') return;
    this.chain = /[",\s]chain\s*(?:[,"]|$)/i.test(rest) ? { head: null, place } : null;
  }

  private readRule(values: Values, site: Site): void {
    const [targetText, operatorText, actionText] = values;
    if (targetText === undefined || operatorText === undefined || values.length > 3) {
      site.report(
        'error',
        `SecRule takes variables, an operator and actions, and here are ${values.length} arguments.`,
      );
      return this.spoil('secrule', values.join(' '), site.place);
    }
    const parsed = parseActions(actionText ?? '', site.report);
    const targets = parseTargets(targetText, site.report);
    const operator = parseOperator(operatorText, site.folder, site.report);
    const usable = targets !== null && operator !== null;
    if (usable && targets.targets.length === 0) site.report('warning', 'The rule names no variable to look at.');
    this.add(usable ? { operator, targets } : null, parsed, site);
  }

  private readAction(values: Values, site: Site): void {
    const [actionText] = values;
    if (actionText === undefined || values.length > 1) {
      site.report('error', `SecAction takes one argument, its actions, and here are ${values.length}.`);
      return this.spoil('secaction', values.join(' '), site.place);
    }
    this.add({ operator: null, targets: noTargets }, parseActions(actionText, site.report), site);
  }

  /** `head` null: what it looks at cannot be understood. */
  private add(
    condition: { readonly operator: OperatorDefinition | null; readonly targets: Targets } | null,
    { actions, chains, valid }: ParsedActions,
    { place, report }: Site,
  ): void {
    const open = this.chain;
    const draft: RuleDraft | null =
      condition === null || !valid ? null : { place, operator: condition.operator, ...condition.targets, actions };
    const head = open === null ? this.headOf(draft, report) : this.linkOf(open, draft, report);
    this.chain = chains ? { head, place } : null;
    if (chains || head === null) return;
    const defaults = this.defaults.get(head.phase) ?? [];
    this.rules.addRule({ kind: 'chain', ...head, defaults, removed: false });
  }

  private headOf(draft: RuleDraft | null, report: Report): OpenChain['head'] {
    if (draft === null) return null;
    const id = draft.actions.findLast((action) => action.kind === 'id')?.id;
    const phase = draft.actions.findLast((action) => action.kind === 'phase')?.phase ?? 2;
    if (id === undefined) {
      report('error', 'The rule has no id: add id:… with a number that no other rule has.');
      return null;
    }
    const other = this.rules.find(id);
    if (other !== null) {
      const { file, line } = other.links[0].place;
      report('error', `Rule ${id} is there already: ${file}:${line}.`);
      return null;
    }
    if (this.rules.size >= mostRules) {
      report('error', `There can be ${mostRules} rules at most.`);
      return null;
    }
    return { id, phase, links: [draft] };
  }

  private linkOf({ head }: OpenChain, draft: RuleDraft | null, report: Report): OpenChain['head'] {
    if (head === null) return null;
    if (draft === null) {
      report('error', `Rule ${head.id}, to which this one is chained, is not used either.`);
      return null;
    }
    if (head.links.length >= mostLinks) {
      report('error', `A chain can have ${mostLinks} rules at most.`);
      return null;
    }
    for (const { kind } of draft.actions) {
      if (kind === 'disruptive' || kind === 'skip' || kind === 'skip-after' || kind === 'id') {
        report('warning', `${whatItSays[kind]} has no effect in a chained rule: it belongs to the first of the chain.`);
      }
    }
    head.links.push(draft);
    return head;
  }

  private readMarker(values: Values, { place, report }: Site, reportAt: ReportAt): void {
    this.endChain(reportAt);
    const [name] = values;
    if (name === undefined || values.length > 1) return report('error', 'SecMarker takes one argument, its name.');
    if (this.rules.size >= mostRules) return report('error', `There can be ${mostRules} rules and markers at most.`);
    this.rules.addMarker({ kind: 'marker', name, place });
  }

  private readDefaults(values: Values, { report }: Site): void {
    const [text] = values;
    if (text === undefined || values.length > 1) return report('error', 'SecDefaultAction takes one argument.');
    const { actions, valid } = parseActions(text, report);
    if (!valid) return;
    if (actions.length > mostDefaults) return report('error', `There can be ${mostDefaults} default actions at most.`);
    const foreign = actions.find(({ kind }) => onlyInRules.has(kind));
    if (foreign !== undefined) return report('error', `${foreign.kind} cannot be a default: it belongs to one rule.`);
    if (actions.some((action) => action.kind === 'disruptive' && action.verdict.kind === 'block')) {
      return report('error', 'block cannot be a default: it means what the default is.');
    }
    const phase = actions.find((action) => action.kind === 'phase')?.phase ?? 2;
    this.defaults.set(phase, actions);
  }

  private remove(by: Choice['kind'], values: Values, site: Site): void {
    const [text] = values;
    if (text === undefined || values.length > 1) return site.report('error', 'The directive takes one argument.');
    const chosen = this.choose(by, text, site.report);
    if (chosen !== null) this.rules.remove(chosen);
  }

  private updateTargets(by: Choice['kind'], values: Values, { report }: Site): void {
    const [rules, text, replacedText] = values;
    if (rules === undefined || text === undefined || values.length > 3) {
      return report('error', `The directive takes rules and variables, and here are ${values.length} arguments.`);
    }
    const targets = parseTargets(text, report);
    const replaced = replacedText === undefined ? noTargets : parseTargets(replacedText, report);
    if (targets === null || replaced === null) return;
    for (const chain of this.choose(by, rules, report) ?? []) {
      updateTargets(chain, targets, replaced.targets, report);
    }
  }

  /** `942100`, or `942100:1` for the first rule that is chained to it. */
  private updateActions(values: Values, { report }: Site): void {
    const [rule, text] = values;
    if (rule === undefined || text === undefined || values.length > 2) {
      return report('error', `The directive takes a rule and actions, and here are ${values.length} arguments.`);
    }
    const [ids = '', offset = '0'] = rule.split(':', 2);
    const { actions, valid } = parseActions(text, report);
    if (!valid) return;
    const fixed = actions.find(({ kind }) => kind === 'id' || kind === 'phase' || kind === 'chain');
    if (fixed !== undefined) return report('error', `${fixed.kind} of a rule cannot be changed.`);
    for (const chain of this.choose('ids', ids, report) ?? []) {
      const link = /^\d{1,3}$/.test(offset) ? chain.links[Number(offset)] : undefined;
      if (link === undefined) report('error', `Rule ${chain.id} has no chained rule ${quoted(offset)}.`);
      else updateActions(link, actions, report);
    }
  }

  /** Null when the choice cannot be understood. Choosing none is suspicious: the rule may stand further down. */
  private choose(by: Choice['kind'], text: string, report: Report): readonly ChainDraft[] | null {
    const choice = this.choiceOf(by, text, report);
    if (choice === null) return null;
    const chosen = this.rules.choose(choice);
    if (chosen.length === 0) {
      report(
        'warning',
        `No rule above has ${choiceNames[by]} ${quoted(text)}: the directive has to stand below the rules.`,
      );
    }
    return chosen;
  }

  private choiceOf(by: Choice['kind'], text: string, report: Report): Choice | null {
    if (by === 'ids') {
      const ranges = parseIdRanges(text);
      if (ranges === null) report('error', `${quoted(text)} is no rule id and no range such as 942100-942199.`);
      if (ranges?.every(({ first, last }) => first === last)) return { kind: 'ids', ranges };
      return ranges === null || !this.mayUpdateWidely(ranges.length, report) ? null : { kind: 'ids', ranges };
    }
    const pattern = namePattern(text, report);
    return pattern === null || !this.mayUpdateWidely(1, report) ? null : { kind: by, pattern };
  }

  private mayUpdateWidely(choices: number, report: Report): boolean {
    this.looks += choices * this.rules.size;
    if (this.looks <= mostLooks) return true;
    report('error', 'The ranges, tags and messages of removals and updates look at too many rules: name ids.');
    return false;
  }
}

const choiceNames = { ids: 'the id', tag: 'a tag like', msg: 'a message like' } as const;

const whatItSays = {
  disruptive: 'What happens to the request',
  skip: 'skip',
  'skip-after': 'skipAfter',
  id: 'An id',
} as const;

const onlyInRules: ReadonlySet<Action['kind']> = new Set([
  'id',
  'chain',
  'skip',
  'skip-after',
  'msg',
  'logdata',
  'severity',
  'ver',
  'rev',
]);
