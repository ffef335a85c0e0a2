/** Runs one verb of the hub in this process, as `main` would, and keeps what it wrote. */
import { findCommand, formatOf, parseCommand } from '../../cli/arguments.ts';
import type { Command } from '../../cli/command.ts';
import { hubInspect } from '../../cli/commands/hub-inspect.ts';
import { hubInstall } from '../../cli/commands/hub-install.ts';
import { hubList } from '../../cli/commands/hub-list.ts';
import { hubRemove } from '../../cli/commands/hub-remove.ts';
import { hubSearch } from '../../cli/commands/hub-search.ts';
import { hubUpdate } from '../../cli/commands/hub-update.ts';
import { hubUpgrade } from '../../cli/commands/hub-upgrade.ts';
import { Output } from '../../cli/output/output.ts';
import { systemClock } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';

export const hubCommands: readonly Command[] = [
  hubUpdate,
  hubList,
  hubSearch,
  hubInstall,
  hubUpgrade,
  hubRemove,
  hubInspect,
];

export interface HubRan {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What it threw; `main` turns that into words. */
  readonly error: GatewayError | null;
}

export interface HubRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The width of a terminal that both streams pretend to be. */
  readonly columns?: number;
}

/** `argv` begins after `portcullis hub`. */
export async function runHub(argv: readonly string[], { env = {}, cwd, columns }: HubRunOptions): Promise<HubRan> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      written[name] += text;
      return true;
    },
    ...(columns === undefined ? {} : { isTTY: true, columns }),
  });
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), env, cwd };
  const { command, words, rest } = findCommand(['hub', ...argv], hubCommands);
  if (command === null) throw new Error(`there is no verb ${words}`);
  try {
    const given = parseCommand(command, rest);
    const gateway = () => Promise.reject(new Error('no verb of the hub needs a gateway'));
    const status = await command.run({
      io,
      given,
      clock: systemClock,
      output: new Output(io, formatOf(given)),
      gateway,
    });
    return { status, ...written, error: null };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { status: 1, ...written, error };
  }
}
