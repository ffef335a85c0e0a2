/** `decisions add` */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { DecisionAdded } from '../../gateway/admin/models.ts';
import type { Call, Command, Given } from '../command.ts';
import { calledAs } from '../invocation.ts';
import { safeText } from '../output/safe-text.ts';
import { shortSpan } from '../output/times.ts';
import { scopedValue, typeColour } from '../show.ts';

export const decisionsAdd: Command = {
  name: 'decisions add',
  summary: 'refuse an address, a range, a country or a network',
  usage: '--ip <address> | --range <range> | --scope <scope> --value <value>',
  examples: [
    ['portcullis decisions add --ip 203.0.113.9', 'ban an address for four hours'],
    ['portcullis decisions add --range 198.51.100.0/24 --duration 7d --reason "scrapers"', 'ban a range for a week'],
    ['portcullis decisions add --scope Country --value XX --type throttle', 'slow a country down'],
  ],
  options: {
    ip: { type: 'string', short: 'i', placeholder: '<address>', help: 'an address' },
    range: { type: 'string', short: 'r', placeholder: '<range>', help: 'a range such as 192.0.2.0/24' },
    scope: { type: 'string', placeholder: '<scope>', help: 'Country, AS, or one of your own; with --value' },
    value: { type: 'string', short: 'v', placeholder: '<value>', help: 'what the scope measures' },
    duration: { type: 'string', short: 'd', placeholder: '<duration>', help: 'how long (4h): 30m, 4h, 7d' },
    type: {
      type: 'string',
      short: 't',
      placeholder: '<type>',
      choices: ['ban', 'captcha', 'throttle'],
      help: 'ban, captcha or throttle (ban)',
    },
    reason: { type: 'string', short: 'R', placeholder: '<text>', help: 'why, for those who read it later' },
    'bypass-allowlist': { type: 'boolean', short: 'B', help: 'store it although the allowlist wins over it' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, given, gateway, clock, io }: Call): Promise<number> {
  const subject = subjectOf(given);
  const client = await gateway();
  const added = await client.ask<DecisionAdded>('POST', '/v1/decisions', {
    body: {
      ...subject,
      duration: given.text('duration') ?? '4h',
      type: given.text('type') ?? 'ban',
      reason: given.text('reason') ?? '',
      bypassAllowlist: given.flag('bypass-allowlist'),
    },
  });
  for (const warning of added.warnings) io.stderr.write(`warning: ${safeText(warning)}\n`);
  const { decision } = added;
  switch (output.format) {
    case 'json':
      output.json(added);
      break;
    case 'raw':
      output.line(String(decision.id));
      break;
    case 'human': {
      const type = output.paint(typeColour(decision.type), safeText(decision.type));
      const span = shortSpan(Date.parse(decision.until) - clock.now());
      output.line(`Added: ${type} on ${safeText(scopedValue(decision))} for ${span}, enforced from now on.`);
      output.line(output.paint('dim', `Lift it with: ${calledAs} decisions delete --id ${decision.id}`));
      break;
    }
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}

function subjectOf(given: Given): { scope: string; value: string } {
  const ip = given.text('ip');
  const range = given.text('range');
  const scope = given.text('scope');
  const value = given.text('value');
  const named = [ip, range, value].filter((one) => one !== undefined);
  if (named.length === 1 && scope === undefined) {
    if (ip !== undefined) return { scope: 'Ip', value: ip };
    if (range !== undefined) return { scope: 'Range', value: range };
    // As cscli has it: a value without a scope is an address.
    return { scope: 'Ip', value: value ?? '' };
  }
  if (scope !== undefined && value !== undefined && named.length === 1) return { scope, value };
  const message =
    named.length > 1 ? '--ip, --range and --value cannot be given together' : 'nothing says whom the decision is about';
  throw new GatewayError('USAGE', message, { remedy: 'Give --ip, --range, or --scope with --value.' });
}
