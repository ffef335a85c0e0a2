/** Runs a command line in this process and keeps what it wrote. */
import { Readable } from 'node:stream';
import { main } from '../../cli/main.ts';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What stands on standard input. */
  readonly stdin?: string;
  /** The width of a terminal that standard output pretends to be. */
  readonly columns?: number;
}

export async function run(
  argv: readonly string[],
  { env = {}, cwd = '/', columns, stdin }: RunOptions = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      written[name] += text;
      return true;
    },
    ...(columns === undefined ? {} : { isTTY: true, columns }),
  });
  const input = stdin === undefined ? {} : { stdin: Readable.from([stdin]) as AsyncIterable<string> };
  const status = await main(argv, { ...input, stdout: stream('stdout'), stderr: stream('stderr'), env, cwd });
  return { status, ...written };
}
