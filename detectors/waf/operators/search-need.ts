/** What the index is to look for, from phrases and from patterns. */
import type { CharSet } from '../../regex/char-set.ts';
import { type LiteralFormula, requiredLiterals } from '../../regex/required-literals.ts';
import { shortestMatch } from '../../regex/shortest-match.ts';
import type { PatternNode } from '../../regex/syntax.ts';
import { lowerAscii } from '../seclang/ascii.ts';
import type { SearchNeed } from '../text/search-index.ts';
import { anyText, noText } from './operator.ts';

/** Shorter words are asked by their characters. */
export const shortestLiteral = 2;

/** A text that holds one of the phrases, in either case. They are not empty. */
export function needOfPhrases(phrases: readonly string[]): SearchNeed {
  if (phrases.length === 0) return noText;
  const parts = [...new Set(phrases.map((phrase) => lowerAscii(phrase)))].map(formulaOfPhrase);
  const formula: LiteralFormula = parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'any', parts };
  return { formula, shortest: phrases.reduce((least, phrase) => Math.min(least, phrase.length), Infinity) };
}

export function needOfPhrase(phrase: string): SearchNeed {
  return phrase === '' ? anyText : needOfPhrases([phrase]);
}

function formulaOfPhrase(phrase: string): LiteralFormula {
  if (phrase.length >= shortestLiteral) return { kind: 'literal', text: phrase };
  const code = phrase.charCodeAt(0);
  const isLetter = code >= 0x61 && code <= 0x7a;
  return { kind: 'character', set: isLetter ? [code - 32, code - 32, code, code] : [code, code] };
}

/** A text that holds a character of the set. */
export function needOfCharacter(set: CharSet): SearchNeed {
  return set.length === 0 ? noText : { formula: { kind: 'character', set }, shortest: 1 };
}

export function needOfPattern(root: PatternNode): SearchNeed {
  const formula = requiredLiterals(root, { shortest: shortestLiteral, characters: true });
  return { formula, shortest: shortestMatch(root) };
}
