/**
 * `DecisionJson`: decisions as CrowdSec's API spells them, written from the rows of the ledger straight into bytes. Keys are
 * sorted, nothing is between them, and what many decisions share is copied from their kind.
 */
import { jsonText } from '../../core/json-text.ts';
import { characters, copyCharacters, overrun, writeAddress, writeDuration, writeNumber } from './json-characters.ts';
import { rowFlags } from './ledger-rows.ts';
import type { LedgerTables } from './ledger-tables.ts';
import { writeUuidWords } from './row-uuid.ts';

/** What one piece of an answer holds. */
export const chunkBytes = 65_536;
/** All of a decision that is neither its kind's nor a text: keys, duration, id, uuid, address. */
const ownBytes = 192 + overrun;
/** A piece with less left is full. */
const slack = 1_024;

const encoder = new TextEncoder();
const durationKey = characters('{"duration":"');
const idKey = characters('","id":');
const valueAfterUuid = characters('","value":"');
const valueKey = characters(',"value":"');
const noText = new Uint8Array(0);
const noView = new DataView(noText.buffer);
const comma = 44;
/** `"}`, the first in the lower byte. */
const end = 34 + 125 * 256;
/** `{"duration":"` to `","id":`, whatever the duration. */
const headBytes = 64;

export class DecisionJson {
  readonly #tables: LedgerTables;
  readonly #now: number;
  readonly #withUuid: boolean;
  /** How a decision begins that ends in `#seconds`: many that follow one another end at the same time. */
  readonly #head = characters('', headBytes);
  #seconds = Number.NaN;
  #bytes: Uint8Array;
  /** Of `#bytes`. */
  #view: DataView;
  #length = 0;
  #isFirst = true;

  /** Durations count from `now`. `firstBytes` is for the first piece: an answer that is likely to be short needs less. */
  constructor(tables: LedgerTables, now: number, withUuid: boolean, firstBytes = chunkBytes) {
    this.#tables = tables;
    this.#now = now;
    this.#withUuid = withUuid;
    const bytes = Buffer.allocUnsafeSlow(firstBytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** Time to `take` what is written. */
  get isFull(): boolean {
    return this.#length > chunkBytes - slack;
  }

  /** What was written since the last time. It is the caller's from then on, who may give it back. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = noText;
    this.#view = noView;
    this.#length = 0;
    return taken;
  }

  /** A piece of `take` that nobody reads any more is written over by the next. */
  giveBack(piece: Uint8Array | undefined): void {
    if (piece === undefined || piece.length === 0 || this.#bytes !== noText) return;
    this.#bytes = Buffer.from(piece.buffer);
    this.#view = new DataView(piece.buffer);
  }

  /** Before, between and after the lists of decisions. */
  ascii(text: string): void {
    this.#need(text.length);
    for (let index = 0; index < text.length; index++) this.#bytes[this.#length++] = text.charCodeAt(index);
    this.#isFirst = true;
  }

  /** The next decision of a list. */
  decision(row: number): void {
    const { rows, values } = this.#tables;
    const flags = rows.flags(row);
    const { json, bareLength } = this.#tables.kindOf(row);
    const address = rows.value(row);
    const value = (flags & rowFlags.textValue) === 0 ? noText : textBytes(values.text(row));
    const uuid = this.#withUuid && (flags & rowFlags.textUuid) !== 0 ? textBytes(this.#tables.uuidText(row)) : noText;
    this.#need(ownBytes + json.length + 2 * value.length + uuid.length);
    const bytes = this.#bytes;
    const view = this.#view;
    let at = this.#length;
    if (!this.#isFirst) view.setUint8(at++, comma);
    this.#isFirst = false;
    at = this.#writeHead(view, at, rows.until(row) - this.#now);
    at = writeNumber(view, at, rows.id(row));
    bytes.set(json, at);
    if (!this.#withUuid) at = copyCharacters(valueKey, view, at + bareLength);
    else {
      at += json.length;
      if ((flags & rowFlags.textUuid) !== 0) at = copyText(uuid, bytes, at);
      else if ((flags & rowFlags.valueUuid) === 0)
        at = writeUuidWords(view, at, rows.uuid(row, 0), rows.uuid(row, 1), rows.uuid(row, 2), rows.uuid(row, 3));
      else if ((flags & rowFlags.textValue) === 0) at = writeAddress(view, at, address);
      else at = copyText(value, bytes, at);
      at = copyCharacters(valueAfterUuid, view, at);
    }
    if ((flags & rowFlags.textValue) === 0) at = writeAddress(view, at, address);
    else at = copyText(value, bytes, at);
    view.setUint16(at, end, true);
    this.#length = at + 2;
  }

  /** Up to the id. Halves of a second are rounded away from zero. */
  #writeHead(view: DataView, at: number, ms: number): number {
    const head = this.#head;
    const rounded = Math.round(Math.abs(ms) / 1000);
    const seconds = ms < 0 ? -rounded : rounded;
    if (seconds !== this.#seconds) {
      const behind = writeDuration(head.view, copyCharacters(durationKey, head.view, 0), seconds);
      head.length = copyCharacters(idKey, head.view, behind);
      this.#seconds = seconds;
    }
    return copyCharacters(head, view, at);
  }

  #need(bytes: number): void {
    const wanted = this.#length + bytes;
    if (wanted <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafeSlow(Math.max(chunkBytes, wanted));
    wider.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = wider;
    this.#view = new DataView(wider.buffer);
  }
}

function copyText(text: Uint8Array, bytes: Uint8Array, at: number): number {
  bytes.set(text, at);
  return at + text.length;
}

/** A text as part of a JSON text, without its quotes. */
function textBytes(text: string): Uint8Array {
  return encoder.encode(jsonText(text).slice(1, -1));
}
