/**
 * What body processors collect into. Every list has a bound, because a body of a few bytes for each value would otherwise
 * become some hundred times its own size in memory.
 */
import type { BodyContents, NamedValue } from './body-processor.ts';

const none: readonly never[] = [];

/** What a body holds that nothing was found in. */
export const emptyContents: BodyContents = {
  args: none,
  argumentsDropped: false,
  files: none,
  partHeaders: none,
  multipart: null,
  xmlTexts: null,
  xmlAttributes: none,
  fillsRequestBody: false,
  error: '',
};

/** Named values up to a bound; what comes later is dropped, and that is remembered. */
export class ArgumentList {
  readonly #values: NamedValue[] = [];
  readonly #limit: number;
  #dropped = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False: there was no room. */
  add(name: string, value: string): boolean {
    if (this.#values.length >= this.#limit) {
      this.#dropped = true;
      return false;
    }
    this.#values.push({ name, value });
    return true;
  }

  get values(): readonly NamedValue[] {
    return this.#values;
  }

  get dropped(): boolean {
    return this.#dropped;
  }
}

/** Pieces that are joined at a time. */
const joinedPieces = 4_096;

/** Texts up to a bound; those that come later are joined with spaces into one last text, so that none escapes the rules. */
export class TextList {
  readonly #texts: string[] = [];
  readonly #limit: number;
  readonly #joined: string[] = [];
  #pieces: string[] = [];

  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  add(text: string): void {
    if (this.#texts.length < this.#limit - 1) {
      this.#texts.push(text);
      return;
    }
    this.#pieces.push(text);
    if (this.#pieces.length === joinedPieces) this.#join();
  }

  /** All of them; nothing is added afterwards. */
  finish(): readonly string[] {
    this.#join();
    return this.#joined.length === 0 ? this.#texts : [...this.#texts, this.#joined.join(' ')];
  }

  #join(): void {
    if (this.#pieces.length === 0) return;
    this.#joined.push(this.#pieces.join(' '));
    this.#pieces = [];
  }
}

/** The first thing that was wrong with a body; the later ones usually follow from it. */
export class FirstFault {
  #text = '';

  /** `text` as REQBODY_ERROR_MSG shall have it. */
  note(text: string): void {
    if (this.#text === '') this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /** Asked before a text is put together: a hostile body has a fault at every byte. */
  get isNoted(): boolean {
    return this.#text !== '';
  }
}
