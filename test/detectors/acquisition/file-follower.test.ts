import { appendFile, chmod, copyFile, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { FileFollower, type FileFollowerOptions } from '../../../detectors/acquisition/file-follower.ts';
import { openResumeStore, type ResumeStore } from '../../../detectors/acquisition/resume-store.ts';
import type { SourceMeter } from '../../../detectors/acquisition/source-meter.ts';
import { createTestOutlet, createTestSink, silentRuntime, temporaryFolder, type TestSink } from './support.ts';

interface Rig {
  readonly sink: TestSink;
  readonly meter: SourceMeter;
  readonly follower: FileFollower;
  readonly closing: AbortController;
  /** Looks until there is nothing more to read. */
  readonly look: () => Promise<void>;
}

async function rig(
  patterns: readonly string[],
  options: Partial<FileFollowerOptions> & { resume?: ResumeStore; sink?: TestSink } = {},
): Promise<Rig> {
  const sink = options.sink ?? createTestSink();
  const { outlet, meter, closing } = createTestOutlet(sink);
  const follower = new FileFollower(
    {
      patterns,
      excludes: () => false,
      oneShot: false,
      lineLimit: 65_536,
      lingerMs: 0,
      base: '/',
      resumeKey: 'file test',
      ...options,
    },
    {
      outlet,
      meter,
      clock: silentRuntime.clock,
      resume: options.resume ?? (await openResumeStore(null, silentRuntime)),
      claim: () => true,
      release: () => undefined,
    },
  );
  const look = async (): Promise<void> => {
    while ((await follower.look(true)).more);
  };
  return { sink, meter, follower, closing, look };
}

t.test(
  'a file that is there at the first start is read from its end, and what is appended comes line by line',
  async (t) => {
    const path = join(await temporaryFolder(t), 'a.log');
    await writeFile(path, 'old\n');
    const { sink, follower, look } = await rig([path]);
    await look();
    t.same(sink.raws(), []);
    await appendFile(path, 'one\ntwo\r\nthr');
    await look();
    t.same(sink.raws(), ['one', 'two']);
    await appendFile(path, 'ee\n\n\nfour\n');
    await look();
    t.same(sink.raws(), ['one', 'two', 'three', 'four'], 'a line in two pieces is one line, and empty lines are none');
    t.match(sink.lines[0], { Src: path, Module: 'file', Process: true, Labels: { type: 'test' } });
    await follower.close();
  },
);

t.test('a line that is being written when reading starts is read as a whole', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, 'old\nbegin');
  const { sink, follower, look } = await rig([path]);
  await look();
  await appendFile(path, 'ning\n');
  await look();
  t.same(sink.raws(), ['beginning']);
  await follower.close();
});

t.test('files and folders that appear later are read from their start', async (t) => {
  const folder = await temporaryFolder(t);
  const { sink, follower, look, meter } = await rig([join(folder, '**', '*.log')]);
  await look();
  t.equal(meter.status().state, 'waiting');
  await mkdir(join(folder, 'deep', 'er'), { recursive: true });
  await writeFile(join(folder, 'deep', 'er', '.hidden.log'), 'one\n');
  await writeFile(join(folder, 'b.log'), 'two\n');
  await look();
  t.same(sink.raws().toSorted(), ['one', 'two']);
  t.equal(meter.status().state, 'running');
  await follower.close();
});

t.test(
  'rotation by rename: the rest of the old file comes before the new one, late lines of the old one are not lost',
  async (t) => {
    const path = join(await temporaryFolder(t), 'a.log');
    await writeFile(path, '');
    const { sink, follower, look } = await rig([path], { lingerMs: 1e9 });
    await look();
    await appendFile(path, 'one\n');
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, 'two\n');
    await writeFile(path, 'three\n');
    await look();
    await appendFile(`${path}.1`, 'four\n');
    await appendFile(path, 'five\n');
    await look();
    t.same(sink.raws().slice(0, 3), ['one', 'two', 'three']);
    t.same(sink.raws().toSorted(), ['five', 'four', 'one', 'three', 'two']);
    t.ok(
      sink.lines.every((line) => line.Src === path),
      'all come from the path that is followed',
    );
    await follower.close();
  },
);

