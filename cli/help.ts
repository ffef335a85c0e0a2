/** The help pages, made from the table of verbs. */
import { type Command, type CommandOptions, commonOptions } from './command.ts';
import type { Output } from './output/output.ts';

/** Verbs as people look for them. */
const families: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Run', ['serve', 'validate', 'status', 'doctor', 'selftest', 'metrics', 'metrics show', 'metrics list']],
  ['Decide', ['decisions list', 'decisions add', 'decisions delete', 'decisions import']],
  [
    'Allow',
    [
      'allowlists list',
      'allowlists inspect',
      'allowlists create',
      'allowlists add',
      'allowlists remove',
      'allowlists import',
      'allowlists check',
      'allowlists delete',
    ],
  ],
  ['Understand', ['alerts list', 'alerts inspect', 'alerts delete', 'alerts flush', 'why', 'explain', 'replay']],
  ['Try out', ['simulation status', 'simulation enable', 'simulation disable']],
  [
    'Bouncers, agents and other Local APIs',
    [
      'bouncers list',
      'bouncers add',
      'bouncers inspect',
      'bouncers delete',
      'bouncers prune',
      'machines list',
      'machines add',
      'machines validate',
      'machines inspect',
      'machines delete',
      'machines prune',
      'lapi status',
      'lapi register',
      'lapi context',
    ],
  ],
  ['Tell people', ['notifications list', 'notifications inspect', 'notifications test', 'notifications reinject']],
  [
    'Web application firewall',
    [
      'waf install',
      'waf exceptions suggest',
      'waf exceptions add',
      'waf exceptions list',
      'waf exceptions remove',
      'waf test',
      'appsec test',
    ],
  ],
  [
    'Items from a hub',
    [
      'setup detect',
      'hub update',
      'hub list',
      'hub search',
      'hub install',
      'hub upgrade',
      'hub remove',
      'hub inspect',
      'hubtest',
    ],
  ],
  ['More', ['config show', 'support dump', 'completion', 'version', 'help']],
];

export function printOverview(output: Output, commands: readonly Command[]): void {
  output.line('Portcullis: a security gateway that refuses the attacker’s next request.');
  output.line();
  output.line(`${output.paint('dim', 'Usage:')} portcullis <verb> [options]`);
  const width = Math.max(...commands.map(({ name }) => name.length));
  for (const [title, names] of families) {
    output.line();
    output.heading(title);
    for (const command of commands.filter(({ name }) => names.includes(name))) {
      output.line(`  ${output.paint('cyan', command.name.padEnd(width))}  ${command.summary}`);
    }
  }
  output.line();
  output.line(`${output.paint('dim', 'Every verb has')} --help${output.paint('dim', ', with examples.')}`);
}

/** The verbs that begin with the same words: `decisions`, `waf exceptions`. */
export function printFamily(output: Output, family: string, commands: readonly Command[]): void {
  const members = commands.filter(({ name }) => name.startsWith(`${family} `));
  output.line(`${output.paint('dim', 'Usage:')} portcullis ${family} <verb> [options]`);
  output.line();
  const width = Math.max(0, ...members.map(({ name }) => name.length));
  for (const { name, summary } of members) output.line(`  ${output.paint('cyan', name.padEnd(width))}  ${summary}`);
  output.line();
  output.line(`${output.paint('dim', 'Every verb has')} --help${output.paint('dim', ', with examples.')}`);
}

export function printCommand(output: Output, command: Command): void {
  output.line(`${command.summary[0]?.toUpperCase() ?? ''}${command.summary.slice(1)}.`);
  output.line();
  output.line(`${output.paint('dim', 'Usage:')} portcullis ${command.name} ${command.usage}`.trimEnd());
  if (command.aliases !== undefined) output.line(`${output.paint('dim', 'Also:')}  ${command.aliases.join(', ')}`);
  printOptions(output, 'Options', command.options);
  printOptions(output, 'For every verb', commonOptions);
  if (command.examples.length === 0) return;
  output.line();
  output.heading('Examples');
  for (const [line, meaning] of command.examples) {
    output.line(`  ${output.paint('dim', `# ${meaning}`)}`);
    output.line(`  ${line}`);
  }
}

function printOptions(output: Output, title: string, options: CommandOptions): void {
  const rows = Object.entries(options).map(([name, { short, placeholder, help }]) => {
    const spelled = `${short === undefined ? '    ' : `-${short}, `}--${name}`;
    return [placeholder === undefined ? spelled : `${spelled} ${placeholder}`, help] as const;
  });
  if (rows.length === 0) return;
  output.line();
  output.heading(title);
  const width = Math.max(...rows.map(([left]) => left.length));
  for (const [left, right] of rows) output.line(`  ${left.padEnd(width)}  ${right}`);
}
