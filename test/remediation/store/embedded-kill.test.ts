/** What `apply` acknowledged is there after kill -9, whole; what it did not is there whole or not at all. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { openSession } from '../../../remediation/store/embedded-session.ts';
import { sampleAlert, sampleDecision, start } from '../../contracts/store-samples.ts';
import { contractRetention } from '../../contracts/store/tools.ts';
import { temporaryFolder } from '../../support/servers/process.ts';

const rounds = 24;
const child = join(import.meta.dirname, 'writer-child.ts');

t.test(`${rounds} kills lose nothing that was acknowledged`, async (t) => {
  const file = join(await temporaryFolder(t, 'kill'), 'store.db');
  const random = seeded(20260101);
  const acknowledged = new Set<number>();
  let next = 0;
  for (let round = 0; round < rounds; round++) {
    const killAfter = Math.floor(random() * 60);
    for (const index of await runAndKill(file, next, killAfter)) acknowledged.add(index);
    // At most four were under way beyond the last that was heard of.
    next = Math.max(next, ...acknowledged) + 8;
    const { session, setAside } = openSession({ file, maxBytes: 2 ** 30, retention: contractRetention, now: start });
    t.equal(setAside, null, 'the file is not damaged');
    const uuids = (table: string): Set<unknown> =>
      new Set(
        session.file
          .prepare(`SELECT uuid FROM ${table}`)
          .all()
          .map((row) => Object.values(row)[0]),
      );
    const stored = uuids('decisions');
    const alerts = uuids('alerts');
    t.same(session.file.prepare('PRAGMA integrity_check').all(), [['ok']]);
    session.close();
    let lost = 0;
    let torn = 0;
    for (let index = 0; index < next; index++) {
      const parts = [
        stored.has(sampleDecision(2 * index).uuid),
        stored.has(sampleDecision(2 * index + 1).uuid),
        alerts.has(sampleAlert(index).uuid),
      ];
      const present = parts.filter(Boolean).length;
      if (acknowledged.has(index) && present < 3) lost += 1;
      if (present !== 0 && present !== 3) torn += 1;
    }
    t.same({ lost, torn }, { lost: 0, torn: 0 }, `round ${round}: killed after ${killAfter}`);
  }
  t.ok(acknowledged.size > rounds, `${acknowledged.size} writes were acknowledged`);
});

/** The indices that the child said were acknowledged before it was killed. */
async function runAndKill(file: string, first: number, killAfter: number): Promise<number[]> {
  const process_ = spawn(process.execPath, [child, file, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => process_.kill('SIGKILL'));
  const ended = new Promise((resolve) => process_.once('close', resolve));
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: process_.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length > killAfter) process_.kill('SIGKILL');
  }
  await ended;
  return acknowledged;
}

/** mulberry32: the same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
