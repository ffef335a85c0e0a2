/** What helpers of hooks do, apart from what they are called: to a configuration while it loads, or to one request. */
import type { Band } from './config-document.ts';
import type { RequestDump } from './request-dump.ts';

/** Names rules: `tag` as written, `name` the rule of a document by its tag. */
export type RuleNaming = { readonly by: 'id'; readonly id: number } | { readonly by: 'tag'; readonly tag: string };

/** Whether a hook means a rule of this number and with these tags. */
export function isNamed(naming: RuleNaming, id: number, tags: readonly string[]): boolean {
  return naming.by === 'id' ? naming.id === id : tags.includes(naming.tag);
}

/** A larger body: refuse the request, judge the beginning, or judge none of it. */
export const bodyExcessActions = ['drop', 'partial', 'allow'] as const;
export type BodyExcess = (typeof bodyExcessActions)[number];

export interface LoadActions {
  removeRules(band: Band, rules: RuleNaming): void;
  setRemediationBy(rules: RuleNaming, remediation: string): void;
  setMaxBodySize(bytes: number): void;
  setBodySizeExceededAction(action: BodyExcess): void;
}

export interface RequestActions {
  removeRules(band: Band, rules: RuleNaming): void;
  setRemediationBy(rules: RuleNaming, remediation: string): void;
  setRemediation(remediation: string): void;
  /** What the visitor is answered with. */
  setReturnCode(status: number): void;
  drop(reason: string): void;
  disableBodyInspection(): void;
  dump(): RequestDump;
  sendAlert(send: boolean): void;
  sendEvent(send: boolean): void;
}
