/**
 * Puts the WAF together from disk: the Core Rule Set where one is installed, CrowdSec's AppSec with our own patches and what the
 * hub has installed. Nothing of it is loaded when no site wants it.
 */
import { existsSync } from 'node:fs';
import type { GatewayError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { HelperDependencies } from '../../detectors/expr/dependencies.ts';
import type { AppSec } from '../../detectors/waf/appsec/appsec.ts';
import { coreFolderIn } from '../../detectors/waf/core-rules/core-folder.ts';
import type { RuleLayer } from '../../detectors/waf/waf-record.ts';
import { appSecFoldersOf } from '../item-folders.ts';
import type { Settings } from '../settings.ts';
import type { Site } from '../sites.ts';
import type { ExceptionDesk } from './open-core-rules.ts';
import type { Layer } from './rule-layer.ts';
import type { RuleTrace } from './rule-trace.ts';
import { createWaf, type Waf } from './waf.ts';
import type { WafWatch } from './waf-watch.ts';

/** For `status` and `doctor`. */
export interface LayerSummary {
  readonly layer: RuleLayer;
  readonly rules: number;
  /** `OWASP_CRS/4.29.0`, or the names of appsec-configs. */
  readonly version: string;
}

export interface OpenedWaf {
  readonly waf: Waf;
  readonly layers: readonly LayerSummary[];
  /** Null: no core rules run. */
  readonly exceptions: ExceptionDesk | null;
  /** Rules and documents that are not used, and why. */
  readonly faults: readonly GatewayError[];
  /** What requests of bouncers are judged by; null: nobody listens for them. */
  readonly forBouncers: RulesForBouncers | null;
}

export interface RulesForBouncers {
  readonly appSec: AppSec;
  /** Null: there are none, or the settings turn them off. */
  readonly coreRules: Layer | null;
}

export interface WafDeps extends Runtime {
  readonly sites: { readonly sites: readonly Pick<Site, 'waf'>[] };
  /** Of hooks' expressions. */
  readonly helpers: HelperDependencies;
  readonly trace: RuleTrace;
  readonly watch: WafWatch;
}

export type WafParts = Pick<Settings, 'waf' | 'appsec' | 'dataDir' | 'detection'>;

/** Faults are told, not thrown: what is good runs. */
export async function openWaf(settings: WafParts, deps: WafDeps): Promise<OpenedWaf> {
  const opened = await openLayers(settings, deps);
  for (const { code, message, remedy } of opened.faults) deps.log.error({ code, remedy }, message);
  for (const summary of opened.layers) deps.log.info({ ...summary }, 'rules of the WAF are loaded');
  return opened;
}

async function openLayers(settings: WafParts, deps: WafDeps): Promise<OpenedWaf> {
  const layers: Layer[] = [];
  const summaries: LayerSummary[] = [];
  const faults: GatewayError[] = [];
  const wanted = (name: RuleLayer): boolean => deps.sites.sites.some(({ waf }) => waf[name] !== 'off');
  const hasBouncers = settings.appsec.listen !== null;
  let appSec: AppSec | null = null;
  let exceptions: ExceptionDesk | null = null;
  let coreRules: Layer | null = null;
  const { folder, files, filesAfter, mode } = settings.waf.coreRules;
  const forBouncers = hasBouncers && mode !== 'off';
  const core = folder ?? coreFolderIn(settings.dataDir);
  const hasCore = folder !== null || existsSync(core);
  if ((wanted('core-rules') || forBouncers) && (hasCore || files.length + filesAfter.length > 0)) {
    const { openCoreRules } = await import('./open-core-rules.ts');
    const opened = await openCoreRules(settings, hasCore ? core : null, deps);
    faults.push(...opened.faults);
    layers.push(deps.trace.follow(opened.layer));
    summaries.push(opened.summary);
    if (forBouncers) coreRules = opened.layer;
    exceptions = opened.exceptions;
  }
  if (wanted('virtual-patches') || hasBouncers) {
    const { openVirtualPatches } = await import('./open-virtual-patches.ts');
    const opened = openVirtualPatches(settings, appSecFoldersOf(settings), deps);
    faults.push(...opened.faults);
    if (hasBouncers) appSec = opened.appSec;
    if (opened.layer !== null) {
      layers.push(deps.trace.follow(opened.layer));
      summaries.push(opened.summary);
    }
  }
  const found = { layers: summaries, exceptions, faults, forBouncers: appSec && { appSec, coreRules } };
  if (layers.length === 0) return { waf: createWaf([], passThrough, deps.watch), ...found };
  const { decodeContent } = await import('../../detectors/waf/bodies/decode-content.ts');
  return { waf: createWaf(layers, decodeContent, deps.watch), ...found };
}

/** Nobody asks. */
function passThrough(body: Buffer): Promise<{ body: Buffer; complete: boolean }> {
  return Promise.resolve({ body, complete: true });
}
