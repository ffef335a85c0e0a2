/**
 * The last word on a fingerprint that attacks have: some also come from ordinary texts, and the tokens, the number of
 * them before folding, or the text itself tell which it was. Every doubt here is named after the texts that cause it.
 */
import { foldedLength } from './sql-folder.ts';
import type { SqlKind, SqlToken } from './sql-token.ts';
import type { SqlReading } from './sqli-readings.ts';

/** Statements whose first word is none of everyday English. */
const procedural = /^(?:BEGIN .*|BULK .*|DBCC|DECLARE|GOTO|LOAD .*|PRAGMA|RAISERROR|RECONFIGURE|SHUTDOWN|WAITFOR.*)$/i;

/** Fingerprints that hold only if a token of this kind says one of these things. */
const doubts: readonly { readonly shape: RegExp; readonly kind: SqlKind; readonly says: RegExp }[] = [
  { shape: /^(?:[1sn]\)?)?T|^sE[1sv]T|^[1s]\)?;Tnn/, kind: 'T', says: procedural },
  { shape: /^[1s]\)?;Enn/, kind: 'n', says: /^(?:xp_|sp_|master\.)/i },
  {
    shape: /^[1sv]\)?k\)?(?:[s(f]|$)/,
    kind: 'k',
    says: /^(?:INTO (?:OUT|DUMP)FILE|PROCEDURE ANALY[SZ]E|IN BOOLEAN MODE)/i,
  },
  { shape: /^sk\)[ko]/, kind: 'k', says: /^IN BOOLEAN MODE$/i },
  { shape: /^[1s]\)kn[kc]/, kind: 'k', says: /^(?:FROM|INTO OUTFILE|INTO DUMPFILE)$/i },
  { shape: /^[1s]Eok/, kind: 'o', says: /^\*$/ },
  // `1 order by 3`; `10 having 3` and `10 limit 3` are prose or lists.
  { shape: /^[1sv]\)?B[1n]$/, kind: 'B', says: / BY$/i },
];

/** False when `reading` is of an ordinary text in spite of its fingerprint. */
export function confirmFingerprint(reading: SqlReading, text: string): boolean {
  const { tokens, fingerprint } = reading;
  const last = tokens[tokens.length - 1];
  if (last === undefined) return false;
  if (fingerprint === 'X') return true;
  if (last.kind === 'c' && text.includes('sp_password')) return true;
  const doubt = doubts.find(({ shape }) => shape.test(fingerprint));
  if (doubt !== undefined) return tokens.some(({ kind, value }) => doubt.kind === kind && doubt.says.test(value));
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
  }
  if (fingerprint.startsWith('E')) return isQuery(reading, text);
  if (/^[1sv]Enkn/.test(fingerprint)) return reading.compares;
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
      return reading.context === '' ? isBracketed(text, comment) : isCommentedString(text, reading.context);
    case 'n)c':
      return !comment.value.startsWith('#');
  }
  return !reading.fingerprint.includes('&') || isCondition(reading, text);
}

/** SELECT with `*`, with FROM and names that are no words of prose, or with what only SQL selects. */
function isQuery(reading: SqlReading, text: string): boolean {
  const { fingerprint, tokens } = reading;
  const verb = tokens[0]?.word ?? '';
  // `select@example.com` is an address.
  if (fingerprint.startsWith('Ev')) return /\s@|@@|^[^@]*$/.test(text);
  if (/^Eo[kn]/.test(fingerprint)) return tokens[1]?.value === '*';
  if (fingerprint.startsWith('E1nkn')) return verb === 'SELECT TOP' || tokens[4]?.word === 'DUAL';
  if (fingerprint.startsWith('Enkn')) {
    if (verb !== 'SELECT' || tokens[2]?.word !== 'FROM') return false;
    return tokens.slice(1).some((token) => /[_.(]|^LIMIT$/i.test(token.value));
  }
  // `- select (3)\n- case`, a list in prose, goes on with a sign behind its bracket: there a comment has to follow.
  return !/^E(?:\)|\(.\)o)/.test(fingerprint) || cutsOff(text);
}

/** True when a comment to the end of the line is in the text, which needs it for nothing but to cut off a query. */
function cutsOff(text: string): boolean {
  return /--\s*$|\/\*/.test(text);
}

/** A condition compares, calls or selects something, or cuts off the rest: `salt and pepper, oil` does not. */
function isCondition(reading: SqlReading, text: string): boolean {
  const { fingerprint, tokens } = reading;
  if (/[EU;]|.f|^f\(.?\)/.test(fingerprint)) return true;
  const first = tokens[0] as SqlToken;
  const last = tokens[tokens.length - 1] as SqlToken;
  if (reading.context !== '' && first.open === '' && last.open === reading.context && last.close === '') return true;
  if (last.kind === 'c' && !last.value.startsWith('#') && (first.kind === 's' || !/[nk]/.test(fingerprint)))
    return true;
  const isBare = !/[nk]/.test(fingerprint);
  if (isBare && tokens.length === foldedLength && (cutsOff(text) || fingerprint.includes('v'))) return true;
  if (isBare && reading.context !== '' && /v|&\(1\)$/.test(fingerprint)) return true;
  return reading.tokenCount > 3 && reading.compares;
}

/** `1 --` and `1*1/*`, but no part number such as `1611-IioX--`. */
function isCommentedNumber(text: string, comment: SqlToken): boolean {
  if (comment.value.startsWith('#')) return false;
  return /^[\s(+~-]*(?:binary[\s(]+)*(?:0x[\dA-Fa-f]+|[\d.]+)(?:\s*[*+/%-]\s*[\d.]+)*[\s)]*(?:--|\/\*)/i.test(text);
}

/** `('a') --` closes brackets that an application opened, when it is done with two dashes. */
function isBracketed(text: string, comment: SqlToken): boolean {
  return /^\s*\(/.test(text) && comment.value.startsWith('--');
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
