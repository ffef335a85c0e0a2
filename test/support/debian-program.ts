/**
 * A program from Debian, unpacked into a folder: nothing is installed, no service is set up, no maintainer script runs, and a
 * second call finds it there. For measurements and for tests with real programs.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface DebianProgram {
  /** What would be `/`. */
  readonly root: string;
  /** As Debian writes it: `1.4.6-6~deb12u1+b1`. */
  readonly version: string;
}

/** Where the tests' programs are unpacked: `npm test` does it before they start, git and Debian know nothing of it. */
export const unpackedPrograms = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'portcullis-programs');

/** The program when it has been unpacked into `folder`, else null. */
export function findDebianProgram(name: string, folder: string = unpackedPrograms): DebianProgram | null {
  const root = join(folder, name);
  if (!existsSync(root)) return null;
  const control = readFileSync(join(root, 'DEBIAN', 'control'), 'utf8');
  return { root, version: /^Version: (.*)$/m.exec(control)?.[1] ?? 'unknown' };
}

/** Rejects, saying what apt said, when the package cannot be had: it needs apt-get, its lists (`apt-get update`) and a mirror. */
export async function unpackDebianPackage(name: string, folder: string): Promise<DebianProgram> {
  const found = findDebianProgram(name, folder);
  if (found !== null) return found;
  await mkdir(folder, { recursive: true });
  // A folder of this call's own: two may unpack the same package at once.
  const download = await mkdtemp(join(folder, `${name}.download-`));
  try {
    await runIn(download, 'apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name]);
    const archive = (await readdir(download)).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${name} brought no package`);
    await runIn(download, 'dpkg-deb', ['-x', archive, 'root']);
    await runIn(download, 'dpkg-deb', ['-e', archive, 'root/DEBIAN']);
    await putInPlace(join(download, 'root'), join(folder, name));
  } finally {
    await rm(download, { recursive: true, force: true });
  }
  const unpacked = findDebianProgram(name, folder);
  if (unpacked === null) throw new Error(`${name} is not in ${folder}, where it was unpacked a moment ago`);
  return unpacked;
}

/** Renamed when it is complete: an interrupted run leaves nothing that looks like a program. */
async function putInPlace(complete: string, place: string): Promise<void> {
  try {
    await rename(complete, place);
  } catch (error) {
    // Somebody else was faster with the same package.
    if (!existsSync(place)) throw error;
  }
}

const run = promisify(execFile);

async function runIn(folder: string, command: string, args: readonly string[]): Promise<void> {
  try {
    await run(command, args, { cwd: folder, env: { ...process.env, LC_ALL: 'C' } });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`${command} ${args.join(' ')} failed${said === '' ? '' : `:\n${said}`}`, { cause: error });
  }
}
