/**
 * One value out of a JSON text without decoding the rest: the raw text of what a path leads to, as `JsonExtract` gives it.
 * The text is searched, not parsed: keys are looked for at their depth, what is damaged elsewhere does not matter, and words
 * before the first bracket are skipped unless a colon is among them. Specification: the search of buger/jsonparser.
 */

export type JsonKind = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';

export interface JsonPiece {
  readonly kind: JsonKind;
  /** As it stands in the text; strings without their quotes, escapes as written. */
  readonly raw: string;
}

/** `a.b[0].c` as steps; an index is written `[0]`. */
export function pathSteps(path: string): string[] {
  const dotted = path.startsWith('[') ? path : path.replaceAll('[', '.[');
  return dotted.split('.');
}

/** The piece at the end of `steps`, or null when the path leads nowhere or the text is damaged before it. */
export function findJson(text: string, steps: readonly string[]): JsonPiece | null {
  let rest = text;
  let left = steps;
  let offset = 0;
  while (left.length > 0) {
    const { at, taken } = search(rest, left);
    if (at === -1) return null;
    offset += at;
    left = left.slice(taken);
    // What follows an index is searched for within the item, though the answer may end after it where brackets do not match.
    if (left.length > 0) rest = rest.slice(at, valueEnd(rest, at));
  }
  return pieceAt(text, skipSpace(text, offset));
}

/** Where a value stands (-1: nowhere), and how many steps lead to it: all of them, or those up to an index. */
interface Found {
  readonly at: number;
  readonly taken: number;
}

const nowhere: Found = { at: -1, taken: 0 };

/** Finds the value of the last key, or the item of the first index on the way to it. */
function search(text: string, steps: readonly string[]): Found {
  /** How many objects we are in, and how many of their keys are those of the path. */
  let depth = 0;
  let matched = 0;
  /** Whether the last key was the one of its depth: only then the object that follows is entered. */
  let enters = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = stringEnd(text, at);
      if (end === -1) return nowhere;
      const next = skipSpace(text, end);
      if (next === text.length) return nowhere;
      if (text.charCodeAt(next) === colon) {
        const step = steps[depth - 1];
        if (step === undefined) return nowhere;
        enters = keyEquals(text, at + 1, end - 1, step);
        if (enters && matched === depth - 1 && ++matched === steps.length) return found(text, next + 1, matched);
        at = next;
      } else at = next - 1;
    } else if (code === openObject && enters) depth++;
    else if (code === closeObject) {
      if (--depth === matched) matched--;
    } else if (code === openArray && matched === depth && steps[depth]?.startsWith('[') === true) {
      return found(text, itemAt(text, at, steps[depth] ?? ''), depth + 1);
    } else if (isOpen(code)) {
      const end = blockEnd(text, at);
      if (end === -1) return nowhere;
      at = end - 1;
    } else if (code === colon) return nowhere;
  }
  return nowhere;
}

function found(text: string, at: number, taken: number): Found {
  return at === -1 ? nowhere : { at: skipSpace(text, at), taken };
}

const quote = 34;
const colon = 58;
const openArray = 91;
const openObject = 123;
const closeObject = 125;

function isOpen(code: number): boolean {
  return code === openObject || code === openArray;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 13 || code === 9; ) {
    code = text.charCodeAt(++at);
  }
  return at;
}

function keyEquals(text: string, from: number, to: number, key: string): boolean {
  if (to - from === key.length) return text.startsWith(key, from);
  if (to - from < key.length) return false;
  const raw = text.slice(from, to);
  return raw.includes('\\') && unescapeJson(raw) === key;
}

/** The offset of an item of the array at `at`; `step` is `[n]`. */
function itemAt(text: string, array: number, step: string): number {
  const digits = /^\[(\d{1,9})\]$/.exec(step)?.[1];
  if (digits === undefined) return -1;
  let at = skipSpace(text, array + 1);
  if (text.charCodeAt(at) === 93) return -1;
  for (let left = Number(digits); ; left--) {
    const piece = pieceAt(text, at);
    if (piece === null) return -1;
    if (left === 0) return at;
    at = skipSpace(text, valueEnd(text, at));
    if (text.charCodeAt(at) !== 44) return -1;
    at = skipSpace(text, at + 1);
  }
}

function pieceAt(text: string, at: number): JsonPiece | null {
  const end = valueEnd(text, at);
  if (end === -1) return null;
  const raw = text.slice(at, end);
  const code = text.charCodeAt(at);
  if (code === 34) return { kind: 'string', raw: raw.slice(1, -1) };
  if (code === 123) return { kind: 'object', raw };
  if (code === 91) return { kind: 'array', raw };
  if (raw === 'true' || raw === 'false') return { kind: 'boolean', raw };
  if (raw === 'null') return { kind: 'null', raw };
  // Told by its first character alone, as upstream does.
  return /^[-\d]/.test(raw) ? { kind: 'number', raw } : null;
}

/** The offset after the value at `at`, or -1. */
function valueEnd(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === 34) return stringEnd(text, at);
  if (isOpen(code)) return blockEnd(text, at);
  let end = at;
  for (; end < text.length; end++) {
    const one = text.charCodeAt(end);
    if (one === 44 || one === 125 || one === 93 || one === 32 || one === 10 || one === 13 || one === 9) break;
  }
  return end === at ? -1 : end;
}

function stringEnd(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 92) index++;
    else if (code === 34) return index + 1;
  }
  return -1;
}

/** The offset after the bracket that closes the one at `at`, or -1. Brackets of the other kind are not looked at. */
function blockEnd(text: string, at: number): number {
  const open = text.charCodeAt(at);
  let depth = 0;
  for (let index = at; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      index = stringEnd(text, index) - 1;
      if (index < 0) return -1;
    } else if (code === open) depth++;
    else if (code === open + 2 && --depth === 0) return index + 1;
  }
  return -1;
}

/** A string's text with its escapes decoded, or null when one of them is damaged. */
export function unescapeJson(raw: string): string | null {
  if (!raw.includes('\\')) return raw;
  try {
    const decoded: unknown = JSON.parse(`"${raw.replaceAll(/[\u0000-\u001f]/g, controlEscape)}"`);
    return typeof decoded === 'string' ? decoded : null;
  } catch {
    return null;
  }
}

/** Raw control characters are no JSON, but a log line that has them is still read. */
function controlEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
