/**
 * `LedgerValues`: what decisions are about, and which rows are about it. An IPv4 address in its only spelling is the 32 bits
 * of the row; everything else is a text kept aside, as it was written. Rows are found by network, so that `::ffff:192.0.2.1`,
 * `192.0.2.1/32` and `192.0.2.1` are one; values of other scopes are found by their text.
 */
import { ipv4, masked, parseRange, type IpRange } from '../../core/ip.ts';
import type { KeyedHash } from '../../core/keyed-hash.ts';
import type { DecisionKinds } from './decision-kinds.ts';
import { noRow, rowFlags, type LedgerRows } from './ledger-rows.ts';
import { ValueTable } from './value-table.ts';

const version6 = 256;
/** Networks inside another that are asked for one by one; above that all rows are looked at. */
const maxAsked = 4_096;

export class LedgerValues {
  readonly #rows: LedgerRows;
  readonly #kinds: DecisionKinds;
  readonly #hash: KeyedHash;
  readonly #table: ValueTable;
  readonly #texts: string[] = [];
  readonly #freeTexts: number[] = [];
  /** Rows per prefix length. */
  readonly #lengths4 = new Uint32Array(33);
  readonly #lengths6 = new Uint32Array(129);

  constructor(rows: LedgerRows, kinds: DecisionKinds, hash: KeyedHash) {
    this.#rows = rows;
    this.#kinds = kinds;
    this.#hash = hash;
    this.#table = new ValueTable(rows, (row) => this.#hashOf(row));
  }

  memoryBytes(): number {
    return this.#table.memoryBytes();
  }

  /** Gives a row its value. Its kind must be there. */
  put(row: number, text: string): void {
    const network = this.#kinds.at(this.#rows.kind(row)).isNetwork ? parseRange(text) : null;
    if (network !== null && isPlain4(network, text)) this.#rows.setValue(row, network.address.w0 | 0);
    else {
      const number = this.#freeTexts.pop() ?? this.#texts.length;
      this.#texts[number] = text;
      this.#rows.setValue(row, number);
      this.#rows.raise(row, rowFlags.textValue);
    }
    const hash = network === null ? this.#textHash(text) : this.#networkHash(network);
    this.#markTwins(row, hash);
    this.#table.add(row, hash);
    if (network !== null) this.#count(network, 1);
  }

