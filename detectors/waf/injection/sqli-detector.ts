/**
 * `@detectSQLi`: does a value, put into a query as an application might put it there, change what the query does? The
 * value is read as a continuation of nothing, of a string in single and of a string in double quotes; each reading is
 * folded to a fingerprint of at most five tokens, which is looked for in `sqli-shapes.ts` (what attacks look like by
 * their grammar) and in the learned set (`sqli-fingerprints.ts`), and then confirmed on the text.
 *
 * A detector remembers which fingerprints are suspicious and nothing of a text. It never throws, and takes time in proportion to the length of the text.
 */
import { createSqlWords } from './sql-words.ts';
import { learnedFingerprints } from './sqli-fingerprints.ts';
import { SqlGrammar } from './sqli-grammar.ts';

/** The detector: the fingerprint of the attack that a byte string is, or null. */
export function createSqliDetector(): (text: string) => string | null {
  const grammar = new SqlGrammar(createSqlWords(), learnedFingerprints());
  return (text) => grammar.find(text);
}
