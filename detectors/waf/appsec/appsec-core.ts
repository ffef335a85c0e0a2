/** What every run needs of its AppSec: the configuration, compiled. */
import type { Runtime } from '../../../core/runtime.ts';
import type { HelperDependencies } from '../../expr/dependencies.ts';
import type { RuleFiles } from '../seclang/rule-files.ts';
import type { Locate } from './appsec-alert.ts';
import type { BandRules, CompileBand } from './band-engine.ts';
import type { RuleDetails } from './band-program.ts';
import type { Band } from './config-document.ts';
import type { BodyExcess, RuleNaming } from './hook-actions.ts';
import type { Hooks } from './hooks.ts';
import type { AppSecConfig } from './merged-config.ts';
import type { WriteDump } from './request-dump.ts';
import type { VariablePattern } from './tracked-variables.ts';

export interface AppSecDeps extends Runtime {
  readonly compile: CompileBand;
  readonly files: RuleFiles;
  /** Of hooks' expressions. */
  readonly helpers: HelperDependencies;
  readonly locate?: Locate;
  /** Where `DumpRequest()` goes; without it dumps are refused when they are written. */
  readonly writeDump?: WriteDump;
}

/** Bodies of requests: how much is judged, and what becomes of a larger one. */
export interface BodyLimits {
  readonly bodyBytes: number;
  readonly bodyExcess: BodyExcess;
}

/** Who asks for a judgement. */
export interface AppSecCaller {
  /** Address of a bouncer; absent when the gateway itself asks. */
  readonly bouncerAddress?: string;
  /** Its own limits, where no hook has set any. */
  readonly limits?: BodyLimits;
  /** Milliseconds that the rules of one band may take, instead of what the settings say. */
  readonly budgetMs?: number;
}

/** A remediation that rules of a number or with a tag have. */
export interface RuleRemedy {
  readonly rules: RuleNaming;
  readonly remediation: string;
}

/** What every run needs of its AppSec. */
export interface AppSecCore {
  readonly config: AppSecConfig;
  readonly hooks: Hooks;
  readonly bands: Readonly<Record<Band, CompiledBand>>;
  /** The last one that fits decides; those by tag are asked after those by number. */
  readonly remedies: readonly RuleRemedy[];
  /** Those of a caller that brings none. */
  readonly limits: BodyLimits;
  /** Those that hooks have set: they hold for every caller. */
  readonly hookLimits: Partial<BodyLimits>;
  readonly deps: AppSecDeps;
}

/** What holds for a caller. */
export function limitsFor(
  { limits, hookLimits }: Pick<AppSecCore, 'limits' | 'hookLimits'>,
  caller: AppSecCaller,
): BodyLimits {
  return { ...limits, ...caller.limits, ...hookLimits };
}

export interface CompiledBand {
  /** Null: the band has no rules, and nothing is run. */
  readonly rules: BandRules | null;
  readonly details: ReadonlyMap<number, RuleDetails>;
  readonly inspectBody: boolean;
  readonly tracked: readonly VariablePattern[];
}
