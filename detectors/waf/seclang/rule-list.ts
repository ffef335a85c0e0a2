/**
 * The rules read so far, in their order, and the directives that remove or change them afterwards. As in ModSecurity 2 those
 * reach the rules that stand before them.
 */
import type { Pattern } from '../../regex/compile-pattern.ts';
import type { Action } from './action.ts';
import type { IdRange, MarkerDefinition, RuleEntry, Target } from './definition.ts';
import { mostActions } from './parse-actions.ts';
import { type Targets, mostTargets } from './parse-targets.ts';
import type { Report } from './report.ts';
import { type ChainDraft, type RuleDraft, settleChain } from './rule-draft.ts';

/** Which rules a removal or an update means. */
export type Choice =
  | { readonly kind: 'ids'; readonly ranges: readonly IdRange[] }
  | { readonly kind: 'tag' | 'msg'; readonly pattern: Pattern };

export class RuleList {
  private entries: (ChainDraft | MarkerDefinition)[] = [];
  private readonly byId = new Map<number, ChainDraft>();
  private removals = 0;

  get size(): number {
    return this.entries.length;
  }

  find(id: number): ChainDraft | null {
    return this.byId.get(id) ?? null;
  }

  /** The id must be free. */
  addRule(chain: ChainDraft): void {
    this.entries.push(chain);
    this.byId.set(chain.id, chain);
  }

  addMarker(marker: MarkerDefinition): void {
    this.entries.push(marker);
  }

  choose(choice: Choice): readonly ChainDraft[] {
    const single = choice.kind === 'ids' && choice.ranges.every(({ first, last }) => first === last);
    if (single) return choice.ranges.flatMap(({ first }) => this.byId.get(first) ?? []);
    return [...this.byId.values()].filter((chain) => isChosen(chain, choice));
  }

  /** An id is free again afterwards. */
  remove(chains: readonly ChainDraft[]): void {
    for (const chain of chains) {
      chain.removed = true;
      this.byId.delete(chain.id);
      this.removals++;
    }
    // Removed rules are dropped now and then, so that a file that adds and removes in turn stays cheap.
    if (this.removals > this.byId.size + 1_000) {
      this.entries = this.entries.filter((entry) => entry.kind === 'marker' || !entry.removed);
      this.removals = 0;
    }
  }

  settle(): readonly RuleEntry[] {
    return this.entries.flatMap((entry) => {
      if (entry.kind === 'marker') return entry;
      return entry.removed ? [] : settleChain(entry);
    });
  }
}

function isChosen(chain: ChainDraft, choice: Choice): boolean {
  switch (choice.kind) {
    case 'ids':
      return choice.ranges.some(({ first, last }) => first <= chain.id && chain.id <= last);
    case 'tag':
    case 'msg':
      return chain.links[0].actions.some(
        (action) => action.kind === choice.kind && choice.pattern.test(action.text.source),
      );
    default:
      return choice satisfies never;
  }
}

/**
 * `SecRuleUpdateTarget…`. Excluded variables are taken from every rule of the chain, as `ctl:ruleRemoveTargetById` does, the
 * others are added to its first. With `replaced` they take the place of that variable.
 */
export function updateTargets(
  chain: ChainDraft,
  { targets, excluded }: Targets,
  replaced: readonly Target[],
  report: Report,
): void {
  const room = mostTargets - targets.length - excluded.length;
  if (chain.links.some((link) => link.targets.length + link.excluded.length > room)) {
    return report('error', `Rule ${chain.id} would name more than ${mostTargets} variables.`);
  }
  for (const link of chain.links) {
    // Without an operator there is nothing to look at.
    if (link.operator !== null) link.excluded = united(link.excluded, excluded);
  }
  const [head] = chain.links;
  if (head.operator === null || targets.length === 0) return;
  const kept = head.targets.filter((target) => !replaced.some((one) => isSameTarget(one, target)));
  head.targets = united(kept, targets);
}

/** `SecRuleUpdateActionById`: what can hold once is replaced, the rest is added. */
export function updateActions(link: RuleDraft, actions: readonly Action[], report: Report): void {
  if (link.actions.length + actions.length > mostActions) {
    return report('error', `The rule would have more than ${mostActions} actions.`);
  }
  link.actions = [...link.actions, ...actions];
}

function united(targets: readonly Target[], added: readonly Target[]): readonly Target[] {
  return [...targets, ...added.filter((one) => !targets.some((target) => isSameTarget(one, target)))];
}

export function isSameTarget(left: Target, right: Target): boolean {
  return left.variable === right.variable && left.count === right.count && selectorText(left) === selectorText(right);
}

function selectorText({ selector }: Target): string {
  switch (selector.kind) {
    case 'all':
      return '';
    case 'key':
      return `:${selector.key}`;
    case 'pattern':
      return `/${selector.source}`;
    case 'xpath':
      return `=${selector.path}`;
    default:
      return selector satisfies never;
  }
}
