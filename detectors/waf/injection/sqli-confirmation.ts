/**
 * The last word on a fingerprint that attacks have: some also come from ordinary texts, and the tokens, the number of
 * them before folding, or the text itself tell which it was. Every doubt here is named after the texts that cause it.
 */
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
      return joinsQuotes(reading);
    case 'f()':
    case 'f(1)':
    case 'f(s)':
    case 'f(v)':
      return isCall(text);
    case '1B1':
      return / by[\s(]/i.test(text);
  }
  const verb = tokens.find((token) => token.kind === 'T' || token.kind === 'k');
  if (/^[1s]\)?T/.test(fingerprint)) return verb !== undefined && procedural.test(verb.word);
  if (/^[1sv]\)?k/.test(fingerprint)) return verb !== undefined && /^(?:INTO|PROCEDURE) /.test(verb.word);
  if (fingerprint.includes('&') && !/[EUf;c]/.test(fingerprint)) return reading.tokenCount > 3 && reading.compares;
  return true;
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
  return true;
}

/** `1 --` and `1*1/*`, but no part number such as `1611-IioX--`. */
function isCommentedNumber(text: string, comment: SqlToken): boolean {
  if (comment.value.startsWith('#')) return false;
  return /^[\s(+~-]*(?:0x[\dA-Fa-f]+|[\d.]+)(?:\s*[*+/%-]\s*[\d.]+)*[\s)]*(?:--|\/\*)/.test(text);
}

/** `x'--` and `x') /*`: the comment follows the quote. `18" -dress --infant` is a search, `SOAP 1 '#` a typing error. */
function isCommentedString(text: string, quote: string): boolean {
  const rest = text.slice(text.indexOf(quote) + 1);
  return /^[\s)]*(?:--|\/\*)/.test(rest) || (/^\)*#$/.test(rest) && !/\s/.test(text));
}

/** `sleep(5)`: a text that is one call, with its bracket close to its name. */
function isCall(text: string): boolean {
  return /^[\s(]*[A-Za-z_][\w.$]*\(.*\)[\s)]*$/s.test(text);
}

/** `' and '` continues a string on both sides; `"Table" + "Lamp"` does not. */
function joinsQuotes(reading: SqlReading): boolean {
  const [first, sign, last] = reading.tokens as [SqlToken, SqlToken, SqlToken];
  if (first.open !== '' || last.close !== '' || first.close !== last.open) return false;
  // Double quotes stand around words in searches: there only what compares is believed.
  return reading.context === "'" ? !last.value.startsWith("''") : /^[=<>!]+$/.test(sign.word);
}
