/** Scenarios as `explain` shows them: those that count the event with their bucket, the others with what decided against them. */
import { type ClauseExplanation, decidingClause } from '../../detectors/expr/explain-clauses.ts';
import type { ScenarioExplanation } from '../../detectors/scenarios/scenario-explainer.ts';
import type { Colour, Output } from '../output/output.ts';
import { cutTo, safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

export interface ScenarioTreeOptions {
  /** Every clause of every scenario. */
  readonly all: boolean;
  /** Also those that do not count the event, each with its reason. */
  readonly every: boolean;
  /** What is counted: `request`, `line`. */
  readonly what: string;
}

export function showScenarios(
  output: Output,
  scenarios: readonly ScenarioExplanation[],
  { all, every, what }: ScenarioTreeOptions,
): void {
  const matched = scenarios.filter((one) => one.matched);
  const others = scenarios.filter((one) => !one.matched);
  output.line();
  output.line(
    matched.length === 0
      ? `No scenario counts this ${what}.`
      : `${plural(matched.length, 'scenario counts', 'scenarios count')} this ${what}:`,
  );
  for (const one of matched) showMatched(output, one, all, what === 'request');
  if (others.length === 0) return;
  output.line();
  if (!all && !every) {
    output.line(output.paint('dim', `${plural(others.length, 'scenario does', 'scenarios do')} not; --all shows why.`));
    return;
  }
  output.line(`${plural(others.length, 'scenario does', 'scenarios do')} not:`);
  for (const one of others) {
    if (all) showTree(output, one);
    else showReason(output, one);
  }
  if (!all) output.line(output.paint('dim', '\n--all shows every clause.'));
}

function showMatched(output: Output, one: ScenarioExplanation, all: boolean, withPhase: boolean): void {
  output.line();
  output.line(
    `${output.paint('green', '✓')} ${output.paint('bold', safeText(one.name))}  ${output.paint('dim', safeText(one.description))}`,
  );
  const consequence = one.remediation
    ? one.simulated
      ? 'an alert (simulated)'
      : 'an alert and a decision'
    : 'an alert only';
  output.pairs(
    [
      ['counts', safeText(firesWhen(one, consequence))],
      ['judged', withPhase ? phaseWords[one.phase] : ''],
      ['grouped by', one.bucket === null || one.bucket === '' ? '' : safeText(one.bucket)],
      ['distinct', one.distinct === null ? '' : safeText(one.distinct)],
    ],
    '  ',
  );
  if (all) showClauses(output, one.filter, '  ');
}

function firesWhen({ type, capacity, leakspeed }: ScenarioExplanation, consequence: string): string {
  switch (type) {
    case 'trigger':
      return `each one raises ${consequence}`;
    case 'leaky':
      return `number ${capacity + 1} raises ${consequence}; one is forgotten every ${leakspeed}`;
    case 'counter':
      return `when its time is up, all together raise ${consequence}`;
    case 'conditional':
      return `when its condition holds, ${consequence}; all are forgotten after ${leakspeed} without another`;
    case 'bayesian':
      return `when they weigh more than its threshold, ${consequence}`;
    default:
      return type satisfies never;
  }
}

const phaseWords = { request: 'before the request is passed on', response: 'after its response' } as const;

const longestClause = 100;

function showReason(output: Output, one: ScenarioExplanation): void {
  output.line(`  ${output.paint('dim', '·')} ${safeText(one.name)}`);
  output.line(`      ${reasonAgainst(output, one.filter, output.columns - 6)}`);
}

/** `not: evt.Meta.log_type == 'http' (evt.Meta.log_type is "ssh")`, in at most `room` cells. */
export function reasonAgainst(output: Output, filter: ClauseExplanation, room: number): string {
  const clause = decidingClause(filter);
  if (clause === null) return '';
  const words = cutTo(safeText(oneLine(clause.text)), Math.max(20, Math.min(longestClause, room - 5)));
  const problem = clause.outcome === 'error' ? output.paint('yellow', ` (${safeText(clause.message)})`) : '';
  const seen = clause.values.map(
    ([path, value]) => `${path} is ${value === '' ? 'empty' : `"${safeText(cutTo(value, 40))}"`}`,
  );
  const values = seen.length > 0 && seen.length <= 3 ? `  ${seen.join(', ')}` : '';
  return `${output.paint('dim', `not: ${words}`)}${problem}${output.paint('cyan', values)}`;
}

function showTree(output: Output, one: ScenarioExplanation): void {
  output.line();
  output.line(`${output.paint('dim', '·')} ${output.paint('bold', safeText(one.name))}`);
  showClauses(output, one.filter, '  ');
}

/** One clause and what it is made of, as a tree; `first` stands before it, `rest` before what is below it. */
function showClauses(output: Output, clause: ClauseExplanation, first: string, rest = first): void {
  const [mark, colour] = marks[clause.outcome];
  const start = `${first}${output.paint(colour, mark)}`;
  if (clause.joined === null) {
    const room = Math.min(longestClause, output.columns - first.length - 2);
    const problem = clause.message === '' ? '' : output.paint('yellow', `  ${safeText(clause.message)}`);
    output.line(`${start} ${cutTo(safeText(oneLine(clause.text)), room)}${problem}`);
    return;
  }
  output.line(`${start} ${output.paint('dim', clause.joined === 'and' ? 'all of' : 'one of')}`);
  for (const [index, part] of clause.parts.entries()) {
    const last = index === clause.parts.length - 1;
    showClauses(output, part, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`);
  }
}

const marks: Readonly<Record<ClauseExplanation['outcome'], readonly [mark: string, colour: Colour]>> = {
  true: ['✓', 'green'],
  false: ['✗', 'red'],
  error: ['!', 'yellow'],
  unreached: ['·', 'dim'],
};

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
