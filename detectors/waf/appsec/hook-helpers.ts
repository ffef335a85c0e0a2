/**
 * The helpers that each stage of hooks has besides those of every expression. They act on what is current while a hook runs.
 * Specification: CrowdSec `pkg/appsec/waf_helpers.go`; the documentation's "AppSec hooks".
 */
import { type Helper, type HelperTable, unavailable } from '../../expr/helper.ts';
import { anyType, intType, stringType, type Type } from '../../expr/types.ts';
import { ValueError } from '../../expr/values.ts';
import { ruleTag } from './compile-rules.ts';
import type { Band, HookStage } from './config-document.ts';
import { bodyExcessActions, type LoadActions, type RequestActions, type RuleNaming } from './hook-actions.ts';
import { dumpType } from './hook-types.ts';

/** What helpers act on while a hook runs. */
export interface CurrentHook {
  load: LoadActions | null;
  request: RequestActions | null;
}

const texts = (count: number): Type[] => Array.from({ length: count }, () => stringType);

function action(parameters: readonly Type[], run: (...args: never[]) => unknown): Helper {
  return { parameters, returns: anyType, run };
}

const challenges = 'challenge pages are not there yet';
const schemas = 'API schemas are not validated here yet';

/** @throws ValueError */
function checkedStatus(status: bigint): number {
  if (status >= 100n && status <= 599n) return Number(status);
  throw new ValueError(`${status} is no HTTP status`);
}

type Removing = Pick<LoadActions, 'removeRules' | 'setRemediationBy'>;

/** Removal and remediation by rule, which on_load and pre_eval share. */
function ruleHelpers(current: () => Removing): HelperTable {
  const bands: readonly (readonly [string, Band])[] = [
    ['InBand', 'in'],
    ['OutBand', 'out'],
  ];
  const removals = bands.flatMap(([word, band]): [string, Helper][] => {
    const remove = (rules: RuleNaming): null => {
      current().removeRules(band, rules);
      return null;
    };
    return [
      [`Remove${word}RuleByID`, action([intType], (id: bigint) => remove({ by: 'id', id: Number(id) }))],
      [`Remove${word}RuleByTag`, action([stringType], (tag: string) => remove({ by: 'tag', tag }))],
      [`Remove${word}RuleByName`, action([stringType], (name: string) => remove({ by: 'tag', tag: ruleTag(name) }))],
    ];
  });
  const remedy = (rules: RuleNaming, remediation: string): null => {
    current().setRemediationBy(rules, remediation);
    return null;
  };
  return {
    ...Object.fromEntries(removals),
    SetRemediationByID: action([intType, stringType], (id: bigint, remediation: string) =>
      remedy({ by: 'id', id: Number(id) }, remediation),
    ),
    SetRemediationByTag: action(texts(2), (tag: string, remediation: string) =>
      remedy({ by: 'tag', tag }, remediation),
    ),
    SetRemediationByName: action(texts(2), (name: string, remediation: string) =>
      remedy({ by: 'tag', tag: ruleTag(name) }, remediation),
    ),
  };
}

function loadHelpers(current: () => LoadActions): HelperTable {
  return {
    ...ruleHelpers(current),
    SetMaxBodySize: action([intType], (bytes: bigint) => {
      if (bytes < 0n || bytes > 1n << 40n) throw new ValueError(`${bytes} bytes is no size of a body`);
      current().setMaxBodySize(Number(bytes));
      return null;
    }),
    SetBodySizeExceededAction: action([stringType], (name: string) => {
      const known = bodyExcessActions.find((one) => one === name);
      if (known === undefined)
        throw new ValueError(`action ${name} is unknown; there are ${bodyExcessActions.join(', ')}`);
      current().setBodySizeExceededAction(known);
      return null;
    }),
    LoadAPISchema: unavailable([stringType], schemas, true),
    LoadAPISchemaWithName: unavailable([stringType], schemas, true),
    RegisterAPISchemaBodyDecoder: unavailable([stringType], schemas, true),
    SetChallengeDifficulty: unavailable([anyType], challenges, true),
  };
}

/** SetRemediation and SetReturnCode, before and after a match. */
function answerHelpers(current: () => RequestActions): HelperTable {
  return {
    SetRemediation: action([stringType], (remediation: string) => {
      current().setRemediation(remediation);
      return null;
    }),
    SetReturnCode: action([intType], (status: bigint) => {
      current().setReturnCode(checkedStatus(status));
      return null;
    }),
  };
}

function evalHelpers(current: () => RequestActions): HelperTable {
  return {
    ...ruleHelpers(current),
    ...answerHelpers(current),
    DropRequest: action([stringType], (reason: string) => {
      current().drop(reason);
      return null;
    }),
    DisableBodyInspection: action([], () => {
      current().disableBodyInspection();
      return null;
    }),
    ValidateRequestWithSchema: unavailable([stringType], schemas, true),
    SendChallenge: unavailable([], challenges, true),
    GrantChallenge: unavailable([], challenges, true),
    GrantChallengeCookie: unavailable([], challenges, true),
    ExemptFromChallenge: unavailable([], challenges, true),
  };
}

function dumpHelpers(current: () => RequestActions): HelperTable {
  return {
    DumpRequest: { parameters: [], returns: dumpType, run: () => current().dump() },
    SendChallenge: unavailable([], challenges, true),
  };
}

function matchHelpers(current: () => RequestActions): HelperTable {
  const send = (what: 'sendAlert' | 'sendEvent', on: boolean): Helper =>
    action([], () => {
      current()[what](on);
      return null;
    });
  return {
    ...answerHelpers(current),
    SendAlert: send('sendAlert', true),
    CancelAlert: send('sendAlert', false),
    SendEvent: send('sendEvent', true),
    CancelEvent: send('sendEvent', false),
    DumpRequest: { parameters: [], returns: dumpType, run: () => current().dump() },
  };
}

export function hookHelpers(stage: HookStage, current: CurrentHook): HelperTable {
  const load = (): LoadActions => needed(current.load);
  const request = (): RequestActions => needed(current.request);
  switch (stage) {
    case 'on_load':
      return loadHelpers(load);
    case 'pre_eval':
      return evalHelpers(request);
    case 'post_eval':
      return dumpHelpers(request);
    case 'on_match':
      return matchHelpers(request);
    default:
      return stage satisfies never;
  }
}

function needed<Actions>(actions: Actions | null): Actions {
  if (actions === null) throw new ValueError('no hook is running');
  return actions;
}
