/** The list of actions as it is written: `id:1,phase:2,msg:'a, b',setvar:'tx.x=1'` becomes names with values. */
import { isBlank, isEscaped, lowerAscii, trimBlanks } from './ascii.ts';
import { unescapeQuotes } from './read-directives.ts';

export interface WrittenAction {
  /** Lower case. */
  readonly name: string;
  /** Without its quotes; null when there is no colon. */
  readonly value: string | null;
}

export type WrittenActions =
  | { readonly kind: 'actions'; readonly actions: readonly WrittenAction[] }
  | { readonly kind: 'fault'; readonly reason: string };

/** Splits at commas outside of single quotes. Empty parts, as a comma at the end leaves one, are dropped. */
export function splitActions(text: string): WrittenActions {
  const actions: WrittenAction[] = [];
  const lastClose = lastClosingQuote(text);
  let at = 0;
  while (at < text.length) {
    const end = actionEnd(text, at, lastClose);
    if (end === -1) {
      return { kind: 'fault', reason: `A single quote in the actions is not closed: ${excerpt(text, at)}` };
    }
    const written = trimBlanks(text.slice(at, end));
    if (written !== '') actions.push(actionOf(written));
    at = end + 1;
  }
  return { kind: 'actions', actions };
}

/**
 * The next comma that separates, or the end; -1 when the quote around a value stays open. Within a value, quotes hold around
 * what follows `=`, `;` or `:`, as in `ctl:…;ARGS:'a,b'`; elsewhere an apostrophe is one.
 */
function actionEnd(text: string, from: number, lastClose: number): number {
  let isValue = false;
  let opens: 'value' | 'part' | null = 'value';
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === ',') return at;
    if (character === "'" && opens !== null) {
      // Beyond the last one that closes there is no use in looking.
      const end = at < lastClose ? quoteEnd(text, at + 1) : -1;
      if (end === -1 && opens === 'value') return -1;
      if (end !== -1) at = end;
      opens = null;
    } else if (character === ':' && !isValue) {
      isValue = true;
      opens = 'value';
    } else if (!isBlank(character)) {
      opens = character === ':' || character === '=' || character === ';' ? 'part' : null;
    }
  }
  return text.length;
}

/** A quote closes when it is not escaped and the action ends behind it, so that `'it's'` is read as it is meant. */
function quoteEnd(text: string, from: number): number {
  for (let at = text.indexOf("'", from); at !== -1; at = text.indexOf("'", at + 1)) {
    if (closes(text, at)) return at;
  }
  return -1;
}

function lastClosingQuote(text: string): number {
  let at = text.lastIndexOf("'");
  while (at > 0 && !closes(text, at)) at = text.lastIndexOf("'", at - 1);
  return at;
}

function closes(text: string, quote: number): boolean {
  if (isEscaped(text, quote)) return false;
  let next = quote + 1;
  while (isBlank(text[next])) next++;
  return next >= text.length || text[next] === ',';
}

function actionOf(written: string): WrittenAction {
  const colon = written.indexOf(':');
  if (colon === -1) return { name: lowerAscii(written), value: null };
  return {
    name: lowerAscii(trimBlanks(written.slice(0, colon))),
    value: withoutQuotes(trimBlanks(written.slice(colon + 1))),
  };
}

/** Strips one layer of single quotes, and the backslashes before those inside. */
export function withoutQuotes(value: string): string {
  if (value.length < 2 || !value.startsWith("'") || !value.endsWith("'")) return value;
  return unescapeQuotes(value.slice(1, -1), "'");
}

function excerpt(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 40));
}
