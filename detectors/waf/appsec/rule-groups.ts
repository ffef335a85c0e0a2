/**
 * The conditions of a rule as groups of which one must hold, each of conditions that must all hold: disjunctive normal form.
 * Specification: CrowdSec `pkg/appsec/appsec_rule/modsecurity.go`.
 */
import type { RuleNode } from './rule-document.ts';

/** More groups are a fault, as upstream has it: `and`s of `or`s multiply. */
export const mostGroups = 50;

/** Nodes that have a match of their own, to be tried in this order. */
export type RuleGroup = readonly RuleNode[];

/** The groups in the order of the document; null when there are more than `mostGroups`. */
export function ruleGroups(node: RuleNode): readonly RuleGroup[] | null {
  let groups: readonly RuleGroup[] | null = [node.match === null ? [] : [node]];
  for (const child of node.and) groups = crossed(groups, ruleGroups(child));
  if (node.or.length > 0) groups = crossed(groups, alternatives(node.or));
  return groups;
}

function alternatives(nodes: readonly RuleNode[]): readonly RuleGroup[] | null {
  const all: RuleGroup[] = [];
  for (const node of nodes) {
    const groups = ruleGroups(node);
    if (groups === null || all.length + groups.length > mostGroups) return null;
    all.push(...groups);
  }
  return all;
}

function crossed(left: readonly RuleGroup[] | null, right: readonly RuleGroup[] | null): readonly RuleGroup[] | null {
  if (left === null || right === null || left.length * right.length > mostGroups) return null;
  return left.flatMap((before) => right.map((after) => [...before, ...after]));
}
