/** What somebody who may write in a folder of logs cannot make the gateway do. */
import { chown, lchown, mkdir, open, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AcquisitionDocument } from '../../../detectors/acquisition/acquisition-document.ts';
import { FileClaims } from '../../../detectors/acquisition/file-claims.ts';
import { FileFollower } from '../../../detectors/acquisition/file-follower.ts';
import { linkProblem } from '../../../detectors/acquisition/link-trust.ts';
import { readAcquisition } from '../../../detectors/acquisition/read-acquisition.ts';
import { openResumeStore } from '../../../detectors/acquisition/resume-store.ts';
import { createTestOutlet, createTestSink, silentRuntime, temporaryFolder } from './support.ts';

/** Somebody who is neither root nor the user of the tests. */
const stranger = 64_321;
const needsRoot = process.getuid?.() === 0 ? false : 'links of another user can only be made by root';

interface Rig {
  readonly raws: () => readonly string[];
  readonly trouble: () => string | null;
  readonly released: string[];
  readonly look: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Follows `pattern`, whose files are read from their start because they appear after the first look. */
async function follow(pattern: string): Promise<Rig> {
  const sink = createTestSink();
  const { outlet, meter } = createTestOutlet(sink);
  const released: string[] = [];
  const follower = new FileFollower(
    {
      patterns: [pattern],
      excludes: () => false,
      oneShot: false,
      lineLimit: 65_536,
      lingerMs: 0,
      base: '/',
      resumeKey: 'file test',
    },
    {
      outlet,
      meter,
      clock: silentRuntime.clock,
      resume: await openResumeStore(null, silentRuntime),
      claim: () => true,
      release: (path) => void released.push(path),
    },
  );
  const look = async (): Promise<void> => {
    while ((await follower.look(true)).more);
  };
  await look();
  return {
    raws: () => sink.raws(),
    trouble: () => meter.status().lastError,
    released,
    look,
    close: () => follower.close(),
  };
}

async function problemOf(path: string): Promise<unknown> {
  const file = await open(path);
  try {
    return await linkProblem(path, await file.stat({ bigint: true }));
  } finally {
    await file.close();
  }
}

t.test("a stranger's link does not lead to somebody else's file", { skip: needsRoot }, async (t) => {
  const folder = await temporaryFolder(t);
  const secret = join(folder, 'secret');
  await writeFile(secret, 'root:x:0:0\n');
  const logs = join(folder, 'logs');
  await mkdir(logs);
  const { raws, trouble, look, close } = await follow(join(logs, '*.log'));
  await symlink(secret, join(logs, 'evil.log'));
  await lchown(join(logs, 'evil.log'), stranger, stranger);
  await writeFile(join(logs, 'good.log'), 'fine\n');
  await look();
  t.strictSame(raws(), ['fine']);
  t.match(trouble(), /evil\.log is not read: .*evil\.log is a link to a file of another user/);
  await rm(join(logs, 'evil.log'));
  await look();
  t.equal(trouble(), null);
  await close();
});

t.test('nor does a link on the way, behind a link of root, or under a rotated name', { skip: needsRoot }, async (t) => {
  const folder = await temporaryFolder(t);
  const secret = join(folder, 'secrets', 'a.log');
  await mkdir(join(folder, 'secrets'));
  await writeFile(secret, 'secret\n');
  await symlink('secrets', join(folder, 'way'));
  await lchown(join(folder, 'way'), stranger, stranger);
  await symlink('way/a.log', join(folder, 'behind.log'));
  for (const path of [join(folder, 'way', 'a.log'), join(folder, 'behind.log')]) {
    t.match(await problemOf(path), { code: 'SOURCE_FAILED', message: /way is a link to a file of another user/ });
  }
  const log = join(folder, 'app.log');
  const { raws, look, close } = await follow(log);
  await writeFile(log, 'one\n');
  await look();
  await symlink(secret, `${log}.1`);
  await rm(log);
  await look();
  t.strictSame(raws(), ['one'], 'a rotation leaves no links');
  await close();
});

t.test(
  'links of root, of the own user, and to files of the same owner are followed',
  { skip: needsRoot },
  async (t) => {
    const folder = await temporaryFolder(t);
    const file = join(folder, 'real.log');
    await writeFile(file, 'x\n');
    await symlink('real.log', join(folder, 'root.log'));
    t.equal(await problemOf(join(folder, 'root.log')), null);
    await chown(file, stranger, stranger);
    await symlink('./real.log', join(folder, 'own.log'));
    await lchown(join(folder, 'own.log'), stranger, stranger);
    t.equal(await problemOf(join(folder, 'own.log')), null);
    await mkdir(join(folder, 'sub'));
    await symlink('../own.log', join(folder, 'sub', 'chain.log'));
    t.equal(await problemOf(join(folder, 'sub', 'chain.log')), null);
  },
);

t.test('what was opened before the path came to lead elsewhere is noticed', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.log');
  await writeFile(path, 'x\n');
  const file = await open(path);
  t.teardown(() => file.close());
  const stats = await file.stat({ bigint: true });
  t.equal(await linkProblem(path, stats), null);
  await rename(path, `${path}.1`);
  t.equal(await linkProblem(path, stats), 'changed', 'gone');
  await symlink('a.log.1', path);
  t.equal(await linkProblem(path, stats), null, 'the same file by another way');
  await rm(path);
  await writeFile(path, 'y\n');
  t.equal(await linkProblem(path, stats), 'changed', 'another file');
});

