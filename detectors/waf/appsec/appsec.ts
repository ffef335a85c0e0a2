/**
 * CrowdSec's AppSec: configurations and rules become two sets of rules, in-band and out-of-band, and hooks around them. A
 * request is judged by a run of its own (`appsec-run.ts`).
 * Specification: CrowdSec `pkg/appsec/appsec.go`, `pkg/acquisition/modules/appsec`; the documentation's "AppSec".
 */
import type { GatewayError } from '../../../core/errors.ts';
import type { TransactionRequest } from '../engine/transaction-types.ts';
import type { RuleDefinition, RulePlace, SecLangFault } from '../seclang/definition.ts';
import {
  type AppSecCaller,
  type AppSecCore,
  type AppSecDeps,
  type BodyLimits,
  type CompiledBand,
  limitsFor,
  type RuleRemedy,
} from './appsec-core.ts';
import { AppSecRun } from './appsec-run.ts';
import { type BandProgram, loadBandProgram, withoutRules } from './band-program.ts';
import type { AppSecConfigDocument, Band } from './config-document.ts';
import { type BodyExcess, isNamed, type LoadActions, type RuleNaming } from './hook-actions.ts';
import { createHooks } from './hooks.ts';
import { type AppSecConfig, mergeConfigs } from './merged-config.ts';
import type { AppSecRuleDocument } from './rule-document.ts';
import { trackedPatterns } from './tracked-variables.ts';

export interface AppSecOptions {
  /** Merged in this order. */
  readonly configs: readonly AppSecConfigDocument[];
  readonly rules: readonly AppSecRuleDocument[];
  readonly dataFolders: readonly string[];
  /** Bytes of a body that are judged unless a hook says otherwise; CrowdSec's are 10 MiB. */
  readonly bodyBytes?: number;
  /** What becomes of a larger one unless a hook says otherwise; CrowdSec drops the request. */
  readonly bodyExcess?: BodyExcess;
  /** The most bytes that a caller with limits of its own may bring; without it, nobody brings more than `bodyBytes`. */
  readonly mostBodyBytes?: number;
}

/** A rule for listings. */
export interface AppSecRuleSummary {
  readonly id: number;
  readonly band: Band;
  /** Of the document it stands in; `native_rule:<id>` for rules in SecLang. */
  readonly name: string;
  readonly msg: string;
  readonly place: RulePlace;
}

export interface AppSec {
  readonly config: AppSecConfig;
  readonly rules: readonly AppSecRuleSummary[];
  /** Whether a band has rules at all. */
  readonly bands: Readonly<Record<Band, boolean>>;
  /** What cannot be used: places in documents are in the messages. */
  readonly faults: readonly GatewayError[];
  /** Mistakes in SecLang, with their places. */
  readonly ruleFaults: readonly SecLangFault[];
  /** Bytes of a body that a caller without limits of its own has to hand over. */
  readonly bodyBytes: number;
  /** Those that hold for a caller: a hook's, else its own. */
  limitsFor(caller: AppSecCaller): BodyLimits;
  begin(request: TransactionRequest, caller?: AppSecCaller): AppSecRun;
}

const standardBodyBytes = 10 * 1024 ** 2;

