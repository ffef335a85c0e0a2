/** What `appsec test` prints: each test that fails with its requests, and the sum as the last line. */
import { relative } from 'node:path';
import type { AppSecTestFailure, AppSecTestResult } from '../../detectors/waf/appsec-tests/appsec-tester.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

interface ReportOptions {
  readonly cwd: string;
  /** The tests were named: those that passed are worth a line too. */
  readonly named: boolean;
}

export class AppSecTestReport {
  private readonly output: Output;
  private readonly options: ReportOptions;
  private readonly results: AppSecTestResult[] = [];

  constructor(output: Output, options: ReportOptions) {
    this.output = output;
    this.options = options;
  }

  get failed(): number {
    return this.results.filter(({ outcome }) => outcome === 'failed').length;
  }

  get summary(): string {
    return `${this.results.length - this.failed} passed, ${this.failed} failed`;
  }

  /** Whether `add` prints. */
  tells({ outcome }: AppSecTestResult): boolean {
    return this.output.format === 'human' && (this.options.named || outcome === 'failed');
  }

  add(result: AppSecTestResult): void {
    this.results.push(result);
    if (this.tells(result)) this.show(result);
  }

  end(): void {
    const { output, results } = this;
    const failures = results.flatMap(({ name, failures: own }) => own.map((failure) => ({ test: name, ...failure })));
    switch (output.format) {
      case 'json':
        output.json({
          passed: results.length - this.failed,
          failed: this.failed,
          requests: results.reduce((sum, { requests }) => sum + requests, 0),
          failures,
        });
        break;
      case 'raw':
        output.csv(
          ['test', 'file', 'request', 'expected', 'found'],
          failures.map(({ test, file, request, expected, found }) => [test, file, request, expected, found]),
        );
        break;
      case 'human':
        output.line(this.summary);
        break;
      default:
        output.format satisfies never;
    }
  }

  private show({ name, outcome, requests, failures }: AppSecTestResult): void {
    const { output } = this;
    if (outcome === 'passed') {
      output.line(
        `${output.paint('green', '✓')} ${safeText(name)}  ${output.paint('dim', plural(requests, 'request'))}`,
      );
      return;
    }
    output.line(`${output.paint('red', '✗')} ${output.paint('bold', safeText(name))}`);
    for (const [index, failure] of failures.entries()) this.showFailure(failure, failures[index - 1]);
  }

  /** What the requests of one template have in common is said once. */
  private showFailure({ file, request, expected, found }: AppSecTestFailure, before?: AppSecTestFailure): void {
    const { output, options } = this;
    if (file !== before?.file) {
      const near = relative(options.cwd, file);
      output.line(`  ${output.paint('dim', safeText(near.startsWith('..') ? file : near))}`);
    }
    if (expected !== '' && expected !== before?.expected) output.line(`    expected ${safeText(expected)}`);
    if (request !== '') output.line(`    ${safeText(request)}`);
    for (const line of found.split('\n')) output.line(`      ${output.paint('red', safeText(line))}`);
  }
}
