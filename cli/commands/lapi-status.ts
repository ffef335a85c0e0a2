/** `lapi status` */
import { exitStatus } from '../../core/errors.ts';
import type { LapiModel, LapiUpstreamModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { relativeTime } from '../output/times.ts';
import { plural } from '../show.ts';

export const lapiStatus: Command = {
  name: 'lapi status',
  summary: 'show the Local API that is served, and those that are asked',
  usage: '',
  examples: [['portcullis lapi status', 'exits 1 when one that is asked does not answer']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway, clock }: Call): Promise<number> {
  const state = await (await gateway()).ask<LapiModel>('GET', '/v1/lapi');
  switch (output.format) {
    case 'json':
      output.json(state);
      break;
    case 'raw':
      output.csv(
        ['name', 'url', 'mode', 'ok', 'decisions', 'last_success_at', 'message'],
        state.upstreams.map((one) => [
          one.name,
          one.url,
          one.mode,
          one.ok,
          one.decisions,
          one.last_success_at ?? '',
          one.message,
        ]),
      );
      break;
    case 'human':
      showServing(output, state);
      showUpstreams(output, state.upstreams, clock.now());
      break;
    default:
      return output.format satisfies never;
  }
  return state.upstreams.every(({ ok }) => ok) ? exitStatus.ok : exitStatus.failed;
}

function showServing(output: Output, { serving }: LapiModel): void {
  if (serving === null) {
    output.line('No Local API is served: set `lapi.listen` for bouncers and agents to ask this gateway.');
    return;
  }
  const { addresses, bouncers, machines, pending_machines: pending } = serving;
  const waiting = pending === 0 ? '' : output.paint('yellow', `, ${pending} to be agreed to`);
  output.heading('Served here');
  output.pairs([
    ['address', safeText(addresses.join(', '))],
    ['bouncers', String(bouncers)],
    ['machines', `${machines}${waiting}`],
  ]);
}

function showUpstreams(output: Output, upstreams: readonly LapiUpstreamModel[], now: number): void {
  if (upstreams.length === 0) return;
  output.line();
  output.heading(`Asked: ${plural(upstreams.length, 'Local API')}`);
  output.table(
    [
      { title: 'NAME', value: ({ name }) => name, flexible: true },
      { title: 'URL', value: ({ url }) => url, flexible: true },
      { title: 'MODE', value: ({ mode }) => mode },
      { title: 'STATE', value: ({ ok }) => (ok ? 'ok' : 'away'), colour: ({ ok }) => (ok ? 'green' : 'red') },
      {
        title: 'DECISIONS',
        value: ({ mode, decisions }) => (mode === 'agent' ? '' : String(decisions)),
        align: 'right',
      },
      {
        title: 'ANSWERED',
        value: ({ last_success_at: at }) => (at === null ? 'never' : relativeTime(at, now)),
      },
      { title: 'MESSAGE', value: ({ message }) => message, flexible: true },
    ],
    upstreams,
  );
}
