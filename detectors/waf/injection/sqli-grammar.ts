/** Decides on a value: its readings by grammar and by what was learned, then the signs that lie behind a fingerprint. */
import type { SqlWords } from './sql-words.ts';
import { confirmFingerprint } from './sqli-confirmation.ts';
import { readingsOf } from './sqli-readings.ts';
import { hasAttackShape } from './sqli-shapes.ts';
import { findSqlSign } from './sqli-signs.ts';

/** The fingerprint of the attack that `text` is, or null; `learned` may be empty. */
export function findAttack(text: string, words: SqlWords, learned: ReadonlySet<string>): string | null {
  for (const reading of readingsOf(text, words)) {
    const { fingerprint } = reading;
    if (!hasAttackShape(fingerprint) && !learned.has(fingerprint)) continue;
    if (confirmFingerprint(reading, text)) return fingerprint;
  }
  return findSqlSign(text, words, '') ?? (text.includes("'") ? findSqlSign(text, words, "'") : null);
}