t.test('the last line of a rotated file counts although no line end follows', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, '');
  const { sink, follower, look } = await rig([path]);
  await look();
  await appendFile(path, 'unfinished');
  await look();
  await rename(path, `${path}.1`);
  await writeFile(path, 'next\n');
  await look();
  await look();
  t.same(sink.raws().toSorted(), ['next', 'unfinished']);
  await follower.close();
});

t.test('several rotations between two looks lose nothing', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, '');
  const { sink, follower, look } = await rig([path]);
  await look();
  await appendFile(path, 'one\n');
  await rename(path, `${path}.1`);
  await writeFile(path, 'two\n');
  await rename(`${path}.1`, `${path}.2`);
  await rename(path, `${path}.1`);
  await writeFile(path, 'three\n');
  await look();
  await look();
  t.same(sink.raws(), ['one', 'two', 'three']);
  await follower.close();
});

t.test('a pattern that also stands for the rotated files reads no line twice', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.log');
  await writeFile(path, 'old\n');
  const { sink, follower, look } = await rig([`${path}*`]);
  await look();
  for (let round = 0; round < 4; round++) {
    await appendFile(path, `${round}\n`);
    await look();
    for (let number = 3; number > 0; number--)
      await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(() => null);
    await rename(path, `${path}.1`);
    await look();
    await writeFile(path, `new ${round}\n`);
    await look();
    await look();
  }
  t.same(sink.raws(), ['0', 'new 0', '1', 'new 1', '2', 'new 2', '3', 'new 3']);
  await follower.close();
});

t.test('copytruncate: the copy is not read, the truncated file is read from its start', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, '');
  const { sink, follower, look } = await rig([`${path}*`]);
  await look();
  await appendFile(path, 'one\n');
  await look();
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
  await appendFile(path, 'a\n');
  await look();
  t.same(sink.raws(), ['one', 'a']);
  await follower.close();
});

t.test(
  'a file that was truncated and has grown beyond its former size since is noticed by its beginning',
  async (t) => {
    const path = join(await temporaryFolder(t), 'a.log');
    await writeFile(path, '');
    const { sink, follower, look } = await rig([path]);
    await look();
    await appendFile(path, 'one\n');
    await look();
    await truncate(path, 0);
    await appendFile(path, 'another\nand more\n');
    await look();
    t.same(sink.raws(), ['one', 'another', 'and more']);
    await follower.close();
  },
);

t.test('a file that was truncated and has grown to its former size since is noticed too', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, '');
  const { sink, follower, look } = await rig([path]);
  await look();
  await appendFile(path, 'one\n');
  await look();
  // The file system's clock has moved on by then.
  await new Promise((resolve) => setTimeout(resolve, 15));
  await truncate(path, 0);
  await appendFile(path, 'two\n');
  await look();
  t.same(sink.raws(), ['one', 'two']);
  await follower.close();
});

t.test('the hole of a log that was truncated under its writer is no part of a line', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, '');
  const { sink, follower, look } = await rig([path]);
  await look();
  await appendFile(path, Buffer.concat([Buffer.alloc(300), Buffer.from('after\n')]));
  await look();
  t.same(sink.raws(), ['after']);
  await follower.close();
});

t.test('long lines keep their first part, and bytes that are not UTF-8 do no harm', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, '');
  const { sink, meter, follower, look } = await rig([path]);
  await look();
  await appendFile(path, `${'x'.repeat(200_000)}\nnext\n`);
  await appendFile(path, Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a]));
  await look();
  t.same(sink.raws(), ['x'.repeat(65_536), 'next', 'a\ufffd\ufffdb']);
  t.match(meter.status(), { lines: 3, truncated: 1, dropped: 0 });
  await follower.close();
});

t.test('reading waits while the sink is full, and closing ends the wait without losing the line', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, '');
  const resume = await openResumeStore(null, silentRuntime);
  const { sink, meter, closing, follower, look } = await rig([path], { resume });
  await look();
  await appendFile(path, 'one\ntwo\nthree\n');
  sink.setRoom(1);
  const looking = follower.look(false);
  await sink.until(1);
  t.equal(sink.lines.length, 1);
  closing.abort();
  await looking;
  await follower.close();
  t.match(meter.status(), { lines: 1, dropped: 0 });
  const again = await rig([path], { resume });
  await again.look();
  t.same(again.sink.raws(), ['two', 'three']);
  await again.follower.close();
});

