/**
 * The headers of one part of a multipart body: its names, its file names and what two origins could read differently.
 * RFC 7578 §4, RFC 2046 §5.1; the messages are ModSecurity's.
 */
import { readParameters } from './header-parameters.ts';
import { trimBlanks } from './parse-cookies.ts';
import { decodePercent } from './percent-decode.ts';

export interface PartHeaders {
  /** `Name: value`, folded lines joined, in order. */
  readonly lines: readonly string[];
  /** Where the content begins; -1: the headers have no end. */
  readonly contentStart: number;
}

/** What a part's headers are noted in. */
export interface PartNotes {
  readonly fault: (text: string) => void;
  /** A line of structure ended with CRLF, or with LF alone. */
  readonly lineEnd: (crlf: boolean) => void;
  readonly folding: (valid: boolean) => void;
  readonly invalidQuoting: () => void;
}

const none: readonly never[] = [];

/** Honest parts have three. */
const mostHeaders = 32;

/** Nothing to note about it, and spelled as it will be kept. */
const usualLine = /^[\x21-\x39\x3b-\x7e]+: [^\0\r\t\v\f ](?:[^\0\r]*[^\0\r\t\v\f ])?$/;

/** The Content-Disposition of all browsers; only simpler ones qualify than those that could be read in two ways. */
const usualDisposition = /^ form-data; name="([^"\\]*)"(?:; filename="([^"\\]*)")?$/;

/**
 * Reads the lines from `start` up to the empty one. `end` is the end of the part; `cut`: there it was cut, so a line without an
 * end is no mistake.
 */
export function readPartHeaders(body: string, start: number, end: number, cut: boolean, notes: PartNotes): PartHeaders {
  const lines: string[] = [];
  let at = start;
  while (at < end) {
    const found = body.indexOf('\n', at);
    const lineFeed = found < 0 || found >= end ? end : found;
    const crlf = lineFeed > at && body.charCodeAt(lineFeed - 1) === 0x0d;
    if (lineFeed < end) notes.lineEnd(crlf);
    const line = body.slice(at, crlf ? lineFeed - 1 : lineFeed);
    at = lineFeed + 1;
    if (line === '') {
      if (lineFeed < end) return { lines, contentStart: at };
      break;
    }
    if (lineFeed === end && cut) {
      if (lines.length < mostHeaders) lines.push(line);
    } else if (usualLine.test(line) && lines.length < mostHeaders) lines.push(line);
    else if (/^[ \t\v\f]/.test(line)) foldLine(lines, line, notes);
    else addLine(lines, line, notes);
  }
  return { lines, contentStart: -1 };
}

function foldLine(lines: string[], line: string, notes: PartNotes): void {
  const last = lines.length - 1;
  const valid = last >= 0 && /^[ \t]/.test(line);
  notes.folding(valid);
  if (last < 0) notes.fault('Invalid part header (folding error)');
  if (/[\0\r]/.test(line)) notes.fault('Invalid part header (contains invalid character)');
  if (last < 0) lines.push(line);
  else lines[last] = `${lines[last]} ${trimBlanks(line)}`;
}

function addLine(lines: string[], line: string, notes: PartNotes): void {
  if (lines.length >= mostHeaders) {
    notes.fault('Too many part headers');
    return;
  }
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon));
  if (line.includes('\0')) notes.fault('Nul byte in part headers');
  else if (colon < 0) notes.fault('Invalid part header (colon missing)');
  else if (colon === 0) notes.fault('Invalid part header (header name missing)');
  else if (/[^\x21-\x7e]/.test(name) || line.includes('\r')) {
    notes.fault('Invalid part header (contains invalid character)');
  }
  lines.push(colon < 0 ? line : `${name}: ${trimBlanks(line.slice(colon + 1))}`);
}

export interface PartNames {
  /** Form fields that it may be taken for; several only when origins could differ. */
  readonly fields: readonly string[];
  /** File names likewise, none of them empty; no element: it is no file. */
  readonly files: readonly string[];
  /** It may be taken for a field with a value. */
  readonly isField: boolean;
}

