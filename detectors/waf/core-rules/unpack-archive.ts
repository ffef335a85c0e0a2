/** Unpacks a release archive (`.tar.gz`) of rules: files and folders only, within bounds, never outside of its folder. */
import { createReadStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { GatewayError, messageOf } from '../../../core/errors.ts';

/** A release has 1,500 files and 12 MB, most of them tests. */
const mostFiles = 20_000;
const mostBytes = 256 * 1024 ** 2;

/**
 * The folder that holds what the archive holds: archives of releases have one folder at the top.
 * @throws GatewayError RULES_INVALID
 */
export async function unpackArchive(file: string, into: string): Promise<string> {
  await mkdir(into, { recursive: true });
  // Only this verb unpacks anything.
  const { extract } = await import('tar');
  let files = 0;
  let bytes = 0;
  const take = (path: string, entry: object): boolean => {
    const { type, size } = entry as { readonly type?: string; readonly size?: number };
    if (type !== 'File' && type !== 'Directory') return false;
    files++;
    bytes += size ?? 0;
    if (files > mostFiles || bytes > mostBytes) throw new Error(`it holds more than a rule set, at ${path}`);
    return true;
  };
  try {
    await pipeline(createReadStream(file), extract({ cwd: into, strict: true, preserveOwner: false, filter: take }));
  } catch (thrown) {
    throw new GatewayError('RULES_INVALID', `${file} cannot be unpacked: ${messageOf(thrown)}`, {
      remedy: 'Give a .tar.gz of a release, or unpack it and give its folder.',
      cause: thrown,
    });
  }
  const [only, ...others] = await readdir(into);
  if (only === undefined || others.length > 0) return into;
  const top = join(into, only);
  return (await stat(top)).isDirectory() ? top : into;
}
