/** The flags of `bench engine`. */
import { parseArgs } from 'node:util';
import { GatewayError, messageOf } from '../../core/errors.ts';

export interface EngineBenchOptions {
  readonly seed: number;
  /** Lines for Portcullis and fail2ban. */
  readonly lines: number;
  /** Lines for CrowdSec, from the beginning of the same log; the alerts are compared on these. */
  readonly peerLines: number;
  readonly rounds: number;
  /** Null leaves it to the kernel. */
  readonly core: number | null;
  /** Folders in CrowdSec's layout; null: where the tests find their suites. */
  readonly items: string | null;
  readonly hub: string | null;
  readonly lists: string | null;
  readonly cacheFolder: string | null;
  readonly peers: boolean;
  /** Run CrowdSec even when its result for this log is known. */
  readonly fresh: boolean;
  /** Folder for CPU profiles of Portcullis, or null. */
  readonly cpuProf: string | null;
  readonly json: boolean;
}

export const engineUsage = `npm run bench -- engine [flags]

  --lines 200000      lines of the generated log
  --peer-lines 20000  lines of it for CrowdSec, which does some hundred a second; alerts are compared on these
  --rounds 3          runs of each row; the median counts
  --seed 1            of the log
  --core 0            core of the measured process; none leaves it to the kernel
  --items DIR         parsers, scenarios and data of the first row (shared/data/oracle-items)
  --hub DIR           a checkout of the hub, for the second row and live requests (shared/data/hub)
  --lists DIR         its data files (shared/data/sec-lists)
  --cache DIR         where peers and logs are kept between runs
  --no-peers          Portcullis alone, no comparison
  --fresh             run CrowdSec even when its result for this log is kept
  --cpu-prof DIR      write CPU profiles of Portcullis there
  --json              figures as JSON on standard output
`;

/** Null when help was asked for. Throws USAGE, naming the flag. */
export function readEngineOptions(args: readonly string[]): EngineBenchOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const lines = whole('lines', values.lines, 1);
  return {
    seed: whole('seed', values.seed, 0),
    lines,
    peerLines: Math.min(lines, whole('peer-lines', values['peer-lines'], 1)),
    rounds: whole('rounds', values.rounds, 1),
    core: values.core === 'none' ? null : whole('core', values.core, 0),
    items: values.items ?? null,
    hub: values.hub ?? null,
    lists: values.lists ?? null,
    cacheFolder: values.cache ?? null,
    peers: !values['no-peers'],
    fresh: values.fresh,
    cpuProf: values['cpu-prof'] ?? null,
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        lines: { type: 'string', default: '200000' },
        'peer-lines': { type: 'string', default: '20000' },
        rounds: { type: 'string', default: '3' },
        seed: { type: 'string', default: '1' },
        core: { type: 'string', default: '0' },
        items: { type: 'string' },
        hub: { type: 'string' },
        lists: { type: 'string' },
        cache: { type: 'string' },
        'no-peers': { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        'cpu-prof': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new GatewayError('USAGE', messageOf(error), { cause: error });
  }
}

function whole(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new GatewayError('USAGE', `--${flag} takes a whole number from ${least} on, not ${text}`);
}
