/** What `waf test` prints: each failure with its request, and the sum as the last line. */
import { relative } from 'node:path';
import type { FtwFailure } from '../../detectors/waf/ftw/run-test.ts';
import { cutTo, safeText } from '../output/safe-text.ts';
import type { Output } from '../output/output.ts';

interface ReportOptions {
  readonly cwd: string;
  /** The tests were named: those that passed are worth a line too. */
  readonly named: boolean;
  /** The whole request of a failure, not only its first line. */
  readonly requests: boolean;
}

/** Columns that the found side of a failure may take on lines of its own. */
const shownFound = 400;

export class WafTestReport {
  private readonly output: Output;
  private readonly options: ReportOptions;
  private readonly failures: FtwFailure[] = [];
  private passed = 0;

  constructor(output: Output, options: ReportOptions) {
    this.output = output;
    this.options = options;
  }

  get failed(): number {
    return this.failures.length;
  }

  get summary(): string {
    return `${this.passed} passed, ${this.failed} failed`;
  }

  /** Whether `add` prints. */
  tells(failure: FtwFailure | null): boolean {
    return this.output.format === 'human' && (this.options.named || failure !== null);
  }

  add(test: string, failure: FtwFailure | null): void {
    if (failure === null) this.passed++;
    else this.failures.push(failure);
    if (!this.tells(failure)) return;
    if (failure !== null) this.show(failure);
    else this.output.line(`${this.output.paint('green', '✓')} ${safeText(test)}`);
  }

  end(): void {
    const { output, failures, passed, failed } = this;
    switch (output.format) {
      case 'json':
        output.json({ passed, failed, failures });
        break;
      case 'raw':
        output.csv(
          ['test', 'stage', 'file', 'line', 'expected', 'found'],
          failures.map((one) => [one.test, one.stage, one.file, one.line, one.expected, one.found]),
        );
        break;
      case 'human':
        output.line(this.summary);
        break;
      default:
        output.format satisfies never;
    }
  }

  private show(failure: FtwFailure): void {
    const { output, options } = this;
    const { test, stage, file, line, description, expected, found, request } = failure;
    const near = relative(options.cwd, file);
    const place = safeText(`${near.startsWith('..') ? file : near}:${line}`);
    const stageText = stage === 1 ? '' : ` stage ${stage}`;
    const name = output.paint('bold', safeText(test) + stageText);
    output.line(`${output.paint('red', '✗')} ${name}  ${output.paint('dim', place)}`);
    if (description !== '') output.line(`  ${safeText(description.split('\n', 1)[0] ?? '')}`);
    output.line(`  expected ${safeText(expected)}`);
    output.line(`  found    ${cutTo(safeText(found), shownFound)}`);
    const lines = options.requests ? request.split(/\r?\n/) : [request.slice(0, shownFound).split(/\r?\n/, 1)[0] ?? ''];
    for (const one of lines) output.line(output.paint('dim', `  | ${safeText(one)}`));
  }
}
