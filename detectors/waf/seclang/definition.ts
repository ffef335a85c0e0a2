/**
 * What SecLang files say, after includes, default actions, chains, updates and removals: plain data that the engine compiles.
 * Everything that depends on configuration alone is settled here; nothing depends on a request. Strings are latin1: one
 * character for each byte of the file.
 */
import type { VariableName } from '../variable-names.ts';
import type { Macro } from './macro.ts';

export type Phase = 1 | 2 | 3 | 4 | 5;

export interface RulePlace {
  readonly file: string;
  /** Of the directive's first line, from 1. */
  readonly line: number;
}

export type Selector =
  | { readonly kind: 'all' }
  /** Compared without regard to ASCII case. `key` is lower case, `written` as the file has it. */
  | { readonly kind: 'key'; readonly key: string; readonly written: string }
  /** A regular expression on names, without its slashes. */
  | { readonly kind: 'pattern'; readonly source: string }
  /** `XML:/*`, `XML://@*`: an expression on a document. */
  | { readonly kind: 'xpath'; readonly path: string };

export interface Target {
  readonly variable: VariableName;
  readonly selector: Selector;
  /** `&`: how many values there are, as the only value. */
  readonly count: boolean;
}

export interface OperatorDefinition {
  /** Lower case, without `@`: `rx`, `pmfromfile`. */
  readonly name: string;
  readonly negated: boolean;
  readonly argument: Macro;
  /** Folder of the file that the rule stands in: relative data files start there. */
  readonly folder: string;
}

export type Arithmetic = 'set' | 'add' | 'subtract' | 'unset';

/** Collections that outlive a transaction. */
export type PersistentCollection = 'GLOBAL' | 'IP' | 'SESSION' | 'USER' | 'RESOURCE';

export type Control =
  | { readonly kind: 'rule-engine'; readonly mode: RuleEngineMode }
  | { readonly kind: 'remove-by-id'; readonly ids: readonly IdRange[] }
  | { readonly kind: 'remove-by-tag'; readonly pattern: string }
  | { readonly kind: 'remove-by-msg'; readonly pattern: string }
  | { readonly kind: 'remove-target-by-id'; readonly ids: readonly IdRange[]; readonly target: Target }
  | { readonly kind: 'remove-target-by-tag'; readonly pattern: string; readonly target: Target }
  | { readonly kind: 'remove-target-by-msg'; readonly pattern: string; readonly target: Target }
  | { readonly kind: 'request-body-processor'; readonly processor: string }
  | { readonly kind: 'response-body-processor'; readonly processor: string }
  | { readonly kind: 'force-request-body-variable'; readonly on: boolean }
  | { readonly kind: 'force-response-body-variable'; readonly on: boolean }
  | { readonly kind: 'request-body-access'; readonly on: boolean }
  | { readonly kind: 'response-body-access'; readonly on: boolean }
  | { readonly kind: 'request-body-limit'; readonly bytes: number }
  | { readonly kind: 'response-body-limit'; readonly bytes: number }
  /** Read and without an effect of its own: audit logs are written elsewhere. */
  | { readonly kind: 'audit'; readonly name: string; readonly value: string };

export interface IdRange {
  readonly first: number;
  readonly last: number;
}

export type RuleEngineMode = 'on' | 'detection-only' | 'off';

/** What a rule does to the transaction for each value that matches, in the order written. */
export type Effect =
  | {
      readonly kind: 'setvar';
      readonly collection: 'TX' | PersistentCollection;
      /** Lower-cased when expanded. */
      readonly key: Macro;
      readonly arithmetic: Arithmetic;
      readonly value: Macro;
    }
  | {
      readonly kind: 'expirevar';
      readonly collection: PersistentCollection | 'TX';
      readonly key: Macro;
      readonly seconds: Macro;
    }
  | { readonly kind: 'initcol'; readonly collection: PersistentCollection; readonly key: Macro }
  | { readonly kind: 'setenv'; readonly key: Macro; readonly value: Macro }
  | { readonly kind: 'control'; readonly control: Control };

