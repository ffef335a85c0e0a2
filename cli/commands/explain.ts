/** `explain` */
import { exitStatus } from '../../core/errors.ts';
import type { ExplainModel } from '../../gateway/admin/models.ts';
import type { ClauseExplanation, ScenarioExplanation } from '../../gateway/admin/scenario-explainer.ts';
import type { Call, Command } from '../command.ts';
import type { Colour, Output } from '../output/output.ts';
import { cutTo, safeText } from '../output/safe-text.ts';
import { plural, verdictLine } from '../show.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'which scenarios a request matches, and why not the others',
  usage: '<access log line | URL>',
  examples: [
    ['portcullis explain /.env', 'a path, as a GET'],
    ['portcullis explain https://shop.example/login --method POST --status 401', 'a request with its answer'],
    ['portcullis explain "$(tail -1 access.log)"', 'a line of the access log'],
  ],
  options: {
    method: { type: 'string', short: 'm', placeholder: '<method>', help: 'the method of a URL (GET)' },
    status: {
      type: 'string',
      placeholder: '<status>',
      help: 'what the origin answered; without it, scenarios that read it stay open',
    },
    'user-agent': { type: 'string', short: 'A', placeholder: '<text>', help: 'the User-Agent' },
    referer: { type: 'string', placeholder: '<url>', help: 'the Referer' },
    host: { type: 'string', placeholder: '<name>', help: 'the Host' },
    ip: { type: 'string', short: 'i', placeholder: '<address>', help: 'the client' },
    all: { type: 'boolean', short: 'a', help: 'every clause of every scenario' },
  },
  positionals: { least: 1, most: 1, missing: 'neither an access log line nor a URL was given' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const [subject = ''] = given.positionals;
  const optional = (name: string, key = name): Record<string, string> => {
    const text = given.text(name);
    return text === undefined ? {} : { [key]: text };
  };
  const body = {
    subject,
    ...optional('method'),
    ...optional('status'),
    ...optional('user-agent', 'userAgent'),
    ...optional('referer'),
    ...optional('host'),
    ...optional('ip'),
  };
  const answer = await (await gateway()).ask<ExplainModel>('POST', '/v1/explain', { body });
  switch (output.format) {
    case 'json':
      output.json(answer);
      break;
    case 'raw':
      output.csv(
        ['scenario', 'matched', 'phase', 'capacity', 'leakspeed', 'bucket', 'because'],
        answer.scenarios.map((one) => [
          one.name,
          one.matched,
          one.phase,
          one.capacity,
          one.leakspeed,
          one.bucket ?? '',
          deciding(one.filter)?.text ?? '',
        ]),
      );
      break;
    case 'human':
      showExplanation(output, answer, given.flag('all'));
      break;
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}

function showExplanation(output: Output, { request, client, scenarios }: ExplainModel, all: boolean): void {
  const status = request.status === null ? '' : ` → ${request.status}`;
  output.heading(safeText(`${request.method} ${request.target}${status}`));
  output.pairs([
    ['host', safeText(request.host)],
    ['client', safeText(request.client_ip)],
    ['user agent', safeText(request.user_agent)],
    ['now', client === null ? '' : verdictLine(output, client)],
  ]);
  const matched = scenarios.filter((one) => one.matched);
  const others = scenarios.filter((one) => !one.matched);
  output.line();
  output.line(
    matched.length === 0
      ? 'No scenario counts this request.'
      : `${plural(matched.length, 'scenario counts', 'scenarios count')} this request:`,
  );
  for (const one of matched) showMatched(output, one, all);
  if (others.length === 0) return;
  output.line();
  output.line(`${plural(others.length, 'scenario does', 'scenarios do')} not:`);
  for (const one of others) {
    if (all) showTree(output, one);
    else showReason(output, one);
  }
  if (!all) output.line(output.paint('dim', '\n--all shows every clause.'));
}

function showMatched(output: Output, one: ScenarioExplanation, all: boolean): void {
  output.line();
  output.line(
    `${output.paint('green', '✓')} ${output.paint('bold', safeText(one.name))}  ${output.paint('dim', safeText(one.description))}`,
  );
  const consequence = one.remediation
    ? one.simulated
      ? 'an alert (simulated)'
      : 'an alert and a decision'
    : 'an alert only';
  const fires =
    one.type === 'trigger'
      ? `each one raises ${consequence}`
      : `number ${one.capacity + 1} raises ${consequence}; one is forgotten every ${one.leakspeed}`;
  output.pairs(
    [
      ['counts', safeText(fires)],
      ['judged', one.phase === 'request' ? 'before the request is passed on' : 'after its response'],
      ['grouped by', one.bucket === null || one.bucket === '' ? '' : safeText(one.bucket)],
      ['distinct', one.distinct === null ? '' : safeText(one.distinct)],
    ],
    '  ',
  );
  if (all) showClauses(output, one.filter, '  ');
}

/** The first clause that decided against it. */
function deciding(clause: ClauseExplanation): ClauseExplanation | null {
  if (clause.outcome === 'true' || clause.outcome === 'unreached') return null;
  if (clause.joined !== 'and') return clause;
  for (const part of clause.parts) {
    const found = deciding(part);
    if (found !== null) return found;
  }
  return clause;
}

const longestClause = 100;

function showReason(output: Output, one: ScenarioExplanation): void {
  const clause = deciding(one.filter);
  const text = clause === null ? '' : oneLine(clause.text);
  const problem = clause?.outcome === 'error' ? output.paint('yellow', ` (${safeText(clause.message)})`) : '';
  output.line(`  ${output.paint('dim', '·')} ${safeText(one.name)}`);
  output.line(
    `      ${output.paint('dim', `not: ${cutTo(safeText(text), Math.min(longestClause, output.columns - 11))}`)}${problem}`,
  );
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
