/**
 * Writes rules as SecLang text, for round trips. What the format cannot say is left to the caller: a quote or an end behind
 * an odd run of backslashes.
 */
import type {
  Control,
  Disruptive,
  Effect,
  Flow,
  IdRange,
  OperatorDefinition,
  RuleDefinition,
  RuleEntry,
  Selector,
  Target,
} from '../../../../detectors/waf/seclang/definition.ts';
import { linksOf } from './loading.ts';

/** How a text looks is up to the writer; what it says is not. */
export interface Layout {
  /** Stands between the actions of a list, behind the comma. */
  readonly betweenActions: string;
  /** Stands between directives. */
  readonly betweenDirectives: string;
  readonly spell: (name: string) => string;
}

export const plainLayout: Layout = { betweenActions: '', betweenDirectives: '\n', spell: (name) => name };

export function printEntries(entries: readonly RuleEntry[], layout: Layout): string {
  return entries.flatMap((entry) => printEntry(entry, layout)).join(layout.betweenDirectives);
}

function printEntry(entry: RuleEntry, layout: Layout): readonly string[] {
  if (entry.kind === 'marker') return [`${layout.spell('SecMarker')} ${quote(entry.name)}`];
  return linksOf(entry).map((link, index) => printRule(link, index === 0, layout));
}

function printRule(rule: RuleDefinition, isHead: boolean, layout: Layout): string {
  const { spell } = layout;
  const actions = [
    ...(isHead ? [`${spell('id')}:${rule.id}`, `${spell('phase')}:${rule.phase}`] : []),
    ...printActions(rule, isHead, spell),
    ...(rule.chained === null ? [] : [spell('chain')]),
  ];
  const list = quote(actions.join(`,${layout.betweenActions}`));
  if (rule.operator === null) return `${spell('SecAction')} ${list}`;
  const targets = [
    ...rule.targets.map((target) => printTarget(target, spell)),
    ...rule.excluded.map((target) => `!${printTarget(target, spell)}`),
  ];
  return `${spell('SecRule')} ${quote(targets.join('|'))} ${quote(printOperator(rule.operator, spell))} ${list}`;
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}

function value(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}

function printOperator({ name, negated, argument }: OperatorDefinition, spell: Layout['spell']): string {
  return `${negated ? '!' : ''}@${spell(name)} ${argument.source}`;
}

function printTarget({ variable, selector, count }: Target, spell: Layout['spell']): string {
  return `${count ? '&' : ''}${spell(variable)}${printSelector(selector)}`;
}

function printSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'all':
      return '';
    case 'key':
      return `:${selector.written}`;
    case 'pattern':
      return `:/${selector.source}/`;
    case 'xpath':
      return `:${selector.path}`;
    default:
      return selector satisfies never;
  }
}

function printActions(rule: RuleDefinition, isHead: boolean, spell: Layout['spell']): readonly string[] {
  const { log, auditLog } = rule;
  return [
    ...rule.transformations.map((name) => `${spell('t')}:${spell(name)}`),
    spell(log ? 'log' : 'nolog'),
    ...(log === auditLog ? [] : [spell(auditLog ? 'auditlog' : 'noauditlog')]),
    ...(rule.capture ? [spell('capture')] : []),
    ...(rule.multiMatch ? [spell('multiMatch')] : []),
    ...(rule.msg.source === '' ? [] : [`${spell('msg')}:${value(rule.msg.source)}`]),
    ...(rule.logdata.source === '' ? [] : [`${spell('logdata')}:${value(rule.logdata.source)}`]),
    ...(rule.severity === null ? [] : [`${spell('severity')}:${rule.severity}`]),
    ...rule.tags.map((tag) => `${spell('tag')}:${value(tag.source)}`),
    ...(rule.ver === '' ? [] : [`${spell('ver')}:${value(rule.ver)}`]),
    ...(rule.rev === '' ? [] : [`${spell('rev')}:${value(rule.rev)}`]),
    ...rule.effects.map((effect) => printEffect(effect, spell)),
    ...(isHead ? printVerdict(rule.disruptive, spell) : []),
    ...printFlow(rule.flow, spell),
  ];
}

