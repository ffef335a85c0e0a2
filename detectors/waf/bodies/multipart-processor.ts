/**
 * The body processor MULTIPART: parts become arguments or files, their headers MULTIPART_PART_HEADERS, and everything that two
 * origins could read differently becomes a strict flag or an error. It goes on after each of them, in the way in which most is
 * seen: parts after the final boundary are read as PHP reads them, a boundary with junk behind it separates parts, a part
 * without a name is an argument named "".
 * Specification: RFC 2046 §5.1, RFC 7578; ModSecurity Reference Manual, MULTIPART_STRICT_ERROR.
 */
import type {
  BodyContents,
  BodyContext,
  BodyProcessor,
  MultipartFlags,
  NamedValue,
  UploadedFile,
} from './body-processor.ts';
import { ArgumentList, emptyContents, FirstFault } from './body-values.ts';
import { readBoundary } from './multipart-boundary.ts';
import { readPartHeaders, readPartNames } from './multipart-part.ts';
import type { PartNotes } from './multipart-part.ts';

export const multipartProcessor: BodyProcessor = {
  name: 'MULTIPART',
  process: (body, context) => new MultipartReader(body, context).read(),
};

type Flags = { -readonly [Name in keyof MultipartFlags]: boolean };

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dash = 0x2d;