/** Compiles everything. Nothing is thrown for what documents say: it is a fault, and the rest is used. */
export function createAppSec(options: AppSecOptions, deps: AppSecDeps): AppSec {
  const config = mergeConfigs(options.configs);
  const hooks = createHooks(config.hooks, deps.helpers);
  const load = new Load(options);
  const raised = hooks.load(load);
  const built = {
    in: buildBand('in', config, options, load, deps),
    out: buildBand('out', config, options, load, deps),
  };
  const { variablesTracking } = config;
  const tracking = { in: trackedPatterns(variablesTracking.in), out: trackedPatterns(variablesTracking.out) };
  const core: AppSecCore = {
    config,
    hooks,
    bands: {
      in: { ...built.in.band, tracked: tracking.in.patterns },
      out: { ...built.out.band, tracked: tracking.out.patterns },
    },
    remedies: load.remedies,
    limits: load.limits,
    hookLimits: load.hookLimits,
    deps,
  };
  return {
    config,
    rules: [...built.in.summaries, ...built.out.summaries],
    bands: { in: core.bands.in.rules !== null, out: core.bands.out.rules !== null },
    faults: [
      ...hooks.faults.map(({ error }) => error),
      ...raised.map(({ error }) => error),
      ...tracking.in.faults,
      ...tracking.out.faults,
      ...built.in.program.faults,
      ...built.out.program.faults,
    ],
    ruleFaults: [...built.in.faults, ...built.out.faults],
    bodyBytes: limitsFor(core, {}).bodyBytes,
    limitsFor: (caller) => limitsFor(core, caller),
    begin: (request, caller = {}) => new AppSecRun(core, request, caller),
  };
}

/** What on_load hooks have changed. */
class Load implements LoadActions {
  readonly removed: Record<Band, RuleNaming[]> = { in: [], out: [] };
  readonly remedies: RuleRemedy[] = [];
  readonly limits: BodyLimits;
  readonly hookLimits: { bodyBytes?: number; bodyExcess?: BodyExcess } = {};
  readonly #mostBodyBytes: number;

  constructor({ bodyBytes = standardBodyBytes, bodyExcess = 'drop', mostBodyBytes = 0 }: AppSecOptions) {
    this.limits = { bodyBytes, bodyExcess };
    this.#mostBodyBytes = Math.max(bodyBytes, mostBodyBytes);
  }

  /** Bytes of a body that rules may come to see. */
  get mostBodyBytes(): number {
    return this.hookLimits.bodyBytes ?? this.#mostBodyBytes;
  }

  removeRules(band: Band, rules: RuleNaming): void {
    this.removed[band].push(rules);
  }

  setRemediationBy(rules: RuleNaming, remediation: string): void {
    this.remedies.push({ rules, remediation });
  }

  setMaxBodySize(bytes: number): void {
    this.hookLimits.bodyBytes = bytes;
  }

  setBodySizeExceededAction(action: BodyExcess): void {
    this.hookLimits.bodyExcess = action;
  }
}

interface BuiltBand {
  readonly band: Omit<CompiledBand, 'tracked'>;
  readonly program: BandProgram;
  readonly summaries: readonly AppSecRuleSummary[];
  readonly faults: readonly SecLangFault[];
}

function buildBand(band: Band, config: AppSecConfig, options: AppSecOptions, load: Load, deps: AppSecDeps): BuiltBand {
  const inspectBody = config.options[band].disableBodyInspection !== true;
  const { rules, dataFolders } = options;
  const bodyBytes = load.mostBodyBytes;
  const patterns = config.rules[band];
  const loaded = loadBandProgram({ patterns, rules, dataFolders, inspectBody, bodyBytes }, deps.files);
  const removed = load.removed[band];
  const names = (rule: RuleDefinition): boolean => removed.some((naming) => isNamed(naming, rule.id, tagsOf(rule)));
  const program = removed.length === 0 ? loaded.program : withoutRules(loaded.program, names);
  const heads = program.entries.filter((entry) => entry.kind === 'rule');
  const compiled = heads.length === 0 ? null : deps.compile(band, program, { inspectBody, bodyBytes });
  return {
    band: {
      rules: compiled,
      details: loaded.details,
      inspectBody,
    },
    program: loaded,
    faults: [...new Set([...program.faults, ...(compiled?.faults ?? [])])],
    summaries: heads.map(({ id, msg, place }) => ({
      id,
      band,
      name: loaded.details.get(id)?.name ?? `native_rule:${id}`,
      msg: msg.source,
      place,
    })),
  };
}

function tagsOf({ tags }: RuleDefinition): readonly string[] {
  return tags.map(({ source }) => source);
}
