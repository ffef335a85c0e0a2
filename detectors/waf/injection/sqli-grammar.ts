/** Decides on a value: its readings by grammar and by what was learned, then the signs that lie behind a fingerprint. */
import { foldedLength } from './sql-folder.ts';
import type { SqlWords } from './sql-words.ts';
import { confirmFingerprint } from './sqli-confirmation.ts';
import { type SqlReading, visitReadings } from './sqli-readings.ts';
import { hasAttackShape } from './sqli-shapes.ts';
import { findSqlSign } from './sqli-signs.ts';

/** Fingerprints that are remembered as suspicious or not; attackers can make no more of them. */
const rememberedFingerprints = 4096;

/** Words, dates, numbers, paths: without any of these characters, or two dashes, a value is one name or number. */
const everyDay = /^(?:[\w.:/\x80-\x9f\xa1-\xff]|-(?!-))*$/;

export class SqlGrammar {
  readonly #words: SqlWords;
  readonly #learned: ReadonlySet<string>;
  readonly #suspicious = new Map<string, boolean>();

  /** `learned` may be empty: then the grammar decides alone. */
  constructor(words: SqlWords, learned: ReadonlySet<string>) {
    this.#words = words;
    this.#learned = learned;
  }

  /** The fingerprint of the attack that `text` is, or null. */
  find(text: string): string | null {
    if (everyDay.test(text)) return null;
    let found = '';
    let isCut = false;
    const visit = (reading: SqlReading): boolean => {
      if (reading.tokens.length >= foldedLength) isCut = true;
      if (!this.#isSuspicious(reading.fingerprint) || !confirmFingerprint(reading, text)) return false;
      found = reading.fingerprint;
      return true;
    };
    if (visitReadings(text, this.#words, visit)) return found;
    if (!isCut) return null;
    return findSqlSign(text, this.#words, '') ?? (text.includes("'") ? findSqlSign(text, this.#words, "'") : null);
  }

  #isSuspicious(fingerprint: string): boolean {
    const known = this.#suspicious.get(fingerprint);
    if (known !== undefined) return known;
    const suspicious = this.#learned.has(fingerprint) || hasAttackShape(fingerprint);
    if (this.#suspicious.size >= rememberedFingerprints) this.#suspicious.clear();
    this.#suspicious.set(fingerprint, suspicious);
    return suspicious;
  }
}
