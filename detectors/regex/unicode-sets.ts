/**
 * Letter case and Unicode classes, taken from V8's own tables when a pattern asks for them and kept for that pattern only:
 * patterns that do are rare, and the scans cost tens of milliseconds.
 */
import { type CharSet, charSetOf, clip, highestCodePoint, rangesOf, setHas, setSize } from './char-set.ts';
import type { Subject } from './syntax.ts';

/** Each different class costs one scan of Unicode, and patterns can come from the network (hub items). */
const maxProperties = 8;
/** The blocks of Unicode that hold letters with case, generously. */
const casedBlocks: CharSet = [
  0x41, 0x58f, 0x10a0, 0x13ff, 0x1c80, 0x1fff, 0x2100, 0x24ff, 0x2c00, 0x2dff, 0xa640, 0xabff, 0xff00, 0xff5f, 0x10400,
  0x105ff, 0x10c80, 0x10dff, 0x118a0, 0x118df, 0x16e40, 0x16eff, 0x1e900, 0x1e943,
];

export class UnicodeSets {
  readonly #properties = new Map<string, CharSet | null>();
  #variants: ReadonlyMap<number, readonly number[]> | null = null;

  /**
   * The set with every case variant of its members. Bytes fold as ASCII. Text folds as Unicode's simple case folding, which
   * is RE2's: `k` also stands for U+212A KELVIN SIGN and `s` for U+017F LATIN SMALL LETTER LONG S.
   */
  foldCase(set: CharSet, subject: Subject): CharSet {
    const folded = [...set];
    for (const [low, high] of rangesOf(clip(set, 0x41, 0x5a))) folded.push(low + 32, high + 32);
    for (const [low, high] of rangesOf(clip(set, 0x61, 0x7a))) folded.push(low - 32, high - 32);
    if (subject === 'text') {
      if (setHas(set, 0x4b) || setHas(set, 0x6b)) folded.push(0x212a, 0x212a);
      if (setHas(set, 0x53) || setHas(set, 0x73)) folded.push(0x17f, 0x17f);
      const beyondAscii = clip(set, 0x80, casedBlocks.at(-1) ?? 0);
      if (beyondAscii.length > 0) this.#addVariants(beyondAscii, folded);
    }
    return folded.length === set.length ? set : charSetOf(folded);
  }

  /** The members of a general category or script (`L`, `Lu`, `Greek`); null when there is none of that name. */
  property(name: string): CharSet | null {
    const known = this.#properties.get(name);
    if (known !== undefined) return known;
    if (this.#properties.size >= maxProperties) return null;
    const members = name === 'Any' ? [0, highestCodePoint] : scanProperty(name);
    this.#properties.set(name, members);
    return members;
  }

  #addVariants(set: CharSet, folded: number[]): void {
    this.#variants ??= caseVariants();
    if (setSize(set) <= 64) {
      for (const [low, high] of rangesOf(set)) {
        for (let member = low; member <= high; member++) {
          for (const point of this.#variants.get(member) ?? []) folded.push(point, point);
        }
      }
      return;
    }
    for (const [member, variants] of this.#variants) {
      if (setHas(set, member)) for (const point of variants) folded.push(point, point);
    }
  }
}

/** Every character that has case variants, with all of them, itself included. */
function caseVariants(): Map<number, number[]> {
  const byFold = new Map<number, number[]>();
  for (const [low, high] of rangesOf(casedBlocks)) {
    for (let point = low; point <= high; point++) {
      // The dotless i has an upper case but no simple case folding.
      if (point === 0x131) continue;
      const upper = single(String.fromCodePoint(point).toUpperCase(), point);
      const fold = single(String.fromCodePoint(upper).toLowerCase(), upper);
      const orbit = byFold.get(fold);
      if (orbit === undefined) byFold.set(fold, [point]);
      else orbit.push(point);
    }
  }
  const variants = new Map<number, number[]>();
  for (const orbit of byFold.values()) if (orbit.length > 1) for (const point of orbit) variants.set(point, orbit);
  return variants;
}

/** The only character of `text`, or `otherwise` when a conversion made several of one (ß → SS). */
function single(text: string, otherwise: number): number {
  const point = text.codePointAt(0) ?? otherwise;
  return text.length === (point > 0xffff ? 2 : 1) ? point : otherwise;
}

function scanProperty(name: string): CharSet | null {
  for (const spelling of [`gc=${name}`, `sc=${name}`]) {
    const member = propertyMember(spelling);
    if (member === null) continue;
    const found: number[] = [];
    for (let point = 0; point <= highestCodePoint; point++) {
      if (point === 0xd800) point = 0xe000;
      if (!member.test(String.fromCodePoint(point))) continue;
      if (found.at(-1) === point - 1) found[found.length - 1] = point;
      else found.push(point, point);
    }
    return found;
  }
  return null;
}

function propertyMember(spelling: string): RegExp | null {
  try {
    return new RegExp(`^\\p{${spelling}}$`, 'u');
  } catch {
    return null;
  }
}