export type Disruptive =
  /** The rule lets the request go on. */
  | { readonly kind: 'pass' }
  | { readonly kind: 'deny'; readonly status: number }
  | { readonly kind: 'drop' }
  | { readonly kind: 'redirect'; readonly status: number; readonly url: Macro }
  /** `all`: every phase but the last; `request`: phases 1 and 2; `phase`: this one. */
  | { readonly kind: 'allow'; readonly scope: 'all' | 'request' | 'phase' };

export type Flow =
  | { readonly kind: 'next' }
  | { readonly kind: 'skip'; readonly rules: number }
  | { readonly kind: 'skip-after'; readonly marker: string };

export interface RuleDefinition {
  readonly kind: 'rule';
  /** 0 for a chained rule. */
  readonly id: number;
  readonly place: RulePlace;
  /** Of the chain's first rule; what a chained rule says about it is ignored. */
  readonly phase: Phase;
  /** Null for `SecAction`: it always matches, once. */
  readonly operator: OperatorDefinition | null;
  readonly targets: readonly Target[];
  /** `!REQUEST_COOKIES:/x/` and those of `SecRuleUpdateTarget…`. */
  readonly excluded: readonly Target[];
  /** Canonical names of `transformations/`, in order; those before `none` are gone. */
  readonly transformations: readonly string[];
  readonly multiMatch: boolean;
  readonly capture: boolean;
  readonly effects: readonly Effect[];
  /** `block` is what the phase's default action says by now. */
  readonly disruptive: Disruptive;
  readonly flow: Flow;
  readonly log: boolean;
  readonly auditLog: boolean;
  readonly msg: Macro;
  readonly logdata: Macro;
  /** 0 emergency to 7 debug; null: not given. */
  readonly severity: number | null;
  readonly tags: readonly Macro[];
  readonly ver: string;
  readonly rev: string;
  /** The next rule of the chain. */
  readonly chained: RuleDefinition | null;
}

export interface MarkerDefinition {
  readonly kind: 'marker';
  readonly name: string;
  readonly place: RulePlace;
}

export type RuleEntry = RuleDefinition | MarkerDefinition;

export type LimitAction = 'reject' | 'process-partial';

/** What directives say about the engine as a whole; null where none does. */
export interface EngineDirectives {
  readonly ruleEngine: RuleEngineMode | null;
  readonly requestBodyAccess: boolean | null;
  /** Bytes. */
  readonly requestBodyLimit: number | null;
  readonly requestBodyNoFilesLimit: number | null;
  readonly requestBodyLimitAction: LimitAction | null;
  readonly requestBodyJsonDepthLimit: number | null;
  readonly argumentsLimit: number | null;
  readonly argumentSeparator: string | null;
  readonly uploadFileLimit: number | null;
  readonly responseBodyAccess: boolean | null;
  readonly responseBodyLimit: number | null;
  readonly responseBodyLimitAction: LimitAction | null;
  /** Lower case. */
  readonly responseBodyMimeTypes: readonly string[] | null;
  /** Seconds. */
  readonly collectionTimeout: number | null;
  readonly unicodeMapFile: string | null;
  readonly webAppId: string | null;
}

/** A mistake with its place; the other rules are still used. */
export interface SecLangFault {
  readonly place: RulePlace;
  readonly reason: string;
  /** `warning`: read and without effect here, or suspicious; `error`: the directive is not in use. */
  readonly level: 'error' | 'warning';
}

export interface RuleProgram {
  /** In the order in which they are evaluated. */
  readonly entries: readonly RuleEntry[];
  readonly directives: EngineDirectives;
  readonly faults: readonly SecLangFault[];
  /** Every file that was read. */
  readonly files: readonly string[];
}