  remove(row: number): void {
    const network = this.network(row);
    this.#table.remove(row, network === null ? this.#textHash(this.text(row)) : this.#networkHash(network));
    if (network !== null) this.#count(network, -1);
    if ((this.#rows.flags(row) & rowFlags.textValue) === 0) return;
    const number = this.#rows.value(row);
    this.#texts[number] = '';
    this.#freeTexts.push(number);
  }

  /** As it was written. */
  text(row: number): string {
    const value = this.#rows.value(row);
    return (this.#rows.flags(row) & rowFlags.textValue) === 0 ? ipv4(value >>> 0).text : (this.#texts[value] as string);
  }

  /** Null for a value that is no address or range, or of a scope that has none. */
  network(row: number): IpRange | null {
    if ((this.#rows.flags(row) & rowFlags.textValue) === 0) {
      return { address: ipv4(this.#rows.value(row) >>> 0), prefix: 32 };
    }
    return this.#kinds.at(this.#rows.kind(row)).isNetwork ? parseRange(this.text(row)) : null;
  }

  /** Whether both rows have the same value, letter for letter. */
  isSameText(one: number, other: number): boolean {
    const rows = this.#rows;
    if (((rows.flags(one) ^ rows.flags(other)) & rowFlags.textValue) !== 0) return false;
    if (rows.value(one) === rows.value(other)) return true;
    return (rows.flags(one) & rowFlags.textValue) !== 0 && this.text(one) === this.text(other);
  }

  isText(row: number, text: string): boolean {
    return this.text(row) === text;
  }

  /** The first row that may have the same value as this one; `LedgerRows.next` goes on. */
  firstLike(row: number): number {
    return this.#table.first(this.#hashOf(row));
  }

  /** Rows with exactly this value. */
  withText(text: string): number[] {
    const found: number[] = [];
    const network = parseRange(text);
    if (network !== null) this.#collect(this.#networkHash(network), (row) => this.isText(row, text), found);
    const isOther = (row: number): boolean => this.isText(row, text) && !found.includes(row);
    this.#collect(this.#textHash(text), isOther, found);
    return found;
  }

  /** Rows whose network holds this one. */
  covering(network: IpRange): number[] {
    const found: number[] = [];
    const lengths = network.address.version === 4 ? this.#lengths4 : this.#lengths6;
    for (let prefix = network.prefix; prefix >= 0; prefix--) {
      if (lengths[prefix] !== 0) this.#collectNetwork(network, prefix, 0, found);
    }
    return found;
  }

  /** Rows whose network lies in this one, or null when there are too many places to ask at. */
  within(network: IpRange): number[] | null {
    const lengths = network.address.version === 4 ? this.#lengths4 : this.#lengths6;
    let places = 0;
    for (let prefix = network.prefix; prefix < lengths.length; prefix++) {
      if (lengths[prefix] !== 0) places += 2 ** (prefix - network.prefix);
    }
    if (places > maxAsked) return null;
    const found: number[] = [];
    for (let prefix = network.prefix; prefix < lengths.length; prefix++) {
      if (lengths[prefix] === 0) continue;
      for (let step = 0; step < 2 ** (prefix - network.prefix); step++) {
        this.#collectNetwork(network, prefix, step, found);
      }
    }
    return found;
  }

  /** Whether the row's network lies in this one. */
  isWithin(row: number, network: IpRange): boolean {
    const { address, prefix } = network;
    if ((this.#rows.flags(row) & rowFlags.textValue) === 0) {
      return address.version === 4 && masked(this.#rows.value(row) >>> 0, prefix) === address.w0;
    }
    const inner = this.network(row);
    return inner !== null && holds(network, inner);
  }

  /** Whether the row's network holds this one. */
  isCovering(row: number, network: IpRange): boolean {
    const outer = this.network(row);
    return outer !== null && holds(outer, network);
  }

  /** Rows about the network of this length that begins `step` networks of that length after the beginning of `network`. */
  #collectNetwork({ address }: IpRange, prefix: number, step: number, found: number[]): void {
    const words = shifted([address.w0, address.w1, address.w2, address.w3], prefix, step);
    const [w0, w1, w2, w3] = [
      masked(words[0], prefix),
      masked(words[1], prefix - 32),
      masked(words[2], prefix - 64),
      masked(words[3], prefix - 96),
    ];
    const isV4 = address.version === 4;
    const hash =
      isV4 && prefix === 32
        ? this.#hash.word(w0)
        : this.#wordsHash(w0, isV4 ? 0 : w1, isV4 ? 0 : w2, isV4 ? 0 : w3, isV4, prefix);
    const isMeant = (row: number): boolean => {
      if ((this.#rows.flags(row) & rowFlags.textValue) === 0)
        return isV4 && prefix === 32 && this.#rows.value(row) >>> 0 === w0;
      const network = this.network(row);
      if (network === null || network.prefix !== prefix || network.address.version !== address.version) return false;
      const { address: own } = network;
      return own.w0 === w0 && (isV4 || (own.w1 === w1 && own.w2 === w2 && own.w3 === w3));
    };
    this.#collect(hash, isMeant, found);
  }

  #collect(hash: number, isMeant: (row: number) => boolean, found: number[]): void {
    for (let row = this.#table.first(hash); row !== noRow; row = this.#rows.next(row))
      if (isMeant(row)) found.push(row);
  }

  /** Those with the same value know it of each other, so that all others need not ask. */
  #markTwins(row: number, hash: number): void {
    for (let other = this.#table.first(hash); other !== noRow; other = this.#rows.next(other)) {
      if (!this.isSameText(row, other)) continue;
      this.#rows.raise(row, rowFlags.twin);
      // One that has the mark has set it on all the others.
      if ((this.#rows.flags(other) & rowFlags.twin) !== 0) return;
      this.#rows.raise(other, rowFlags.twin);
    }
  }

  #count({ address, prefix }: IpRange, change: 1 | -1): void {
    const lengths = address.version === 4 ? this.#lengths4 : this.#lengths6;
    lengths[prefix] = (lengths[prefix] as number) + change;
  }

  #hashOf(row: number): number {
    if ((this.#rows.flags(row) & rowFlags.textValue) === 0) return this.#hash.word(this.#rows.value(row) >>> 0);
    const network = this.network(row);
    return network === null ? this.#textHash(this.text(row)) : this.#networkHash(network);
  }

  #networkHash({ address, prefix }: IpRange): number {
    const { version, w0, w1, w2, w3 } = address;
    if (version === 4 && prefix === 32) return this.#hash.word(w0);
    return this.#wordsHash(w0, w1, w2, w3, version === 4, prefix);
  }

  #wordsHash(w0: number, w1: number, w2: number, w3: number, isV4: boolean, prefix: number): number {
    return this.#hash.network(w0, w1, w2, w3, isV4 ? prefix : version6 | prefix);
  }

  #textHash(text: string): number {
    let hash = text.length;
    for (let at = 0; at < text.length; at += 4) {
      // A position beyond the end is NaN, which is 0 to bit operations.
      const low = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
      hash = this.#hash.network(hash, low, text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 16), 1, at);
    }
    return hash;
  }
}

/** Whether the text is the only one that stands for the address: four decimal numbers. */
function isPlain4({ address, prefix }: IpRange, text: string): boolean {
  return address.version === 4 && prefix === 32 && address.text === text;
}

function holds(outer: IpRange, inner: IpRange): boolean {
  const { address: a, prefix } = outer;
  const b = inner.address;
  if (a.version !== b.version || prefix > inner.prefix || masked(b.w0, prefix) !== a.w0) return false;
  if (a.version === 4) return true;
  return masked(b.w1, prefix - 32) === a.w1 && masked(b.w2, prefix - 64) === a.w2 && masked(b.w3, prefix - 96) === a.w3;
}

type Words = readonly [number, number, number, number];

/** The words of an address plus `step` networks of this length; `step` is small and does not leave the outer network. */
function shifted(words: Words, prefix: number, step: number): Words {
  if (step === 0) return words;
  const at = Math.ceil(prefix / 32) - 1;
  const scaled = step * 2 ** (32 * (at + 1) - prefix);
  const sum = words.map((word, index) => (index === at ? word + (scaled % 2 ** 32) : word));
  const carry = Math.floor(scaled / 2 ** 32) + ((sum[at] ?? 0) >= 2 ** 32 ? 1 : 0);
  sum[at] = (sum[at] ?? 0) % 2 ** 32;
  if (at > 0) sum[at - 1] = (sum[at - 1] ?? 0) + carry;
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = sum;
  return [w0, w1, w2, w3];
}
