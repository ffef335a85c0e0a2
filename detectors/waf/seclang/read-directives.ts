/**
 * The first step of reading a rule file: physical lines become directives with their arguments. Lines are stripped, and
 * blank and comment lines dropped, before continuations are joined, so that a comment may stand between the lines of one
 * rule; ModSecurity's connectors and Coraza read files in the same way. Nothing here knows what a directive means.
 */
import { isBlank, isEscaped, trimBlanks } from './ascii.ts';

export interface Directive {
  /** As written. */
  readonly name: string;
  /** What follows the name, joined to one line. */
  readonly rest: string;
  /** Of the first physical line, from 1. */
  readonly line: number;
}

const byteOrderMark = '\xef\xbb\xbf';

/** Directives in the order of the text. A continuation without a next line ends with the text. */
export function* readDirectives(text: string): Generator<Directive> {
  const lines = new PhysicalLines(text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text);
  let parts: string[] = [];
  let firstLine = 0;
  for (let line = lines.next(); line !== null; line = lines.next()) {
    const stripped = trimBlanks(line);
    if (stripped === '' || stripped.startsWith('#')) continue;
    if (parts.length === 0) firstLine = lines.number;
    if (stripped.endsWith('\\')) {
      parts.push(stripped.slice(0, -1));
      continue;
    }
    // Coraza's data sets: a block between backticks.
    parts.push(stripped.endsWith('`') ? stripped + blockAfter(lines) : stripped);
    yield* directiveOf(parts.join(''), firstLine);
    parts = [];
  }
  yield* directiveOf(parts.join(''), firstLine);
}

class PhysicalLines {
  number = 0;
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  next(): string | null {
    if (this.at >= this.text.length) return null;
    const end = this.text.indexOf('\n', this.at);
    const line = this.text.slice(this.at, end === -1 ? undefined : end);
    this.at = end === -1 ? this.text.length : end + 1;
    this.number++;
    return line;
  }
}

/** Lines up to the one that holds the closing backtick. */
function blockAfter(lines: PhysicalLines): string {
  const block: string[] = [''];
  for (let line = lines.next(); line !== null; line = lines.next()) {
    block.push(line);
    if (trimBlanks(line).endsWith('`')) break;
  }
  return block.join('\n');
}

/** None when only backslashes were there. */
function directiveOf(text: string, line: number): readonly Directive[] {
  const start = trimBlanks(text);
  let end = 0;
  while (end < start.length && !isBlank(start[end])) end++;
  return end === 0 ? [] : [{ name: start.slice(0, end), rest: trimBlanks(start.slice(end)), line }];
}

export type Arguments =
  | { readonly kind: 'arguments'; readonly values: readonly string[] }
  | { readonly kind: 'fault'; readonly reason: string };

/**
 * Splits at blanks outside of quotes. An argument in quotes loses them, and the backslash before a quote of that kind inside
 * of it; all other backslashes stay, because they belong to a regular expression. A quote behind an even run of
 * backslashes closes.
 */
export function splitArguments(rest: string): Arguments {
  const values: string[] = [];
  let at = 0;
  while (at < rest.length) {
    if (isBlank(rest[at])) {
      at++;
      continue;
    }
    const quote = rest[at];
    if (quote === '"' || quote === "'") {
      const end = closingQuote(rest, at);
      if (end === -1) return { kind: 'fault', reason: `The quote ${quote} of the argument is not closed.` };
      if (end + 1 < rest.length && !isBlank(rest[end + 1])) {
        return {
          kind: 'fault',
          reason: `Text follows the closing quote ${quote} of an argument. Write \\${quote} for a quote inside of it.`,
        };
      }
      values.push(unescapeQuotes(rest.slice(at + 1, end), quote));
      at = end + 1;
    } else {
      let end = at;
      while (end < rest.length && !isBlank(rest[end])) end++;
      values.push(rest.slice(at, end));
      at = end;
    }
  }
  return { kind: 'arguments', values };
}

function closingQuote(text: string, open: number): number {
  const quote = text[open] ?? '';
  let end = text.indexOf(quote, open + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf(quote, end + 1);
  return end;
}

/** Every quote inside is behind an odd run of backslashes, the last of which goes. */
export function unescapeQuotes(text: string, quote: '"' | "'"): string {
  return text.includes(quote) ? text.replaceAll(`\\${quote}`, quote) : text;
}
