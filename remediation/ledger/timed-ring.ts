/**
 * `TimedRing`: the last so many rows to which something happened, each with when, in order. Numbers count up from 0 for as
 * long as the process lives, so that a row can say which of its entries is the current one. Times never fall: one that would
 * is raised to the last, which can only make a follower hear of something twice.
 *
 * Beyond what it holds it remembers the time of every 1,024th entry, for followers that were away long.
 */

const markBits = 10;
const maxMarks = 16_384;

export class TimedRing {
  readonly #rows: Int32Array;
  readonly #times: Float64Array;
  readonly #capacity: number;
  /** Times of the entries `#firstMark * 1024`, and so on. */
  #marks: number[] = [];
  #firstMark = 0;
  #next = 0;
  #last = Number.NEGATIVE_INFINITY;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#rows = new Int32Array(capacity);
    this.#times = new Float64Array(capacity);
  }

  /** Number that the next entry gets. */
  get next(): number {
    return this.#next;
  }

  /** Number of the oldest entry that is held. */
  get oldest(): number {
    return Math.max(0, this.#next - this.#capacity);
  }

  memoryBytes(): number {
    return this.#capacity * 12 + this.#marks.length * 8;
  }

  push(row: number, time: number): number {
    const number = this.#next++;
    this.#last = Math.max(this.#last, time);
    this.#rows[number % this.#capacity] = row;
    this.#times[number % this.#capacity] = this.#last;
    if ((number & (2 ** markBits - 1)) === 0) this.#mark();
    return number;
  }

  /** What `push` put in under a number from `oldest` on. */
  rowAt(number: number): number {
    return this.#rows[number % this.#capacity] as number;
  }

  /** Whether entries that are no longer held may be later than this. */
  forgot(time: number): boolean {
    return this.oldest > 0 && (this.#times[this.oldest % this.#capacity] as number) > time;
  }

  /** Number of the first entry later than `time`. Exact among those held; else too low by up to 1,023, or 0. */
  after(time: number): number {
    if (this.forgot(time)) return this.#afterMark(time);
    let low = this.oldest;
    let high = this.#next;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#times[middle % this.#capacity] as number) > time) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #mark(): void {
    this.#marks.push(this.#last);
    if (this.#marks.length <= maxMarks) return;
    this.#firstMark += maxMarks / 2;
    this.#marks = this.#marks.slice(maxMarks / 2);
  }

  #afterMark(time: number): number {
    const later = this.#marks.findIndex((marked) => marked > time);
    const before = (later === -1 ? this.#marks.length : later) - 1;
    return before < 0 ? 0 : (this.#firstMark + before) * 2 ** markBits;
  }
}

/** Whether `number` as a row keeps it, in 32 bits, is `from` or later. Right while the two are less than 2³¹ apart. */
export function isFrom(number: number, from: number): boolean {
  return ((number - from) | 0) >= 0;
}
