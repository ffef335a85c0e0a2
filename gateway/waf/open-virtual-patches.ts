/** CrowdSec's AppSec from disk: our own virtual patches, what the hub has installed, and what the settings name of it. */
import { GatewayError } from '../../core/errors.ts';
import { type AppSec, createAppSec } from '../../detectors/waf/appsec/appsec.ts';
import type { CompileBand } from '../../detectors/waf/appsec/band-engine.ts';
import type { AppSecConfigDocument } from '../../detectors/waf/appsec/config-document.ts';
import { loadAppSecItems } from '../../detectors/waf/appsec/load-appsec-items.ts';
import { compileRuleSet } from '../../detectors/waf/engine/compile-rule-set.ts';
import type { ItemFolders } from '../item-folders.ts';
import { engineOptions, faultError, ruleSetParts } from './open-core-rules.ts';
import type { LayerSummary, WafDeps, WafParts } from './open-waf.ts';
import type { Layer } from './rule-layer.ts';
import { createVirtualPatchesLayer } from './virtual-patches-layer.ts';

export interface OpenedVirtualPatches {
  /** Null: no configuration names a rule that is there. */
  readonly layer: Layer | null;
  readonly appSec: AppSec;
  readonly summary: LayerSummary;
  readonly faults: readonly GatewayError[];
}

export function openVirtualPatches(settings: WafParts, folders: ItemFolders, deps: WafDeps): OpenedVirtualPatches {
  const parts = ruleSetParts(deps);
  const items = loadAppSecItems(folders.paths);
  const { configs, missing } = chosenConfigs(items.configs, settings.waf.virtualPatches.configs);
  const options = engineOptions(settings.waf);
  const compile: CompileBand = (_band, program, { inspectBody, bodyBytes }) => {
    const requestBody = { ...options.requestBody, access: inspectBody, limit: bodyBytes };
    return compileRuleSet(program, { ...options, requestBody }, parts);
  };
  const appSec = createAppSec(
    {
      configs,
      rules: items.rules,
      dataFolders: [...folders.dataFolders, ...items.dataFolders],
      bodyBytes: settings.waf.requestBody.bytes,
      bodyExcess: settings.waf.requestBody.over === 'reject' ? 'drop' : 'partial',
      mostBodyBytes: settings.appsec.listen === null ? 0 : settings.appsec.bodyBytes,
    },
    { ...deps, compile, files: parts.files },
  );
  const ruleFaults = appSec.ruleFaults.filter(({ level }) => level === 'error').map(faultError);
  return {
    layer: appSec.rules.length === 0 ? null : createVirtualPatchesLayer(appSec),
    appSec,
    summary: {
      layer: 'virtual-patches',
      rules: appSec.rules.length,
      version: configs.map(({ name }) => name).join(', '),
    },
    faults: [...items.faults.map(({ error }) => error), ...missing, ...appSec.faults, ...ruleFaults],
  };
}

/** Those that the settings name, in their order; all of them where the settings name none. */
function chosenConfigs(
  found: readonly AppSecConfigDocument[],
  names: readonly string[] | null,
): { readonly configs: readonly AppSecConfigDocument[]; readonly missing: readonly GatewayError[] } {
  if (names === null) return { configs: found, missing: [] };
  const configs = names.flatMap((name) => found.filter((config) => config.name === name));
  const missing = names.filter((name) => !found.some((config) => config.name === name));
  return {
    configs,
    missing: missing.map(
      (name) =>
        new GatewayError('NOT_FOUND', `there is no appsec-config ${name}`, {
          remedy: 'Install it with `portcullis hub install`, or correct `waf.virtualPatches.configs`.',
        }),
    ),
  };
}
