/**
 * Log files: looks at them whenever the system says that something changed, and once a second in any case. Specification:
 * CrowdSec `pkg/acquisition/modules/file`.
 */
import type { Clock } from '../../core/clock.ts';
import type { AcquisitionSource } from './acquisition-source.ts';
import type { FileDocument } from './acquisition-document.ts';
import { FileFollower } from './file-follower.ts';
import { FolderWatch } from './folder-watch.ts';
import { createManagedSource, type SourceRun } from './managed-source.ts';
import { outletOf, resumeKeyOf, type SourceParts } from './source-parts.ts';

/** How often files are looked at, milliseconds. */
const pollMs = 1_000;
/** Between two looks, however often the system says that something changed: a busy log changes thousands of times a second. */
const shortestPauseMs = 20;
/** And so many times as long as the look took, where there are thousands of files. */
const pausePerLook = 4;
/** A renamed or removed file is let go when it has not grown for so long. */
const lingerMs = 60_000;

export function createFileSource(document: FileDocument, parts: SourceParts): AcquisitionSource {
  const run = (sourceRun: SourceRun): Promise<void> => followFiles(document, parts, sourceRun);
  return createManagedSource({ kind: 'file', name: document.name, run }, parts.runtime);
}

async function followFiles(document: FileDocument, parts: SourceParts, run: SourceRun): Promise<void> {
  const { clock } = parts.runtime;
  const { signal } = run;
  const oneShot = document.mode === 'cat';
  const follower = new FileFollower(
    {
      patterns: document.filenames,
      excludes: (path) => document.excludes.some((pattern) => pattern.test(path)),
      oneShot,
      lineLimit: document.lineLimit,
      lingerMs,
      base: parts.base,
      resumeKey: resumeKeyOf(document),
    },
    {
      outlet: outletOf(document, document.labels, parts, run),
      meter: run.meter,
      clock,
      resume: parts.resume,
      claim: (path) => parts.claims.claim(document, path),
      release: (path) => parts.claims.release(document, path),
    },
  );
  const bell = new Bell();
  let entriesChanged = false;
  const watcher = new FolderWatch((isEntryChange) => {
    entriesChanged ||= isEntryChange;
    bell.ring();
  });
  let searchAt = 0;
  try {
    while (!signal.aborted) {
      const search = entriesChanged || clock.monotonic() >= searchAt;
      entriesChanged = false;
      const lookedAt = clock.monotonic();
      const { more, folders } = await follower.look(search);
      if (folders !== null) {
        searchAt = clock.monotonic() + document.searchPeriodMs;
        if (document.watch && !oneShot) watcher.set(folders);
      }
      if (more) continue;
      if (oneShot) return await follower.finish();
      const tookMs = clock.monotonic() - lookedAt;
      await bell.wait(clock, pollMs, signal);
      await clock.sleep(Math.max(shortestPauseMs, tookMs * pausePerLook), signal);
    }
  } finally {
    watcher.close();
    await follower.close();
  }
}

/** Ends a wait early. Rung while nobody waits, the next wait ends at once. */
class Bell {
  private rung = false;
  private wake: (() => void) | null = null;

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  async wait(clock: Clock, longestMs: number, signal: AbortSignal): Promise<void> {
    if (!this.rung && !signal.aborted) {
      const early = new AbortController();
      this.wake = () => early.abort();
      signal.addEventListener('abort', this.wake, { once: true });
      await clock.sleep(longestMs, early.signal);
      signal.removeEventListener('abort', this.wake);
      this.wake = null;
    }
    this.rung = false;
  }
}
