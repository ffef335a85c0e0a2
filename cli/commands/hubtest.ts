/** `hubtest`: runs a hub's own tests as they are and says which assertions do not hold. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { closest } from '../../config/closest.ts';
import type { Clock } from '../../core/clock.ts';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { HubTestFailure } from '../../detectors/hubtest/assertions.ts';
import type { HubTester, HubTestResult } from '../../detectors/hubtest/hub-tester.ts';
import type { Call, Command, Given } from '../command.ts';
import type { Io } from '../io.ts';
import type { Output } from '../output/output.ts';
import { cutTo, safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

export const hubtest: Command = {
  name: 'hubtest',
  summary: "run a hub's own tests of its parsers and scenarios",
  usage: '[--hub <folder>] [--tests <folder>] [name…]',
  examples: [
    ['portcullis hubtest --hub ./hub', 'all tests of a checkout; exits 1 when one fails'],
    ['portcullis hubtest --hub ./hub ssh-bf nginx-logs', 'two of them'],
    ['portcullis hubtest --hub ./hub --data ./sec-lists --data ./geoip', 'with lists and MaxMind databases from there'],
  ],
  options: {
    hub: { type: 'string', placeholder: '<folder>', help: 'the hub: a checkout, with its .index.json (.)' },
    tests: { type: 'string', placeholder: '<folder>', help: 'the test folders (.tests in the hub)' },
    data: {
      type: 'string',
      multiple: true,
      placeholder: '<folder>',
      help: 'where data files lie, besides data in the hub and sec-lists beside it or the tests',
    },
    today: {
      type: 'string',
      placeholder: '<YYYY-MM-DD>',
      help: 'the day that log dates without a year are read on (the real one)',
    },
    all: { type: 'boolean', short: 'a', help: 'every failed assertion of a test, not only the first ten' },
  },
  positionals: { least: 0, most: Number.POSITIVE_INFINITY },
  run,
};

async function run({ io, output, given, clock }: Call): Promise<number> {
  const started = clock.monotonic();
  const tester = await openTester(io, given, clockOf(given.text('today'), clock));
  const names = chosenNames(tester, given.positionals);
  const report = new Report(output, { cwd: io.cwd, named: given.positionals.length > 0, all: given.flag('all') });
  const progress = createProgress(io, output, names.length);
  try {
    for (const name of names) {
      progress.show(name);
      const result = await tester.run(name);
      progress.clear();
      report.add(result);
    }
  } finally {
    tester.close();
  }
  report.end((clock.monotonic() - started) / 1_000);
  if (output.format !== 'human') io.stderr.write(`${report.summary}\n`);
  return report.failed === 0 ? exitStatus.ok : exitStatus.failed;
}

/** Assertions with a year in them hold in the year in which they were written. */
function clockOf(today: string | undefined, clock: Clock): Clock {
  if (today === undefined) return clock;
  const start = /^\d{4}-\d\d-\d\d$/.test(today) ? Date.parse(today) : Number.NaN;
  if (Number.isNaN(start)) {
    throw new GatewayError('USAGE', `--today: "${today}" is no date`, { remedy: 'Write it as 2026-08-22.' });
  }
  const since = clock.monotonic();
  return { ...clock, now: () => Math.floor(start + clock.monotonic() - since) };
}

async function openTester({ cwd }: Io, given: Given, clock: Clock): Promise<HubTester> {
  const hub = resolve(cwd, given.text('hub') ?? '.');
  const chosen = given.text('tests');
  const own = ['.tests', 'tests'].map((name) => join(hub, name));
  const tests =
    chosen === undefined ? (own.find((path) => existsSync(path)) ?? join(hub, '.tests')) : resolve(cwd, chosen);
  const dataFolders = [
    ...given.texts('data').map((folder) => resolve(cwd, folder)),
    join(hub, 'data'),
    join(hub, '..', 'sec-lists'),
    join(tests, '..', '..', 'sec-lists'),
  ];
  // Loaded only here: the other verbs start faster without the engine.
  const [{ createHubTester }, { createLog }, { createSystemRandom }] = await Promise.all([
    import('../../detectors/hubtest/hub-tester.ts'),
    import('../../core/log.ts'),
    import('../../core/random.ts'),
  ]);
  const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  return createHubTester({ hub, tests, dataFolders }, runtime);
}

function chosenNames({ names }: HubTester, given: readonly string[]): readonly string[] {
  if (given.length === 0) {
    if (names.length > 0) return names;
    throw new GatewayError('HUBTEST_INVALID', 'no folder in there has a config.yaml', {
      remedy: 'Give the folder that holds the test folders with --tests.',
    });
  }
  const known = new Set(names);
  for (const name of given) {
    if (known.has(name)) continue;
    const near = closest(name, names);
    throw new GatewayError('NOT_FOUND', `there is no test "${name}"${near === null ? '' : `. Did you mean ${near}?`}`, {
      remedy: 'A test is a folder with a config.yaml; without names, all are run.',
    });
  }
  return [...new Set(given)];
}

