/** What a verb is: a name, its options, help, and what it does. `commands.ts` lists all of them. */
import type { Clock } from '../core/clock.ts';
import type { ControlClient } from './control-client.ts';
import type { Io } from './io.ts';
import type { Output } from './output/output.ts';

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in help: `<duration>`. `<file>`, `<folder>` and `<path>` complete to files. */
  readonly placeholder?: string;
  /** What completion offers as values; others may be right too. */
  readonly choices?: readonly string[];
  readonly help: string;
}

export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** An option that cscli has and that cannot mean anything here: it is understood, and refused with a reason. */
export interface RefusedOption extends Pick<CommandOption, 'type' | 'short'> {
  /** A sentence, and what to do instead. */
  readonly because: string;
}

export interface Command {
  /** One to three words: `decisions add`. */
  readonly name: string;
  /** Other spellings of the same verb. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  /** Each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  readonly options: CommandOptions;
  readonly refused?: Readonly<Record<string, RefusedOption>>;
  readonly positionals: {
    readonly least: number;
    readonly most: number;
    readonly missing?: string;
    /** What completion offers. */
    readonly choices?: readonly string[];
  };
  run(call: Call): Promise<number>;
}

/** One invocation of a verb. */
export interface Call {
  readonly io: Io;
  readonly output: Output;
  readonly clock: Clock;
  readonly given: Given;
  /** The gateway's admin socket; found when first asked for, so that verbs without a gateway need no settings. */
  readonly gateway: () => Promise<ControlClient>;
}

/** The options and positionals that were given. */
export interface Given {
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

/** Options that every verb understands. */
export const commonOptions: CommandOptions = {
  json: { type: 'boolean', help: 'print JSON; the same as -o json' },
  output: {
    type: 'string',
    short: 'o',
    placeholder: '<format>',
    choices: ['human', 'json', 'raw'],
    help: 'human, json or raw (CSV)',
  },
  color: { type: 'string', placeholder: '<when>', choices: ['yes', 'no', 'auto'], help: 'yes, no or auto' },
  config: { type: 'string', short: 'c', placeholder: '<file>', help: 'settings file that names the data folder' },
  socket: { type: 'string', placeholder: '<path>', help: "the gateway's admin socket" },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
};

/** How much cscli itself logs. Scripts pass these; there is nothing here that they would change, so help leaves them out. */
export const silentOptions: CommandOptions = Object.fromEntries(
  ['trace', 'debug', 'info', 'warning', 'error'].map((name) => [name, { type: 'boolean', help: 'no effect' }]),
);
