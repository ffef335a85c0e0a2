/**
 * The SQLite file of the embedded store: how it is opened, what its failures mean, and how a damaged one is set aside.
 * Pragmas: https://www.sqlite.org/pragma.html; result codes: https://www.sqlite.org/rescode.html.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Fault, WorkerSettings } from './embedded-messages.ts';
import { migrate } from './embedded-schema.ts';

/** SQLITE_FULL, SQLITE_CORRUPT and SQLITE_NOTADB. */
const resultFull = 13;
const resultCorrupt = 11;
const resultNotADatabase = 26;

const pageBytes = 4_096;
/** Pages that SQLite keeps in memory. */
export const cacheKiB = 8_192;
/**
 * Pages of the write-ahead log after which they are moved into the file while a write waits: 16 MiB, four times SQLite's own number,
 * which a hundred alerts reach.
 */
export const checkpointPages = 4_000;
/** How long to wait for a gateway that is just ending to let go of the file. */
const busyTimeoutMs = 3_000;
/** Damaged files that are kept for whoever wants to look; they may be large. */
const keptAside = 3;

/** An open file with its prepared statements. */
export interface StoreFile {
  readonly db: DatabaseSync;
  /** The statement for `sql`, prepared once. Texts come from a fixed set, so the cache is bounded. Rows are arrays. */
  prepare(sql: string): StatementSync;
  close(): void;
}

/** Opens or creates the file, mode 0600, at the newest schema. Throws what SQLite or the file system throws. */
export function openStoreFile(settings: Pick<WorkerSettings, 'file' | 'maxBytes'>): StoreFile {
  const { file } = settings;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    // Exclusive: a second gateway on the same file would not see this one's changes, so it is told to go away.
    db.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${checkpointPages};
      PRAGMA journal_size_limit = 16777216;
      PRAGMA cache_size = -${cacheKiB};
      PRAGMA temp_store = MEMORY;
      PRAGMA max_page_count = ${Math.floor(settings.maxBytes / pageBytes)};
    `);
    migrate(db);
  } catch (error) {
    db.close();
    throw error;
  }
  const statements = new Map<string, StatementSync>();
  return {
    db,
    prepare(sql) {
      let statement = statements.get(sql);
      if (!statement) {
        statement = db.prepare(sql);
        statement.setReturnArrays(true);
        statements.set(sql, statement);
      }
      return statement;
    },
    close() {
      statements.clear();
      if (db.isOpen) db.close();
    },
  };
}

/** Moves the file out of the way, under its name and `.corrupt-<time>`, which is returned. Old ones beyond three go. */
export function setAside(file: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, '-');
  let path = `${file}.corrupt-${stamp}`;
  for (let attempt = 1; existsSync(path); attempt++) path = `${file}.corrupt-${stamp}-${attempt}`;
  renameSync(file, path);
  for (const suffix of ['-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, path + suffix);
  const prefix = `${basename(file)}.corrupt-`;
  const aside = readdirSync(dirname(file)).filter((name) => name.startsWith(prefix) && !/-(?:wal|shm)$/.test(name));
  for (const name of aside.sort().slice(0, -keptAside)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(dirname(file), name + suffix), { force: true });
  }
  return path;
}

export function isCorruption(error: unknown): boolean {
  const code = resultCode(error);
  return code === resultCorrupt || code === resultNotADatabase;
}

/** What went wrong, for a person. */
export function faultOf(error: unknown, file: string): Fault {
  if (error instanceof GatewayError) {
    return { code: error.code, message: error.message, remedy: error.remedy, cause: '' };
  }
  const cause = messageOf(error);
  if (resultCode(error) === resultFull) {
    const remedy = 'Free space on the disk, or raise store.maxBytes.';
    return { code: 'STORE_FULL', message: `the store file ${file} cannot grow`, remedy, cause };
  }
  if (isCorruption(error)) {
    const remedy = 'Nothing to do: a new file was started; what was lost is in the damaged file beside it.';
    return { code: 'STORE_CORRUPT', message: `the store file ${file} is damaged`, remedy, cause };
  }
  const remedy = 'Check that the folder exists, belongs to the gateway, and that no other gateway uses the file.';
  return { code: 'STORE_UNAVAILABLE', message: `the store file ${file} cannot be used: ${cause}`, remedy, cause };
}

/** The primary result code of SQLite, or null for other errors. */
function resultCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : null;
}
