/**
 * What the hub changes on disk, as a port: a test puts a disk in its place that fails or stops at any step. Reading is not
 * part of it.
 */
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, rename, rm, symlink } from 'node:fs/promises';

export interface HubDisk {
  /** With its parents; nothing happens when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Writes a whole file, through to the medium. */
  writeFile(path: string, text: string): Promise<void>;
  /** Takes the place of what is there, at once. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file, or a copy where the file system has no such names. `to` must be free. */
  keepCopy(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  /** A file, a link, or a folder with all that is in it. Nothing happens when it is absent. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder outlive a loss of power. */
  syncFolder(path: string): Promise<void>;
}

export const hubDisk: HubDisk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  async writeFile(path, text) {
    const file = await open(path, 'w', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  async keepCopy(from, to) {
    try {
      await link(from, to);
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && withoutLinks.has(String(thrown.code)))) throw thrown;
      await copyFile(from, to, constants.COPYFILE_EXCL);
    }
  },
  symlink: (target, path) => symlink(target, path),
  async remove(path) {
    await rm(path, { recursive: true, force: true });
  },
  async syncFolder(path) {
    const folder = await open(path, constants.O_RDONLY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

const withoutLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
