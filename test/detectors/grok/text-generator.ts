/** Texts that a pattern matches, made by a walk through its syntax tree, and texts that it nearly matches. */
import type { CharSet } from '../../../detectors/regex/char-set.ts';
import type { PatternNode } from '../../../detectors/regex/syntax.ts';
import type { Fraction } from '../../support/seeded.ts';

/** Up to what a loop without an upper bound runs beyond its lower one; small, since loops stand in loops. */
const maxRounds = 4;
/** Where a class allows them, the characters that logs are made of. */
const usual = [...'0123456789abcdefxyzABCDEFXYZ .:-/_,;="\'[]()<>@%\\\t\n'].map((char) => char.charCodeAt(0));

/** A text that the node matches where no position (`^`, `\b`) stands against it. */
export function textFor(node: PatternNode, fraction: Fraction): string {
  switch (node.kind) {
    case 'empty':
    case 'position':
      return '';
    case 'char':
      return String.fromCodePoint(memberOf(node.set, fraction));
    case 'capture':
      return textFor(node.body, fraction);
    case 'sequence':
      return node.parts.map((part) => textFor(part, fraction)).join('');
    case 'choice':
      return textFor(node.branches[Math.floor(fraction() * node.branches.length)] ?? { kind: 'empty' }, fraction);
    case 'repeat': {
      const most = Math.min(node.max, node.min + maxRounds);
      const rounds = node.min + Math.floor(fraction() * (most - node.min + 1));
      return Array.from({ length: rounds }, () => textFor(node.body, fraction)).join('');
    }
    default:
      return node satisfies never;
  }
}

function memberOf(set: CharSet, fraction: Fraction): number {
  const likely = usual.filter((code) => isMember(set, code));
  if (likely.length > 0 && fraction() < 0.95) return likely[Math.floor(fraction() * likely.length)] ?? 0;
  const range = Math.floor((fraction() * set.length) / 2) * 2;
  const [low = 0, high = 0] = [set[range], set[range + 1]];
  const point = low + Math.floor(fraction() * (Math.min(high, low + 300) - low + 1));
  return point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
}

function isMember(set: CharSet, point: number): boolean {
  for (let index = 0; index < set.length; index += 2) {
    if (point >= (set[index] ?? 0) && point <= (set[index + 1] ?? 0)) return true;
  }
  return false;
}

/** The text with one to three small changes: a character less, twice, another, or two pieces the other way round. */
export function mutated(text: string, fraction: Fraction): string {
  let chars = [...text];
  for (let changes = 1 + Math.floor(fraction() * 3); changes > 0; changes--) {
    const at = Math.floor(fraction() * (chars.length + 1));
    const other = String.fromCharCode(usual[Math.floor(fraction() * usual.length)] ?? 0);
    const kind = Math.floor(fraction() * 5);
    if (kind === 0) chars.splice(at, 1);
    else if (kind === 1) chars.splice(at, 0, chars[at] ?? other);
    else if (kind === 2) chars.splice(at, 1, other);
    else if (kind === 3) chars.splice(at, 0, other);
    else chars = [...chars.slice(at), ...chars.slice(0, at)];
  }
  return chars.join('');
}
