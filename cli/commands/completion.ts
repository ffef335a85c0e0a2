/** `completion` */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';

export const completion: Command = {
  name: 'completion',
  summary: 'print the script that completes verbs and options in a shell',
  usage: 'bash | zsh | fish',
  examples: [
    ['portcullis completion bash | sudo tee /etc/bash_completion.d/portcullis', 'for every session of bash'],
    ['portcullis completion zsh > "${fpath[1]}/_portcullis"', 'for zsh'],
    ['portcullis completion fish > ~/.config/fish/completions/portcullis.fish', 'for fish'],
  ],
  options: {},
  positionals: { least: 1, most: 1, missing: 'no shell was named', choices: ['bash', 'zsh', 'fish'] },
  run,
};

async function run({ output, given }: Call): Promise<number> {
  const [shell = ''] = given.positionals;
  // Loaded here: the list of verbs holds this one.
  const [{ commands }, { completionTable }] = await Promise.all([
    import('../commands.ts'),
    import('../completion/completion-table.ts'),
  ]);
  const table = completionTable(commands);
  const program = 'portcullis';
  switch (shell) {
    case 'bash':
      output.text((await import('../completion/bash-completion.ts')).bashCompletion(table, program));
      break;
    case 'zsh':
      output.text((await import('../completion/zsh-completion.ts')).zshCompletion(table, program));
      break;
    case 'fish':
      output.text((await import('../completion/fish-completion.ts')).fishCompletion(table, program));
      break;
    default:
      throw new GatewayError('USAGE', `no completion can be made for "${shell}"`, {
        remedy: 'Name bash, zsh or fish.',
      });
  }
  return exitStatus.ok;
}
