/**
 * The last word on a fingerprint that attacks have: some also come from ordinary texts, and the tokens, the number of
 * them before folding, or the text itself tell which it was. Every doubt here is named after the texts that cause it.
 */
import { foldedLength } from './sql-folder.ts';
import type { SqlToken } from './sql-token.ts';
import type { SqlReading } from './sqli-readings.ts';

/** Statements whose first word is none of everyday English. */
const procedural = /^(?:BEGIN .*|BULK .*|DBCC|DECLARE|GOTO|PRAGMA|RAISERROR|RECONFIGURE|SHUTDOWN|WAITFOR.*)$/;

/** False when `reading` is of an ordinary text in spite of its fingerprint. */
export function confirmFingerprint(reading: SqlReading, text: string): boolean {
  const { tokens, fingerprint } = reading;
  const last = tokens[tokens.length - 1];
  if (last === undefined) return false;
  if (last.kind === 'c' && text.includes('sp_password')) return true;
  if (fingerprint === 'X') return true;
  if (last.kind === 'c') return confirmComment(reading, text, last);
  switch (fingerprint) {
    case '1U':
      return reading.tokenCount > 2;
    case 'sos':
    case 's&s':
      return joinsQuotes(reading, text);
    case 'f()':
    case 'f(1)':
    case 'f(s)':
    case 'f(v)':
      return isCall(text);
    case 'Ev':
      return /\s@|@@/.test(text);
  }
  if (/^(?:[1sn]\)?)?T/.test(fingerprint))
    return tokens.some((token) => token.kind === 'T' && procedural.test(token.word));
  if (/^[1sv]\)?k\)?(?:[s(f]|$)/.test(fingerprint))
    return tokens.some((token) => /^(?:INTO|PROCEDURE) /.test(token.word));
  if (fingerprint.startsWith('E')) return isQuery(reading);
  if (/^[1sv]Enkn/.test(fingerprint)) return reading.compares;
  if (/^[1sv]\)?B[1n]$/.test(fingerprint)) return tokens[tokens.length - 2]?.word.endsWith(' BY') === true;
  return !fingerprint.includes('&') || isCondition(reading, text);
}

function confirmComment(reading: SqlReading, text: string, comment: SqlToken): boolean {
  switch (reading.fingerprint) {
    case 'nc':
      return comment.value.startsWith('/*') && comment.value.length > 2;
    case '1c':
    case '1)c':
      return isCommentedNumber(text, comment);
    case 'sc':
    case 's)c':
      return reading.context !== '' && isCommentedString(text, reading.context);
    case 'n)c':
      return !comment.value.startsWith('#');
  }
  return !reading.fingerprint.includes('&') || isCondition(reading, text);
}

/** SELECT with `*`, with FROM and names that are no words of prose, or with what only SQL selects. */
function isQuery(reading: SqlReading): boolean {
  const { fingerprint, tokens } = reading;
  const verb = tokens[0]?.word ?? '';
  if (/^Eo[kn]/.test(fingerprint)) return tokens[1]?.value === '*';
  if (fingerprint.startsWith('E1nkn')) return verb === 'SELECT TOP';
  if (!fingerprint.startsWith('Enkn')) return true;
  return (
    verb === 'SELECT' &&
    tokens[2]?.word === 'FROM' &&
    tokens.slice(1).some((token) => /[_.(]|^LIMIT$/.test(token.value.toUpperCase()))
  );
}

/** A condition compares, calls or selects something, or cuts off the rest: `salt and pepper, oil` does not. */
function isCondition(reading: SqlReading, text: string): boolean {
  const { fingerprint, tokens } = reading;
  if (/[EUf;]/.test(fingerprint)) return true;
  const first = tokens[0] as SqlToken;
  const last = tokens[tokens.length - 1] as SqlToken;
  if (reading.context !== '' && first.open === '' && last.open === reading.context && last.close === '') return true;
  if (last.kind === 'c' && !last.value.startsWith('#') && (first.kind === 's' || !/[nk]/.test(fingerprint)))
    return true;
  if (tokens.length === foldedLength && !/[nk]/.test(fingerprint) && (text.includes('--') || fingerprint.includes('v')))
    return true;
  return reading.tokenCount > 3 && reading.compares;
}

/** `1 --` and `1*1/*`, but no part number such as `1611-IioX--`. */
function isCommentedNumber(text: string, comment: SqlToken): boolean {
  if (comment.value.startsWith('#')) return false;
  return /^[\s(+~-]*(?:0x[\dA-Fa-f]+|[\d.]+)(?:\s*[*+/%-]\s*[\d.]+)*[\s)]*(?:--|\/\*)/.test(text);
}

/** `x'--` and `x') /*`: the comment follows the quote. `18" -dress --infant` is a search, `SOAP 1 '#` a typing error. */
function isCommentedString(text: string, quote: string): boolean {
  const rest = text.slice(text.indexOf(quote) + 1).replace(/^[\s)]+/, '');
  if (rest.startsWith('/*')) return true;
  if (rest.startsWith('#')) return rest.length === 1 && !/\s/.test(text);
  return /^--(?:[\s+;)-]|\W?\w?$)/.test(rest);
}

/** `sleep(5)`: a text that is one call, with its bracket close to its name. */
function isCall(text: string): boolean {
  return /^[\s(]*[A-Za-z_][\w.$]*\(/.test(text) && text.trimEnd().endsWith(')');
}

/** `' and '` continues a string on both sides; `"Table" + "Lamp"` does not. */
function joinsQuotes(reading: SqlReading, text: string): boolean {
  const [first, sign, last] = reading.tokens as [SqlToken, SqlToken, SqlToken];
  // A word in quotes at the end of a sentence.
  if (first.value !== '' && last.value === '' && /\s'[A-Za-z]+'$/.test(text)) return false;
  if (first.open !== '' || last.close !== '' || first.close !== last.open) return false;
  // Double quotes stand around words in searches: there only what compares is believed.
  if (reading.context === "'") return !last.value.startsWith("''");
  return /^[=<>!]+$/.test(sign.word) || (sign.kind === '&' && reading.tokenCount > 3);
}
