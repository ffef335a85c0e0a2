/**
 * `LedgerRows`: the decisions of the ledger, 56 bytes each, side by side in chunks of typed array. All that is read of a
 * decision lies in one or two cache lines, which is what makes reading a million of them a second possible; a chunk is
 * allocated whole, so growing copies nothing. A row number stays for as long as its decision is kept, then it is used again.
 *
 * Words of a row, signed 32 bits each:
 * `[id, until, id high << 16 | until high, uuid × 4, created, kind << 8 | flags, value, alert, announced, place, next]`.
 */

const width = 14;
const chunkBits = 13;
const chunkRows = 1 << chunkBits;
const chunkMask = chunkRows - 1;

const untilWord = 1;
const highWord = 2;
const uuidWord = 3;
const createdWord = 7;
const kindWord = 8;
const valueWord = 9;
const alertWord = 10;
const announcedWord = 11;
const placeWord = 12;
const nextWord = 13;

const word32 = 2 ** 32;
/** Ids and times are kept in 48 bits: as times they reach the year 10889. */
const largest = 2 ** 48 - 1;

/** Bits of `flags`. */
export const rowFlags = {
  /** In the list of ended decisions; `place` is its number there. Otherwise it waits to expire, at `place` in the heap. */
  ended: 1,
  /** Ended by somebody, before or after it expired. */
  deleted: 2,
  /** Marked by `markStale` and not renewed. */
  stale: 4,
  /** `value` is the number of a text; otherwise it is an IPv4 address. */
  textValue: 8,
  /** The uuid is the kind's prefix and the value; otherwise the prefix and 16 bytes. */
  valueUuid: 16,
  /** The uuid is a text kept aside. */
  textUuid: 32,
  /** Another row may have the same value. */
  twin: 64,
  /** In use. */
  used: 128,
} as const;

export const noRow = -1;

export class LedgerRows {
  readonly #chunks: Int32Array[] = [];
  #free = noRow;
  #made = 0;
  #used = 0;

  /** Rows in use. */
  get used(): number {
    return this.#used;
  }

  /** Row numbers are below this. */
  get end(): number {
    return this.#made;
  }

  memoryBytes(): number {
    return this.#chunks.length * chunkRows * width * 4;
  }

  /** A row of zeros, in use. */
  take(): number {
    let row = this.#free;
    if (row === noRow) {
      row = this.#made++;
      if ((row & chunkMask) === 0) this.#chunks.push(new Int32Array(chunkRows * width));
    } else {
      this.#free = this.next(row);
      const at = (row & chunkMask) * width;
      this.#chunk(row).fill(0, at, at + width);
    }
    this.#set(row, kindWord, rowFlags.used);
    this.#used++;
    return row;
  }

  give(row: number): void {
    this.#set(row, kindWord, 0);
    this.setNext(row, this.#free);
    this.#free = row;
    this.#used--;
  }

  id(row: number): number {
    const chunk = this.#chunk(row);
    const at = (row & chunkMask) * width;
    return ((chunk[at + highWord] as number) >>> 16) * word32 + ((chunk[at] as number) >>> 0);
  }

  setId(row: number, id: number): void {
    const kept = Math.min(id, largest);
    const high = (this.#get(row, highWord) & 0xffff) | (Math.floor(kept / word32) << 16);
    this.#set(row, 0, (kept % word32) | 0);
    this.#set(row, highWord, high);
  }

  until(row: number): number {
    const chunk = this.#chunk(row);
    const at = (row & chunkMask) * width;
    return ((chunk[at + highWord] as number) & 0xffff) * word32 + ((chunk[at + untilWord] as number) >>> 0);
  }

  /** Returns what is kept: whole milliseconds from 1970 on. */
  setUntil(row: number, until: number): number {
    const kept = keptTime(until);
    this.#set(row, untilWord, (kept % word32) | 0);
    this.#set(row, highWord, (this.#get(row, highWord) & ~0xffff) | Math.floor(kept / word32));
    return kept;
  }

  /** One of the four words of a uuid. */
  uuid(row: number, part: number): number {
    return this.#get(row, uuidWord + part);
  }

  setUuid(row: number, words: ArrayLike<number>): void {
    for (let part = 0; part < 4; part++) this.#set(row, uuidWord + part, words[part] ?? 0);
  }

  /** Epoch milliseconds, to the second. */
  created(row: number): number {
    return (this.#get(row, createdWord) >>> 0) * 1000;
  }

  setCreated(row: number, createdAt: number): void {
    this.#set(row, createdWord, Math.min(Math.max(Math.floor(createdAt / 1000), 0), word32 - 1) | 0);
  }

  kind(row: number): number {
    return this.#get(row, kindWord) >>> 8;
  }

  setKind(row: number, kind: number): void {
    this.#set(row, kindWord, (kind << 8) | (this.#get(row, kindWord) & 0xff));
  }

  flags(row: number): number {
    return this.#get(row, kindWord) & 0xff;
  }

  raise(row: number, flags: number): void {
    this.#set(row, kindWord, this.#get(row, kindWord) | flags);
  }

  lower(row: number, flags: number): void {
    this.#set(row, kindWord, this.#get(row, kindWord) & ~flags);
  }

  value(row: number): number {
    return this.#get(row, valueWord);
  }

  setValue(row: number, value: number): void {
    this.#set(row, valueWord, value);
  }

  alert(row: number): number {
    return this.#get(row, alertWord);
  }

  setAlert(row: number, alert: number): void {
    this.#set(row, alertWord, alert);
  }

  /** Number of its last announcement. */
  announced(row: number): number {
    return this.#get(row, announcedWord);
  }

  setAnnounced(row: number, number: number): void {
    this.#set(row, announcedWord, number | 0);
  }

  place(row: number): number {
    return this.#get(row, placeWord);
  }

  setPlace(row: number, place: number): void {
    this.#set(row, placeWord, place | 0);
  }

  /** The next row with the same hash of the value, or `noRow`. */
  next(row: number): number {
    return this.#get(row, nextWord);
  }

  setNext(row: number, next: number): void {
    this.#set(row, nextWord, next);
  }

  #chunk(row: number): Int32Array {
    return this.#chunks[row >>> chunkBits] as Int32Array;
  }

  #get(row: number, word: number): number {
    return this.#chunk(row)[(row & chunkMask) * width + word] as number;
  }

  #set(row: number, word: number, value: number): void {
    this.#chunk(row)[(row & chunkMask) * width + word] = value;
  }
}

/** A time as rows keep it. */
export function keptTime(time: number): number {
  return Math.min(Math.max(Math.floor(time), 0), largest);
}
