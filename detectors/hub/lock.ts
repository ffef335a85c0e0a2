/**
 * One hub verb at a time. The lock is SQLite's on an empty file: the system lets go of it when its holder dies, however it
 * dies, so no lock is ever left behind.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../core/errors.ts';

/** Runs `work` alone. @throws GatewayError HUB_REFUSED when another process is at work in that folder. */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = new DatabaseSync(join(folder, '.lock'), { timeout: 0 });
  try {
    try {
      file.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      throw new GatewayError('HUB_REFUSED', 'another hub command is at work', { remedy: 'Wait for it to end.', cause });
    }
    return await work();
  } finally {
    file.close();
  }
}
