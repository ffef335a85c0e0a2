/**
 * Random histories of a log (written to, rotated, truncated, removed, read, the reader restarted) against a plain model: what
 * was written. Every complete line comes exactly once and in order, but for the lines that were in a file when it was
 * truncated or removed and that nobody had had the occasion to read: those may be missing. None ever comes twice.
 */
import { appendFile, copyFile, mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { FileFollower } from '../../../detectors/acquisition/file-follower.ts';
import { openResumeStore, type ResumeStore } from '../../../detectors/acquisition/resume-store.ts';
import { createTestOutlet, createTestSink, silentRuntime, temporaryFolder, type TestSink } from './support.ts';

type Step =
  | { readonly kind: 'append'; readonly lines: number; readonly width: number; readonly partial: boolean }
  | { readonly kind: 'rotate' | 'create' | 'truncate' | 'remove' | 'late' | 'look' | 'restart' };

/** Rotated files that are kept: access.log.1 to .3. */
const generations = 3;

interface LogFileModel {
  /** Numbers of complete lines that nobody has had the occasion to read. */
  unread: number[];
  /** The line that has been begun, or null. */
  begun: number | null;
}

class Writer {
  readonly path: string;
  readonly written: number[] = [];
  readonly mayBeMissing = new Set<number>();
  /** The number of the file that each line stands in, for the order. */
  readonly fileOf = new Map<number, number>();
  private files: (LogFileModel | null)[];
  private generation = 0;
  private next = 1;

  constructor(path: string) {
    this.path = path;
    this.files = [{ unread: [], begun: null }];
  }

  async append(lines: number, width: number, partial: boolean, slot = 0): Promise<void> {
    const file = this.files[slot];
    if (!file) return;
    let text = '';
    for (let count = 0; count < lines; count++) {
      if (file.begun === null) {
        file.begun = this.next++;
        text += `${file.begun} ${'x'.repeat(width)}`;
        this.fileOf.set(file.begun, this.generation - slot);
      }
      if (partial && count === lines - 1) break;
      text += count % 3 === 0 ? '\r\n' : '\n';
      this.written.push(file.begun);
      file.unread.push(file.begun);
      file.begun = null;
    }
    await appendFile(this.slotPath(slot), text);
  }

  async rotate(): Promise<void> {
    if (!this.files[0]) return;
    this.giveUp(this.files[generations]);
    for (let slot = generations - 1; slot >= 0; slot--) {
      if (this.files[slot]) await rename(this.slotPath(slot), this.slotPath(slot + 1));
      else await rm(this.slotPath(slot + 1), { force: true });
    }
    this.files = [null, ...this.files.slice(0, generations)];
    this.generation++;
  }

  async create(): Promise<void> {
    if (this.files[0]) return;
    await writeFile(this.path, '');
    this.files[0] = { unread: [], begun: null };
  }

  async truncate(): Promise<void> {
    const [file] = this.files;
    if (!file) return;
    await copyFile(this.path, `${this.path}.1`);
    await truncate(this.path, 0);
    this.giveUp(file);
    this.files[0] = { unread: [], begun: null };
    this.generation++;
  }

  async remove(): Promise<void> {
    this.giveUp(this.files[0]);
    this.files[0] = null;
    await rm(this.path, { force: true });
    this.generation++;
  }

  /** Everything that exists now has been read. */
  wasRead(): void {
    for (const file of this.files) if (file) file.unread = [];
  }

  private giveUp(file: LogFileModel | null | undefined): void {
    for (const line of file?.unread ?? []) this.mayBeMissing.add(line);
    if (file?.begun) this.mayBeMissing.add(file.begun);
  }

  private slotPath(slot: number): string {
    return slot === 0 ? this.path : `${this.path}.${slot}`;
  }
}

class Reader {
  readonly sink: TestSink = createTestSink();
  private readonly pattern: string;
  private readonly statePath: string;
  private resume: ResumeStore | null = null;
  private follower: FileFollower | null = null;

  constructor(pattern: string, statePath: string) {
    this.pattern = pattern;
    this.statePath = statePath;
  }

  async start(): Promise<void> {
    this.resume = await openResumeStore(this.statePath, silentRuntime);
    const { outlet, meter } = createTestOutlet(this.sink);
    this.follower = new FileFollower(
      {
        patterns: [this.pattern],
        excludes: (path) => path === this.statePath,
        oneShot: false,
        lineLimit: 65_536,
        lingerMs: 1e9,
        base: '/',
        resumeKey: 'file model',
      },
      { outlet, meter, clock: silentRuntime.clock, resume: this.resume, claim: () => true, release: () => undefined },
    );
  }

  async look(): Promise<void> {
    while ((await this.follower?.look(true))?.more);
  }

  async stop(): Promise<void> {
    await this.follower?.close();
    await this.resume?.close();
  }
}

async function replay(folder: string, wide: boolean, steps: readonly Step[]): Promise<string | null> {
  const path = join(folder, 'access.log');
  const writer = new Writer(path);
  const reader = new Reader(wide ? `${path}*` : path, join(folder, 'access.log.state'));
  await writeFile(path, '');
  await reader.start();
  await reader.look();
  for (const step of steps) await take(step, writer, reader);
  // Completes lines that were begun.
  await writer.append(1, 1, false);
  await reader.look();
  await reader.look();
  await reader.stop();
  return judge(writer, reader.sink.raws());
}

async function take(step: Step, writer: Writer, reader: Reader): Promise<void> {
  switch (step.kind) {
    case 'append':
      return writer.append(step.lines, step.width, step.partial);
    case 'rotate':
    case 'create':
    case 'truncate':
    case 'remove':
      return writer[step.kind]();
    case 'late':
      return writer.append(1, 5, false, 1);
    case 'look':
      await reader.look();
      return writer.wasRead();
    case 'restart':
      await reader.stop();
      return reader.start();
    default:
      return step satisfies never;
  }
}

/** What is wrong, or null. */
function judge(writer: Writer, lines: readonly string[]): string | null {
  const read = lines.map((line) => Number(/^\d+/.exec(line)?.[0]));
  if (read.some((number) => Number.isNaN(number)))
    return `a line that nobody wrote: ${lines.find((line) => !/^\d/.test(line))}`;
  const seen = new Set(read);
  if (seen.size !== read.length)
    return `twice: ${read.filter((number, index) => read.indexOf(number) !== index).join(' ')}`;
  const missing = writer.written.filter((number) => !seen.has(number) && !writer.mayBeMissing.has(number));
  if (missing.length > 0) return `missing: ${missing.join(' ')}; read: ${read.join(' ')}`;
  const last = new Map<number, number>();
  for (const number of read) {
    const file = writer.fileOf.get(number) ?? 0;
    if ((last.get(file) ?? 0) > number) return `out of order: ${read.join(' ')}`;
    last.set(file, number);
  }
  return null;
}

const append: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('append'),
  lines: fc.integer({ min: 1, max: 4 }),
  width: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(300), fc.constant(40_000)),
  partial: fc.boolean(),
});

function steps(kinds: readonly Exclude<Step['kind'], 'append'>[]): fc.Arbitrary<Step[]> {
  const other: fc.Arbitrary<Step> = fc.constantFrom(...kinds).map((kind) => ({ kind }));
  return fc.array(fc.oneof(append, append, other), { maxLength: 25 });
}

for (const [name, kinds] of [
  ['renamed', ['rotate', 'create', 'create', 'late', 'look', 'look', 'restart']],
  ['copied and truncated', ['truncate', 'look', 'restart']],
  ['removed', ['remove', 'create', 'create', 'look', 'restart']],
] as const) {
  t.test(`a log that is ${name}: no line is lost or read twice, at any moment, over restarts`, async (t) => {
    const folder = await temporaryFolder(t);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.boolean(), steps(kinds), async (wide, steps) => {
        const own = join(folder, String(run++));
        await mkdir(own);
        const wrong = await replay(own, wide, steps);
        await rm(own, { recursive: true });
        if (wrong !== null) throw new Error(wrong);
      }),
      { numRuns: 150, seed: 11 },
    );
    t.ok(run >= 150, `${run} histories`);
  });
}
