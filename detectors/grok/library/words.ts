/** Words, numbers and quoted texts. */
import { type GrokTable, oneOf } from './table.ts';

/** Between two of `quote`; a backslash takes the next character with it. */
function quoted(quote: string): string {
  return String.raw`${quote}[^\\${quote}]*(?:\\.[^\\${quote}]*)*${quote}`;
}

/** A word that begins with a small or a capital letter, or is written in capitals. `rest` likewise. */
function level(start: string, rest = ''): string {
  const optional = (text: string): string => (text === '' ? '' : `(?:${text})?`);
  const [first, others] = [start.charAt(0), start.slice(1)];
  const small = `[${first.toUpperCase()}${first}]${others}${optional(rest)}`;
  return `${small}|${start.toUpperCase()}${optional(rest.toUpperCase())}`;
}

export const words: GrokTable = {
  USERNAME: String.raw`[\w.-]+`,
  USER: '%{USERNAME}',
  EMAILLOCALPART: String.raw`[\w+,\-./:;<=]+`,
  INT: String.raw`[+-]?\d+`,
  BASE10NUM: String.raw`[+-]?(?:\d+(?:\.\d+)?|\.\d+)`,
  NUMBER: '%{BASE10NUM}',
  BASE16NUM: '[+-]?(?:0x)?[[:xdigit:]]+',
  BASE16FLOAT: String.raw`\b[+-]?(?:0x)?(?:[[:xdigit:]]+(?:\.[[:xdigit:]]*)?|\.[[:xdigit:]]+)\b`,
  POSINT: String.raw`\b[1-9]\d*\b`,
  NONNEGINT: String.raw`\b\d+\b`,
  WORD: String.raw`\b\w+\b`,
  NOTSPACE: String.raw`\S+`,
  SPACE: String.raw`\s*`,
  DATA: '.*?',
  GREEDYDATA: '.*',
  QUOTEDSTRING: oneOf(quoted('"'), quoted("'"), quoted('`')),
  QS: '%{QUOTEDSTRING}',
  UUID: '[[:xdigit:]]{8}(?:-[[:xdigit:]]{4}){3}-[[:xdigit:]]{12}',
  PROG: String.raw`[!-Z\\^-~]+`,
  // `war`, `er` and `cri` count as well.
  LOGLEVEL: oneOf(
    ...['alert', 'trace', 'debug', 'notice', 'info', 'fatal', 'severe'].map((word) => level(word)),
    level('warn?', 'ing'),
    level('err?', 'or'),
    level('crit?', 'ical'),
    level('emerg', 'ency'),
  ),
};
