/**
 * Whether a symbolic link may lead to a log. Who may write in a folder of logs may put a link there, to the password file or
 * to the log of another program. A link is followed when it belongs to root, to the user that the gateway runs as, or to the
 * owner of what it leads to: then who made it could have named that file anyway (Apache's SymLinksIfOwnerMatch).
 */
import type { BigIntStats } from 'node:fs';
import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { GatewayError } from '../../core/errors.ts';

/** As many as Linux follows. */
const mostLinks = 40;

/**
 * Null when everything between the root and the file that was opened as `path` may be followed. `changed`: by now the path
 * leads elsewhere than to what was opened; open it again.
 */
export async function linkProblem(path: string, opened: BigIntStats): Promise<GatewayError | 'changed' | null> {
  try {
    return await problemAt(path, opened);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'changed';
    throw error;
  }
}

async function problemAt(path: string, opened: BigIntStats): Promise<GatewayError | 'changed' | null> {
  const absolute = resolve(path);
  // Most logs are no links: the system says so in one call.
  const hasLinks = (await realpath(absolute)) !== absolute;
  const { end, untrusted } = hasLinks ? await walk(absolute) : { end: absolute, untrusted: null };
  const found = await lstat(end, { bigint: true });
  // Looked at after it was opened, so that no swap in between can go unnoticed.
  if (found.dev !== opened.dev || found.ino !== opened.ino) return 'changed';
  if (untrusted === null) return null;
  return new GatewayError('SOURCE_FAILED', `${path} is not read: ${untrusted} is a link to a file of another user`, {
    remedy: 'Name the file that it leads to, or make the link again as root.',
  });
}

interface Walk {
  /** Where the path leads. */
  readonly end: string;
  /** The first link on the way that may not be followed. */
  readonly untrusted: string | null;
}

async function walk(path: string): Promise<Walk> {
  const names = path.split('/');
  let at = '/';
  let untrusted: string | null = null;
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = name === '..' ? dirname(at) : join(at, name);
    const found = await lstat(next, { bigint: true });
    if (!found.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > mostLinks)
      throw new GatewayError('SOURCE_FAILED', `${path} leads through more than ${mostLinks} links`);
    if (untrusted === null && !(await mayLead(next, found.uid))) untrusted = next;
    const target = await readlink(next);
    if (target.startsWith('/')) at = '/';
    names.unshift(...target.split('/'));
  }
  return { end: at, untrusted };
}

async function mayLead(link: string, owner: bigint): Promise<boolean> {
  const own = process.getuid?.();
  if (owner === 0n || own === undefined || owner === BigInt(own)) return true;
  return (await stat(link, { bigint: true })).uid === owner;
}
