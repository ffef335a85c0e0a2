/**
 * A stream of JSON values, one after the other with or without blanks between them, → the text of each: NDJSON is one such
 * stream. The text stays as it was written. Specification: what Go's `json.Decoder` reads into `json.RawMessage`.
 */

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

export class JsonValues {
  private readonly limit: number;
  private pieces: Buffer[] = [];
  private length = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;
  /** Inside a value: a list, a map, a text, or a word such as `12` or `true`. */
  private kind: 'none' | 'nested' | 'text' | 'word' = 'none';

  /** `limit`: the longest value, bytes. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** The values that `chunk` completes. @throws Error for what is no JSON, or too long. */
  feed(chunk: Buffer): readonly string[] {
    const values: string[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.kind === 'none') {
        if (isBlank(byte)) continue;
        start = at;
        this.begin(byte);
      } else if (this.kind === 'word' && (isBlank(byte) || isOpening(byte))) {
        values.push(this.take(chunk.subarray(start, at)));
        at--;
      } else if (this.step(byte)) values.push(this.take(chunk.subarray(start, at + 1)));
    }
    if (this.kind !== 'none') this.keep(chunk.subarray(start));
    return values;
  }

  /** The last value, which may be a word. @throws Error when it is not complete. */
  end(): string | null {
    if (this.kind === 'none') return null;
    if (this.kind !== 'word') throw new Error('the last JSON value has no end');
    return this.take(Buffer.alloc(0));
  }

  private begin(byte: number): void {
    this.depth = 0;
    this.inString = byte === quote;
    this.escaped = false;
    if (byte === openBrace || byte === openBracket) {
      this.kind = 'nested';
      this.depth = 1;
    } else this.kind = this.inString ? 'text' : 'word';
  }

  /** True: `byte` ends the value. */
  private step(byte: number): boolean {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (byte === backslash) this.escaped = true;
      else if (byte === quote) {
        this.inString = false;
        return this.kind === 'text';
      }
      return false;
    }
    if (byte === quote) this.inString = true;
    else if (byte === openBrace || byte === openBracket) this.depth++;
    else if (byte === closeBrace || byte === closeBracket) this.depth--;
    return this.kind === 'nested' && this.depth === 0;
  }

  private take(last: Buffer): string {
    this.keep(last);
    const text = Buffer.concat(this.pieces).toString('utf8');
    this.pieces = [];
    this.length = 0;
    this.kind = 'none';
    try {
      JSON.parse(text);
    } catch {
      throw new Error(`not JSON: ${text.slice(0, 40)}`);
    }
    return text;
  }

  private keep(bytes: Buffer): void {
    this.length += bytes.length;
    if (this.length > this.limit) throw new Error(`a JSON value is longer than ${this.limit} bytes`);
    if (bytes.length > 0) this.pieces.push(Buffer.from(bytes));
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isOpening(byte: number): boolean {
  return byte === quote || byte === openBrace || byte === openBracket;
}
