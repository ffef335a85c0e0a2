/** `waf exceptions suggest` */
import type { ExceptionSuggestionModel, ExceptionSuggestionsModel } from '../../gateway/admin/waf-exception-models.ts';
import type { Call, Command } from '../command.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { relativeTime } from '../output/times.ts';
import { plural } from '../show.ts';
import { addLine, placeText, refusedText, storedText } from '../waf/exception-lines.ts';

export const wafExceptionsSuggest: Command = {
  name: 'waf exceptions suggest',
  aliases: ['waf exception suggest'],
  summary: 'propose exceptions for what the core rules refuse, or would refuse',
  usage: '[filters]',
  examples: [
    ['portcullis waf exceptions suggest', 'what most clients met comes first: those are rarely attackers'],
    [
      'portcullis waf exceptions suggest --request 0f3a9c51d2e84b67',
      'for one request, by the number on its refusal page',
    ],
    ['portcullis waf exceptions suggest --since 24h --rule 942100', 'what one rule found in a day'],
  ],
  options: {
    request: { type: 'string', short: 'r', placeholder: '<id>', help: 'of this request alone' },
    since: { type: 'string', placeholder: '<duration>', help: 'from requests not older than this: 30m, 4h, 7d' },
    rule: { type: 'string', placeholder: '<number>', help: 'for this rule alone' },
    limit: { type: 'string', short: 'l', placeholder: '<count>', help: 'at most so many (10)' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

const filters = ['request', 'since', 'rule', 'limit'] as const;

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const query = Object.fromEntries(filters.map((name) => [name, given.text(name)]));
  const client = await gateway();
  const answer = await client.ask<ExceptionSuggestionsModel>('GET', '/v1/waf/exceptions/suggestions', { query });
  switch (output.format) {
    case 'json':
      output.json(answer);
      break;
    case 'raw':
      output.csv(rawHeader, answer.suggestions.map(rawRow));
      break;
    case 'human':
      show(output, answer, clock.now());
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}

function show(output: Output, { suggestions, found, requests }: ExceptionSuggestionsModel, now: number): void {
  if (suggestions.length === 0) {
    output.line(
      requests === 0
        ? 'The core rules found nothing in the stored requests.'
        : 'Nothing to propose: what the core rules found is excepted already, or filtered out.',
    );
    return;
  }
  for (const suggestion of suggestions) {
    showOne(output, suggestion, now);
    output.line();
  }
  if (found > suggestions.length) output.line(`${found - suggestions.length} more: --limit ${Math.min(found, 100)}`);
  output.line(output.paint('dim', 'Look at the example first: an attack that many clients try is no false alarm.'));
}

function showOne(output: Output, suggestion: ExceptionSuggestionModel, now: number): void {
  const { rule, message, requests, clients, refused, last_at, last_request_id, example, trial } = suggestion;
  const met = [
    `${plural(requests, 'request')} of ${plural(clients, 'client')}`,
    ...(refused > 0 ? [`${refused} refused`] : []),
    `the last ${relativeTime(last_at, now)} (${last_request_id})`,
  ];
  output.line(`${output.paint('bold', String(rule))} ${safeText(message)}`);
  output.pairs(
    [
      ['where', placeText(suggestion)],
      ['met by', safeText(met.join(', '))],
      ['good for', goodFor(suggestion)],
      ['example', safeText(example)],
      ['attacks', refusedText(output, trial)],
      ['add it', output.paint('cyan', addLine(suggestion))],
    ],
    '  ',
  );
}

/** By sending stored requests once more; where that tells nothing, by what the rules said of them. */
function goodFor({ stored, requests, alone }: ExceptionSuggestionModel): string {
  if (stored.refused > 0) return storedText(stored);
  if (alone === requests) return 'nothing else counted in them';
  return `nothing else counted in ${alone} of them; further rules found something in the others`;
}

const rawHeader =
  'rule,site,path,target,message,requests,clients,alone,refused,last_at,last_request_id,example,attacks_refused_without,attacks_refused_with'.split(
    ',',
  );

function rawRow(suggestion: ExceptionSuggestionModel): (string | number)[] {
  const { rule, site, path, target, message, requests, clients, alone, refused, trial } = suggestion;
  const { last_at: at, last_request_id: id, example } = suggestion;
  const said = [rule, site, path, target ?? '', message, requests, clients, alone, refused, at, id, example];
  return [...said, trial.refused_without, trial.refused_with];
}
