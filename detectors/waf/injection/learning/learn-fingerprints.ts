/**
 * Writes `sqli-fingerprints.ts`: `node detectors/waf/injection/learning/learn-fingerprints.ts [folder of samples]`.
 *
 * A fingerprint is learned from the learning part of the attack samples when the grammar of `sqli-shapes.ts` and the signs
 * of `sqli-signs.ts` do not catch its sample already, when no honest text of the learning part or of `benign-texts.ts`
 * folds to it, and when there is more to it than words and values.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSqlWords, type SqlWords } from '../sql-words.ts';
import { confirmFingerprint } from '../sqli-confirmation.ts';
import { SqlGrammar } from '../sqli-grammar.ts';
import { visitReadings } from '../sqli-readings.ts';
import { benignTexts } from './benign-texts.ts';
import { readInjectionSamples } from './injection-samples.ts';

/** Honest texts that are made, and the seed they are made from. */
const madeTexts = 40_000;
const seed = 1;

/** Words next to each other are prose as often as SQL; values and commas alone are lists. */
const tooOrdinary = /[nk][nk]|^[1nsvkt,.:()]*$|^n|[?{}.:]/;
const lineLength = 118;

function fingerprintsOf(text: string, words: SqlWords): string[] {
  const found: string[] = [];
  visitReadings(text, words, (reading) => {
    if (confirmFingerprint(reading, text)) found.push(reading.fingerprint);
    return false;
  });
  return found;
}

/** The fingerprints that the samples in `folder` teach, sorted. */
export function learnFingerprints(folder: string): string[] {
  const words = createSqlWords();
  const grammar = new SqlGrammar(words, new Set());
  const honest = new Set<string>();
  for (const text of benignTexts(madeTexts, seed)) for (const one of fingerprintsOf(text, words)) honest.add(one);
  for (const sample of readInjectionSamples(folder, 'false_positives')) {
    if (sample.learning) for (const one of fingerprintsOf(sample.text, words)) honest.add(one);
  }
  const learned = new Set<string>();
  for (const sample of readInjectionSamples(folder, 'sqli-')) {
    if (!sample.learning || grammar.find(sample.text) !== null) continue;
    for (const one of fingerprintsOf(sample.text, words)) {
      if (!honest.has(one) && !tooOrdinary.test(one)) learned.add(one);
    }
  }
  return [...learned].sort();
}

/** The source of `sqli-fingerprints.ts`. */
export function renderFingerprints(fingerprints: readonly string[]): string {
  const lines: string[] = [];
  let line = ' ';
  for (const one of fingerprints) {
    if (line.length + one.length + 1 > lineLength) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${one}`;
  }
  lines.push(line);
  return `/**
 * Fingerprints of SQL injection that the samples taught and no rule of grammar covers. Made by
 * \`learning/learn-fingerprints.ts\`: not to be edited.
 */
const fingerprints = \`
${lines.join('\n')}
\`;

export function learnedFingerprints(): ReadonlySet<string> {
  return new Set(fingerprints.trim().split(/\\s+/));
}
`;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..', '..', '..', '..');
  const suites = process.env.PORTCULLIS_SUITES ?? join(root, '..', 'shared', 'data');
  const folder = process.argv[2] ?? join(suites, 'injection-samples', 'samples');
  const fingerprints = learnFingerprints(folder);
  writeFileSync(join(import.meta.dirname, '..', 'sqli-fingerprints.ts'), renderFingerprints(fingerprints));
  process.stdout.write(`${fingerprints.length} fingerprints learned\n`);
}
