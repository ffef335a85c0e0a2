/** Runs and layers of rules that do as tests say, without rules. */
import type { RuleMatch, Verdict } from '../../../detectors/waf/engine/transaction-types.ts';
import type { RuleLayer } from '../../../detectors/waf/waf-record.ts';
import type { Layer, LayerRun } from '../../../gateway/waf/rule-layer.ts';

export const denied: Verdict = { action: 'deny', ruleId: 949110, phase: 2, status: 403, url: '' };

export function matchOf(ruleId: number): RuleMatch {
  return {
    ruleId,
    place: { file: 'rules.conf', line: 7 },
    phase: 2,
    msg: 'a message',
    logdata: '',
    severity: 2,
    tags: [],
    ver: '',
    values: [{ variable: 'ARGS:q', value: 'x' }],
    disruptive: false,
    score: 5,
  };
}

export interface Scripted {
  readonly name?: RuleLayer;
  /** Of the body. */
  readonly verdict?: Verdict | null;
  readonly matches?: readonly number[];
  /** Of rules that wait for the answer; null: there are none of that kind. */
  readonly later?: readonly number[] | null;
  readonly exhausted?: boolean;
  /** Told whenever the rules work. */
  readonly onWork?: () => void;
}

export function scriptedLayer(script: Scripted = {}): Layer {
  const { name = 'core-rules', verdict = null, matches = [], later = null, exhausted = false } = script;
  const work = script.onWork ?? (() => {});
  const begin = (): LayerRun => {
    let found = matches.map(matchOf);
    return {
      requestHeaders() {
        work();
        return null;
      },
      requestBodyBytes: 0,
      requestBody() {
        work();
        return verdict;
      },
      responseHeaders: () => null,
      responseBodyBytes: 0,
      responseBody: () => null,
      finish() {
        work();
        found = [...found, ...(later ?? []).map(matchOf)];
      },
      exhausted,
      get matches() {
        return found;
      },
      score: 5,
      alerts: [],
      events: [],
    };
  };
  return { name, hasOutOfBand: later !== null, ruleName: (ruleId) => `rule:${ruleId}`, begin };
}
