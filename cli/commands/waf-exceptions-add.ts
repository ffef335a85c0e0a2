/** `waf exceptions add` */
import { GatewayError } from '../../core/errors.ts';
import type { AddedExceptionModel, TriedExceptionModel } from '../../gateway/admin/waf-exception-models.ts';
import type { Call, Command, Given } from '../command.ts';
import { calledAs } from '../invocation.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { relativeTime } from '../output/times.ts';
import { placeText, refusedText, showLost, storedText } from '../waf/exception-lines.ts';

export const wafExceptionsAdd: Command = {
  name: 'waf exceptions add',
  aliases: ['waf exception add'],
  summary: 'tell a core rule to look away from a parameter or a path',
  usage: '--rule <number> [--path <path>] [--target <variable>] | --rule <number> --request <id>',
  examples: [
    [
      'portcullis waf exceptions add --rule 942100 --path /search --target ARGS:q --for 30d',
      'one parameter of one path, for a month',
    ],
    [
      'portcullis waf exceptions add --rule 942100 --request 0f3a9c51d2e84b67',
      'what the rule found in that request, for ever',
    ],
    [
      "portcullis waf exceptions add --rule 932100 --path '/wiki/*' --dry-run",
      'says what it would give away, and adds nothing',
    ],
  ],
  options: {
    rule: { type: 'string', multiple: true, placeholder: '<number>', help: 'of the rule; several may be given' },
    request: { type: 'string', short: 'r', placeholder: '<id>', help: 'take site, path and target from this request' },
    site: { type: 'string', placeholder: '<name>', help: 'on this site (on all)' },
    path: { type: 'string', placeholder: '<path>', help: 'of this path; /shop/* for all that begins so (of any)' },
    target: { type: 'string', placeholder: '<variable>', help: 'ARGS:name, REQUEST_COOKIES:name… (the whole request)' },
    for: { type: 'string', placeholder: '<duration>', help: 'how long (for ever): 4h, 30d' },
    comment: { type: 'string', short: 'd', placeholder: '<text>', help: 'why, for those who read it later' },
    force: { type: 'boolean', short: 'f', help: 'even when it gives kinds of attack away wherever they come' },
    'dry-run': { type: 'boolean', help: 'only say what it would give away' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given, gateway, clock, io } = call;
  const rules = given.texts('rule');
  if (rules.length === 0) {
    throw new GatewayError('USAGE', 'no rule was named', {
      remedy: 'Give its number with --rule; `waf exceptions suggest` has ready lines.',
    });
  }
  const client = await gateway();
  const isDry = given.flag('dry-run');
  const done: (AddedExceptionModel | TriedExceptionModel)[] = [];
  for (const rule of rules) {
    const scope = { rule, ...textsOf(given, ['request', 'site', 'path', 'target']) };
    const expiration = given.text('for');
    const terms = { comment: given.text('comment') ?? '', force: given.flag('force') };
    const path = isDry ? '/v1/waf/exceptions/trial' : '/v1/waf/exceptions';
    const body = isDry ? scope : { ...scope, ...terms, ...(expiration === undefined ? {} : { expiration }) };
    const answer = await client.ask<AddedExceptionModel | TriedExceptionModel>('POST', path, { body });
    for (const warning of answer.warnings) io.stderr.write(`warning: ${safeText(warning)}\n`);
    done.push(answer);
    if (output.format === 'human') show(output, answer, clock.now());
  }
  if (output.format === 'json') output.json(done);
  if (output.format === 'raw') {
    for (const answer of done) output.line('exception' in answer ? answer.exception.id : placeText(answer.scope));
  }
  return 0;
}

function textsOf(given: Given, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = given.text(name);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

function show(output: Output, answer: AddedExceptionModel | TriedExceptionModel, now: number): void {
  const { scope, trial, stored } = answer;
  const what = `rule ${scope.rule} ${scope.target === null ? 'does not run for' : 'does not look at'} ${placeText(scope)}`;
  if ('exception' in answer) {
    const { id, until } = answer.exception;
    const end = until === null ? '' : `, ending ${relativeTime(until, now)}`;
    output.line(`${answer.replaced ? 'Renewed' : 'Added'} ${id}: ${what} from now on${end}.`);
  } else output.line(`With it, ${what}.`);
  output.pairs(
    [
      ['attacks', refusedText(output, trial)],
      ['good for', storedText(stored)],
    ],
    '  ',
  );
  showLost(output, trial);
  if ('exception' in answer) {
    output.line(output.paint('dim', `Remove it with: ${calledAs} waf exceptions remove ${answer.exception.id}`));
  } else if (answer.needs_force) output.line('It is added only with --force: it names neither a path nor a parameter.');
}
