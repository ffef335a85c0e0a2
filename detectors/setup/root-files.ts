/**
 * Reads a machine's files below a root folder: `/` itself, or where another machine's disk is mounted. Links are followed
 * inside the root only: an absolute one means a path of that machine, and none leads out. What cannot be read is absent.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

export interface RootFiles {
  /** Whether there is something at this path, a file or a folder. */
  exists(path: string): boolean;
  /** The text of a regular file of at most 1 MiB, or null. */
  text(path: string): string | null;
  /** Names in a folder, sorted; empty when it is none. */
  names(folder: string): readonly string[];
  /** Where a link leads, as it is written; null when it is no link. */
  link(path: string): string | null;
  /** Paths that a pattern with `*` and `?` stands for, sorted; at most 1,000. A path without either stands for itself. */
  glob(pattern: string): readonly string[];
}

/** Configurations are small; what is larger is none. */
const largestBytes = 1_048_576;
const mostMatches = 1_000;
/** As Linux does. */
const mostLinks = 40;

export function createRootFiles(root: string): RootFiles {
  const read = <T>(path: string, use: (real: string) => T): T | null => {
    try {
      const real = resolveBelow(root, path);
      return real === null ? null : use(join(root, real));
    } catch {
      return null;
    }
  };
  const files: RootFiles = {
    exists: (path) => read(path, (real) => statSync(real) !== undefined) ?? false,
    text: (path) =>
      read(path, (real) => {
        const status = statSync(real);
        // The files of /proc say that they are empty.
        return status.isFile() && status.size <= largestBytes ? readFileSync(real, 'utf8') : null;
      }),
    names: (folder) => read(folder, (real) => readdirSync(real).toSorted()) ?? [],
    link(path) {
      const folder = read(posix.dirname(path), (real) => real);
      try {
        return folder === null ? null : readlinkSync(join(folder, posix.basename(path)));
      } catch {
        return null;
      }
    },
    glob: (pattern) => glob(files, pattern),
  };
  return files;
}

/** The path without any link in it, still below the root; null after too many links. Missing parts are taken as they are. */
function resolveBelow(root: string, path: string): string | null {
  const waiting = posix.normalize(`/${path}`).split('/').filter(Boolean);
  let done = '/';
  for (let links = 0; waiting.length > 0; ) {
    const next = waiting.shift() ?? '';
    const candidate = posix.join(done, next);
    const target = linkTarget(join(root, candidate));
    if (target === null) {
      done = candidate;
      continue;
    }
    if (++links > mostLinks) return null;
    // Normalised from `/` on, `..` ends at the root.
    const meant = posix.normalize(posix.isAbsolute(target) ? target : posix.join(done, target));
    waiting.unshift(...meant.split('/').filter(Boolean));
    done = '/';
  }
  return done;
}

function linkTarget(path: string): string | null {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : null;
}

function glob(files: RootFiles, pattern: string): readonly string[] {
  let found: readonly string[] = ['/'];
  for (const part of posix.normalize(`/${pattern}`).split('/').filter(Boolean)) {
    if (!/[*?]/.test(part)) {
      found = found.map((path) => posix.join(path, part)).filter((path) => files.exists(path));
      continue;
    }
    const wanted = nameMatcher(part);
    found = found
      .flatMap((path) =>
        files
          .names(path)
          .filter((name) => wanted(name))
          .map((name) => posix.join(path, name)),
      )
      .slice(0, mostMatches);
  }
  return found;
}

/** Matches names as a shell does: `*` never stands for a leading dot. */
function nameMatcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replace(/\?/g, '[^/]');
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name) && (pattern.startsWith('.') || !name.startsWith('.'));
}
