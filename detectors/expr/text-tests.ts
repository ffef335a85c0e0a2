/**
 * "Any of these" about one text, prepared once: equal words in a set, contained words in one automaton, prefixes and
 * suffixes in sets by length.
 */
import { LiteralSet } from '../regex/literal-set.ts';

export interface TextTest {
  readonly operator: '==' | 'in' | 'contains' | 'startsWith' | 'endsWith';
  /** Any of them suffices. */
  readonly words: readonly string[];
}

export type TextPredicate = (text: string) => boolean;

/** Below this many words, looking for each of them is quicker than one automaton. */
const fewestInAutomaton = 4;

/** Whether at least one of the tests holds for a text. */
export function anyTextTest(tests: readonly TextTest[]): TextPredicate {
  const words = (...operators: readonly TextTest['operator'][]): string[] =>
    tests.filter(({ operator }) => operators.includes(operator)).flatMap((test) => test.words);
  const predicates = [
    equalTo(words('==', 'in')),
    affixed(words('startsWith'), (text, length) => text.slice(0, length)),
    affixed(words('endsWith'), (text, length) => text.slice(text.length - length)),
    containing(words('contains')),
  ].filter((predicate) => predicate !== null);
  const [first, second] = predicates;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  return (text) => {
    for (const predicate of predicates) if (predicate(text)) return true;
    return false;
  };
}

function equalTo(words: readonly string[]): TextPredicate | null {
  if (words.length === 0) return null;
  const set = new Set(words);
  return (text) => set.has(text);
}

/** Whether the text contains any of the words; an empty word is in every text. Null when there are no words. */
function containing(words: readonly string[]): TextPredicate | null {
  if (words.length === 0) return null;
  if (words.includes('')) return () => true;
  if (words.length < fewestInAutomaton) {
    return (text) => {
      for (const word of words) if (text.includes(word)) return true;
      return false;
    };
  }
  const set = new LiteralSet(words);
  return (text) => set.matches(text);
}

/** `cut` gives the part of a text that could be an affix of `length`. */
function affixed(words: readonly string[], cut: (text: string, length: number) => string): TextPredicate | null {
  if (words.length === 0) return null;
  const byLength = Map.groupBy(words, ({ length }) => length);
  const sets = [...byLength].map(([length, group]) => ({ length, set: new Set(group) }));
  return (text) => {
    for (const { length, set } of sets) if (length <= text.length && set.has(cut(text, length))) return true;
    return false;
  };
}
