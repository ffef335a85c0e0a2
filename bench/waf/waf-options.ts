/** The flags of `bench waf`. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GatewayError, messageOf } from '../../core/errors.ts';

export interface WafBenchOptions {
  /** Names of peers, or null for all. */
  readonly peers: readonly string[] | null;
  readonly paranoia: readonly number[];
  readonly parts: readonly Part[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Of the growth chart. */
  readonly sizes: readonly number[];
  readonly growthRounds: number;
  readonly growthSeconds: number;
  readonly connections: number;
  readonly seed: number;
  readonly coreRules: string;
  readonly proxyCore: number;
  readonly loadCore: number;
  /** Where to write the growth chart as SVG, or null. */
  readonly chart: string | null;
  readonly cpuProf: string | null;
  readonly json: boolean;
}

export type Part = 'mix' | 'growth';

const suites = process.env.PORTCULLIS_SUITES ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data');

export const wafUsage = `npm run bench -- waf [flags]

  --peers a,b          only these (nginx+modsecurity3, apache+modsecurity2, portcullis)
  --paranoia 1,4       paranoia levels of the mix; growth is measured at the first
  --parts mix,growth   what is measured
  --rounds 3           rounds of the mix; each measures every peer once, in rotated order
  --seconds 3          measured time per peer, traffic and round
  --warmup 0.5         time before it; before all rounds, each peer warms up ten times as long
  --sizes 100,1000,10000,100000  bytes of the bodies of the growth chart
  --growth-rounds 2    rounds of the growth chart
  --growth-seconds 1   measured time per peer, format, size and round
  --connections 8      keep-alive connections, one request in flight on each
  --seed 1             of the requests
  --core-rules DIR     the Core Rule Set (default: $PORTCULLIS_SUITES/crs)
  --proxy-core 0       core of the measured process
  --load-core 1        core of load and origin
  --quick              one short round of each: below two minutes
  --chart FILE         write the growth chart there, as SVG
  --cpu-prof DIR       write CPU profiles of Portcullis there
  --json               figures as JSON on standard output
`;

/** Null when help was asked for. Throws USAGE, naming the flag. */
export function readWafOptions(args: readonly string[]): WafBenchOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const quick = values.quick;
  return {
    peers: values.peers === undefined ? null : list(values.peers),
    paranoia: list(values.paranoia).map((text) => within('paranoia', text, 1, 4)),
    parts: list(values.parts).map(readPart),
    rounds: within('rounds', values.rounds ?? (quick ? '1' : '3'), 1, 100),
    seconds: positive('seconds', values.seconds ?? (quick ? '1.5' : '3')),
    warmupSeconds: positive('warmup', values.warmup ?? (quick ? '0.3' : '0.5')),
    sizes: list(values.sizes).map((text) => within('sizes', text, 50, 130_000)),
    growthRounds: within('growth-rounds', values['growth-rounds'] ?? (quick ? '1' : '2'), 1, 100),
    growthSeconds: positive('growth-seconds', values['growth-seconds'] ?? (quick ? '0.5' : '1')),
    connections: within('connections', values.connections, 1, 1_000),
    seed: within('seed', values.seed, 0, 2 ** 31),
    coreRules: resolve(values['core-rules'] ?? join(suites, 'crs')),
    proxyCore: within('proxy-core', values['proxy-core'], 0, 4_096),
    loadCore: within('load-core', values['load-core'], 0, 4_096),
    chart: values.chart ?? null,
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
        paranoia: { type: 'string', default: '1,4' },
        parts: { type: 'string', default: 'mix,growth' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        warmup: { type: 'string' },
        sizes: { type: 'string', default: '100,1000,10000,100000' },
        'growth-rounds': { type: 'string' },
        'growth-seconds': { type: 'string' },
        connections: { type: 'string', default: '8' },
        seed: { type: 'string', default: '1' },
        'core-rules': { type: 'string' },
        'proxy-core': { type: 'string', default: '0' },
        'load-core': { type: 'string', default: '1' },
        quick: { type: 'boolean', default: false },
        chart: { type: 'string' },
        'cpu-prof': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new GatewayError('USAGE', messageOf(error), { cause: error });
  }
}

function list(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim());
}

function readPart(text: string): Part {
  if (text === 'mix' || text === 'growth') return text;
  throw new GatewayError('USAGE', `--parts takes mix and growth, not ${text}`);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new GatewayError('USAGE', `--${flag} takes a number above zero, not ${text}`);
}

function within(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new GatewayError('USAGE', `--${flag} takes whole numbers from ${min} to ${max}, not ${text}`);
}
