/** `lapi context`: cscli's verbs that edit a file of contexts. Ours are items in folders, which people write themselves. */
import { GatewayError } from '../../core/errors.ts';
import type { Command } from '../command.ts';

export const lapiContext: Command = {
  name: 'lapi context',
  summary: 'where the context of alerts is set (in files, not by this verb)',
  usage: 'add | status | detect | delete',
  examples: [],
  options: {
    key: { type: 'string', placeholder: '<key>', help: 'as cscli has it' },
    value: { type: 'string', multiple: true, placeholder: '<expression>', help: 'as cscli has it' },
    all: { type: 'boolean', short: 'a', help: 'as cscli has it' },
  },
  positionals: { least: 0, most: 100, choices: ['add', 'status', 'detect', 'delete'] },
  run: () =>
    Promise.reject(
      new GatewayError('GATEWAY_REFUSED', 'contexts are files here', {
        remedy:
          'Put `context: {key: [evt.Meta.http_path]}` into contexts/mine.yaml of an item folder, or install one: hub install --type contexts <name>.',
      }),
    ),
};
