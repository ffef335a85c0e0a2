/** Sets of characters as JavaScript writes them without the `u` flag: classes of UTF-16 units. */
import { type CharSet, charSetOf, complementOf, rangesOf } from './char-set.ts';

/** A class of UTF-16 units (or bytes) in its shorter spelling. */
export function unitClass(set: CharSet, highest: number): string {
  if (set.length === 0) return '[]';
  const missing = complementOf(set, highest);
  if (missing.length === 0) return '[^]';
  if (set.length === 2 && set[0] === set[1]) return unit(set[0] ?? 0);
  const negated = set.at(-1) === highest && missing.length <= set.length;
  return `[${negated ? '^' : ''}${rangesOf(negated ? missing : set)
    .map(unitRange)
    .join('')}]`;
}

function unitRange([low, high]: [number, number]): string {
  if (low === high) return unit(low);
  return high === low + 1 ? unit(low) + unit(high) : `${unit(low)}-${unit(high)}`;
}

export function unit(value: number): string {
  if (value > 0xff) return `\\u${value.toString(16).padStart(4, '0')}`;
  if (value < 0x20 || value > 0x7e) return `\\x${value.toString(16).padStart(2, '0')}`;
  const character = String.fromCharCode(value);
  return /[A-Za-z0-9_ !"#%&',:;<=>@`~]/.test(character) ? character : `\\${character}`;
}

/** Characters beyond U+FFFF as alternatives of a leading and a trailing unit. */
export function pairClasses(astral: CharSet): string[] {
  const byTrail = new Map<string, number[]>();
  const add = (firstLead: number, lastLead: number, trail: string): void => {
    const leads = byTrail.get(trail);
    if (leads === undefined) byTrail.set(trail, [firstLead, lastLead]);
    else leads.push(firstLead, lastLead);
  };
  for (const [low, high] of rangesOf(astral)) {
    const [firstLead, firstTrail] = halves(low);
    const [lastLead, lastTrail] = halves(high);
    if (firstLead === lastLead) {
      add(firstLead, firstLead, unitClass([firstTrail, lastTrail], 0xffff));
      continue;
    }
    const wholeFrom = firstTrail === 0xdc00 ? firstLead : firstLead + 1;
    const wholeTo = lastTrail === 0xdfff ? lastLead : lastLead - 1;
    if (wholeFrom > firstLead) add(firstLead, firstLead, unitClass([firstTrail, 0xdfff], 0xffff));
    if (wholeFrom <= wholeTo) add(wholeFrom, wholeTo, unitClass([0xdc00, 0xdfff], 0xffff));
    if (wholeTo < lastLead) add(lastLead, lastLead, unitClass([0xdc00, lastTrail], 0xffff));
  }
  return [...byTrail].map(([trail, leads]) => unitClass(charSetOf(leads), 0xffff) + trail);
}

function halves(point: number): [number, number] {
  const offset = point - 0x10000;
  return [0xd800 + (offset >> 10), 0xdc00 + (offset & 0x3ff)];
}
