/**
 * Sorting as Go's `sort.Sort` does it. Hub tests name results by their index after that sort, and it is not stable: where two
 * results compare as equal, only the same steps give the same order. The steps are those of pattern-defeating quicksort as Go
 * has used it since 1.19: insertion sort up to twelve elements, a pivot of three or nine, heapsort as the last resort.
 */

/** Whether the first element must stand before the second. */
export type Less<Item> = (a: Item, b: Item) => boolean;

/** Sorts in place. */
export function sortAsGo<Item>(items: Item[], less: Less<Item>): void {
  if (items.length > 1) new Sorter(items, less).sort(0, items.length, bitLength(items.length));
}

/** Ranges up to this length are sorted by insertion. */
const longestInsertion = 12;
/** Ranges from this length on take their pivot from nine elements instead of three. */
const shortestNinther = 50;
/** Ranges from this length on are repaired while they look nearly sorted. */
const shortestRepair = 50;
const mostRepairs = 5;
/** All comparisons of a pivot of nine were the wrong way round. */
const allSwapped = 12;

type Hint = 'increasing' | 'decreasing' | 'unknown';

class Sorter<Item> {
  private readonly items: Item[];
  private readonly less: Less<Item>;
  /** Exchanges while the current pivot was chosen. */
  private swaps = 0;

  constructor(items: Item[], less: Less<Item>) {
    this.items = items;
    this.less = less;
  }

  /** The range from `start` up to `end`; `badChoices` is how many bad pivots are borne. */
  sort(start: number, end: number, badChoices: number): void {
    let [from, to, left] = [start, end, badChoices];
    let wasBalanced = true;
    let wasPartitioned = true;
    for (;;) {
      const length = to - from;
      if (length <= longestInsertion) return this.insertionSort(from, to);
      if (left === 0) return this.heapSort(from, to);
      if (!wasBalanced) {
        this.breakPatterns(from, to);
        left--;
      }
      let [pivot, hint] = this.choosePivot(from, to);
      if (hint === 'decreasing') {
        this.reverse(from, to);
        pivot = to - 1 - (pivot - from);
        hint = 'increasing';
      }
      if (wasBalanced && wasPartitioned && hint === 'increasing' && this.repair(from, to)) return;
      // Equal to what stands before the range: then this range has many that are equal.
      if (from > 0 && !this.isLess(from - 1, pivot)) {
        from = this.partitionEqual(from, to, pivot);
        continue;
      }
      const split = this.partition(from, to, pivot);
      wasPartitioned = split.wasPartitioned;
      const [below, above] = [split.at - from, to - split.at];
      wasBalanced = Math.min(below, above) >= Math.floor(length / 8);
      if (below < above) {
        this.sort(from, split.at, left);
        from = split.at + 1;
      } else {
        this.sort(split.at + 1, to, left);
        to = split.at;
      }
    }
  }

  private isLess(a: number, b: number): boolean {
    return this.less(this.items[a] as Item, this.items[b] as Item);
  }

  private swap(a: number, b: number): void {
    const item = this.items[a] as Item;
    this.items[a] = this.items[b] as Item;
    this.items[b] = item;
  }

  private reverse(from: number, to: number): void {
    for (let low = from, high = to - 1; low < high; low++, high--) this.swap(low, high);
  }

  private insertionSort(from: number, to: number): void {
    for (let next = from + 1; next < to; next++) this.sink(next, from);
  }

  /** Moves an element down while it is less than the one below it; `floor` is the lowest place. */
  private sink(at: number, floor: number): void {
    for (let place = at; place > floor && this.isLess(place, place - 1); place--) this.swap(place, place - 1);
  }

  private heapSort(from: number, to: number): void {
    const length = to - from;
    for (let root = Math.floor((length - 1) / 2); root >= 0; root--) this.siftDown(root, length, from);
    for (let last = length - 1; last >= 0; last--) {
      this.swap(from, from + last);
      this.siftDown(0, last, from);
    }
  }

