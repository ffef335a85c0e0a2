/**
 * `ValueTable`: from a value to the rows that have it. Rows of one bucket are chained through themselves. The table grows by
 * linear hashing, one bucket with each few rows, so that no growth is ever a pause.
 */
import { noRow, type LedgerRows } from './ledger-rows.ts';

const chunkBits = 13;
const chunkSize = 1 << chunkBits;
const chunkMask = chunkSize - 1;
const rowsPerBucket = 2;

export class ValueTable {
  readonly #rows: LedgerRows;
  readonly #hashOf: (row: number) => number;
  readonly #chunks: Int32Array[] = [];
  #buckets = 0;
  /** The highest power of two that is not above the number of buckets. */
  #round = 1;
  #count = 0;

  /** `hashOf` is a keyed hash of the row's value: nobody may choose values that fall into one bucket. */
  constructor(rows: LedgerRows, hashOf: (row: number) => number) {
    this.#rows = rows;
    this.#hashOf = hashOf;
    this.#addBucket();
  }

  memoryBytes(): number {
    return this.#chunks.length * chunkSize * 4;
  }

  /** The first row whose value may have this hash; `LedgerRows.next` goes on. */
  first(hash: number): number {
    return this.#head(this.#bucketOf(hash));
  }

  add(row: number, hash: number): void {
    const bucket = this.#bucketOf(hash);
    this.#rows.setNext(row, this.#head(bucket));
    this.#setHead(bucket, row);
    if (++this.#count > this.#buckets * rowsPerBucket) this.#grow();
  }

  remove(row: number, hash: number): void {
    const rows = this.#rows;
    const bucket = this.#bucketOf(hash);
    const after = rows.next(row);
    let at = this.#head(bucket);
    if (at === row) this.#setHead(bucket, after);
    else {
      while (rows.next(at) !== row) at = rows.next(at);
      rows.setNext(at, after);
    }
    this.#count--;
  }

  #bucketOf(hash: number): number {
    const bucket = hash & (2 * this.#round - 1);
    return bucket < this.#buckets ? bucket : bucket & (this.#round - 1);
  }

  /** One bucket more: it takes over its part of the bucket that it has been sharing. */
  #grow(): void {
    const rows = this.#rows;
    const shared = this.#buckets - this.#round;
    let row = this.#head(shared);
    this.#addBucket();
    const tails = [noRow, noRow];
    const buckets = [shared, this.#buckets - 1];
    for (const bucket of buckets) this.#setHead(bucket, noRow);
    for (; row !== noRow; row = rows.next(row)) {
      const side = (this.#hashOf(row) & (2 * this.#round - 1)) === shared ? 0 : 1;
      const tail = tails[side] as number;
      if (tail === noRow) this.#setHead(buckets[side] as number, row);
      else rows.setNext(tail, row);
      tails[side] = row;
    }
    for (const tail of tails) if (tail !== noRow) rows.setNext(tail, noRow);
    if (this.#buckets === 2 * this.#round) this.#round = this.#buckets;
  }

  #addBucket(): void {
    const bucket = this.#buckets++;
    if ((bucket & chunkMask) === 0) this.#chunks.push(new Int32Array(chunkSize).fill(noRow));
  }

  #head(bucket: number): number {
    return (this.#chunks[bucket >>> chunkBits] as Int32Array)[bucket & chunkMask] as number;
  }

  #setHead(bucket: number, row: number): void {
    (this.#chunks[bucket >>> chunkBits] as Int32Array)[bucket & chunkMask] = row;
  }
}
