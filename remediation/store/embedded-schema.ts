/**
 * The tables of the embedded store, as an ordered list of migrations: `PRAGMA user_version` says how many a file has had.
 * A released migration is never edited; a change is a new one at the end.
 *
 * Every write of a decision or an allowlist entry gives its row the next `seq`, so the tables themselves are the change
 * history in order of writing. `decisions.key` is a 32-bit hash of the uuid: an index on the uuid itself triples the
 * time of a large import.
 */
import type { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../core/errors.ts';

export const migrations: readonly string[] = [
  `CREATE TABLE history (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     epoch TEXT NOT NULL,
     head INTEGER NOT NULL,
     floor INTEGER NOT NULL,
     hash_seed INTEGER NOT NULL
   ) STRICT;
   INSERT INTO history VALUES (1, lower(hex(randomblob(8))), 0, 0, random() & 0x7fffffff);

   CREATE TABLE kinds (
     id INTEGER PRIMARY KEY,
     origin TEXT NOT NULL,
     scenario TEXT NOT NULL,
     scope TEXT NOT NULL,
     type TEXT NOT NULL,
     simulated INTEGER NOT NULL,
     UNIQUE (scenario, origin, scope, type, simulated)
   ) STRICT;

   CREATE TABLE decisions (
     seq INTEGER PRIMARY KEY,
     key INTEGER NOT NULL,
     uuid TEXT NOT NULL,
     kind INTEGER NOT NULL,
     value TEXT NOT NULL,
     until INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     deleted_at INTEGER,
     alert_uuid TEXT,
     own INTEGER
   ) STRICT;
   CREATE INDEX decisions_key ON decisions (key);
   CREATE INDEX decisions_own ON decisions (created_at) WHERE own = 1;
   CREATE INDEX decisions_alert ON decisions (alert_uuid) WHERE alert_uuid IS NOT NULL;

   CREATE TABLE allowlist (
     seq INTEGER PRIMARY KEY,
     value TEXT NOT NULL UNIQUE,
     comment TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     until INTEGER,
     deleted_at INTEGER
   ) STRICT;

   CREATE TABLE alerts (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE,
     scope TEXT NOT NULL,
     value TEXT NOT NULL,
     scenario TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX alerts_created_at ON alerts (created_at);

   CREATE TABLE refusals (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     client_ip TEXT NOT NULL,
     request_id TEXT NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX refusals_at ON refusals (at);`,

  `CREATE TABLE bouncers (
     name TEXT PRIMARY KEY,
     key_hash TEXT NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT;`,
];

/** Brings a file to the newest version, each step a transaction. Throws for a file of a later Portcullis. */
export function migrate(db: DatabaseSync, steps: readonly string[] = migrations): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  if (version > steps.length) {
    throw new GatewayError(
      'STORE_UNAVAILABLE',
      `the store file has version ${version}, this Portcullis knows ${steps.length}`,
      {
        remedy: 'Run the Portcullis that wrote the file, or move the file away.',
      },
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