t.test('thousands of rotated names do not take all descriptors', async (t) => {
  const folder = await temporaryFolder(t);
  const log = join(folder, 'app.log');
  const { raws, look, close } = await follow(log);
  await writeFile(log, 'first\n');
  await look();
  const before = await openDescriptors(t);
  await rm(log);
  for (let number = 1; number <= 200; number++) await writeFile(`${log}.${number}`, `line ${number}\n`);
  await look();
  t.ok((await openDescriptors(t)) - before < 20, 'few are open');
  t.equal(new Set(raws()).size, 201, 'and all were read');
  await close();
});

async function openDescriptors(t: Test): Promise<number> {
  const names = await readdir('/proc/self/fd').catch(() => null);
  if (names === null) t.fail('this system does not tell the open descriptors');
  return names?.length ?? 0;
}

t.test('a path that is gone is let go, and another document may read it', async (t) => {
  const folder = await temporaryFolder(t);
  const { released, look, close } = await follow(join(folder, '*.log'));
  const names = Array.from({ length: 20 }, (_, index) => join(folder, `${index}.log`));
  for (const name of names) await writeFile(name, 'x\n');
  await look();
  for (const name of names) await rm(name);
  for (let round = 0; round < 3; round++) await look();
  t.strictSame(released.toSorted(), names.toSorted());
  await close();
});

t.test('claims are as many as files that are read, and warnings as many as documents', async (t) => {
  const warned: object[] = [];
  const claims = new FileClaims({ warn: (fields: object) => void warned.push(fields) });
  const yaml = 'filename: /a/*.log\nlabels: {type: x}\n---\nfilename: /a/b*.log\nlabels: {type: x}\n';
  const [first, second] = readAcquisition(Buffer.from(yaml), 'acquis.yaml', {}).documents as [
    AcquisitionDocument,
    AcquisitionDocument,
  ];
  for (let number = 0; number < 1_000; number++) {
    const path = `/a/b${number}.log`;
    t.ok(claims.claim(first, path) && claims.claim(first, path));
    t.notOk(claims.claim(second, path));
    claims.release(second, path);
    t.notOk(claims.claim(second, path), 'only who reads it lets it go');
    claims.release(first, path);
  }
  t.equal(claims.size, 0);
  t.match(warned, [{ path: '/a/b0.log', source: '/a/b*.log', other: '/a/*.log' }]);
  t.ok(claims.claim(second, '/a/b0.log'));
  t.notOk(claims.claim(first, '/a/b0.log'));
  t.equal(warned.length, 2);
});

t.test('so many files are read, and no more', async (t) => {
  const warned: object[] = [];
  const claims = new FileClaims({ warn: (fields: object) => void warned.push(fields) });
  const yaml = 'filename: /a/*.log\nlabels: {type: x}\n';
  const [document] = readAcquisition(Buffer.from(yaml), 'acquis.yaml', {}).documents as [AcquisitionDocument];
  const taken = Array.from({ length: 5_000 }, (_, number) => claims.claim(document, `/a/${number}.log`));
  t.equal(taken.filter(Boolean).length, 4_096);
  t.ok(claims.claim(document, '/a/0.log'), 'those that are read go on being read');
  t.match(warned, [{ path: '/a/4096.log', most: 4_096 }]);
  claims.release(document, '/a/0.log');
  t.ok(claims.claim(document, '/a/4999.log'));
});
