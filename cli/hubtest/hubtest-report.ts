/** What `hubtest` prints: a line a test, the assertions that do not hold, and the sum. */
import { relative } from 'node:path';
import type { HubTestFailure } from '../../detectors/hubtest/assertions.ts';
import type { HubTestResult } from '../../detectors/hubtest/hub-tester.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

/** Failures that are shown of one test unless all are asked for. */
const shownFailures = 10;

interface ReportOptions {
  readonly cwd: string;
  /** The tests were named: those that passed are worth a line too. */
  readonly named: boolean;
  readonly all: boolean;
}

export class HubtestReport {
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

  /** Whether `add` prints: of the tests that nobody named, those that did not pass. */
  tells({ outcome }: HubTestResult): boolean {
    return this.output.format === 'human' && (this.options.named || outcome !== 'passed');
  }

  add(result: HubTestResult): void {
    this.results.push(result);
    if (this.tells(result)) this.show(result);
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
