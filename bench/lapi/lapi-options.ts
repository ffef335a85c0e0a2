/** The flags of `bench lapi`. */
import { parseArgs } from 'node:util';
import { GatewayError, messageOf } from '../../core/errors.ts';

export interface LapiBenchOptions {
  /** Names of peers, or null for all. */
  readonly peers: readonly string[] | null;
  readonly decisions: number;
  /** CrowdSec keeps fewer, or this takes the day. */
  readonly crowdsecDecisions: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly connections: number;
  readonly bouncers: number;
  readonly alerts: number;
  readonly visitorsPerSecond: number;
  readonly serverCore: number;
  readonly loadCore: number;
  readonly cpuProf: string | null;
  readonly json: boolean;
}

export const lapiUsage = `npm run bench -- lapi [flags]

  --peers a,b               only these (crowdsec, portcullis)
  --decisions 1200000       decisions that Portcullis holds
  --crowdsec-decisions 100000  decisions that CrowdSec holds
  --rounds 5                of each measurement
  --seconds 4               measured time of live questions and of visitors
  --warmup 2                time before it
  --connections 16          connections with live questions, one in flight on each
  --bouncers 100            bouncers that poll each second while alerts arrive
  --alerts 400              alerts of a round
  --visitors 300            visitors of a site a second, while a bouncer reads the stream from the start
  --server-core 0           core of the measured process
  --load-core 1             core of the load
  --quick                   100,000 decisions, one short round of each
  --cpu-prof DIR            write CPU profiles of Portcullis there
  --json                    figures as JSON on standard output
`;

/** Null when help was asked for. Throws USAGE, naming the flag. */
export function readLapiOptions(args: readonly string[]): LapiBenchOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const { quick } = values;
  return {
    peers: values.peers?.split(',').map((name) => name.trim()) ?? null,
    decisions: within('decisions', values.decisions ?? (quick ? '100000' : '1200000'), 2_000, 5_000_000),
    crowdsecDecisions: within(
      'crowdsec-decisions',
      values['crowdsec-decisions'] ?? (quick ? '5000' : '100000'),
      2_000,
      1_000_000,
    ),
    rounds: within('rounds', values.rounds ?? (quick ? '1' : '5'), 1, 100),
    seconds: within('seconds', values.seconds ?? (quick ? '1' : '4'), 1, 600),
    warmupSeconds: within('warmup', values.warmup ?? (quick ? '1' : '2'), 0, 600),
    connections: within('connections', values.connections, 1, 1_000),
    bouncers: within('bouncers', values.bouncers ?? (quick ? '10' : '100'), 1, 1_000),
    alerts: within('alerts', values.alerts ?? (quick ? '50' : '400'), 10, 10_000),
    visitorsPerSecond: within('visitors', values.visitors, 1, 10_000),
    serverCore: within('server-core', values['server-core'], 0, 4_096),
    loadCore: within('load-core', values['load-core'], 0, 4_096),
    cpuProf: values['cpu-prof'] ?? null,
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        peers: { type: 'string' },
        decisions: { type: 'string' },
        'crowdsec-decisions': { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        warmup: { type: 'string' },
        connections: { type: 'string', default: '16' },
        bouncers: { type: 'string' },
        alerts: { type: 'string' },
        visitors: { type: 'string', default: '300' },
        'server-core': { type: 'string', default: '0' },
        'load-core': { type: 'string', default: '1' },
        quick: { type: 'boolean', default: false },
        'cpu-prof': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new GatewayError('USAGE', messageOf(error), { cause: error });
  }
}

function within(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new GatewayError('USAGE', `--${flag} takes whole numbers from ${min} to ${max}, not ${text}`);
}
