/** `ctl` actions to functions. Rules they name are looked up once, when the action first runs: all rules are known by then. */
import type { Control, Target } from '../seclang/definition.ts';
import type { CompiledEffect } from './compiled-rule.ts';
import { nameMatcher } from './name-matcher.ts';
import type { RemovedTarget, RuleNumbers } from './removals.ts';
import type { RuleCatalog, RuleQuery } from './rule-catalog.ts';

/** @throws GatewayError PATTERN_INVALID */
export function compileControl(control: Control, catalog: RuleCatalog): CompiledEffect | null {
  switch (control.kind) {
    case 'rule-engine':
      return ({ controls }) => void (controls.mode = control.mode);
    case 'remove-by-id':
      return removeRules({ by: 'id', ids: control.ids }, catalog);
    case 'remove-by-tag':
      return removeRules({ by: 'tag', pattern: control.pattern }, catalog);
    case 'remove-by-msg':
      return removeRules({ by: 'msg', pattern: control.pattern }, catalog);
    case 'remove-target-by-id':
      return removeTarget({ by: 'id', ids: control.ids }, control.target, catalog);
    case 'remove-target-by-tag':
      return removeTarget({ by: 'tag', pattern: control.pattern }, control.target, catalog);
    case 'remove-target-by-msg':
      return removeTarget({ by: 'msg', pattern: control.pattern }, control.target, catalog);
    case 'request-body-processor':
      return ({ controls }) => void (controls.requestBodyProcessor = control.processor.toUpperCase());
    case 'force-request-body-variable':
      return ({ controls }) => void (controls.forceRequestBody = control.on);
    case 'force-response-body-variable':
      return ({ controls }) => void (controls.forceResponseBody = control.on);
    case 'request-body-access':
      return ({ controls }) => void (controls.requestBodyAccess = control.on);
    case 'response-body-access':
      return ({ controls }) => void (controls.responseBodyAccess = control.on);
    case 'request-body-limit':
      return ({ controls }) => void (controls.requestBodyLimit = control.bytes);
    case 'response-body-limit':
      return ({ controls }) => void (controls.responseBodyLimit = control.bytes);
    case 'response-body-processor':
    case 'audit':
      return null;
    default:
      return control satisfies never;
  }
}

function removeRules(query: RuleQuery, catalog: RuleCatalog): CompiledEffect {
  let rules: RuleNumbers | null = null;
  return (state) => state.removing().removeRules((rules ??= catalog.numbers(query)));
}

function removeTarget(query: RuleQuery, { variable, selector }: Target, catalog: RuleCatalog): CompiledEffect {
  const matches = nameMatcher(selector);
  let target: RemovedTarget | null = null;
  return (state) => {
    target ??= { rules: catalog.numbers(query), variable, matches };
    state.removing().removeTarget(target);
  };
}
