/**
 * `ExpiryHeap`: rows by when they expire, the soonest first. A binary heap rather than lists by second, because what expires
 * is then known exactly and at once however many rows share a second. Grows in chunks.
 */
import type { LedgerRows } from './ledger-rows.ts';
import { noRow } from './ledger-rows.ts';

const chunkBits = 14;
const chunkSize = 1 << chunkBits;
const chunkMask = chunkSize - 1;

export class ExpiryHeap {
  readonly #rows: LedgerRows;
  readonly #chunks: Int32Array[] = [];
  #size = 0;

  constructor(rows: LedgerRows) {
    this.#rows = rows;
  }

  get size(): number {
    return this.#size;
  }

  memoryBytes(): number {
    return this.#chunks.length * chunkSize * 4;
  }

  /** The row that expires first, or `noRow`. */
  get first(): number {
    return this.#size === 0 ? noRow : this.#at(0);
  }

  push(row: number): void {
    const place = this.#size++;
    if (place >>> chunkBits === this.#chunks.length) this.#chunks.push(new Int32Array(chunkSize));
    this.#rise(place, row);
  }

  remove(row: number): void {
    const place = this.#rows.place(row);
    const last = this.#at(--this.#size);
    if (last !== row) this.#settle(place, last);
  }

  /** After the row's `until` changed. */
  moved(row: number): void {
    this.#settle(this.#rows.place(row), row);
  }

  #settle(place: number, row: number): void {
    const until = this.#rows.until(row);
    if (place > 0 && until < this.#rows.until(this.#at((place - 1) >>> 1))) this.#rise(place, row);
    else this.#sink(place, row, until);
  }

  #rise(from: number, row: number): void {
    const until = this.#rows.until(row);
    let place = from;
    while (place > 0) {
      const parent = this.#at((place - 1) >>> 1);
      if (this.#rows.until(parent) <= until) break;
      this.#put(place, parent);
      place = (place - 1) >>> 1;
    }
    this.#put(place, row);
  }

  #sink(from: number, row: number, until: number): void {
    let place = from;
    for (let child = 2 * place + 1; child < this.#size; child = 2 * place + 1) {
      let lesser = this.#at(child);
      let soonest = this.#rows.until(lesser);
      if (child + 1 < this.#size) {
        const other = this.#at(child + 1);
        const ends = this.#rows.until(other);
        if (ends < soonest) {
          lesser = other;
          soonest = ends;
          child++;
        }
      }
      if (until <= soonest) break;
      this.#put(place, lesser);
      place = child;
    }
    this.#put(place, row);
  }

  #at(place: number): number {
    return (this.#chunks[place >>> chunkBits] as Int32Array)[place & chunkMask] as number;
  }

  #put(place: number, row: number): void {
    (this.#chunks[place >>> chunkBits] as Int32Array)[place & chunkMask] = row;
    this.#rows.setPlace(row, place);
  }
}
