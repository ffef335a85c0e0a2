/** The command line: finds the verb, reads its options, runs it, and turns what went wrong into words and an exit status. */
import { systemClock } from '../core/clock.ts';
import { type ErrorCode, exitStatus, GatewayError, messageOf } from '../core/errors.ts';
import { findCommand, formatOf, isFamily, nearestCommand, parseCommand } from './arguments.ts';
import type { Call, Command, Given } from './command.ts';
import { commands } from './commands.ts';
import { findSocket } from './find-socket.ts';
import { printCommand, printFamily, printOverview } from './help.ts';
import type { Io } from './io.ts';
import { Output } from './output/output.ts';
import { safeText } from './output/safe-text.ts';

/** Runs one command line and returns the exit status. Never throws. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (thrown) {
    return reportFault(thrown, argv, io);
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const output = new Output(io, 'human');
  const [first] = argv;
  if (first === undefined || ((first === '--help' || first === '-h') && argv.length === 1)) {
    printOverview(output, commands);
    return first === undefined ? exitStatus.usage : exitStatus.ok;
  }
  if (first === '--version' || first === '-V') return dispatch(['version', ...argv.slice(1)], io);
  if (first === 'help') return showHelp(argv.slice(1), output);

  const { command, words, rest } = findCommand(argv, commands);
  if (command === null) return unknownCommand(words, argv, output);
  const given = parseCommand(command, rest);
  if (given.flag('help')) {
    printCommand(output, command);
    return exitStatus.ok;
  }
  return command.run(callOf(given, io));
}

function callOf(given: Given, io: Io): Call {
  return {
    io,
    given,
    clock: systemClock,
    output: new Output(withColour(io, given), formatOf(given)),
    gateway: async () => {
      // Loaded here: `node:http` as a module brings Node's whole fetch along, a third of the start of a verb that asks nobody.
      const { createControlClient } = await import('./control-client.ts');
      return createControlClient(await findSocket({ socket: given.text('socket'), config: given.text('config') }, io));
    },
  };
}

/**
 * `--color` wins over the environment.
 * @throws GatewayError USAGE
 */
function withColour(io: Io, given: Given): Io {
  const wanted = given.text('color') ?? 'auto';
  switch (wanted) {
    case 'auto':
      return io;
    case 'yes':
      return { ...io, env: { ...io.env, NO_COLOR: '', FORCE_COLOR: '1' } };
    case 'no':
      return { ...io, env: { ...io.env, NO_COLOR: '1' } };
    default:
      throw new GatewayError('USAGE', `"${wanted}" says nothing about colours`, { remedy: 'Use yes, no or auto.' });
  }
}

function showHelp(words: readonly string[], output: Output): number {
  const about = words.filter((word) => !word.startsWith('-'));
  if (about.length === 0) {
    printOverview(output, commands);
    return exitStatus.ok;
  }
  const { command } = findCommand(about, commands);
  if (command !== null) {
    printCommand(output, command);
    return exitStatus.ok;
  }
  return unknownCommand(about.join(' '), ['--help'], output);
}

function unknownCommand(words: string, argv: readonly string[], output: Output): number {
  if (isFamily(words, commands)) {
    printFamily(output, words, commands);
    return argv.includes('--help') || argv.includes('-h') ? exitStatus.ok : exitStatus.usage;
  }
  if (words === '') throw new GatewayError('USAGE', 'no verb was given', { remedy: 'See `portcullis help`.' });
  const near = nearestCommand(words, commands);
  const question = near === null ? '' : ` Did you mean ${near}?`;
  throw new GatewayError('USAGE', `there is no verb "${safeText(words)}".${question}`, {
    remedy: 'See `portcullis help`.',
  });
}

const statusByCode: Partial<Record<ErrorCode, number>> = {
  USAGE: exitStatus.usage,
  DECISION_INVALID: exitStatus.usage,
  GATEWAY_ABSENT: exitStatus.unavailable,
  RUNTIME_UNSUITABLE: exitStatus.unavailable,
  STORE_UNAVAILABLE: exitStatus.unavailable,
  ADDRESS_IN_USE: exitStatus.unavailable,
  LISTEN_FAILED: exitStatus.unavailable,
  HUB_UNREACHABLE: exitStatus.unavailable,
  LAPI_UNREACHABLE: exitStatus.unavailable,
  SETTINGS_INVALID: exitStatus.settings,
  SETTINGS_UNREADABLE: exitStatus.settings,
  PROFILE_INVALID: exitStatus.settings,
};

/** People read the cause and the remedy; programs that asked for JSON get the same as JSON, on standard error too. */
function reportFault(thrown: unknown, argv: readonly string[], io: Io): number {
  const error = new Output({ ...io, stdout: io.stderr }, 'human');
  const known = thrown instanceof GatewayError;
  const message = messageOf(thrown);
  if (wantsJson(argv)) {
    error.json({ code: known ? thrown.code : 'INTERNAL', message, remedy: known ? thrown.remedy : null });
  } else {
    error.line(`${error.paint('red', 'error:')} ${message.split('\n').map(safeText).join('\n')}`);
    if (known && thrown.remedy !== null) error.line(`${error.paint('dim', '  →')} ${safeText(thrown.remedy)}`);
  }
  if (known) return statusByCode[thrown.code] ?? exitStatus.failed;
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  error.line(error.paint('dim', stack.split('\n').slice(1).map(safeText).join('\n')));
  return exitStatus.internal;
}

function wantsJson(argv: readonly string[]): boolean {
  const at = argv.findIndex((word) => word === '-o' || word === '--output');
  return (
    argv.includes('--json') ||
    argv.includes('--output=json') ||
    argv.includes('-ojson') ||
    (at !== -1 && argv[at + 1] === 'json')
  );
}

export type { Command };
