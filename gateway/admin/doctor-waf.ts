/** What `doctor` says of the WAF: which rules run and how, what is wrong with them, and whether observing can end. */
import type { RuleLayer } from '../../detectors/waf/waf-record.ts';
import { type LayerMode, layerModeOf } from '../sites.ts';
import { ruleLayers } from '../waf/waf-counters.ts';
import type { AdminDependencies } from './dependencies.ts';
import { fail, mostFaults, ok, warn } from './doctor-check.ts';
import type { DoctorCheck } from './models.ts';

const group = 'waf';
const names: Readonly<Record<RuleLayer, string>> = { 'core-rules': 'core rules', 'virtual-patches': 'virtual patches' };
const settings: Readonly<Record<RuleLayer, string>> = {
  'core-rules': 'waf.coreRules.mode',
  'virtual-patches': 'waf.virtualPatches.mode',
};

export async function wafChecks(deps: AdminDependencies): Promise<DoctorCheck[]> {
  const found = ruleLayers.map((layer) => loadedCheck(layer, deps));
  found.push(...(await observedChecks(deps)), ...faultChecks(deps), ...budgetChecks(deps));
  return found;
}

function loadedCheck(layer: RuleLayer, deps: AdminDependencies): DoctorCheck {
  const name = names[layer];
  const modes = modesOf(layer, deps);
  const loaded = deps.layers.find((summary) => summary.layer === layer);
  if (modes === 'off') return ok(group, name, 'off');
  if (loaded !== undefined && loaded.rules > 0) {
    const version = loaded.version === '' ? '' : ` of ${loaded.version}`;
    return ok(group, name, `${modes}: ${loaded.rules} rules${version}`);
  }
  if (layer === 'virtual-patches') {
    const message = 'none run: no appsec-config names a rule that is there';
    return warn(group, name, message, 'Correct `waf.virtualPatches.configs`, or install rules with `portcullis hub`.');
  }
  return warn(
    group,
    name,
    'none run: no Core Rule Set is installed',
    'Get a release at https://github.com/coreruleset/coreruleset/releases, then: portcullis waf install crs --from <archive>. Without it: `waf.coreRules.mode: off`.',
  );
}

/** `block`, or `block on 2 sites, observe on 1`; `off` when no site runs the layer. */
function modesOf(layer: RuleLayer, { sites }: AdminDependencies): string {
  const counts = new Map<LayerMode, number>();
  for (const site of sites.sites) {
    const mode = layerModeOf(site, layer);
    counts.set(mode, (counts.get(mode) ?? 0) + 1);
  }
  const [[only = 'off'] = [], ...others] = counts;
  if (others.length === 0) return only;
  return [...counts].map(([mode, count]) => `${mode} on ${count} ${count === 1 ? 'site' : 'sites'}`).join(', ');
}

const dayMs = 86_400_000;
/** Of the newest records: each may hold some dozens of matches. */
const mostRecords = 2_000;

/** Observing is a state to get out of: either nothing would have been refused, or somebody should look at what. */
async function observedChecks(deps: AdminDependencies): Promise<DoctorCheck[]> {
  const observing = ruleLayers.filter(
    (layer) =>
      deps.layers.some((summary) => summary.layer === layer) &&
      deps.sites.sites.some((site) => layerModeOf(site, layer) === 'observe'),
  );
  if (observing.length === 0) return [];
  const records = await deps.store.refusals({ since: deps.clock.now() - dayMs, limit: mostRecords });
  const span = records.length < mostRecords ? 'in the last day' : `among the last ${mostRecords} that are recorded`;
  return observing.map((layer) => {
    // What something else refused is refused in either mode.
    const passed = records.filter(({ reason }) => reason === 'waf-observed');
    const count = passed.filter(({ findings }) => findings.some((finding) => finding.layer === layer)).length;
    const name = `${names[layer]}, observing`;
    const block = `\`${settings[layer]}: block\``;
    if (count === 0) return ok(group, name, `no request would have been refused ${span}; ${block} refuses attacks`);
    const requests = count === 1 ? '1 request' : `${count} requests`;
    const look = layer === 'core-rules' ? 'portcullis waf exceptions suggest' : 'portcullis why <client>';
    const remedy = `Look at them: ${look}. When only attacks are left: ${block}.`;
    return warn(group, name, `${requests} would have been refused ${span}`, remedy);
  });
}

function faultChecks({ ruleFaults }: AdminDependencies): DoctorCheck[] {
  const found = ruleFaults
    .slice(0, mostFaults)
    .map(({ message, remedy }) => fail(group, 'fault', message, remedy ?? 'Correct the rule; the others are in use.'));
  if (ruleFaults.length > mostFaults) {
    const left = `${ruleFaults.length - mostFaults} further faults`;
    found.push(fail(group, 'more', left, '`portcullis validate` lists all of them.'));
  }
  return found;
}

function budgetChecks({ wafCounters }: AdminDependencies): DoctorCheck[] {
  return ruleLayers.flatMap((layer) => {
    const { exhausted } = wafCounters.layers.gateway[layer];
    const asked = wafCounters.layers.bouncers[layer].exhausted;
    if (exhausted + asked === 0) return [];
    const message = `${names[layer]} ran out of time ${exhausted + asked} times`;
    const remedy =
      'The log names requests. Raise `waf.budget`, or lower `waf.requestBody.bytes`, `waf.valueBytes` or the paranoia level.';
    return [warn(group, 'budget', message, remedy)];
  });
}
