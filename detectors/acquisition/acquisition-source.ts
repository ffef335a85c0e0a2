/**
 * What a source of log lines is: the contract between acquisition and the engine. A source reads lines from one place (files,
 * the journal, a socket), pushes them into the sink that it is given, and says how it is doing. A source that fails is tried
 * again by itself; it never raises.
 */
import type { Event, Line } from '../event.ts';

/** Where lines go: the engine's bounded queue. */
export interface LineSink {
  /**
   * False: there is no room and the line was not taken. A source that can wait (files, docker) pushes it again after
   * `drained()`; one that cannot (UDP) counts it as dropped.
   */
  push(line: Line, expectMode: Event['ExpectMode']): boolean;
  /** Resolves once there is room again; at once when there is. */
  drained(): Promise<void>;
}

/**
 * - `running`: lines can come.
 * - `waiting`: nothing is wrong, but there is nothing to read yet, or the engine has no room.
 * - `failed`: an error stopped it; it is tried again at `retryAt`.
 * - `ended`: everything was read and nothing more comes (standard input, `mode: cat`).
 */
export type SourceState = 'running' | 'waiting' | 'failed' | 'ended';

export interface SourceStatus {
  /** The word of `source:` in `acquis.yaml`. */
  readonly kind: string;
  readonly name: string;
  readonly state: SourceState;
  /** Where it listens, once it does: `127.0.0.1:514` or the path of a socket. */
  readonly address: string | null;
  /** Lines that the sink has taken, and their size in bytes of UTF-8 as they were read. */
  readonly lines: number;
  readonly bytes: number;
  /** Lines that were lost: no room and no way to wait, not understood, or over a limit. */
  readonly dropped: number;
  /** Lines of which only the first part was kept, because they were longer than the limit. */
  readonly truncated: number;
  /** The newest trouble, also when the source goes on (one of many files cannot be read); null when there is none. */
  readonly lastError: string | null;
  /** Epoch milliseconds; null unless `failed`. */
  readonly retryAt: number | null;
  /** Epoch milliseconds of the last line that was taken. */
  readonly lastLineAt: number | null;
}

export interface AcquisitionSource {
  readonly kind: string;
  readonly name: string;
  status(): SourceStatus;
  /** Once. Returns at once; what goes wrong shows in `status()` and the log. */
  start(sink: LineSink): void;
  /** Stops reading, keeps the position where there is one. Safe before `start`, and twice. */
  close(): Promise<void>;
}