class MultipartReader {
  readonly #body: string;
  readonly #context: BodyContext;
  readonly #args: ArgumentList;
  readonly #files: UploadedFile[] = [];
  readonly #partHeaders: NamedValue[] = [];
  readonly #fault = new FirstFault();
  readonly #flags: Flags = {
    boundaryQuoted: false,
    boundaryWhitespace: false,
    dataBefore: false,
    dataAfter: false,
    headerFolding: false,
    invalidHeaderFolding: false,
    lfLine: false,
    crlfLfLines: false,
    missingSemicolon: false,
    invalidQuoting: false,
    invalidPart: false,
    fileLimitExceeded: false,
    unmatchedBoundary: false,
  };
  readonly #notes: PartNotes = {
    fault: (text) => {
      this.#flags.invalidPart = true;
      this.#complain(text);
    },
    lineEnd: (crlf) => this.#lineEnd(crlf),
    folding: (valid) => {
      this.#flags.headerFolding = true;
      if (!valid) this.#flags.invalidHeaderFolding = true;
    },
    invalidQuoting: () => {
      this.#flags.invalidQuoting = true;
    },
  };
  #crlfSeen = false;
  #finished = false;

  constructor(body: string, context: BodyContext) {
    this.#body = body;
    this.#context = context;
    this.#args = new ArgumentList(context.limits.arguments);
  }

  read(): BodyContents {
    const boundary = readBoundary(this.#context.contentType);
    this.#flags.boundaryQuoted = boundary.quoted;
    this.#flags.boundaryWhitespace = boundary.whitespace;
    this.#flags.missingSemicolon = boundary.missingSemicolon;
    if (boundary.fault !== '') this.#complain(boundary.fault);
    if (this.#body !== '') this.#parts(boundary.text);
    return {
      ...emptyContents,
      args: this.#args.values,
      argumentsDropped: this.#args.dropped,
      files: this.#files,
      partHeaders: this.#partHeaders,
      multipart: this.#flags,
      error: this.#fault.text,
    };
  }

  #parts(boundary: string | null): void {
    const body = this.#body;
    const delimiter = `--${boundary}`;
    if (this.#context.truncated && delimiter.startsWith(body)) return;
    let at = boundary === null ? -1 : this.#delimiterFrom(delimiter, 0);
    if (at !== 0) this.#flags.dataBefore = true;
    if (at < 0) {
      this.#flags.unmatchedBoundary = /^--/m.test(body);
      if (!this.#context.truncated) this.#complain('No boundaries found in payload');
      this.#args.add('', body);
      return;
    }
    while (at >= 0) {
      const start = this.#delimiterLine(at, delimiter);
      const next = this.#delimiterFrom(delimiter, start);
      const end = next < 0 ? body.length : next;
      if (this.#endedHere) this.#flags.dataAfter ||= start < end;
      else if (start < end || next >= 0) this.#part(start, end, next < 0);
      at = next;
    }
    if (!this.#finished && !this.#context.truncated) this.#complain('Final boundary missing');
    for (const blank of [' ', '\t']) this.#findSpacedBoundary(blank, delimiter.slice(2));
  }

  /** A line with white space between the dashes and the boundary. */
  #findSpacedBoundary(blank: string, boundary: string): void {
    const body = this.#body;
    const lead = `\n--${blank}`;
    for (let at = body.indexOf(lead); at >= 0; at = body.indexOf(lead, at + 1)) {
      let start = at + lead.length;
      while (body.charCodeAt(start) === 0x20 || body.charCodeAt(start) === 0x09) start += 1;
      if (!body.startsWith(boundary, start)) continue;
      this.#complain('Invalid boundary (whitespace)');
      return;
    }
  }

  /** The delimiter line that was read last was a final one. */
  #endedHere = false;

  /** Where the next delimiter is that begins a line; -1: there is none. */
  #delimiterFrom(delimiter: string, from: number): number {
    const body = this.#body;
    for (let at = body.indexOf(delimiter, from); at >= 0; at = body.indexOf(delimiter, at + 1)) {
      if (at === 0) return at;
      const before = body.charCodeAt(at - 1);
      if (before === lineFeed) return at;
      if (before === carriageReturn) {
        // Werkzeug takes a carriage return alone for the end of a line.
        this.#complain('Invalid boundary (carriage return)');
        return at;
      }
    }
    return -1;
  }

  /** The end of the content that begins at `start`, before the delimiter at `next`: its line end belongs to the delimiter. */
  #contentEnd(start: number, next: number): number {
    const body = this.#body;
    if (next <= start) return start;
    const last = next - 1;
    if (body.charCodeAt(last) === carriageReturn) return last;
    const crlf = last > start && body.charCodeAt(last - 1) === carriageReturn;
    this.#lineEnd(crlf);
    return crlf ? last - 1 : last;
  }

  /** Reads the line with the delimiter at `at`; where the next line begins. */
  #delimiterLine(at: number, delimiter: string): number {
    const body = this.#body;
    let end = at + delimiter.length;
    this.#endedHere = body.charCodeAt(end) === dash && body.charCodeAt(end + 1) === dash;
    if (this.#endedHere) {
      if (this.#finished) this.#complain('Invalid boundary (final duplicate)');
      this.#finished = true;
      end += 2;
    } else if (this.#finished) this.#flags.dataAfter = true;
    while (body.charCodeAt(end) === 0x20 || body.charCodeAt(end) === 0x09) {
      this.#flags.boundaryWhitespace = true;
      end += 1;
    }
    const crlf = body.charCodeAt(end) === carriageReturn && body.charCodeAt(end + 1) === lineFeed;
    if (crlf || body.charCodeAt(end) === lineFeed) {
      this.#lineEnd(crlf);
      return end + (crlf ? 2 : 1);
    }
    if (end >= body.length) {
      if (!this.#endedHere && !this.#context.truncated) this.#complain('Final boundary missing');
      return body.length;
    }
    const cutShort = this.#context.truncated && end + 2 >= body.length;
    if (!cutShort) {
      this.#flags.unmatchedBoundary = true;
      this.#complain('Invalid boundary');
    }
    const found = body.indexOf('\n', end);
    return found < 0 ? body.length : found + 1;
  }

  #part(start: number, end: number, last: boolean): void {
    const body = this.#body;
    const cut = last && this.#context.truncated;
    const { lines, contentStart } = readPartHeaders(body, start, end, cut, this.#notes);
    if (contentStart < 0 && cut) {
      this.#addHeaders('', lines);
      return;
    }
    if (contentStart < 0) this.#notes.fault('Part headers without their end');
    // The empty line that ends the headers is also the one before the boundary; PHP does not see a boundary there.
    else if (contentStart === end && !cut) this.#notes.fault('Part without content');
    const { fields, files, isField } = readPartNames(lines, this.#notes);
    const field = fields[0] ?? '';
    this.#addHeaders(field, lines);
    const from = contentStart < 0 ? start : contentStart;
    const content = body.slice(from, last ? end : this.#contentEnd(from, end));
    if (isField) {
      for (const name of fields.length === 0 ? [''] : fields) this.#args.add(name, content);
    }
    for (const name of files) this.#addFile(field, name, content);
    for (const other of fields.slice(1)) {
      if (files[0] !== undefined) this.#addFile(other, files[0], content);
    }
  }

  #addHeaders(field: string, lines: readonly string[]): void {
    const { limits } = this.#context;
    for (const line of lines) {
      // Each part that is kept has a few; the rest are of parts that are not.
      if (this.#partHeaders.length >= 4 * (limits.arguments + limits.files)) return;
      this.#partHeaders.push({ name: field, value: line });
    }
  }

  #addFile(field: string, name: string, content: string): void {
    if (this.#files.length >= this.#context.limits.files) {
      this.#flags.fileLimitExceeded = true;
      return;
    }
    this.#files.push({ field, name, size: content.length, content });
  }

  #lineEnd(crlf: boolean): void {
    if (crlf) this.#crlfSeen = true;
    else this.#flags.lfLine = true;
    this.#flags.crlfLfLines = this.#crlfSeen && this.#flags.lfLine;
  }

  #complain(what: string): void {
    if (!this.#fault.isNoted) this.#fault.note(`Multipart parsing error: Multipart: ${what}.`);
  }
}