interface Progress {
  show(name: string): void;
  clear(): void;
}

/** One line that is written over, where a person looks. */
function createProgress({ stderr }: Io, output: Output, total: number): Progress {
  if (stderr.isTTY !== true || output.format !== 'human') return { show: () => undefined, clear: () => undefined };
  let done = 0;
  return {
    show(name) {
      const text = `${String(++done).padStart(String(total).length)}/${total} ${safeText(name)}`;
      stderr.write(cutTo(text, (stderr.columns ?? 80) - 1));
    },
    clear: () => stderr.write('\r\x1b[2K'),
  };
}

/** Failures that are shown of one test unless all are asked for. */
const shownFailures = 10;

interface ReportOptions {
  readonly cwd: string;
  /** The tests were named: those that passed are worth a line too. */
  readonly named: boolean;
  readonly all: boolean;
}

class Report {
  private readonly output: Output;
  private readonly options: ReportOptions;
  private readonly results: HubTestResult[] = [];

  constructor(output: Output, options: ReportOptions) {
    this.output = output;
    this.options = options;
  }

  get failed(): number {
    return this.count('failed');
  }

  get summary(): string {
    const skipped = this.count('skipped');
    const more = skipped === 0 ? '' : `, ${skipped} skipped`;
    return `hubtest: ${this.count('passed')} passed, ${this.failed} failed${more}`;
  }

  add(result: HubTestResult): void {
    this.results.push(result);
    if (this.output.format === 'human') this.show(result);
  }

  end(seconds: number): void {
    const { output, results } = this;
    const sum = (of: (result: HubTestResult) => number): number => results.reduce((all, one) => all + of(one), 0);
    const [assertions, lines] = [sum((one) => one.assertions), sum((one) => one.lines)];
    switch (output.format) {
      case 'json':
        output.json({
          passed: this.count('passed'),
          failed: this.failed,
          skipped: this.count('skipped'),
          assertions,
          lines,
          tests: results.map((result) => ({ ...result, failures: result.failures.map(plainFailure) })),
        });
        break;
      case 'raw':
        output.csv(['test', 'outcome', 'file', 'line', 'assertion', 'found', 'reason'], results.flatMap(csvRows));
        break;
      case 'human':
        output.line(
          output.paint(
            'dim',
            `${plural(assertions, 'assertion')} on ${plural(lines, 'line')} of logs, in ${seconds.toFixed(1)} s`,
          ),
        );
        output.line(this.summary);
        break;
      default:
        output.format satisfies never;
    }
  }

  private count(outcome: HubTestResult['outcome']): number {
    return this.results.filter((result) => result.outcome === outcome).length;
  }

  private show({ name, outcome, reason, assertions, failures }: HubTestResult): void {
    const { output } = this;
    switch (outcome) {
      case 'passed':
        if (!this.options.named) return;
        output.line(
          `${output.paint('green', '✓')} ${safeText(name)}  ${output.paint('dim', plural(assertions, 'assertion'))}`,
        );
        return;
      case 'skipped':
        output.line(
          `${output.paint('yellow', '-')} ${safeText(name)}  ${output.paint('dim', `skipped: ${safeText(reason)}`)}`,
        );
        return;
      case 'failed':
        output.line(`${output.paint('red', '✗')} ${output.paint('bold', safeText(name))}`);
        this.showFailures(failures);
        return;
      default:
        outcome satisfies never;
    }
  }

  private showFailures(failures: readonly HubTestFailure[]): void {
    const { output } = this;
    const shown = this.options.all ? failures : failures.slice(0, shownFailures);
    for (const { file, line, assertion, found, reason } of shown) {
      const near = relative(this.options.cwd, file);
      const place = `${near.startsWith('..') ? file : near}${line === 0 ? '' : `:${line}`}`;
      const isFalse = reason === 'is false';
      output.line(`  ${output.paint('dim', safeText(place))}`);
      if (assertion !== '') output.line(`    ${safeText(assertion)}`);
      output.line(`    ${output.paint('red', isFalse ? `found ${safeText(valueText(found))}` : safeText(reason))}`);
    }
    const more = failures.length - shown.length;
    if (more > 0) output.line(output.paint('dim', `  and ${plural(more, 'more failure')} (--all shows them)`));
  }
}

/** A failure as JSON has it: Go's integers are numbers. */
function plainFailure(failure: HubTestFailure): HubTestFailure {
  return { ...failure, found: JSON.parse(valueText(failure.found)) as unknown };
}

function valueText(value: unknown): string {
  return JSON.stringify(value ?? null, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
}

function csvRows({ name, outcome, reason, failures }: HubTestResult): readonly (readonly (string | number)[])[] {
  if (failures.length === 0) return [[name, outcome, '', '', '', '', reason]];
  return failures.map((failure) => [
    name,
    outcome,
    failure.file,
    failure.line,
    failure.assertion,
    valueText(failure.found),
    failure.reason,
  ]);
}
