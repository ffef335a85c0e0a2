/** Asks before what cannot be undone. */
import { GatewayError } from '../core/errors.ts';
import type { Io } from './io.ts';

const longestAnswer = 1_024;

/**
 * True for `y` and `yes`.
 * @throws GatewayError USAGE where nobody can answer.
 */
export async function confirmed(question: string, io: Io): Promise<boolean> {
  io.stderr.write(`${question} [y/N] `);
  const answer = await nextLine(io);
  if (answer === null) {
    io.stderr.write('\n');
    throw new GatewayError('USAGE', 'nobody is there to agree', { remedy: 'Say --force to go on without asking.' });
  }
  return /^\s*y(?:es)?\s*$/i.test(answer);
}

/** The next line of standard input, null at its end. What follows is left unread. */
export async function nextLine({ stdin }: Io): Promise<string | null> {
  if (stdin === undefined) return null;
  let text = '';
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    if (text.includes('\n') || text.length > longestAnswer) break;
  }
  return text === '' ? null : (text.split('\n', 1)[0] ?? '').replace(/\r$/, '');
}