function printVerdict(verdict: Disruptive, spell: Layout['spell']): readonly string[] {
  switch (verdict.kind) {
    case 'pass':
    case 'drop':
      return [spell(verdict.kind)];
    case 'deny':
      return [spell('deny'), `${spell('status')}:${verdict.status}`];
    case 'redirect':
      return [`${spell('redirect')}:${value(verdict.url.source)}`, `${spell('status')}:${verdict.status}`];
    case 'allow':
      return [verdict.scope === 'all' ? spell('allow') : `${spell('allow')}:${verdict.scope}`];
    default:
      return verdict satisfies never;
  }
}

function printFlow(flow: Flow, spell: Layout['spell']): readonly string[] {
  switch (flow.kind) {
    case 'next':
      return [];
    case 'skip':
      return [`${spell('skip')}:${flow.rules}`];
    case 'skip-after':
      return [`${spell('skipAfter')}:${value(flow.marker)}`];
    default:
      return flow satisfies never;
  }
}

const signs = { set: '=', add: '=+', subtract: '=-', unset: '' } as const;

function printEffect(effect: Effect, spell: Layout['spell']): string {
  switch (effect.kind) {
    case 'setvar': {
      const { collection, key, arithmetic } = effect;
      const name = `${arithmetic === 'unset' ? '!' : ''}${spell(collection)}.${key.source}`;
      return `${spell('setvar')}:${value(name + signs[arithmetic] + effect.value.source)}`;
    }
    case 'expirevar':
      return `${spell('expirevar')}:${value(`${effect.collection}.${effect.key.source}=${effect.seconds.source}`)}`;
    case 'initcol':
      return `${spell('initcol')}:${value(`${spell(effect.collection)}=${effect.key.source}`)}`;
    case 'setenv':
      return `${spell('setenv')}:${value(`${effect.key.source}=${effect.value.source}`)}`;
    case 'control':
      return `${spell('ctl')}:${value(printControl(effect.control, spell))}`;
    default:
      return effect satisfies never;
  }
}

function printRanges(ranges: readonly IdRange[]): string {
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(' ');
}

const onOff = (on: boolean): string => (on ? 'On' : 'Off');

function printControl(control: Control, spell: Layout['spell']): string {
  switch (control.kind) {
    case 'rule-engine':
      return `${spell('ruleEngine')}=${control.mode.replace('-', '')}`;
    case 'remove-by-id':
      return `${spell('ruleRemoveById')}=${printRanges(control.ids)}`;
    case 'remove-by-tag':
      return `${spell('ruleRemoveByTag')}=${control.pattern}`;
    case 'remove-by-msg':
      return `${spell('ruleRemoveByMsg')}=${control.pattern}`;
    case 'remove-target-by-id':
      return `${spell('ruleRemoveTargetById')}=${printRanges(control.ids)};${printTarget(control.target, spell)}`;
    case 'remove-target-by-tag':
      return `${spell('ruleRemoveTargetByTag')}=${control.pattern};${printTarget(control.target, spell)}`;
    case 'remove-target-by-msg':
      return `${spell('ruleRemoveTargetByMsg')}=${control.pattern};${printTarget(control.target, spell)}`;
    case 'request-body-processor':
      return `${spell('requestBodyProcessor')}=${spell(control.processor)}`;
    case 'response-body-processor':
      return `${spell('responseBodyProcessor')}=${spell(control.processor)}`;
    case 'force-request-body-variable':
      return `${spell('forceRequestBodyVariable')}=${onOff(control.on)}`;
    case 'force-response-body-variable':
      return `${spell('forceResponseBodyVariable')}=${onOff(control.on)}`;
    case 'request-body-access':
      return `${spell('requestBodyAccess')}=${onOff(control.on)}`;
    case 'response-body-access':
      return `${spell('responseBodyAccess')}=${onOff(control.on)}`;
    case 'request-body-limit':
      return `${spell('requestBodyLimit')}=${control.bytes}`;
    case 'response-body-limit':
      return `${spell('responseBodyLimit')}=${control.bytes}`;
    case 'audit':
      return `${spell(control.name)}=${control.value}`;
    default:
      return control satisfies never;
  }
}
