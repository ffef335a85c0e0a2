/** The figures and the state of one source, as `status()` shows them. */
import type { SourceState, SourceStatus } from './acquisition-source.ts';

/** Messages come from programs and peers: nobody reads more of one. */
const longestError = 500;

export class SourceMeter {
  readonly kind: string;
  readonly name: string;
  private state: SourceState = 'waiting';
  private address: string | null = null;
  private lines = 0;
  private bytes = 0;
  private dropped = 0;
  private truncated = 0;
  private lastError: string | null = null;
  private retryAt: number | null = null;
  private lastLineAt: number | null = null;

  constructor(kind: string, name: string) {
    this.kind = kind;
    this.name = name;
  }

  taken(bytes: number, now: number): void {
    this.lines++;
    this.bytes += bytes;
    this.lastLineAt = now;
  }

  /** `count` lines are lost. */
  drop(count: number, why: string): void {
    this.dropped += count;
    this.trouble(why);
  }

  truncate(): void {
    this.truncated++;
  }

  /** Where it listens; null: no longer. */
  listens(address: string | null): void {
    this.address = address;
  }

  running(): void {
    this.state = 'running';
    this.retryAt = null;
  }

  waiting(): void {
    this.state = 'waiting';
    this.retryAt = null;
  }

  ended(): void {
    this.state = 'ended';
    this.retryAt = null;
  }

  failed(why: string, retryAt: number): void {
    this.state = 'failed';
    this.retryAt = retryAt;
    this.trouble(why);
  }

  /** Something is wrong, and the source goes on; null: it no longer is. */
  trouble(why: string | null): void {
    this.lastError = why === null || why.length <= longestError ? why : `${why.slice(0, longestError)}…`;
  }

  status(): SourceStatus {
    const { kind, name, state, address, lines, bytes, dropped, truncated, lastError, retryAt, lastLineAt } = this;
    return { kind, name, state, address, lines, bytes, dropped, truncated, lastError, retryAt, lastLineAt };
  }
}
