/** The Core Rule Set and the operator's own SecLang files, read and compiled. */
import { GatewayError } from '../../core/errors.ts';
import { threadTime } from '../../core/thread-time.ts';
import type { Runtime } from '../../core/runtime.ts';
import { type CoreProgramOptions, loadCoreProgram } from '../../detectors/waf/core-rules/core-program.ts';
import { findCoreRules } from '../../detectors/waf/core-rules/find-core-rules.ts';
import { compileRuleSet, type RuleSetDependencies } from '../../detectors/waf/engine/compile-rule-set.ts';
import type { RuleSet } from '../../detectors/waf/engine/rule-set.ts';
import { defaultEngineOptions, type EngineOptions } from '../../detectors/waf/engine/engine-options.ts';
import type { WafSettings } from '../../detectors/waf/options.ts';
import type { RuleProgram, SecLangFault } from '../../detectors/waf/seclang/definition.ts';
import { createRuleFiles } from '../../detectors/waf/seclang/rule-files.ts';
import { createCoreRulesLayer } from './core-rules-layer.ts';
import { exceptionsFileIn, openExceptions, type WafExceptions } from './exceptions.ts';
import { warmUp } from './warm-up.ts';
import type { LayerSummary, WafParts } from './open-waf.ts';
import type { Layer } from './rule-layer.ts';

/** What exceptions are kept, and what they are tried on. */
export interface ExceptionDesk {
  readonly kept: WafExceptions;
  readonly rules: Pick<RuleSet, 'begin' | 'rules'>;
}

export interface OpenedCoreRules {
  readonly layer: Layer;
  readonly exceptions: ExceptionDesk;
  readonly summary: LayerSummary;
  readonly faults: readonly GatewayError[];
}

/** `folder` null: only the operator's own files. */
export async function openCoreRules(
  { waf, dataDir }: WafParts,
  folder: string | null,
  runtime: Runtime,
): Promise<OpenedCoreRules> {
  const parts = ruleSetParts(runtime);
  const faults: GatewayError[] = [];
  const core = folder === null ? null : noted(faults, () => findCoreRules(folder));
  const program = loadCoreProgram(core, programOptions(waf), parts.files);
  const rules = compileRuleSet(program, engineOptions(waf), parts);
  warmUp(rules);
  faults.push(...rules.faults.filter(({ level }) => level === 'error').map(faultError));
  const { exceptions, faults: unread } = await openExceptions(exceptionsFileIn(dataDir), runtime);
  faults.push(...unread);
  return {
    layer: createCoreRulesLayer(rules, exceptions),
    exceptions: { kept: exceptions, rules },
    summary: { layer: 'core-rules', rules: countRules(program), version: versionOf(program) },
    faults,
  };
}

/** What every set of rules is compiled with. */
export function ruleSetParts({ clock }: Pick<Runtime, 'clock'>): RuleSetDependencies {
  return {
    clock,
    threadTime,
    files: createRuleFiles(),
  };
}

export function programOptions({ coreRules, requestBody }: WafSettings): CoreProgramOptions {
  return { ...coreRules, argumentsLimit: requestBody.arguments };
}

/** Directives in the operator's own files win over these. */
export function engineOptions({ requestBody, responseBody, valueBytes, budget }: WafSettings): EngineOptions {
  return {
    ...defaultEngineOptions,
    requestBody: {
      ...defaultEngineOptions.requestBody,
      access: requestBody.bytes > 0,
      limit: requestBody.bytes,
      over: limitActions[requestBody.over],
      arguments: requestBody.arguments,
      depth: requestBody.depth,
    },
    responseBody: {
      access: responseBody.inspect,
      limit: responseBody.bytes,
      over: limitActions[responseBody.over],
      types: responseBody.types,
    },
    valueBytes,
    bodyValueBytes: requestBody.bytes,
    budgetMs: budget,
  };
}

const limitActions = { partial: 'process-partial', reject: 'reject' } as const;

export function faultError({ place, reason }: SecLangFault): GatewayError {
  return new GatewayError('RULES_INVALID', `${place.file}:${place.line}: ${reason}`, {
    remedy: 'Correct the rule; the others are in use.',
  });
}

/** Without those that the gateway adds by itself. */
function countRules({ entries }: RuleProgram): number {
  return entries.filter(({ kind, place }) => kind === 'rule' && !place.file.startsWith('portcullis: ')).length;
}

/** As most rules say: the Core Rule Set's, not the operator's. */
function versionOf({ entries }: RuleProgram): string {
  for (const entry of entries) if (entry.kind === 'rule' && entry.ver !== '') return entry.ver;
  return '';
}

function noted<T>(faults: GatewayError[], find: () => T): T | null {
  try {
    return find();
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    faults.push(thrown);
    return null;
  }
}
