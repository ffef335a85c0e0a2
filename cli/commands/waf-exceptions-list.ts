/** `waf exceptions list` */
import type { WafExceptionModel } from '../../gateway/admin/waf-exception-models.ts';
import type { Call, Command } from '../command.ts';
import { relativeTime } from '../output/times.ts';

export const wafExceptionsList: Command = {
  name: 'waf exceptions list',
  aliases: ['waf exception list'],
  summary: 'show what the core rules look away from',
  usage: '',
  examples: [['portcullis waf exceptions list', 'those in force; SecLang files of your own are not listed']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway, clock }: Call): Promise<number> {
  const client = await gateway();
  const { exceptions } = await client.ask<{ exceptions: WafExceptionModel[] }>('GET', '/v1/waf/exceptions');
  const now = clock.now();
  switch (output.format) {
    case 'json':
      output.json(exceptions);
      break;
    case 'raw':
      output.csv(['id', 'rule', 'site', 'path', 'target', 'comment', 'until', 'created_at'], exceptions.map(rawRow));
      break;
    case 'human':
      if (exceptions.length === 0) output.line('There are no exceptions. See what to except: waf exceptions suggest');
      else {
        output.table(
          [
            { title: 'ID', value: ({ id }) => id, colour: () => 'dim' },
            { title: 'RULE', value: ({ rule }) => String(rule), align: 'right' },
            { title: 'MESSAGE', value: ({ message }) => message, flexible: true },
            { title: 'TARGET', value: ({ target }) => target ?? 'whole request' },
            { title: 'PATH', value: ({ path }) => (path === '' ? 'any' : path), flexible: true },
            { title: 'SITE', value: ({ site }) => site },
            { title: 'COMMENT', value: ({ comment }) => comment, flexible: true },
            { title: 'ENDS', value: ({ until }) => (until === null ? 'never' : relativeTime(until, now)) },
            { title: 'ADDED', value: ({ created_at }) => relativeTime(created_at, now), colour: () => 'dim' },
          ],
          exceptions,
        );
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}

function rawRow({ id, rule, site, path, target, comment, until, created_at }: WafExceptionModel): (string | number)[] {
  return [id, rule, site, path, target ?? '', comment, until ?? '', created_at];
}
