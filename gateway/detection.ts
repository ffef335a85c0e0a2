/** Puts the detection together: documents and data files from disk, the expression compilers, the scenario detector. */
import { join } from 'node:path';
import type { GatewayError } from '../core/errors.ts';
import { packageRoot } from '../core/package-root.ts';
import type { Runtime } from '../core/runtime.ts';
import { createExpressionCompiler } from '../detectors/expr/compile.ts';
import type { DecisionCounts, HelperDependencies } from '../detectors/expr/dependencies.ts';
import { eventEnvironment, overflowEnvironment } from '../detectors/expr/environment.ts';
import type { GeoDatabases } from '../detectors/geoip.ts';
import { compilePattern } from '../detectors/regex/compile-pattern.ts';
import { loadDataFiles } from '../detectors/documents/data-files.ts';
import { createScenarioDetector, type ScenarioDetector } from '../detectors/scenarios/detector.ts';
import { loadScenarios } from '../detectors/scenarios/load-scenarios.ts';
import { createScenarioExplainer, type ScenarioExplainer } from './admin/scenario-explainer.ts';
import type { Settings } from './settings.ts';

export interface Detection {
  readonly detector: ScenarioDetector;
  readonly explainer: ScenarioExplainer;
  /** What the expressions of profiles share with those of scenarios. */
  readonly helpers: HelperDependencies;
  /** Documents, data files and expressions that are not used, and why. */
  readonly faults: readonly GatewayError[];
}

/** The rules that ship with Portcullis. */
const builtinRules = join(packageRoot, 'detectors', 'rules');

/** Faults are logged and shown by `doctor`; what is good runs. */
export async function createDetection(
  settings: Pick<Settings, 'detection' | 'client'>,
  deps: Runtime & { readonly geo: GeoDatabases; readonly decisionCounts: DecisionCounts },
): Promise<Detection> {
  const { builtin, folders, dataFolder, disable, simulate, maxBuckets } = settings.detection;
  const loaded = await loadScenarios([...(builtin ? [join(builtinRules, 'scenarios')] : []), ...folders]);
  const disabled = new Set(disable);
  const documents = loaded.documents.filter(({ name }) => !disabled.has(name));
  const { files, faults: dataFaults } = await loadDataFiles(documents, [dataFolder, join(builtinRules, 'data')]);
  const helpers: HelperDependencies = {
    clock: deps.clock,
    random: deps.random,
    log: deps.log,
    files,
    regex: (pattern) => compilePattern(pattern),
    decisionCounts: deps.decisionCounts,
  };
  const expressions = {
    event: createExpressionCompiler({ environment: eventEnvironment, helpers }),
    overflow: createExpressionCompiler({ environment: overflowEnvironment, helpers }),
  };
  const detector = createScenarioDetector(
    { documents, simulate, maxBuckets, ipv6Prefix: settings.client.ipv6Prefix },
    { ...deps, expressions, files },
  );
  const faults = [
    ...loaded.faults.map(({ error }) => error),
    ...dataFaults,
    ...detector.faults.map(({ error }) => error),
  ];
  for (const { code, message, remedy } of faults) deps.log.error({ code, remedy }, message);
  return { detector, explainer: createScenarioExplainer({ documents, simulate }, expressions), helpers, faults };
}
