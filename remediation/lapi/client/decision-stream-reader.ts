/**
 * `DecisionStreamReader`: reads the answer of `GET /v1/decisions/stream` while it arrives, `{"new":[…],"deleted":[…]}` with the
 * keys in either order, `null` for an empty list, white space anywhere and keys that are none of ours. A million decisions
 * pass through without the answer ever being held: the reader looks for where elements end and hands over those that are
 * complete, parsed; of a chunk only the element that goes on in the next one is kept. It takes what `JSON.parse` takes and
 * refuses what `JSON.parse` refuses, wherever chunks are split. Wire shapes: CrowdSec's Local API, two generations of it.
 *
 * Stricter than JSON in two ways, because what is missing from this answer is lifted: the document must have both lists, and
 * each only once.
 */
import { GatewayError } from '../../../core/errors.ts';

export type StreamList = 'new' | 'deleted';

export interface DecisionStreamOptions {
  /** Some elements of a list, in order, as JSON made them: their shape is not checked. */
  readonly onElements: (list: StreamList, elements: readonly unknown[]) => void;
  /** Longest element, key or value of an unknown key. */
  readonly maxValueBytes?: number;
}

export interface DecisionStreamReader {
  /** The next bytes; they may be used again afterwards. Throws LAPI_ANSWER_INVALID, and again when called after that. */
  push(chunk: Uint8Array): void;
  /** There are no more bytes. Throws LAPI_ANSWER_INVALID when the document is not complete. */
  end(): void;
}

export function createDecisionStreamReader(options: DecisionStreamOptions): DecisionStreamReader {
  return new SpanReader(options);
}

const defaultMaxValueBytes = 65_536;

/** What must or may come next. */
type Expect =
  | 'document'
  | 'first-key'
  | 'key'
  | 'colon'
  | 'value'
  | 'comma-or-end'
  | 'first-element'
  | 'element'
  | 'element-comma-or-end'
  | 'nothing';

/** The kind of value whose end is looked for: a text, something in brackets, or a bare word or number. */
type Within = 'string' | 'nested' | 'bare';

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

class SpanReader implements DecisionStreamReader {
  readonly #onElements: DecisionStreamOptions['onElements'];
  readonly #maxValueBytes: number;
  #expect: Expect = 'document';
  #within: Within | null = null;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** The beginning of a value that earlier chunks held. */
  #carried = Buffer.allocUnsafe(0);
  #carriedBytes = 0;
  #key = '';
  readonly #seen = new Set<StreamList>();
  #list: StreamList = 'new';
  #failure: GatewayError | null = null;

  constructor({ onElements, maxValueBytes = defaultMaxValueBytes }: DecisionStreamOptions) {
    this.#onElements = onElements;
    this.#maxValueBytes = maxValueBytes;
  }

  push(chunk: Uint8Array): void {
    if (this.#failure !== null) throw this.#failure;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    try {
      this.#read(bytes);
    } catch (thrown) {
      this.#failure = thrown instanceof GatewayError ? thrown : invalid('it is not JSON', thrown);
      throw this.#failure;
    }
  }

  end(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#expect !== 'nothing') throw invalid('it ends too early');
    for (const list of ['new', 'deleted'] as const)
      if (!this.#seen.has(list)) throw invalid(`it has no list "${list}"`);
  }

  /**
   * Elements that lie in this chunk from their beginning are parsed together, as one piece of text: `batchFrom` is where the
   * first begins and `batchTo` where the last complete one ends.
   */
  #read(bytes: Buffer): void {
    let at = 0;
    let from = 0;
    let batchFrom = -1;
    let batchTo = -1;
    while (at < bytes.length) {
      if (this.#within === null) {
        const byte = bytes[at] as number;
        if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
          at++;
          continue;
        }
        if (!this.#begins(byte)) {
          if (batchFrom !== -1 && this.#expect !== 'element') {
            this.#handOver(bytes, batchFrom, batchTo);
            batchFrom = -1;
          }
          at++;
          continue;
        }
        from = at;
      }
      const end = this.#endOf(bytes, at);
      if (end === -1) break;
      this.#within = null;
      at = end;
      if (this.#carriedBytes > 0 || !this.#isElement()) {
        if (end > from) this.#carry(bytes, from, end);
        this.#value(this.#takeCarried());
      } else {
        if (end - from > this.#maxValueBytes) throw this.#tooLong();
        if (batchFrom === -1) batchFrom = from;
        batchTo = end;
        this.#expect = 'element-comma-or-end';
      }
      from = end;
    }
    if (batchFrom !== -1) this.#handOver(bytes, batchFrom, batchTo);
    if (this.#within !== null) this.#carry(bytes, from, bytes.length);
  }

  #isElement(): boolean {
    return this.#expect === 'element' || this.#expect === 'first-element';
  }

