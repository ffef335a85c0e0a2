/** Reads the command line with node:util's parser; what is not understood is answered with what was probably meant. */
import { parseArgs } from 'node:util';
import { closest } from '../config/closest.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import {
  type Command,
  type CommandOption,
  type CommandOptions,
  commonOptions,
  type Given,
  silentOptions,
} from './command.ts';
import type { Format } from './output/output.ts';

export interface FoundCommand {
  readonly command: Command | null;
  /** The words that were taken as its name; "" when none was given. */
  readonly words: string;
  /** Everything else, in order. */
  readonly rest: readonly string[];
}

/** Options of every verb that take a value: they may stand before the verb. */
const valued = new Set(
  Object.entries(commonOptions)
    .filter(([, option]) => option.type === 'string')
    .flatMap(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]),
);

/** The most words that a verb has: `waf exceptions add`. */
const mostWords = 3;

/** Finds the verb, one word or more, wherever common options stand around it. */
export function findCommand(argv: readonly string[], commands: readonly Command[]): FoundCommand {
  const at: number[] = [];
  for (let index = 0; index < argv.length && at.length < mostWords; index++) {
    const word = argv[index] ?? '';
    if (word === '--') break;
    if (!word.startsWith('-')) at.push(index);
    else if (valued.has(word)) index++;
    // After a verb, an option of its own may take the next word as its value.
    else if (at.length > 0 && !isCommon(word.replace(/^--/, ''))) break;
  }
  const wordsOf = (count: number): string =>
    at
      .slice(0, count)
      .map((index) => argv[index])
      .join(' ');
  const without = (count: number): string[] => argv.filter((_, index) => !at.slice(0, count).includes(index));
  for (let count = at.length; count > 0; count--) {
    const words = wordsOf(count);
    const command = commands.find(({ name, aliases = [] }) => name === words || aliases.includes(words));
    if (command !== undefined) return { command, words, rest: without(count) };
  }
  // What was meant as the name: the words that verbs begin with, and the one after them.
  let meant = Math.min(1, at.length);
  while (meant < at.length && isFamily(wordsOf(meant), commands)) meant++;
  return { command: null, words: wordsOf(meant), rest: without(meant) };
}

function isCommon(name: string): boolean {
  return Object.hasOwn(commonOptions, name) || Object.hasOwn(silentOptions, name);
}

/** Whether verbs begin with these words: `decisions`, `waf exceptions`. */
export function isFamily(words: string, commands: readonly Command[]): boolean {
  return commands.some(({ name }) => name.startsWith(`${words} `));
}

/** @throws GatewayError USAGE */
export function parseCommand(command: Command, rest: readonly string[]): Given {
  const { refused = {} } = command;
  const options = { ...silentOptions, ...command.options, ...commonOptions };
  try {
    const { values, positionals } = parseArgs({
      args: withoutAssignedFlags(rest, { ...options, ...refused }),
      options: parserOptions({ ...options, ...refused }),
      allowPositionals: true,
      strict: true,
    });
    for (const [name, { because }] of Object.entries(refused)) {
      if (values[name] !== undefined)
        throw new GatewayError('USAGE', `--${name} cannot be used here`, { remedy: because });
    }
    const given = givenOf(values, positionals);
    if (!given.flag('help')) checkPositionals(command, positionals);
    return given;
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    throw usageFault(thrown, command, { ...command.options, ...commonOptions });
  }
}

/** @throws GatewayError USAGE */
export function formatOf(given: Given): Format {
  const format = given.text('output') ?? (given.flag('json') ? 'json' : 'human');
  switch (format) {
    case 'human':
    case 'json':
    case 'raw':
      return format;
    default:
      throw new GatewayError('USAGE', `"${format}" is no output format`, { remedy: 'Use human, json or raw.' });
  }
}

/** Go's flags may be written `--force=true`; Node's parser knows only `--force`. */
function withoutAssignedFlags(words: readonly string[], options: ParsedOptions): string[] {
  const end = words.indexOf('--');
  return words.flatMap((word, index) => {
    const [, name = '', value] = /^--([^=]+)=(true|false)$/.exec(word) ?? [];
    if (value === undefined || (end !== -1 && index > end) || options[name]?.type !== 'boolean') return [word];
    return value === 'true' ? [`--${name}`] : [];
  });
}

type ParsedOptions = Readonly<Record<string, Pick<CommandOption, 'type' | 'short' | 'multiple'>>>;

function parserOptions(
  options: ParsedOptions,
): Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) },
    ]),
  );
}

function givenOf(values: Readonly<Record<string, unknown>>, positionals: readonly string[]): Given {
  return {
    positionals,
    text(name) {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    texts(name) {
      const value = values[name];
      return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
    },
    flag: (name) => values[name] === true,
  };
}

function checkPositionals({ name, usage, positionals }: Command, given: readonly string[]): void {
  const remedy = `Usage: ${`portcullis ${name} ${usage}`.trim()}`;
  if (given.length < positionals.least)
    throw new GatewayError('USAGE', positionals.missing ?? 'something is missing', { remedy });
  if (given.length > positionals.most) {
    throw new GatewayError('USAGE', `"${given[positionals.most] ?? ''}" is one word too many`, { remedy });
  }
}

function usageFault(thrown: unknown, command: Command, options: CommandOptions): GatewayError {
  const unknown = /^Unknown option '(-{1,2}[^']*)'/.exec(messageOf(thrown))?.[1];
  if (unknown === undefined) {
    const [message = ''] = messageOf(thrown).split('\n');
    return new GatewayError('USAGE', message.replace(/\.? ?To specify .*$/, ''), {
      remedy: `See \`portcullis ${command.name} --help\`.`,
    });
  }
  const near = closest(unknown.replace(/^-+/, ''), Object.keys(options));
  const question = near === null ? '' : ` Did you mean --${near}?`;
  return new GatewayError('USAGE', `${command.name} has no option ${unknown}.${question}`, {
    remedy: `See \`portcullis ${command.name} --help\`.`,
  });
}

/** The verb that was probably meant, or null. */
export function nearestCommand(words: string, commands: readonly Command[]): string | null {
  const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  return (
    closest(words, names) ??
    closest(words.split(' ', 1)[0] ?? '', [...new Set(names.map((name) => name.split(' ', 1)[0] ?? ''))])
  );
}
