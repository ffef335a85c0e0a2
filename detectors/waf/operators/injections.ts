/** `@detectSQLi` and `@detectXSS`: the detectors of `injection/`. TX.0 is the fingerprint, or the text. */
import { complementOf, wordChars } from '../../regex/char-set.ts';
import type { OperatorFactory } from './operator.ts';
import { needOfCharacter } from './search-need.ts';

/** A single word or number is one token, and changes no query. */
const notOneWord = needOfCharacter(complementOf(wordChars, 0xff));
/** Tags begin with the one and attributes have the other. */
const markup = needOfCharacter([0x3c, 0x3d]);

export const detectSqli: OperatorFactory = (_, __, dependencies) => ({
  need: notOneWord,
  costly: true,
  test: (text, run) => {
    const fingerprint = dependencies.detectSqli(text.value);
    if (fingerprint === null) return false;
    if (run.captures) run.captured = [fingerprint];
    return true;
  },
});

export const detectXss: OperatorFactory = (_, __, dependencies) => ({
  need: markup,
  costly: true,
  test: (text, run) => {
    if (!dependencies.detectXss(text.value)) return false;
    if (run.captures) run.captured = [text.value];
    return true;
  },
});