  private siftDown(start: number, length: number, from: number): void {
    for (let root = start; ; ) {
      let child = 2 * root + 1;
      if (child >= length) return;
      if (child + 1 < length && this.isLess(from + child, from + child + 1)) child++;
      if (!this.isLess(from + root, from + child)) return;
      this.swap(from + root, from + child);
      root = child;
    }
  }

  /** Elements less than the pivot before it, the others after it. */
  private partition(from: number, to: number, pivot: number): { at: number; wasPartitioned: boolean } {
    this.swap(from, pivot);
    let low = from + 1;
    let high = to - 1;
    const close = (): boolean => {
      while (low <= high && this.isLess(low, from)) low++;
      while (low <= high && !this.isLess(high, from)) high--;
      return low > high;
    };
    const wasPartitioned = close();
    if (!wasPartitioned) {
      do {
        this.swap(low, high);
        low++;
        high--;
      } while (!close());
    }
    this.swap(high, from);
    return { at: high, wasPartitioned };
  }

  /** Elements equal to the pivot first, greater ones after them; none is less. Returns where the greater ones start. */
  private partitionEqual(from: number, to: number, pivot: number): number {
    this.swap(from, pivot);
    let low = from + 1;
    let high = to - 1;
    for (;;) {
      while (low <= high && !this.isLess(from, low)) low++;
      while (low <= high && this.isLess(from, high)) high--;
      if (low > high) return low;
      this.swap(low, high);
      low++;
      high--;
    }
  }

  /** Puts a few misplaced elements right. True when the range is sorted then. */
  private repair(from: number, to: number): boolean {
    let at = from + 1;
    for (let step = 0; step < mostRepairs; step++) {
      while (at < to && !this.isLess(at, at - 1)) at++;
      if (at === to) return true;
      if (to - from < shortestRepair) return false;
      this.swap(at, at - 1);
      // Down to the second element of all, not of the range: so does Go.
      if (at - from >= 2) this.sink(at - 1, 0);
      if (to - at >= 2) {
        for (let place = at + 1; place < to && this.isLess(place, place - 1); place++) this.swap(place, place - 1);
      }
    }
    return false;
  }

  /** Exchanges three elements in the middle with others that a generator chooses, seeded by the length. */
  private breakPatterns(from: number, to: number): void {
    const length = to - from;
    if (length < 8) return;
    let state = BigInt(length);
    const mask = (1n << BigInt(bitLength(length))) - 1n;
    const middle = from + Math.floor(length / 4) * 2 - 1;
    for (let index = 0; index < 3; index++) {
      state = BigInt.asUintN(64, state ^ (state << 13n));
      state ^= state >> 7n;
      state = BigInt.asUintN(64, state ^ (state << 17n));
      let other = Number(state & mask);
      if (other >= length) other -= length;
      this.swap(middle - 1 + index, from + other);
    }
  }

  private choosePivot(from: number, to: number): [pivot: number, hint: Hint] {
    const quarter = Math.floor((to - from) / 4);
    const thorough = to - from >= shortestNinther;
    const candidate = (at: number): number => (thorough ? this.medianAround(at) : at);
    this.swaps = 0;
    const pivot = this.median(candidate(from + quarter), candidate(from + quarter * 2), candidate(from + quarter * 3));
    return [pivot, this.swaps === 0 ? 'increasing' : this.swaps === allSwapped ? 'decreasing' : 'unknown'];
  }

  private medianAround(at: number): number {
    return this.median(at - 1, at, at + 1);
  }

  /** The place of the median of three places. */
  private median(first: number, second: number, third: number): number {
    const [a, b] = this.ordered(first, second);
    const [c] = this.ordered(b, third);
    return this.ordered(a, c)[1];
  }

  private ordered(a: number, b: number): [number, number] {
    if (!this.isLess(b, a)) return [a, b];
    this.swaps++;
    return [b, a];
  }
}

/** Binary digits of a positive integer. */
function bitLength(value: number): number {
  return 32 - Math.clz32(value);
}