  /** Takes one byte between values. True when a value begins with it, which is then looked at again. */
  #begins(byte: number): boolean {
    switch (this.#expect) {
      case 'document':
        this.#require(byte === openBrace, 'an object');
        this.#expect = 'first-key';
        return false;
      case 'first-key':
      case 'key':
        if (this.#expect === 'first-key' && byte === closeBrace) {
          this.#expect = 'nothing';
          return false;
        }
        this.#require(byte === quote, 'a key');
        this.#within = 'string';
        return true;
      case 'colon':
        this.#require(byte === colon, 'a colon');
        this.#expect = 'value';
        return false;
      case 'value':
        if (isList(this.#key)) {
          if (this.#seen.has(this.#key)) throw invalid(`it has the list "${this.#key}" twice`);
          this.#seen.add(this.#key);
          this.#list = this.#key;
          if (byte === openBracket) {
            this.#expect = 'first-element';
            return false;
          }
          this.#require(byte === 0x6e, `a list or null as "${this.#key}"`);
        }
        this.#within = withinOf(byte);
        return true;
      case 'first-element':
        if (byte === closeBracket) {
          this.#expect = 'comma-or-end';
          return false;
        }
        this.#within = withinOf(byte);
        return true;
      case 'element':
        this.#within = withinOf(byte);
        return true;
      case 'element-comma-or-end':
        this.#require(byte === comma || byte === closeBracket, 'a comma or the end of a list');
        this.#expect = byte === comma ? 'element' : 'comma-or-end';
        return false;
      case 'comma-or-end':
        this.#require(byte === comma || byte === closeBrace, 'a comma or the end');
        this.#expect = byte === comma ? 'key' : 'nothing';
        return false;
      case 'nothing':
        throw invalid('something follows after its end');
      default:
        return this.#expect satisfies never;
    }
  }

  /** Where the value that began here or earlier ends, or -1 when not in this chunk. Its inside is checked when it is parsed. */
  #endOf(bytes: Buffer, start: number): number {
    const { length } = bytes;
    let at = start;
    if (this.#within === 'bare') {
      while (at < length && !endsBare(bytes[at] as number)) at++;
      return at < length ? at : -1;
    }
    let depth = this.#depth;
    let isInString = this.#isInString;
    let isEscaped = this.#isEscaped;
    let end = -1;
    while (at < length && end === -1) {
      const byte = bytes[at++] as number;
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) {
          isInString = false;
          if (depth === 0) end = at;
        }
      } else if (byte === quote) isInString = true;
      else if (byte === openBrace || byte === openBracket) depth++;
      else if (byte === closeBrace || byte === closeBracket) {
        depth--;
        if (depth === 0) end = at;
      }
    }
    this.#depth = depth;
    this.#isInString = isInString;
    this.#isEscaped = isEscaped;
    return end;
  }

  #handOver(bytes: Buffer, from: number, to: number): void {
    this.#onElements(this.#list, JSON.parse(`[${bytes.toString('utf8', from, to)}]`) as unknown[]);
  }

  /** A key, an element that was split, `null` for a list, or the value of a key that is none of ours. */
  #value(text: string): void {
    const value: unknown = JSON.parse(text);
    switch (this.#expect) {
      case 'first-key':
      case 'key':
        this.#key = value as string;
        this.#expect = 'colon';
        return;
      case 'first-element':
      case 'element':
        this.#expect = 'element-comma-or-end';
        this.#onElements(this.#list, [value]);
        return;
      default:
        this.#expect = 'comma-or-end';
    }
  }

  #carry(bytes: Buffer, from: number, to: number): void {
    const length = this.#carriedBytes + to - from;
    if (length > this.#maxValueBytes) throw this.#tooLong();
    if (length > this.#carried.length) {
      const larger = Buffer.allocUnsafe(Math.max(1_024, length * 2));
      this.#carried.copy(larger, 0, 0, this.#carriedBytes);
      this.#carried = larger;
    }
    bytes.copy(this.#carried, this.#carriedBytes, from, to);
    this.#carriedBytes = length;
  }

  #takeCarried(): string {
    const text = this.#carried.toString('utf8', 0, this.#carriedBytes);
    this.#carriedBytes = 0;
    return text;
  }

  #require(holds: boolean, what: string): void {
    if (!holds) throw invalid(`it has no ${what} where one belongs`);
  }

  #tooLong(): GatewayError {
    return invalid(`one of its values is longer than ${this.#maxValueBytes} bytes`);
  }
}

function withinOf(byte: number): Within {
  if (endsBare(byte)) throw invalid('it has no value where one belongs');
  if (byte === quote) return 'string';
  return byte === openBrace || byte === openBracket ? 'nested' : 'bare';
}

function endsBare(byte: number): boolean {
  return byte <= 0x20 || byte === comma || byte === closeBracket || byte === closeBrace || byte === colon;
}

function isList(key: string): key is StreamList {
  return key === 'new' || key === 'deleted';
}

function invalid(why: string, cause?: unknown): GatewayError {
  return new GatewayError('LAPI_ANSWER_INVALID', `the answer is not a stream of decisions: ${why}`, {
    remedy:
      'Check that the address is that of a CrowdSec Local API, and that nothing between cuts or changes its answers.',
    cause,
  });
}
