/** `status` */
import { exitStatus } from '../../core/errors.ts';
import type { RuleLayerModel, SourceModel, StatusModel } from '../../gateway/admin/models.ts';
import type { LapiUpstreamModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import type { Colour, Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { absoluteTime } from '../output/times.ts';
import { plural } from '../show.ts';

export const status: Command = {
  name: 'status',
  summary: 'how the running gateway is',
  usage: '',
  examples: [['portcullis status --json', 'for scripts; exits 1 when the gateway is degraded']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway, clock }: Call): Promise<number> {
  const answer = await (await gateway()).ask<StatusModel>('GET', '/v1/status');
  switch (output.format) {
    case 'json':
      output.json(answer);
      break;
    case 'raw':
      output.csv(
        ['state', 'version', 'mode', 'url', 'decisions', 'scenarios', 'uptime_since'],
        [
          [
            answer.state,
            answer.version,
            answer.mode,
            answer.url,
            answer.decisions.total,
            answer.scenarios.loaded,
            answer.started_at,
          ],
        ],
      );
      break;
    case 'human':
      showStatus(output, answer, clock.now());
      break;
    default:
      return output.format satisfies never;
  }
  return answer.state === 'ok' ? exitStatus.ok : exitStatus.failed;
}

const stateColours: Readonly<Record<StatusModel['state'], Colour>> = {
  ok: 'green',
  degraded: 'yellow',
  draining: 'yellow',
};

function showStatus(output: Output, answer: StatusModel, now: number): void {
  output.heading(`Portcullis ${safeText(answer.version)}`);
  const requests = Object.entries(answer.requests).filter(([, count]) => count > 0);
  const scopes = Object.entries(answer.decisions.by_scope).filter(([, count]) => count > 0);
  const detail = scopes.map(([scope, count]) => `${count} ${scope}`).join(', ');
  const faults =
    answer.scenarios.faults > 0 ? output.paint('yellow', `, ${plural(answer.scenarios.faults, 'fault')}`) : '';
  output.pairs([
    ['state', output.paint(stateColours[answer.state], answer.state)],
    ['mode', answer.mode === 'block' ? 'block' : output.paint('yellow', answer.mode)],
    ['gateway', safeText(answer.listen_socket ?? answer.url)],
    ['admin', safeText(answer.admin_url ?? 'off')],
    ['appsec', safeText(answer.appsec_url ?? 'off')],
    ['forward-auth', safeText(answer.forward_auth_url ?? 'off')],
    ['local api', safeText(answer.lapi_urls.join(', ') || 'off')],
    ['settings', safeText(answer.settings_file ?? 'defaults and environment')],
    ['data', safeText(answer.data_folder)],
    ['started', absoluteTime(answer.started_at, now)],
    ['process', `${answer.pid}, ${Math.round(answer.memory_bytes / 1_048_576)} MB, Node ${safeText(answer.node)}`],
    ['decisions', `${answer.decisions.total}${detail === '' ? '' : ` (${detail})`}`],
    ['allowlist', plural(answer.allowlist, 'entry', 'entries')],
    ['scenarios', `${answer.scenarios.loaded}${faults}`],
    ['alerts', `${answer.alerts_raised} since the start`],
    ['requests', requests.map(([outcome, count]) => `${count} ${outcome}`).join(', ') || 'none yet'],
    ['store', safeText([answer.store.name, answer.store.message].filter((part) => part !== '').join(': '))],
  ]);
  output.line();
  output.heading(answer.demo ? 'Sites (demo: no origin is set)' : 'Sites');
  output.table(
    [
      { title: 'NAME', value: ({ name }) => name, flexible: true },
      { title: 'MODE', value: ({ mode }) => mode, colour: ({ mode }) => (mode === 'observe' ? 'yellow' : null) },
      { title: 'ORIGIN', value: ({ origin }) => origin, flexible: true },
    ],
    answer.sites,
  );
  if (answer.waf.layers.length + answer.waf.faults > 0) showRules(output, answer.waf);
  if (answer.upstreams.length > 0) showUpstreams(output, answer.upstreams, now);
  if (answer.sources.length > 0) showSources(output, answer.sources, now);
  for (const note of answer.notes) output.line(`\n${output.paint('yellow', '!')} ${safeText(note)}`);
}

function showRules(output: Output, { layers, faults }: StatusModel['waf']): void {
  const number = (title: string, key: 'rules' | 'requests' | 'refused' | 'observed') => ({
    title,
    value: (layer: RuleLayerModel) => String(layer[key]),
  });
  output.line();
  output.heading('WAF');
  output.table(
    [
      { title: 'RULES', value: ({ name }) => name },
      { title: 'MODE', value: ({ mode }) => mode, colour: ({ mode }) => (mode === 'block' ? null : 'yellow') },
      number('COUNT', 'rules'),
      { title: 'VERSION', value: ({ version }) => version, flexible: true },
      number('REQUESTS', 'requests'),
      number('REFUSED', 'refused'),
      number('OBSERVED', 'observed'),
    ],
    layers,
  );
  const exhausted = layers.reduce((total, layer) => total + layer.exhausted, 0);
  if (exhausted > 0) output.line(output.paint('yellow', `${plural(exhausted, 'request')} ran out of waf.budget`));
  if (faults > 0) output.line(output.paint('yellow', `${plural(faults, 'fault')}: doctor names them`));
}

const sourceColours: Readonly<Record<SourceModel['state'], Colour | null>> = {
  running: null,
  waiting: 'dim',
  ended: 'dim',
  failed: 'red',
};

function showUpstreams(output: Output, upstreams: readonly LapiUpstreamModel[], now: number): void {
  output.line();
  output.heading('Other Local APIs');
  output.table(
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'ADDRESS', value: ({ url }) => url, flexible: true },
      { title: 'MODE', value: ({ mode }) => mode },
      { title: 'STATE', value: ({ ok }) => (ok ? 'ok' : 'away'), colour: ({ ok }) => (ok ? null : 'red') },
      { title: 'DECISIONS', value: ({ mode, decisions }) => (mode === 'agent' ? '' : String(decisions)) },
      {
        title: 'REACHED',
        value: (one) => (one.last_success_at === null ? 'never' : absoluteTime(one.last_success_at, now)),
      },
    ],
    upstreams,
  );
}

function showSources(output: Output, sources: readonly SourceModel[], now: number): void {
  output.line();
  output.heading('Logs');
  output.table(
    [
      { title: 'SOURCE', value: ({ kind }) => kind },
      { title: 'NAME', value: ({ name }) => name, flexible: true },
      { title: 'STATE', value: ({ state }) => state, colour: ({ state }) => sourceColours[state] },
      { title: 'LINES', value: ({ lines }) => String(lines) },
      { title: 'DROPPED', value: ({ dropped }) => String(dropped) },
      { title: 'LAST LINE', value: (one) => (one.last_line_at === null ? '' : absoluteTime(one.last_line_at, now)) },
    ],
    sources,
  );
}
