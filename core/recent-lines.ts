/** The last lines of what is written, for whoever asks afterwards. Bounded in lines and in characters. */

export interface RecentLinesLimits {
  readonly lines: number;
  /** Of all lines together. */
  readonly characters: number;
}

/** A megabyte of memory at most. */
const usualLimits = { lines: 2_000, characters: 524_288 };
/** Characters that are kept of one line. */
const longestLine = 4_096;

export class RecentLines {
  readonly #limits: RecentLinesLimits;
  /** The oldest first. */
  readonly #lines: string[] = [];
  #characters = 0;

  constructor(limits: RecentLinesLimits = usualLimits) {
    this.#limits = limits;
  }

  /** The line with its end, or without one. */
  write(line: string): void {
    const whole = line.endsWith('\n') ? line.slice(0, -1) : line;
    const kept = whole.length > longestLine ? `${whole.slice(0, longestLine)}…` : whole;
    this.#lines.push(kept);
    this.#characters += kept.length;
    while (this.#lines.length > this.#limits.lines || this.#characters > this.#limits.characters) {
      this.#characters -= this.#lines.shift()?.length ?? 0;
    }
  }

  /** The oldest first, each with its end. */
  text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }
}
