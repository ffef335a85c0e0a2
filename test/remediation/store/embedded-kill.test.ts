/**
 * What `apply` acknowledged is there after kill -9, whole; what it did not is there whole or not at all. `KILL_ROUNDS` asks for
 * more kills than a usual run has time for.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { uuidKey } from '../../../remediation/store/embedded-decision-keys.ts';
import { openSession, type EmbeddedSession } from '../../../remediation/store/embedded-session.ts';
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { start } from '../../contracts/store-samples.ts';
import { contractRetention } from '../../contracts/store/tools.ts';
import { temporaryFolder } from '../../support/servers/process.ts';
import { burst, importLength, importOf } from './kill-writes.ts';
import { seeded } from '../../support/seeded.ts';

const rounds = Number(process.env.KILL_ROUNDS ?? 25);
/** Rounds with the same file, which grows. */
const roundsPerFile = 25;
const child = join(import.meta.dirname, 'writer-child.ts');

// A round takes half a second; on a machine that is busy otherwise it takes many times that.
t.setTimeout(60_000 + rounds * 10_000);

t.test(`${rounds} kills lose nothing that was acknowledged`, async (t) => {
  const folder = await temporaryFolder(t, 'kill');
  const random = seeded(20260101);
  let heard = 0;
  for (let round = 0; round < rounds; round += roundsPerFile) {
    const file = join(folder, `store-${round}.db`);
    heard += await killOften(t, file, Math.min(roundsPerFile, rounds - round), random);
  }
  t.ok(heard > rounds, `${heard} writes were acknowledged`);
});

/** The number of acknowledged writes. */
async function killOften(t: Test, file: string, times: number, random: () => number): Promise<number> {
  const acknowledged = new Set<string>();
  const ids = new Map<string, number>();
  let next = 0;
  for (let round = 0; round < times; round++) {
    const killAfter = Math.floor(random() * 60);
    for (const name of await runAndKill(t, file, next, round, killAfter)) acknowledged.add(name);
    // At most three were under way beyond the last that was heard of.
    const numbers = [...acknowledged].flatMap((name) => (name.startsWith('burst ') ? [Number(name.slice(6))] : []));
    next = Math.max(next, ...numbers) + 7;
    const { session, setAside } = openSession({ file, maxBytes: 2 ** 30, retention: contractRetention, now: start });
    t.equal(setAside, null, 'the file is not damaged');
    t.same(session.file.prepare('PRAGMA integrity_check').all(), [['ok']]);
    t.same(faultsOf(session, acknowledged, next, round + 1), [], `round ${round}: killed after ${killAfter}`);
    t.same(changedIds(session, ids), [], 'numbers of alerts stay');
    session.close();
  }
  return acknowledged.size;
}

/** What is missing, and what is there in part. */
function faultsOf(
  session: EmbeddedSession,
  acknowledged: ReadonlySet<string>,
  bursts: number,
  imports: number,
): string[] {
  const column = (select: string): unknown[] => session.file.prepare(select).all().map(firstOf);
  const decisions = new Set(column('SELECT uuid FROM decisions'));
  const alerts = new Set(column('SELECT uuid FROM alerts'));
  const isThere = (write: StoreWrite): boolean =>
    write.kind === 'alert' ? alerts.has(write.alert.uuid) : 'decision' in write && decisions.has(write.decision.uuid);
  const faults: string[] = [];
  for (let index = 0; index < bursts; index++) {
    const writes = burst(index);
    const present = writes.filter(isThere).length;
    if (acknowledged.has(`burst ${index}`) && present < writes.length) faults.push(`burst ${index} is lost`);
    if (present !== 0 && present !== writes.length) faults.push(`burst ${index} is torn`);
  }
  for (let index = 0; index < imports; index++) {
    const present = importOf(index).map(isThere);
    const last = present.lastIndexOf(true) + 1;
    if (acknowledged.has(`import ${index}`) && last < importLength) faults.push(`import ${index} is lost`);
    if (present.indexOf(false) < last && present.includes(false)) faults.push(`import ${index} has a gap`);
    if (last % 500 !== 0) faults.push(`import ${index} is torn after ${last}`);
  }
  const seed = session.hashSeed;
  const keys = new Set(session.file.prepare('SELECT key, seq FROM decision_keys').all().map(String));
  const places = session.file.prepare('SELECT uuid, seq FROM decisions').all() as unknown as [string, number][];
  const missing = places.filter(([uuid, seq]) => !keys.has(`${uuidKey(uuid, seed)},${seq}`));
  if (missing.length > 0 || keys.size !== places.length)
    faults.push(`${missing.length} of ${keys.size} keys are wrong`);
  const [head] = column('SELECT head FROM history');
  if (places.some(([, seq]) => seq > Number(head))) faults.push('a position beyond the head');
  const unfinished = column(`SELECT uuid FROM alerts WHERE body NOT LIKE '%"message":"again"%'`);
  return [...faults, ...unfinished.map((uuid) => `alert ${String(uuid)} is half written`)];
}

/** Alerts whose number is another than in an earlier round; new ones are noted. */
function changedIds(session: EmbeddedSession, known: Map<string, number>): string[] {
  const rows = session.file.prepare('SELECT uuid, id FROM alerts').all() as unknown as [string, number][];
  const changed = rows.filter(([uuid, id]) => (known.get(uuid) ?? id) !== id).map(([uuid]) => uuid);
  for (const [uuid, id] of rows) known.set(uuid, id);
  return new Set(known.values()).size === known.size ? changed : [...changed, 'two alerts have one number'];
}

/** What the child said was acknowledged before it was killed. */
async function runAndKill(
  t: Test,
  file: string,
  first: number,
  imported: number,
  killAfter: number,
): Promise<string[]> {
  const args = [child, file, String(first), String(imported)];
  const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => process_.kill('SIGKILL'));
  const ended = new Promise((resolve) => process_.once('close', resolve));
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: process_.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length > killAfter) process_.kill('SIGKILL');
  }
  await ended;
  return acknowledged;
}

function firstOf(row: unknown): unknown {
  return (row as unknown[])[0];
}
