/** Asks a Node whose only regular-expression engine is the linear one: a child process, because the flag is for a whole process. */
import { spawnSync } from 'node:child_process';

const script = `
const cases = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const answers = cases.map(([source, text]) => {
  let pattern;
  try { pattern = new RegExp(source, 'l'); } catch (error) { return String(error.message).slice(-60); }
  const match = text === null ? null : pattern.exec(text);
  return match && [match.index, ...match];
});
process.stdout.write(JSON.stringify(answers));
`;

/** `[index, match, group 1, …]`, or null for no match. */
export type LinearMatch = readonly (number | string | null)[] | null;

/**
 * What the linear engine says of each `[source, text]`: the match, or why it refuses the source (a string). With a null
 * text the source is only constructed. A child that has not answered after a minute is killed.
 */
export function askLinearEngine(
  cases: readonly (readonly [string, string | null])[],
): readonly (LinearMatch | string)[] {
  const child = spawnSync(process.execPath, ['--enable-experimental-regexp-engine', '-e', script], {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  if (child.status !== 0) throw new Error(`the linear engine did not answer: ${child.signal ?? ''} ${child.stderr}`);
  return JSON.parse(child.stdout) as readonly (LinearMatch | string)[];
}
