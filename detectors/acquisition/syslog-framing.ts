/**
 * A TCP stream → syslog messages (RFC 6587): counted in octets (`123 <34>1 …`) or ended by a line feed, told apart message by
 * message, as receivers do. A message beyond the limit keeps its first part; what does not fit is passed over, not held.
 */

/** What comes of bytes: a message (Latin bytes as they came), or the end of the connection. */
export type Framed =
  | { readonly kind: 'message'; readonly bytes: Buffer; readonly truncated: boolean }
  | { readonly kind: 'broken'; readonly why: string };

const newline = 0x0a;
const space = 0x20;
const zero = 0x30;
/** The most digits of a count that anybody sends. */
const mostDigits = 7;

export class SyslogFramer {
  private readonly limit: number;
  private held = Buffer.alloc(0);
  /** Octets of the message at hand that are yet to come beyond what is kept; null: framed by line feeds. */
  private expected: number | null = null;
  private length = 0;
  private inMessage = false;
  private isBroken = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Whether a message has begun and not ended. */
  get isInMessage(): boolean {
    return this.inMessage || this.held.length > 0;
  }

  /** The messages that end in `chunk`. After `broken` the stream cannot be understood any more. */
  feed(chunk: Buffer): readonly Framed[] {
    const out: Framed[] = [];
    let rest = chunk;
    while (rest.length > 0 && !this.isBroken) {
      if (!this.inMessage) {
        rest = this.begin(rest, out);
        continue;
      }
      rest = this.expected === null ? this.readToLineEnd(rest, out) : this.readCounted(rest, this.expected, out);
    }
    return out;
  }

  /** The last message of a stream that has ended; what was counted and did not come is no message. */
  end(): Framed | null {
    if (!this.inMessage || this.expected !== null || this.held.length === 0) return null;
    return this.finish();
  }

  /** Reads the count, if there is one; `held` keeps digits of which the end has not come. */
  private begin(rest: Buffer, out: Framed[]): Buffer {
    const bytes = this.held.length === 0 ? rest : Buffer.concat([this.held, rest]);
    this.held = Buffer.alloc(0);
    let digits = 0;
    while (digits < bytes.length && digits <= mostDigits && isDigit(bytes[digits])) digits++;
    if (digits === bytes.length && digits <= mostDigits) {
      this.held = Buffer.from(bytes);
      return Buffer.alloc(0);
    }
    const counted = digits > 0 && digits <= mostDigits && bytes[digits] === space && bytes[0] !== zero;
    if (counted) {
      this.expected = Number(bytes.toString('latin1', 0, digits));
      this.inMessage = true;
      this.length = 0;
      return bytes.subarray(digits + 1);
    }
    if (digits > mostDigits) {
      this.isBroken = true;
      out.push({ kind: 'broken', why: 'a message begins with a number that is no length' });
      return Buffer.alloc(0);
    }
    this.expected = null;
    this.inMessage = true;
    this.length = 0;
    return bytes;
  }

  private readToLineEnd(rest: Buffer, out: Framed[]): Buffer {
    const end = rest.indexOf(newline);
    this.keep(end === -1 ? rest : rest.subarray(0, end));
    if (end === -1) return Buffer.alloc(0);
    out.push(this.finish());
    return rest.subarray(end + 1);
  }

  private readCounted(rest: Buffer, expected: number, out: Framed[]): Buffer {
    const part = rest.subarray(0, expected - this.length);
    this.keep(part);
    if (this.length === expected) out.push(this.finish());
    return rest.subarray(part.length);
  }

  private keep(bytes: Buffer): void {
    this.length += bytes.length;
    const kept = bytes.subarray(0, Math.max(0, this.limit - this.held.length));
    if (kept.length > 0) this.held = Buffer.concat([this.held, kept]);
  }

  private finish(): Framed {
    const message: Framed = { kind: 'message', bytes: this.held, truncated: this.length > this.limit };
    this.held = Buffer.alloc(0);
    this.inMessage = false;
    this.expected = null;
    return message;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= zero + 9;
}
