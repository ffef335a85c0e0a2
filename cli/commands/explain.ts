/** `explain`: which scenarios count a request, or how a line of a log goes through parsers and scenarios. */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { ExplainModel } from '../../gateway/admin/models.ts';
import { decidingClause } from '../../detectors/expr/explain-clauses.ts';
import type { Call, Command } from '../command.ts';
import { showScenarios } from '../explain/scenario-tree.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { verdictLine } from '../show.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'which scenarios a request or a log line matches, and why not the others',
  usage: '<access log line | URL>  or  --type <type> <log line | ->…',
  examples: [
    ['portcullis explain /.env', 'a path, as a GET'],
    ['portcullis explain https://shop.example/login --method POST --status 401', 'a request with its answer'],
    ['portcullis explain "$(tail -1 access.log)"', "a line of the gateway's access log"],
    ['tail -3 /var/log/auth.log | portcullis explain --type syslog -', 'lines of another log, through the parsers'],
    ['portcullis explain --type nginx --items /etc/crowdsec "$(tail -1 access.log)"', 'with items of your own'],
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
    type: {
      type: 'string',
      short: 't',
      placeholder: '<type>',
      help: 'explain log lines: what wrote them (nginx, syslog, …)',
    },
    items: { type: 'string', placeholder: '<folder>', help: "with --type: items laid out as CrowdSec's configuration" },
    data: { type: 'string', placeholder: '<folder>', help: 'with --type: where the data files are' },
    all: { type: 'boolean', short: 'a', help: 'every node, clause and scenario' },
  },
  positionals: { least: 1, most: 1_000, missing: 'neither a log line nor a URL was given' },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given, gateway } = call;
  if (given.text('type') !== undefined) {
    const { explainLines } = await import('../explain/explain-lines.ts');
    return explainLines(call);
  }
  if (given.positionals.length > 1) {
    throw new GatewayError('USAGE', 'one line or URL at a time; put a line in quotes', {
      remedy: 'For lines of another log, say what wrote them: --type nginx.',
    });
  }
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
          decidingClause(one.filter)?.text ?? '',
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
  showScenarios(output, scenarios, { all, every: true, what: 'request' });
}
