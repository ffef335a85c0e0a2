/** Machines that are folders: the files that `setup detect` looks at, below a temporary root. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRootFiles, type RootFiles } from '../../../detectors/setup/root-files.ts';

/** Paths of that machine and what they hold; `{ link }` is a link as it is written there. */
export type MachineFiles = Readonly<Record<string, string | { readonly link: string }>>;

interface TearDown {
  teardown(undo: () => void): void;
}

export function makeRoot(t: TearDown, files: MachineFiles): string {
  const root = mkdtempSync(join(tmpdir(), 'setup-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    if (typeof content === 'string') writeFileSync(join(root, path), content);
    else symlinkSync(content.link, join(root, path));
  }
  return root;
}

export function rootFiles(t: TearDown, files: MachineFiles): RootFiles {
  return createRootFiles(makeRoot(t, files));
}

/** A process as /proc shows it. */
export function processFiles(id: number, command: readonly string[], comm: string, cgroup = '0::/\n'): MachineFiles {
  return {
    [`/proc/${id}/cmdline`]: `${command.join('\0')}\0`,
    [`/proc/${id}/comm`]: `${comm}\n`,
    [`/proc/${id}/cgroup`]: cgroup,
  };
}
