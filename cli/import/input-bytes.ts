/** The bytes of a list: of a file, or of standard input for `-`. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Io } from '../io.ts';

const chunkBytes = 262_144;

/** @throws GatewayError USAGE when it cannot be read. */
export async function* inputBytes(input: string, { stdin, cwd }: Io): AsyncGenerator<Uint8Array | string> {
  if (input === '-') {
    if (stdin === undefined) throw new GatewayError('USAGE', 'there is no standard input', { remedy: 'Name a file.' });
    yield* stdin;
    return;
  }
  try {
    yield* createReadStream(resolve(cwd, input), { highWaterMark: chunkBytes }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw new GatewayError('USAGE', `${input} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Name a file that this user may read.',
      cause,
    });
  }
}
