/**
 * Operators that compare with one text: `@contains`, `@containsWord`, `@strmatch`, `@streq`, `@beginsWith`, `@endsWith`,
 * `@within`. Case matters in all of them. ModSecurity Reference Manual, "Operators".
 */
import { anyText, type OperatorFactory } from './operator.ts';
import { needOfPhrase } from './search-need.ts';

export const contains: OperatorFactory = (argument) => ({
  need: needOfPhrase(argument),
  test: (text) => text.value.includes(argument),
});

/** No letter stands before or after it; a digit may, as in ModSecurity 3. */
export const containsWord: OperatorFactory = (argument) => ({
  need: needOfPhrase(argument),
  test: (text) => holdsWord(text.value, argument),
});

function holdsWord(text: string, word: string): boolean {
  if (word === '') return true;
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (!isLetter(text.charCodeAt(at - 1)) && !isLetter(text.charCodeAt(at + word.length))) return true;
  }
  return false;
}

/** `code` is NaN outside of the text. */
function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 0x61 && lower <= 0x7a;
}

export const streq: OperatorFactory = (argument) => ({
  need: { ...needOfPhrase(argument), shortest: argument.length },
  test: (text) => text.value === argument,
});

export const beginsWith: OperatorFactory = (argument) => ({
  need: needOfPhrase(argument),
  test: (text) => text.value.startsWith(argument),
});

export const endsWith: OperatorFactory = (argument) => ({
  need: needOfPhrase(argument),
  test: (text) => text.value.endsWith(argument),
});

/** The text is a part of the argument; the empty text always is. */
export const within: OperatorFactory = (argument) => ({
  need: anyText,
  test: (text) => argument.includes(text.value),
});
