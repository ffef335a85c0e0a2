/**
 * A program from Debian for a measurement, unpacked into a folder of the bench: nothing is installed, no service is set up,
 * and a second run finds it there.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { runWell } from './run-program.ts';

export interface DebianProgram {
  /** What would be `/`. */
  readonly root: string;
  /** As Debian writes it: `1.4.6-6~deb12u1+b1`. */
  readonly version: string;
}

/** Rejects, saying what apt said, when the package cannot be had: it needs apt-get, its lists (`apt-get update`) and a mirror. */
export async function unpackDebianPackage(name: string, cacheFolder: string, clock: Clock): Promise<DebianProgram> {
  const root = join(cacheFolder, name);
  if (!existsSync(root)) {
    const download = join(cacheFolder, `${name}.download`);
    await rm(download, { recursive: true, force: true });
    await mkdir(download, { recursive: true });
    const run = (command: string, args: readonly string[]) =>
      runWell({ command, args, cwd: download, core: null, clock });
    await run('apt-get', ['-q', 'download', name]);
    const [archive] = (await readdir(download)).filter((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${name} brought no package`);
    await run('dpkg-deb', ['-x', archive, 'root']);
    await run('dpkg-deb', ['-e', archive, 'root/DEBIAN']);
    // Renamed when it is complete: an interrupted run leaves nothing that looks like a program.
    await rename(join(download, 'root'), root);
    await rm(download, { recursive: true });
  }
  const control = await readFile(join(root, 'DEBIAN', 'control'), 'utf8');
  return { root, version: /^Version: (.*)$/m.exec(control)?.[1] ?? 'unknown' };
}