t.test('after a restart reading goes on where it stopped, through rotation, and reads new files whole', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.log');
  const statePath = join(folder, 'state.json');
  await writeFile(path, 'old\n');
  const resume = await openResumeStore(statePath, silentRuntime);
  const before = await rig([join(folder, '*.log')], { resume });
  await before.look();
  await appendFile(path, 'one\nunfin');
  await before.look();
  await before.follower.close();
  await resume.close();

  await appendFile(path, 'ished\ntwo\n');
  await rename(path, `${path}.1`);
  await writeFile(path, 'between\n');
  await rename(`${path}.1`, `${path}.2`);
  await rename(path, `${path}.1`);
  await writeFile(path, 'three\n');
  await writeFile(join(folder, 'b.log'), 'four\n');
  const opened = await openResumeStore(statePath, silentRuntime);
  const after = await rig([join(folder, '*.log')], { resume: opened });
  await after.look();
  await after.look();
  t.same(before.sink.raws(), ['one']);
  t.same(after.sink.raws(), ['unfinished', 'two', 'between', 'three', 'four']);
  await after.follower.close();
  await opened.close();
});

t.test('after a restart a file that was written anew in its place is read from its start', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.log');
  const resume = await openResumeStore(null, silentRuntime);
  await writeFile(path, 'a\n');
  const before = await rig([path], { resume });
  await before.look();
  await before.follower.close();
  await writeFile(path, 'b which is longer\n');
  const after = await rig([path], { resume });
  await after.look();
  t.same(after.sink.raws(), ['b which is longer']);
  await after.follower.close();
});

t.test('what cannot be read is shown, the other files are read, and it is tried again', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'packed.log'), gzipSync('one\n'));
  await writeFile(join(folder, 'b.log.gz'), gzipSync('one\n'));
  await writeFile(join(folder, 'good.log'), '');
  await mkdir(join(folder, 'dir.log'));
  await symlink(join(folder, 'nowhere'), join(folder, 'broken.log'));
  const { sink, meter, follower, look } = await rig([join(folder, '*.log'), join(folder, 'b.log.gz')]);
  await look();
  t.match(meter.status().lastError, /compressed.*and 1 more/);
  await appendFile(join(folder, 'good.log'), 'fine\n');
  await look();
  t.same(sink.raws(), ['fine']);
  await rm(join(folder, 'packed.log'));
  await rm(join(folder, 'b.log.gz'));
  await look();
  await look();
  t.equal(meter.status().lastError, null, 'trouble that is over is no longer shown');
  await follower.close();
});

t.test('a file without permission is shown, and read once it has it', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.log');
  await chmod(folder, 0o755);
  await writeFile(path, '', { mode: 0 });
  const { sink, meter, follower, look } = await rig([path]);
  const isRoot = process.geteuid?.() === 0;
  // Root may read everything, so the test is nobody for a moment.
  if (isRoot) process.seteuid?.(65_534);
  try {
    await look();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  t.equal(meter.status().lastError, `${path}: permission denied`);
  await chmod(path, 0o600);
  await look();
  t.equal(meter.status().lastError, null);
  await appendFile(path, 'one\n');
  await look();
  t.same(sink.raws(), ['one']);
  await follower.close();
});

t.test('excluded files are left out', async (t) => {
  const folder = await temporaryFolder(t);
  const { sink, follower, look } = await rig([join(folder, '*.log')], { excludes: (path) => path.endsWith('b.log') });
  await look();
  await writeFile(join(folder, 'a.log'), 'one\n');
  await writeFile(join(folder, 'b.log'), 'two\n');
  await look();
  t.same(sink.raws(), ['one']);
  await follower.close();
});

t.test('a removed file is let go, and a new one in its place is read', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, '');
  const { sink, meter, follower, look } = await rig([path]);
  await look();
  await appendFile(path, 'one\n');
  await rm(path);
  await look();
  await look();
  await look();
  t.same(sink.raws(), ['one']);
  t.equal(meter.status().state, 'waiting');
  await writeFile(path, 'two\n');
  await look();
  t.same(sink.raws(), ['one', 'two']);
  await follower.close();
});

t.test('a one-shot read takes everything from the start, the last line too', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  await writeFile(path, 'one\ntwo');
  const { sink, follower, look } = await rig([path], { oneShot: true });
  await look();
  await follower.finish();
  t.same(sink.raws(), ['one', 'two']);
  await follower.close();
});
