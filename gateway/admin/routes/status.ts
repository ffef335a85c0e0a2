/** `/v1/status`: how the gateway is, in one look. */
import type { FastifyInstance } from 'fastify';
import type { GatewayError } from '../../../core/errors.ts';
import type { SourceStatus } from '../../../detectors/acquisition/acquisition-source.ts';
import { layerModeOf } from '../../sites.ts';
import type { LayerSummary } from '../../waf/open-waf.ts';
import { wafSources } from '../../waf/waf-counters.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { upstreamTrouble } from '../doctor-lapi.ts';
import { isoTime } from '../input.ts';
import type { RuleLayerModel, SourceModel, StatusModel } from '../models.ts';
import { siteModel } from '../views.ts';

export function statusRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/status', async (): Promise<StatusModel> => statusOf(deps));
}

export function statusOf(deps: AdminDependencies): StatusModel {
  const { facts, index, detector, counters, store } = deps;
  const { total, allowlist, ...byScope } = index.size;
  const health = store.health();
  return {
    version: facts.version,
    pid: process.pid,
    node: process.versions.node,
    started_at: isoTime(facts.startedAt),
    ...stateOf(deps),
    url: facts.url,
    listen_socket: facts.listenSocket,
    admin_url: facts.adminUrl,
    appsec_url: facts.appsecUrl,
    forward_auth_url: facts.forwardAuthUrl,
    lapi_urls: facts.lapiUrls,
    upstreams: deps.upstreams?.() ?? [],
    demo: facts.demo,
    mode: modeOf(deps),
    sites: deps.sites.sites.map(siteModel),
    settings_file: facts.settingsFile,
    data_folder: facts.dataFolder,
    decisions: { total, by_scope: byScope },
    allowlist,
    scenarios: { loaded: detector.scenarios.length, faults: faultsOf(deps).length },
    waf: { layers: deps.layers.map((layer) => ruleLayerModel(layer, deps)), faults: deps.ruleFaults.length },
    sources: deps.reading().sources.map(sourceModel),
    requests: { ...counters.byOutcome },
    alerts_raised: detector.counters.overflows,
    store: {
      name: store.name,
      ok: health.ok,
      message: health.message,
      last_success_at: health.lastSuccessAt === null ? null : isoTime(health.lastSuccessAt),
    },
    memory_bytes: process.memoryUsage.rss(),
  };
}

function ruleLayerModel({ layer, rules, version }: LayerSummary, deps: AdminDependencies): RuleLayerModel {
  const modes = new Set(deps.sites.sites.map((site) => layerModeOf(site, layer)));
  const [mode = 'off'] = modes;
  const counted = wafSources.map((source) => deps.wafCounters.layers[source][layer]);
  const sum = (key: 'requests' | 'refused' | 'observed' | 'exhausted'): number =>
    counted.reduce((total, counters) => total + counters[key], 0);
  return {
    name: layer,
    mode: modes.size > 1 ? 'mixed' : mode,
    rules,
    version,
    requests: sum('requests'),
    refused: sum('refused'),
    observed: sum('observed'),
    exhausted: sum('exhausted'),
  };
}

function sourceModel(source: SourceStatus): SourceModel {
  const { kind, name, state, lines, dropped, lastError, retryAt, lastLineAt } = source;
  const time = (at: number | null): string | null => (at === null ? null : isoTime(at));
  return {
    kind,
    name,
    state,
    lines,
    dropped,
    last_error: lastError,
    retry_at: time(retryAt),
    last_line_at: time(lastLineAt),
  };
}

/** What of scenarios and parsers could not be loaded. */
export function faultsOf({
  faults,
  detector,
}: Pick<AdminDependencies, 'faults' | 'detector'>): readonly GatewayError[] {
  return faults ?? detector.faults.map(({ error }) => error);
}

/** Whether all is well, and what is not. Also what `/health` answers. */
export function stateOf(
  deps: Pick<
    AdminDependencies,
    'clock' | 'pulse' | 'store' | 'publisher' | 'detector' | 'faults' | 'ruleFaults' | 'reading' | 'upstreams'
  >,
): Pick<StatusModel, 'state' | 'notes'> {
  const pulse = deps.pulse();
  const health = deps.store.health();
  const faults = faultsOf(deps).length + deps.ruleFaults.length;
  const notes: string[] = [];
  const refused = deps.publisher.refused();
  // A file that may not grow still has room for something small.
  if (health.ok && refused > 0)
    notes.push(`the store refuses ${refused} write(s), which are tried again; the log has the cause`);
  if (!health.ok) notes.push(`the store does not answer (${health.message}); the last known decisions are enforced`);
  if (!pulse.decisionsReady) notes.push('the stored decisions are still being read');
  if (faults > 0) notes.push(`${faults} document(s) cannot be used; \`doctor\` names them`);
  for (const { name, state, lastError } of deps.reading().sources) {
    if (state === 'failed') notes.push(`the log source ${name} cannot be read (${lastError ?? 'no cause is known'})`);
  }
  for (const upstream of deps.upstreams?.() ?? []) {
    if (!upstream.ok) notes.push(upstreamTrouble(upstream, deps.clock.now()));
  }
  const state = pulse.draining ? 'draining' : notes.length > 0 ? 'degraded' : 'ok';
  return { state, notes };
}

export function modeOf({ sites }: Pick<AdminDependencies, 'sites'>): StatusModel['mode'] {
  const modes = new Set(sites.sites.map(({ mode }) => mode));
  if (modes.size > 1) return 'mixed';
  return modes.has('observe') ? 'observe' : 'block';
}
