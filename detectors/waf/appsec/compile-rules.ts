/**
 * Rules of CrowdSec's YAML to SecLang: each group of conditions that must all hold becomes a chain in phase 2 that denies.
 * Every line of the text knows the line of the document that it came from. Differs from CrowdSec in one point on purpose: a
 * text that is looked for behind `lowercase` is made lower case itself.
 * Specification: CrowdSec `pkg/appsec/appsec_rule/modsecurity.go`; the documentation's "AppSec rules syntax".
 */
import type { AppSecRuleDocument, RuleMatchSpec, RuleNode } from './rule-document.ts';
import { mostGroups, type RuleGroup, ruleGroups } from './rule-groups.ts';
import { countTransform, matchTypes, transformOf, zones } from './rule-vocabulary.ts';

/** A directive on one line. */
export interface SecLangLine {
  /** Latin1: one character for each byte of UTF-8. */
  readonly text: string;
  /** Of the document, from 1. */
  readonly line: number;
}

export interface CompiledRules {
  readonly lines: readonly SecLangLine[];
  /** The numbers of the rules that start a chain. */
  readonly ids: readonly number[];
  readonly faults: readonly { readonly line: number; readonly reason: string }[];
}

/** The tag by which hooks name the rules of a document. */
export function ruleTag(name: string): string {
  return `crowdsec-${name}`;
}

/** The rules of one document. Its own SecLang is no part of the answer. */
export function compileRules(document: AppSecRuleDocument): CompiledRules {
  const lines: SecLangLine[] = [];
  const ids: number[] = [];
  const faults: { line: number; reason: string }[] = [];
  const seen = new Set<string>();
  for (const [index, rule] of document.rules.entries()) {
    const groups = ruleGroups(rule);
    if (groups === null) {
      faults.push({ line: rule.line, reason: `and and or make more than ${mostGroups} alternatives` });
      continue;
    }
    for (const [number, group] of groups.entries()) {
      const chain = compileChain(document, { rule: index, group: number, left: groups.length - 1 - number }, group);
      // The same chain twice would only match twice.
      const shape = chain.map(({ text }) => text.replace(/"id:\d+,/, '"')).join('\n');
      if (seen.has(shape)) continue;
      seen.add(shape);
      lines.push(...chain.map(({ text, line }) => ({ text, line })));
      const [head] = chain;
      if (head !== undefined) ids.push(head.id);
    }
  }
  return { lines, ids, faults };
}

interface Position {
  readonly rule: number;
  readonly group: number;
  /** Groups of the same rule after this one. */
  readonly left: number;
}

function compileChain(
  document: AppSecRuleDocument,
  position: Position,
  group: RuleGroup,
): readonly (SecLangLine & { readonly id: number })[] {
  const [first] = group;
  if (first === undefined || first.match === null) return [];
  const id = ruleId(document.name, first.match, first, position);
  return rarestFirst(group).flatMap((node, link) => {
    const { match } = node;
    if (match === null) return [];
    const actions = [
      ...(link === 0 ? headActions(document, id, severityOf(group), position.left) : []),
      ...node.transforms.flatMap((name) => transformOf(name) ?? []).map((name) => `t:${name}`),
      ...(node.bodyType === '' ? [] : [`ctl:requestBodyProcessor=${node.bodyType}`]),
      ...(link < group.length - 1 ? ['chain'] : []),
    ];
    const rule = `SecRule ${targets(node)} "${operator(match, node.transforms)}"`;
    const text = actions.length === 0 ? rule : `${rule} "${actions.join(',')}"`;
    return [{ id, text: Buffer.from(text, 'utf8').toString('latin1'), line: node.line }];
  });
}

/** What is said of a chain as a whole, which SecLang wants of its first rule. */
function headActions(
  { name, description }: AppSecRuleDocument,
  id: number,
  severity: string,
  groupsLeft: number,
): readonly string[] {
  return [
    `id:${id}`,
    'phase:2',
    'deny',
    'log',
    `msg:'${quoted(`${description}|${name}`)}'`,
    `tag:'${quoted(ruleTag(name))}'`,
    `tag:'cs-custom-rule'`,
    `severity:'${severity}'`,
    ...(groupsLeft > 0 ? [`skip:${groupsLeft}`] : []),
  ];
}

/**
 * The condition that fewest requests meet goes to the head of the chain, where the engine's index leaves the whole chain out.
 * Which conditions hold does not depend on their order, except where one changes how the body is read.
 */
function rarestFirst(group: RuleGroup): RuleGroup {
  if (group.some(({ bodyType }) => bodyType !== '')) return group;
  const rarest = group.find((node) => isSearched(node) && node.zones.includes('URI')) ?? group.find(isSearched);
  return rarest === undefined ? group : [rarest, ...group.filter((node) => node !== rarest)];
}

/** Matches of a text as it is written. */
const textMatches: readonly string[] = ['contains', 'equals', 'startsWith', 'endsWith'];

/** Few requests hold the text that is looked for. */
function isSearched({ match, zones: names, transforms }: RuleNode): boolean {
  if (match === null || match.not || transforms.includes(countTransform)) return false;
  const isText = textMatches.includes(match.type) || match.type === 'regex';
  return isText && match.value.length > 2 && !names.includes('METHOD') && !names.includes('PROTOCOL');
}

function severityOf(group: RuleGroup): string {
  return group.find(({ severity }) => severity !== '')?.severity ?? 'emergency';
}

/** `count` needs variables: without them it does nothing, as upstream has it. */
function targets(node: RuleNode): string {
  const prefix = node.transforms.includes(countTransform) && node.variables.length > 0 ? '&' : '';
  const all = node.zones.flatMap((zone) => {
    const name = zones.get(zone) ?? zone;
    return node.variables.length === 0 ? [name] : node.variables.map((variable) => `${prefix}${name}:${variable}`);
  });
  return `"${escapedQuotes(all.join('|'))}"`;
}

function operator({ type, value, not }: RuleMatchSpec, transforms: readonly string[]): string {
  const known = matchTypes.get(type);
  const name = `${not ? '!' : ''}@${known?.operator ?? type}`;
  return known?.takesValue === true ? `${name} ${escapedQuotes(folded(type, value.trim(), transforms))}` : name;
}

/** A value in capitals is never found in a text that was made lower case, and none of the hub's rules means never. */
function folded(type: string, value: string, transforms: readonly string[]): string {
  if (!textMatches.includes(type)) return value;
  const last = transforms.findLast((name) => name === 'lowercase' || name === 'uppercase');
  if (last === undefined) return value;
  return last === 'lowercase' ? value.toLowerCase() : value.toUpperCase();
}

/** A quote that ends no text; one that has its backslash already keeps it. */
function escapedQuotes(value: string): string {
  return value.replaceAll(/(\\*)"/g, (_, before: string) => (before.length % 2 === 1 ? `${before}"` : `${before}\\"`));
}

/** For an action's value in single quotes, inside of double ones. A backslash that would hide a quote is left out. */
function quoted(text: string): string {
  const line = text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/\\+(?=["']|$)/g, '');
  return escapedQuotes(line).replaceAll("'", "\\'");
}

/** FNV-1a, 32 bits, over everything that tells the first condition from another: it stays the same as long as that does. */
function ruleId(name: string, { type, value }: RuleMatchSpec, node: RuleNode, { rule, group }: Position): number {
  return fnv1a([name, type, value, String(group), `rule:${rule}`, ...node.zones, ...node.transforms].join(''));
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
