/** The flags of `bench proxy`. */
import { parseArgs } from 'node:util';
import { GatewayError, messageOf } from '../core/errors.ts';

export interface ProxyBenchOptions {
  /** Names of peers, or null for all. */
  readonly peers: readonly string[] | null;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly connections: number;
  /** Decisions that Portcullis has loaded. */
  readonly decisions: number;
  readonly proxyCore: number;
  readonly loadCore: number;
  readonly json: boolean;
  /** Folder for CPU profiles of Portcullis, or null. */
  readonly cpuProf: string | null;
  /** Instead of a measurement: the resident memory of an idle Portcullis. */
  readonly probeIdle: boolean;
}

export const proxyUsage = `npm run bench -- proxy [flags]

  --peers a,b       only these (nginx, haproxy, caddy, http-proxy-3, undici, bare-node,
                    portcullis, portcullis-undici)
  --rounds 5        rounds; each measures every peer once, in rotated order
  --seconds 4       measured time per peer and round
  --warmup 1        time before it, per peer and round
  --connections 32  keep-alive connections, one request in flight on each
  --decisions 1200000  decisions that Portcullis has loaded
  --proxy-core 0    core of the measured process
  --load-core 1     core of load and origin
  --cpu-prof DIR    write CPU profiles of Portcullis there
  --probe-idle      report the memory of an idle Portcullis with no and with all decisions, and stop
  --json            figures as JSON on standard output
`;

/** Null when help was asked for. Throws USAGE, naming the flag. */
export function readProxyOptions(args: readonly string[]): ProxyBenchOptions | null {
  const values = parse(args);
  if (values.help) return null;
  return {
    peers: values.peers?.split(',').map((name) => name.trim()) ?? null,
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    warmupSeconds: positive('warmup', values.warmup),
    connections: positive('connections', values.connections),
    decisions: whole('decisions', values.decisions),
    proxyCore: whole('proxy-core', values['proxy-core']),
    loadCore: whole('load-core', values['load-core']),
    json: values.json,
    cpuProf: values['cpu-prof'] ?? null,
    probeIdle: values['probe-idle'],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        peers: { type: 'string' },
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '4' },
        warmup: { type: 'string', default: '1' },
        connections: { type: 'string', default: '32' },
        decisions: { type: 'string', default: '1200000' },
        'proxy-core': { type: 'string', default: '0' },
        'load-core': { type: 'string', default: '1' },
        'cpu-prof': { type: 'string' },
        'probe-idle': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new GatewayError('USAGE', messageOf(error), { cause: error });
  }
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new GatewayError('USAGE', `--${flag} takes a number above zero, not ${text}`);
}

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new GatewayError('USAGE', `--${flag} takes a whole number, not ${text}`);
}
