/**
 * `bench pumped`: what texts that are hard on a pattern cost the Core Rule Set at its strictest level, all of them in every place. In
 * this process, by its processor time; the slowest by name.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitStatus, GatewayError, messageOf } from '../../core/errors.ts';
import { enableLinearEngine } from '../../detectors/regex/linear-engine.ts';
import { pumped } from '../../test/support/pumped-inputs.ts';
import {
  openStrictRules,
  pumpedLengths,
  pumpedPlaces,
  type PumpedRun,
  pumpsOfRules,
  runPumped,
} from '../../test/support/pumped-requests.ts';
import { seeded } from '../../test/support/seeded.ts';

const usage = `npm run bench -- pumped [flags]

  --share 0.05       share of all requests that are run (1: all, about an hour)
  --seed 1           of the texts, and of the share
  --slowest 20       how many are named
  --core-rules DIR   the Core Rule Set (default: $PORTCULLIS_SUITES/crs)
`;

interface Slow extends PumpedRun {
  readonly about: string;
}

/** Runs it; the exit status. Throws USAGE on a wrong flag. */
export function benchPumped(args: readonly string[]): number {
  const flags = parse(args);
  if (flags.help) {
    process.stderr.write(usage);
    return exitStatus.ok;
  }
  enableLinearEngine();
  const suites = process.env.PORTCULLIS_SUITES ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data');
  const { rules, budgetMs } = openStrictRules(flags['core-rules'] ?? join(suites, 'crs'));
  const random = seeded(numberOf('seed', flags.seed));
  const share = numberOf('share', flags.share);
  const { patterns, pumps } = pumpsOfRules(rules, random);
  process.stdout.write(`${patterns} patterns, ${pumps.length} texts, budget ${budgetMs} ms\n`);
  for (const length of pumpedLengths) {
    const runs: Slow[] = [];
    for (const pump of pumps) {
      for (const place of pumpedPlaces) {
        if (random() >= share) continue;
        const run = runPumped(rules, place, pumped(pump, length));
        runs.push({ ...run, about: `${place}, rule ${pump.ruleId}, ${pump.name.slice(0, 80)}` });
      }
    }
    print(length, runs, numberOf('slowest', flags.slowest));
  }
  return exitStatus.ok;
}

function print(length: number, runs: readonly Slow[], slowest: number): void {
  const sorted = runs.toSorted((one, other) => other.ms - one.ms);
  const above = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)]?.ms ?? 0).toFixed(1);
  const exhausted = runs.filter((run) => run.exhausted).length;
  const figures = `median ${above(0.5)}, 99 % ${above(0.01)}, 99.9 % ${above(0.001)}, most ${above(0)} ms`;
  process.stdout.write(`\n${length} characters: ${runs.length} requests, ${figures}; ${exhausted} out of time\n`);
  for (const { ms, about } of sorted.slice(0, slowest)) process.stdout.write(`  ${ms.toFixed(1)} ms  ${about}\n`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        share: { type: 'string', default: '0.05' },
        seed: { type: 'string', default: '1' },
        slowest: { type: 'string', default: '20' },
        'core-rules': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new GatewayError('USAGE', messageOf(error), { cause: error });
  }
}

function numberOf(flag: string, text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new GatewayError('USAGE', `--${flag} takes a number, not ${text}`);
}
