/**
 * `evt.Appsec`: what the web application firewall found, with the methods of CrowdSec's `MatchedRules`
 * (`pkg/types/appsec_event.go`). Each matched rule is a map; filters give a new list with the same methods.
 */
import { compilePattern } from '../../regex/compile-pattern.ts';
import {
  anyMap,
  arrayOf,
  boolType,
  intType,
  type Method,
  stringArray,
  stringMap,
  stringType,
  type StructType,
  type Type,
} from '../types.ts';
import { ValueError } from '../values.ts';

/** One matched rule; the values are as the rule engine notes them. */
export type MatchedRule = Readonly<Record<string, unknown>>;

export interface AppsecView {
  HasInBandMatches: boolean;
  HasOutBandMatches: boolean;
  MatchedRules: readonly MatchedRule[];
  Vars: Readonly<Record<string, string>>;
  HookVars: Readonly<Record<string, string>>;
}

/** The methods need only the rules; a list that a filter gave has nothing else. */
type Rules = Pick<AppsecView, 'MatchedRules'>;

const rulesOf = (self: Rules): readonly MatchedRule[] => self.MatchedRules ?? [];
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
const numberOf = (value: unknown): number =>
  typeof value === 'bigint' || typeof value === 'number' ? Number(value) : 0;

/** From the least to the most severe. */
const severities = ['low', 'medium', 'high', 'critical', 'emergency'];

/** The member of the first matched rule. */
function firstText(name: string): Method {
  return {
    parameters: [],
    returns: stringType,
    call: (self: Rules) => textOf(rulesOf(self)[0]?.[name]),
    reads: () => ['MatchedRules'],
  };
}

function keep(parameters: readonly Type[], test: (rule: MatchedRule, ...args: never[]) => boolean): Method {
  return {
    parameters,
    returns: matchedRulesType,
    call: (self: Rules, ...args: never[]) => ({ MatchedRules: rulesOf(self).filter((rule) => test(rule, ...args)) }),
    reads: () => ['MatchedRules'],
  };
}

function filters(): Record<string, Method> {
  return {
    ByID: keep([intType], (rule, id: bigint) => numberOf(rule.id) === Number(id)),
    ByKind: keep([stringType], (rule, kind: string) => rule.kind === kind),
    ByTag: keep([stringType], (rule, tag: string) => textsOf(rule.tags).includes(tag)),
    ByTags: keep([stringArray], (rule, tags: readonly string[]) =>
      textsOf(rule.tags).some((tag) => tags.includes(tag)),
    ),
    ByTagRx: keep([stringType], (rule, pattern: string) => {
      const compiled = tagPattern(pattern);
      return textsOf(rule.tags).some((tag) => compiled.test(tag));
    }),
    ByDisruptiveness: keep([boolType], (rule, disruptive: boolean) => (rule.disruptive === true) === disruptive),
    BySeverity: keep([stringType], (rule, severity: string) => rule.severity === severity),
    ByAccuracy: keep([stringType], (rule, accuracy: string) => rule.accuracy === accuracy),
  };
}

function tagPattern(pattern: string): { test(text: string): boolean } {
  try {
    return compilePattern(pattern);
  } catch {
    throw new ValueError(`invalid pattern ${JSON.stringify(pattern)}`);
  }
}

const ruleMethods = (): Record<string, Method> => ({
  GetURI: firstText('uri'),
  GetHash: firstText('hash'),
  GetVersion: firstText('version'),
  GetMethod: firstText('method'),
  GetName: firstText('name'),
  GetNames: {
    parameters: [],
    returns: stringArray,
    call: (self: Rules) => [...new Set(rulesOf(self).map(({ name }) => textOf(name)))],
    reads: () => ['MatchedRules'],
  },
  GetField: {
    parameters: [stringType],
    returns: arrayOf({ kind: 'any' }),
    call: (self: Rules, name: string) => rulesOf(self).map((rule) => rule[name] ?? null),
    reads: () => ['MatchedRules'],
  },
  GetRuleIDs: {
    parameters: [],
    returns: arrayOf(intType),
    call: (self: Rules) => rulesOf(self).map(({ id }) => BigInt(Math.trunc(numberOf(id)))),
    reads: () => ['MatchedRules'],
  },
  Kinds: {
    parameters: [],
    returns: stringArray,
    call: (self: Rules) => [...new Set(rulesOf(self).map(({ kind }) => textOf(kind)))],
    reads: () => ['MatchedRules'],
  },
  GetMatchedZones: {
    parameters: [],
    returns: stringArray,
    call: (self: Rules) => [...new Set(rulesOf(self).flatMap((rule) => textsOf(rule.matched_zones)))],
    reads: () => ['MatchedRules'],
  },
  GetHighestSeverity: {
    parameters: [],
    returns: stringType,
    call: (self: Rules) =>
      rulesOf(self)
        .map(({ severity }) => textOf(severity))
        .reduce((highest, one) => (severities.indexOf(one) > severities.indexOf(highest) ? one : highest), ''),
    reads: () => ['MatchedRules'],
  },
  ...filters(),
});

/** What filters give: rules without the rest of `evt.Appsec`. */
const matchedRulesType: StructType = {
  kind: 'struct',
  name: 'types.MatchedRules',
  byValue: true,
  get methods() {
    return ruleMethods();
  },
  fields: () => ({ MatchedRules: arrayOf(anyMap) }),
};

export const appsecType: StructType = {
  kind: 'struct',
  name: 'types.AppsecEvent',
  byValue: true,
  get methods() {
    return { ...ruleMethods(), GetVar: getVar };
  },
  fields: () => appsecFields,
};

const getVar: Method = {
  parameters: [stringType],
  returns: stringType,
  call: (self: AppsecView, name: string) => textOf(Object.hasOwn(self.Vars ?? {}, name) ? self.Vars[name] : ''),
  reads: (name) => [`Vars.${name}`],
};

const appsecFields: Readonly<Record<string, Type>> = {
  HasInBandMatches: boolType,
  HasOutBandMatches: boolType,
  MatchedRules: arrayOf(anyMap),
  Vars: stringMap,
  HookVars: stringMap,
};
