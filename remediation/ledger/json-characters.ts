/**
 * Numbers, addresses and durations as ASCII, up to four characters with one store. Each function writes at a place and
 * returns the place behind what it wrote; up to `overrun` bytes behind that may be overwritten too.
 */

/** What the buffer must hold beyond the last character. */
export const overrun = 3;

const zero = 48;
const dash = 45;

/** 00 to 99. */
const decimalPairs = Uint16Array.from({ length: 100 }, (_, value) => packed(String(value).padStart(2, '0')));
/** An octet of an address and the dot behind it. */
const octets = Uint32Array.from({ length: 256 }, (_, value) => packed(`${value}.`));
const octetLengths = Uint8Array.from({ length: 256 }, (_, value) => String(value).length + 1);

/** Up to four characters as one number, the first in the lowest byte. */
function packed(text: string): number {
  let word = 0;
  for (let at = 0; at < text.length; at++) word += text.charCodeAt(at) * 256 ** at;
  return word;
}

/** A whole number from 0 to 2⁵³. */
export function writeNumber(to: DataView, at: number, value: number): number {
  if (value < 10) {
    to.setUint8(at, zero + value);
    return at + 1;
  }
  let digits = 2;
  for (let limit = 100; value >= limit; limit *= 10) digits++;
  const end = at + digits;
  let place = end;
  let rest = value;
  // Up to nine digits are divided as 32 bits.
  while (rest >= 1e9) {
    const next = Math.floor(rest / 100);
    place -= 2;
    to.setUint16(place, decimalPairs[rest - next * 100] as number, true);
    rest = next;
  }
  let low = rest | 0;
  while (low >= 10) {
    const next = (low / 100) | 0;
    place -= 2;
    to.setUint16(place, decimalPairs[low - next * 100] as number, true);
    low = next;
  }
  if (place > at) to.setUint8(at, zero + low);
  return end;
}

/** An IPv4 address, of which `word` is the 32 bits. */
export function writeAddress(to: DataView, at: number, word: number): number {
  let place = at;
  for (let shift = 24; shift >= 0; shift -= 8) {
    const octet = (word >>> shift) & 255;
    to.setUint32(place, octets[octet] as number, true);
    place += octetLengths[octet] as number;
  }
  return place - 1;
}

/** As Go writes a duration: `3h59m58s`, `-1m2s`, `0s`. `seconds` is whole. */
export function writeDuration(to: DataView, at: number, seconds: number): number {
  let place = at;
  const all = Math.abs(seconds);
  if (seconds < 0) to.setUint8(place++, dash);
  const hours = Math.floor(all / 3600);
  const rest = all - hours * 3600;
  if (hours > 0) {
    place = writeNumber(to, place, hours);
    to.setUint8(place++, 104);
  }
  if (all >= 60) {
    place = writeNumber(to, place, (rest / 60) | 0);
    to.setUint8(place++, 109);
  }
  place = writeNumber(to, place, rest % 60);
  to.setUint8(place++, 115);
  return place;
}

/** Some ASCII that is copied often. */
export interface Characters {
  /** Holds `overrun` bytes more. */
  readonly view: DataView;
  length: number;
}

/** `room`: characters that it may come to hold. */
export function characters(text: string, room = text.length): Characters {
  const view = new DataView(new ArrayBuffer(room + overrun));
  for (let at = 0; at < text.length; at++) view.setUint8(at, text.charCodeAt(at));
  return { view, length: text.length };
}

export function copyCharacters({ view, length }: Characters, to: DataView, at: number): number {
  for (let done = 0; done < length; done += 4) to.setInt32(at + done, view.getInt32(done, true), true);
  return at + length;
}