/** What the Content-Disposition among `lines` says. */
export function readPartNames(lines: readonly string[], notes: PartNotes): PartNames {
  let found: Disposition | null = null;
  for (const [index, line] of lines.entries()) {
    const name = headerName(line);
    for (let other = 0; other < index; other += 1) {
      if (name !== '' && headerName(lines[other] ?? '') === name) {
        notes.fault(`Duplicate part header: ${name.slice(0, 40)}`);
      }
    }
    if (name !== 'content-disposition') continue;
    const disposition = readDisposition(line.slice(line.indexOf(':') + 1), notes);
    found = found === null ? disposition : bothOf(found, disposition);
  }
  if (found === null) notes.fault('Part missing Content-Disposition header');
  else if (found.fields.length === 0) notes.fault('Content-Disposition header missing name field');
  const { fields, files, extendedFiles } = found ?? { fields: none, files: none, extendedFiles: none };
  return {
    fields: distinct(fields),
    files: distinct([...files, ...extendedFiles]).filter((file) => file !== ''),
    // With an empty file name Go takes it for a value, and PHP does when there is only the extended one.
    isField: !files.some((file) => file !== ''),
  };
}

function headerName(line: string): string {
  return trimBlanks(line.slice(0, Math.max(0, line.indexOf(':')))).toLowerCase();
}

function bothOf(first: Disposition, second: Disposition): Disposition {
  return {
    fields: [...first.fields, ...second.fields],
    files: [...first.files, ...second.files],
    extendedFiles: [...first.extendedFiles, ...second.extendedFiles],
  };
}

interface Disposition {
  readonly fields: readonly string[];
  readonly files: readonly string[];
  readonly extendedFiles: readonly string[];
}

function readDisposition(value: string, notes: PartNotes): Disposition {
  const usual = usualDisposition.exec(value);
  if (usual !== null) {
    return { fields: [usual[1] ?? ''], files: usual[2] === undefined ? none : [usual[2]], extendedFiles: none };
  }
  const { type, parameters, fault } = readParameters(value);
  const invalid = (why: string): void => notes.fault(`Invalid Content-Disposition header: ${why}`);
  if (type.toLowerCase() !== 'form-data') invalid('it is not form-data');
  if (fault !== '') invalid(fault);
  const found = { fields: [] as string[], files: [] as string[], extendedFiles: [] as string[] };
  for (const parameter of parameters) {
    const { name, quote, spaced } = parameter;
    const base = /^(?:file)?name(?=\*|$)/.exec(name)?.[0];
    if (base === undefined) {
      // Others mean nothing to anybody, unless they are taken for one of these two.
      if (name.includes('name')) invalid(`${name.slice(0, 40)} is not known`);
      continue;
    }
    if (quote === "'") notes.invalidQuoting();
    if (spaced) invalid('white space beside "="');
    if (name === 'name') found.fields.push(parameter.value);
    else if (name === 'filename') found.files.push(parameter.value);
    else if (base === 'name') {
      // RFC 7578 knows no extended field name, nor a name in pieces: only some origins read them.
      invalid(`${name.slice(0, 40)} is not allowed`);
      found.fields.push(extendedValue(parameter.value) ?? parameter.value);
    } else {
      const decoded = name === 'filename*' ? extendedValue(parameter.value) : null;
      if (decoded === null) invalid(`${name.slice(0, 40)} cannot be read`);
      found.extendedFiles.push(decoded ?? parameter.value);
    }
  }
  if (found.fields.length > 1) invalid('duplicate name');
  if (found.files.length > 1 || found.extendedFiles.length > 1) invalid('duplicate filename');
  const [file] = found.files;
  const [extended] = found.extendedFiles;
  // The two are to be the same name; what characters the plain one replaced by "?" or "_" nobody can say.
  if (file !== undefined && extended !== undefined && file !== extended && asciiOnly(extended)) {
    invalid('filename and filename* differ');
  }
  return found;
}

/** `UTF-8''na%C3%AFve.txt` (RFC 8187); null: it is not of that form. */
function extendedValue(value: string): string | null {
  const match = /^[^']*'[^']*'(.*)$/s.exec(value);
  return match === null ? null : decodePercent(match[1] ?? '');
}

function asciiOnly(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function distinct(texts: readonly string[]): readonly string[] {
  return texts.length < 2 ? texts : [...new Set(texts)];
}
