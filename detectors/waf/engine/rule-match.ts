/** What is written down about a rule that matched. Texts are cut: they are stored and shown, and requests choose them. */
import type { CompiledRule } from './compiled-rule.ts';
import type { Phase } from '../seclang/definition.ts';
import type { TransactionState } from './transaction-state.ts';
import type { MatchedValue, RuleMatch } from './transaction-types.ts';

const longestText = 2_048;
const longestValue = 512;
const mostValues = 16;

/** `state` as it is when the whole chain has matched. `score`: points that the rule added. */
export function matchOf(rule: CompiledRule, phase: Phase, score: number, state: TransactionState): RuleMatch {
  const { definition } = rule;
  const values = state.matchedVars.slice(0, mostValues).map(
    ({ name, text }): MatchedValue => ({
      variable: name.slice(0, longestValue),
      value: cut(text.value, longestValue),
    }),
  );
  return {
    ruleId: rule.id,
    place: definition.place,
    phase,
    msg: cut(rule.msg.expand(state), longestText),
    logdata: cut(rule.logdata.expand(state), longestText),
    severity: definition.severity,
    tags: rule.tags.map((tag) => tag.constant ?? cut(tag.expand(state), longestText)),
    ver: definition.ver,
    values,
    disruptive: isDisruptive(rule),
    score,
  };
}

export function isDisruptive({ definition: { disruptive } }: CompiledRule): boolean {
  return disruptive.kind === 'deny' || disruptive.kind === 'drop' || disruptive.kind === 'redirect';
}

function cut(text: string, length: number): string {
  return text.length > length ? text.slice(0, length) : text;
}
