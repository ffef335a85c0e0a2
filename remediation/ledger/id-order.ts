/**
 * `IdOrder`: rows in ascending order of their ids, and the way from an id to its row. New ids are the highest, so nearly every
 * row is appended; the others are put between their neighbours. Blocks of 512 keep either cheap, however many rows there are.
 * A row whose decision was replaced by another under the same id stands before its successor.
 */
import { noRow, type LedgerRows } from './ledger-rows.ts';

const blockRows = 512;
const mergeBelow = blockRows / 4;

interface Block {
  readonly rows: Int32Array;
  count: number;
}

export interface IdPosition {
  block: number;
  index: number;
}

export class IdOrder {
  readonly #rows: LedgerRows;
  readonly #blocks: Block[] = [];
  /** The lowest id of each block. */
  readonly #lowest: number[] = [];
  #version = 0;

  constructor(rows: LedgerRows) {
    this.#rows = rows;
  }

  memoryBytes(): number {
    return this.#blocks.length * (blockRows * 4 + 40);
  }

  /** The row of this id that was added last, or `noRow`. */
  find(id: number): number {
    const position = this.seek(id);
    const block = position.index > 0 ? position.block : position.block - 1;
    const index = position.index > 0 ? position.index : (this.#blocks[block]?.count ?? 0);
    const row = this.#blocks[block]?.rows[index - 1] ?? noRow;
    return row !== noRow && this.#rows.id(row) === id ? row : noRow;
  }

  /** Behind all rows of its id. */
  add(row: number): void {
    this.#version++;
    const id = this.#rows.id(row);
    const position = this.seek(id);
    if (position.block > 0 && position.index === 0) {
      position.block--;
      position.index = this.#blocks[position.block]?.count ?? 0;
    }
    this.#insert(position, row, id);
  }

  remove(row: number): void {
    this.#version++;
    const { block, index } = this.#placeOf(row);
    const held = this.#blocks[block] as Block;
    held.rows.copyWithin(index, index + 1, held.count);
    held.count--;
    if (held.count === 0) {
      this.#blocks.splice(block, 1);
      this.#lowest.splice(block, 1);
      return;
    }
    if (index === 0) this.#lowest[block] = this.#rows.id(held.rows[0] as number);
    if (held.count < mergeBelow) this.#merge(block);
  }

  /** The position of the first row whose id is above `id`. */
  seek(id: number): IdPosition {
    const block = firstAbove(this.#lowest.length, (at) => this.#lowest[at] as number, id) - 1;
    const held = this.#blocks[block];
    if (held === undefined) return { block: 0, index: 0 };
    const index = firstAbove(held.count, (at) => this.#rows.id(held.rows[at] as number), id);
    return index === held.count ? { block: block + 1, index: 0 } : { block, index };
  }

  /** Rises with every change: positions taken before are no longer good. */
  get version(): number {
    return this.#version;
  }

  /** The row at the position, which then moves on; `noRow` at the end. */
  read(position: IdPosition): number {
    const block = this.#blocks[position.block];
    if (block === undefined) return noRow;
    const row = block.rows[position.index] as number;
    if (++position.index === block.count) {
      position.block++;
      position.index = 0;
    }
    return row;
  }

  #insert({ block, index }: IdPosition, row: number, id: number): void {
    const held = this.#blocks[block];
    if (held === undefined || (held.count === blockRows && index === blockRows && block + 1 === this.#blocks.length)) {
      const fresh: Block = { rows: new Int32Array(blockRows), count: 1 };
      fresh.rows[0] = row;
      this.#blocks.push(fresh);
      this.#lowest.push(id);
      return;
    }
    if (held.count === blockRows) {
      this.#split(block, held);
      const kept = held.count;
      return this.#insert(index <= kept ? { block, index } : { block: block + 1, index: index - kept }, row, id);
    }
    held.rows.copyWithin(index + 1, index, held.count);
    held.rows[index] = row;
    held.count++;
    if (index === 0) this.#lowest[block] = id;
  }

  #split(block: number, held: Block): void {
    const kept = blockRows / 2;
    const upper: Block = { rows: new Int32Array(blockRows), count: held.count - kept };
    upper.rows.set(held.rows.subarray(kept, held.count));
    held.count = kept;
    this.#blocks.splice(block + 1, 0, upper);
    this.#lowest.splice(block + 1, 0, this.#rows.id(upper.rows[0] as number));
  }

  /** Joins a block that has become small with the next when both fit in three quarters of one. */
  #merge(block: number): void {
    const held = this.#blocks[block] as Block;
    const next = this.#blocks[block + 1];
    if (next === undefined || held.count + next.count > (blockRows / 4) * 3) return;
    held.rows.set(next.rows.subarray(0, next.count), held.count);
    held.count += next.count;
    this.#blocks.splice(block + 1, 1);
    this.#lowest.splice(block + 1, 1);
  }

  #placeOf(row: number): IdPosition {
    const position = this.seek(this.#rows.id(row) - 1);
    for (;;) {
      const at = { ...position };
      const found = this.read(position);
      if (found === row) return at;
      if (found === noRow) throw new RangeError(`row ${row} is not in the order of ids`);
    }
  }
}

/** Rows above an id in ascending order. Rows may come and go between two steps: each that stays is met once. */
export class IdWalk {
  readonly #order: IdOrder;
  readonly #rows: LedgerRows;
  readonly #position: IdPosition;
  #version: number;
  #lastRow = noRow;
  #lastId: number;

  constructor(order: IdOrder, rows: LedgerRows, above = -1) {
    this.#order = order;
    this.#rows = rows;
    this.#lastId = above;
    this.#version = order.version;
    this.#position = order.seek(above);
  }

  /** `noRow` at the end. */
  next(): number {
    if (this.#version !== this.#order.version) this.#findBack();
    const row = this.#order.read(this.#position);
    if (row === noRow) return noRow;
    this.#lastRow = row;
    this.#lastId = this.#rows.id(row);
    return row;
  }

  /** Behind the last row, or, when that is gone, before the others of its id. */
  #findBack(): void {
    this.#version = this.#order.version;
    const start = this.#order.seek(this.#lastRow === noRow ? this.#lastId : this.#lastId - 1);
    const past = { ...start };
    let row = this.#lastRow === noRow ? noRow : this.#order.read(past);
    while (row !== noRow && row !== this.#lastRow && this.#rows.id(row) === this.#lastId) row = this.#order.read(past);
    Object.assign(this.#position, row !== noRow && row === this.#lastRow ? past : start);
  }
}

/** The first of `count` ascending numbers that is above `limit`. */
function firstAbove(count: number, at: (index: number) => number, limit: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(middle) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
