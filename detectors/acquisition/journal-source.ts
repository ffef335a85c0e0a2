/**
 * The systemd journal, through `journalctl --follow -o json` as a child. The place of the last entry that was taken is kept,
 * so that nothing is lost or read twice over restarts of the child or of the gateway; the first start begins at the end, as
 * in CrowdSec (`pkg/acquisition/modules/journalctl`).
 */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { orAborted } from './abortable.ts';
import type { JournalDocument } from './acquisition-document.ts';
import type { AcquisitionSource } from './acquisition-source.ts';
import { readJournalEntry } from './journal-entry.ts';
import type { LineOutlet } from './line-outlet.ts';
import { LineSplitter } from './line-splitter.ts';
import { createManagedSource, type SourceRun } from './managed-source.ts';
import { outletOf, resumeKeyOf, type SourceParts } from './source-parts.ts';

/** An entry's JSON with all its fields; a message of 64 KiB as a list of bytes is four times as long. */
const entryLimit = 1_048_576;
const keptErrors = 2_000;
/** journalctl ends at once when it is told to; if not, it is made to. */
const endsWithinMs = 5_000;

export function createJournalSource(document: JournalDocument, parts: SourceParts): AcquisitionSource {
  const resumeKey = `${resumeKeyOf(document)}\n${document.filters.join('\n')}`;
  // Until the first entry there is no cursor: a child that dies before is started again from here.
  const startedAt = parts.runtime.clock.now();
  return createManagedSource(
    {
      kind: 'journalctl',
      name: document.name,
      async run(run) {
        const outlet = outletOf(document, document.labels, parts, run);
        const cursor = parts.resume.get(resumeKey)?.cursor;
        const from = typeof cursor === 'string' ? cursor : null;
        await followJournal({ document, parts, run, outlet, resumeKey }, from, startedAt);
      },
    },
    parts.runtime,
  );
}

interface JournalReading {
  readonly document: JournalDocument;
  readonly parts: SourceParts;
  readonly run: SourceRun;
  readonly outlet: LineOutlet;
  readonly resumeKey: string;
}

/** What journalctl is told. Without `--all`, fields above 4096 bytes would be null. */
function journalArguments(filters: readonly string[], cursor: string | null, startedAt: number): readonly string[] {
  const from = cursor === null ? `--since=@${(startedAt / 1_000).toFixed(3)}` : `--after-cursor=${cursor}`;
  return ['--output=json', '--all', '--quiet', '--follow', '--no-tail', from, ...filters];
}

async function followJournal(reading: JournalReading, cursor: string | null, startedAt: number): Promise<void> {
  const { document, parts, run } = reading;
  const child = parts.spawnJournal(journalArguments(document.filters, cursor, startedAt));
  const ended = endOf(child);
  child.once('spawn', () => run.meter.running());
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-keptErrors);
  });
  try {
    if (child.stdout !== null) await readEntries(reading, child.stdout);
    if (run.signal.aborted) return;
    throw journalEnded(await orAborted(ended, run.signal), said);
  } finally {
    await stopChild(child, ended, parts);
  }
}

async function readEntries(
  { document, parts, run, outlet, resumeKey }: JournalReading,
  stdout: Readable,
): Promise<void> {
  const src = `journalctl-${document.filters.join('.')}`;
  const splitter = new LineSplitter(entryLimit);
  const chunks = stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const next = await orAborted(chunks.next(), run.signal);
    if (next === null || next.done === true) return;
    splitter.feed(next.value);
    for (let line = splitter.next(); line !== null; line = splitter.next()) {
      if (line.text === '') continue;
      const entry = line.truncated ? null : readJournalEntry(line.text, parts.runtime.clock.now());
      if (entry === null) {
        run.meter.drop(1, 'journalctl wrote something that is no entry of a journal');
        continue;
      }
      for (const text of entry.lines) if (!(await outlet.deliver(text, src))) return;
      if (entry.truncated) run.meter.truncate();
      parts.resume.set(resumeKey, { cursor: entry.cursor });
    }
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(messageOf(error)));
    child.once('close', (code, signal) => resolve(signal === null ? `status ${code}` : `signal ${signal}`));
  });
}

function journalEnded(how: string | null, said: string): GatewayError {
  const line = said.trim().split('\n').at(-1) ?? '';
  const missing = how?.includes('ENOENT') === true;
  return new GatewayError(
    'SOURCE_FAILED',
    `journalctl ended with ${how ?? 'nothing'}${line === '' ? '' : `: ${line}`}`,
    {
      remedy: missing
        ? 'Install systemd, or read the log files instead.'
        : 'Check journalctl_filter by hand, and that the gateway may read the journal (group systemd-journal).',
    },
  );
}

async function stopChild(child: ChildProcess, ended: Promise<string>, { runtime }: SourceParts): Promise<void> {
  child.stdout?.destroy();
  child.kill('SIGTERM');
  const last = runtime.clock.after(endsWithinMs, () => child.kill('SIGKILL'));
  await ended;
  last.cancel();
}
