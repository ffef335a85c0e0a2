/** How parsers say what is wrong: the loader adds the place. */
import { closest } from '../../../config/closest.ts';
import type { SecLangFault } from './definition.ts';

export type Report = (level: SecLangFault['level'], reason: string) => void;

/** Words in messages are cut to this many characters. */
const longestExcerpt = 60;

/** A word of a rule file as messages show it: on one line, printable, in double quotes. */
export function quoted(text: string): string {
  const cut = text.length > longestExcerpt ? `${text.slice(0, longestExcerpt)}…` : text;
  return JSON.stringify(cut);
}

/** ` Did you mean X?`, or nothing when no name is near. */
export function suggestion(word: string, names: Iterable<string>): string {
  const name = closest(word, names);
  return name === null ? '' : ` Did you mean ${name}?`;
}
