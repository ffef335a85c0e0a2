/**
 * The tables of the embedded store, as an ordered list of migrations: `PRAGMA user_version` says how many a file has had.
 * A released migration is never edited; a change is a new one at the end.
 *
 * Every write of a decision or an allowlist entry gives its row the next `seq`, so the tables themselves are the change
 * history in order of writing. `decisions.id` is null as long as it is `seq`: until the decision is written again. A decision is
 * found by its uuid through `decision_keys`, a 32-bit hash of it: a table and no index, because it is written in order of the
 * keys once for a whole transaction, which halves the time of a large import.
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

  `CREATE TABLE alert_refs (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE) STRICT;
   INSERT INTO alert_refs (uuid) SELECT DISTINCT alert_uuid FROM decisions WHERE alert_uuid IS NOT NULL;
   CREATE TABLE decision_keys (
     key INTEGER NOT NULL,
     seq INTEGER NOT NULL,
     PRIMARY KEY (key, seq)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO decision_keys SELECT key, seq FROM decisions ORDER BY key, seq;
   ALTER TABLE decisions RENAME TO decisions_before;
   CREATE TABLE decisions (
     seq INTEGER PRIMARY KEY,
     uuid TEXT NOT NULL,
     kind INTEGER NOT NULL,
     value TEXT NOT NULL,
     until INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     deleted_at INTEGER,
     own INTEGER,
     id INTEGER,
     alert INTEGER
   ) STRICT;
   INSERT INTO decisions
     SELECT seq, decisions_before.uuid, kind, value, until, created_at, deleted_at, own, NULL, alert_refs.id
     FROM decisions_before LEFT JOIN alert_refs ON alert_refs.uuid = alert_uuid ORDER BY seq;
   DROP TABLE decisions_before;
   CREATE INDEX decisions_own ON decisions (created_at) WHERE own = 1;
   CREATE INDEX decisions_alert ON decisions (alert) WHERE alert IS NOT NULL;
   CREATE INDEX decisions_id ON decisions (id) WHERE id IS NOT NULL;

   CREATE TABLE allowlists (
     name TEXT PRIMARY KEY,
     description TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL
   ) STRICT;
   INSERT INTO allowlists
     SELECT 'default', '', min(created_at), max(created_at) FROM allowlist WHERE deleted_at IS NULL HAVING count(*) > 0;
   ALTER TABLE allowlist RENAME TO allowlist_before;
   CREATE TABLE allowlist (
     seq INTEGER PRIMARY KEY,
     list TEXT NOT NULL,
     value TEXT NOT NULL,
     comment TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     until INTEGER,
     deleted_at INTEGER,
     UNIQUE (list, value)
   ) STRICT;
   INSERT INTO allowlist
     SELECT seq, 'default', value, comment, created_at, until, deleted_at FROM allowlist_before ORDER BY seq;
   DROP TABLE allowlist_before;

   ALTER TABLE bouncers RENAME TO bouncers_before;
   CREATE TABLE bouncers (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
   INSERT INTO bouncers SELECT name, json_object(
     'name', name, 'keyHash', key_hash, 'createdAt', created_at, 'authType', 'api-key', 'autoCreated', json('false'),
     'ip', '', 'type', '', 'version', '', 'lastPull', NULL
   ) FROM bouncers_before;
   DROP TABLE bouncers_before;
   CREATE TABLE machines (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

   CREATE TABLE usage (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     side TEXT NOT NULL,
     sender TEXT NOT NULL,
     received_at INTEGER NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX usage_received_at ON usage (received_at);
   CREATE INDEX usage_sender ON usage (side, sender, received_at);`,
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
