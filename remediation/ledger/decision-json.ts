/**
 * `DecisionJson`: decisions as CrowdSec's API spells them, written from the rows of the ledger straight into bytes. Keys are
 * sorted, nothing is between them, and what many decisions share is copied from their kind.
 */
import { jsonText } from '../../core/json-text.ts';
import type { DecisionKind } from './decision-kinds.ts';
import { rowFlags } from './ledger-rows.ts';
import type { LedgerTables } from './ledger-tables.ts';
import { uuidLength, writeUuid } from './row-uuid.ts';

/** What one piece of an answer holds. */
export const chunkBytes = 65_536;
/** All of a decision that is neither its kind's nor a text: keys, duration, id, uuid, address. */
const ownBytes = 192;
/** A piece with less left is full. */
const slack = 1_024;

const encoder = new TextEncoder();
const durationKey = encoder.encode('{"duration":"');
const idKey = encoder.encode('","id":');
const uuidKey = encoder.encode(',"uuid":"');
const valueAfterUuid = encoder.encode('","value":"');
const valueKey = encoder.encode(',"value":"');
const end = encoder.encode('"}');
const noText = new Uint8Array(0);
const zero = 48;

export class DecisionJson {
  readonly #tables: LedgerTables;
  readonly #now: number;
  readonly #withUuid: boolean;
  readonly #words: [number, number, number, number] = [0, 0, 0, 0];
  #bytes: Uint8Array;
  #length = 0;

  /** Durations count from `now`. `firstBytes` is for the first piece: an answer that is likely to be short needs less. */
  constructor(tables: LedgerTables, now: number, withUuid: boolean, firstBytes = chunkBytes) {
    this.#tables = tables;
    this.#now = now;
    this.#withUuid = withUuid;
    this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
  }

  /** Time to `take` what is written. */
  get isFull(): boolean {
    return this.#length > chunkBytes - slack;
  }

  /** What was written since the last time. It is the caller's from then on. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = noText;
    this.#length = 0;
    return taken;
  }

  ascii(text: string): void {
    this.#need(text.length);
    for (let index = 0; index < text.length; index++) this.#bytes[this.#length++] = text.charCodeAt(index);
  }

  decision(row: number): void {
    const { rows, values } = this.#tables;
    const flags = rows.flags(row);
    const kind = this.#tables.kindOf(row);
    const value = (flags & rowFlags.textValue) === 0 ? noText : textBytes(values.text(row));
    const uuid = this.#withUuid && (flags & rowFlags.textUuid) !== 0 ? textBytes(this.#tables.uuidText(row)) : noText;
    this.#need(ownBytes + kind.json.length + kind.uuidJson.length + 2 * value.length + uuid.length);
    this.#copy(durationKey);
    this.#duration(rows.until(row) - this.#now);
    this.#copy(idKey);
    this.#number(rows.id(row));
    this.#copy(kind.json);
    if (this.#withUuid) {
      this.#copy(uuidKey);
      this.#uuid(row, flags, kind, value, uuid);
      this.#copy(valueAfterUuid);
    } else this.#copy(valueKey);
    if ((flags & rowFlags.textValue) === 0) this.#address(rows.value(row));
    else this.#copy(value);
    this.#copy(end);
  }

  #uuid(row: number, flags: number, kind: DecisionKind, value: Uint8Array, uuid: Uint8Array): void {
    const { rows } = this.#tables;
    if ((flags & rowFlags.textUuid) !== 0) return this.#copy(uuid);
    this.#copy(kind.uuidJson);
    if ((flags & rowFlags.valueUuid) !== 0) {
      if ((flags & rowFlags.textValue) === 0) this.#address(rows.value(row));
      else this.#copy(value);
      return;
    }
    for (let part = 0; part < 4; part++) this.#words[part] = rows.uuid(row, part);
    writeUuid(this.#bytes, this.#length, this.#words);
    this.#length += uuidLength;
  }

  /** As Go writes a duration of whole seconds: `3h59m58s`, `-1m2s`, `0s`. Halves are rounded away from zero. */
  #duration(ms: number): void {
    const seconds = Math.round(Math.abs(ms) / 1000);
    if (ms < 0 && seconds > 0) this.#byte(45);
    if (seconds >= 3600) {
      this.#number(Math.floor(seconds / 3600));
      this.#byte(104);
    }
    if (seconds >= 60) {
      this.#number(Math.floor(seconds / 60) % 60);
      this.#byte(109);
    }
    this.#number(seconds % 60);
    this.#byte(115);
  }

  #address(word: number): void {
    this.#octet(word >>> 24);
    this.#byte(46);
    this.#octet((word >>> 16) & 255);
    this.#byte(46);
    this.#octet((word >>> 8) & 255);
    this.#byte(46);
    this.#octet(word & 255);
  }

  /** A whole number from 0 to 255. */
  #octet(value: number): void {
    if (value >= 100) this.#byte(zero + Math.floor(value / 100));
    if (value >= 10) this.#byte(zero + (Math.floor(value / 10) % 10));
    this.#byte(zero + (value % 10));
  }

  /** A whole number from 0 on. */
  #number(value: number): void {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    let rest = value;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const next = Math.floor(rest / 10);
      this.#bytes[at] = zero + rest - next * 10;
      rest = next;
    }
    this.#length += digits;
  }

  #byte(code: number): void {
    this.#bytes[this.#length++] = code;
  }

  #copy(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #need(bytes: number): void {
    const wanted = this.#length + bytes;
    if (wanted <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafeSlow(Math.max(chunkBytes, wanted));
    wider.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = wider;
  }
}

/** A text as part of a JSON text, without its quotes. */
function textBytes(text: string): Uint8Array {
  return encoder.encode(jsonText(text).slice(1, -1));
}
