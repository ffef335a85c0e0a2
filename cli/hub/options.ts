/** Options that several verbs of the hub share. */
import type { CommandOption } from '../command.ts';

export const fromOption: CommandOption = {
  type: 'string',
  placeholder: '<address|folder>',
  help: 'a hub other than the one of the settings',
};

export const typeOption: CommandOption = {
  type: 'string',
  short: 't',
  placeholder: '<type>',
  help: 'only collections, parsers, postoverflows, scenarios, contexts, appsec-configs or appsec-rules',
};

export const dryRunOption: CommandOption = { type: 'boolean', help: 'only show what would change' };
