/**
 * One value out of a JSON text without decoding the rest: the raw text of what a path leads to, as `JsonExtract` gives it.
 * Nothing is recursive and nothing is copied but the answer. What stands before the first bracket is skipped.
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
  let at = skipSpace(text, 0);
  if (steps.length > 0 && !isOpen(text.charCodeAt(at))) at = firstOpen(text);
  for (const step of steps) {
    if (at === -1) return null;
    at = step.startsWith('[') ? itemAt(text, at, step) : memberAt(text, at, step);
  }
  return at === -1 ? null : pieceAt(text, at);
}

function isOpen(code: number): boolean {
  return code === 123 || code === 91;
}

function firstOpen(text: string): number {
  for (let index = 0; index < text.length; index++) if (isOpen(text.charCodeAt(index))) return index;
  return -1;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 13 || code === 9; ) {
    code = text.charCodeAt(++at);
  }
  return at;
}

/** The offset of the value of a key of the object at `at`; the first of equal keys. */
function memberAt(text: string, object: number, key: string): number {
  if (text.charCodeAt(object) !== 123) return -1;
  let at = skipSpace(text, object + 1);
  while (text.charCodeAt(at) === 34) {
    const end = stringEnd(text, at);
    if (end === -1) return -1;
    const found = keyEquals(text, at + 1, end - 1, key);
    at = skipSpace(text, end);
    if (text.charCodeAt(at) !== 58) return -1;
    at = skipSpace(text, at + 1);
    if (found) return at;
    at = valueEnd(text, at);
    if (at === -1) return -1;
    at = skipSpace(text, at);
    if (text.charCodeAt(at) !== 44) return -1;
    at = skipSpace(text, at + 1);
  }
  return -1;
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
  if (digits === undefined || text.charCodeAt(array) !== 91) return -1;
  let at = skipSpace(text, array + 1);
  if (text.charCodeAt(at) === 93) return -1;
  for (let left = Number(digits); left > 0; left--) {
    at = valueEnd(text, at);
    if (at === -1) return -1;
    at = skipSpace(text, at);
    if (text.charCodeAt(at) !== 44) return -1;
    at = skipSpace(text, at + 1);
  }
  return at;
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
  return /^-?\d[\d.eE+-]*$/.test(raw) ? { kind: 'number', raw } : null;
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

function blockEnd(text: string, at: number): number {
  let depth = 0;
  for (let index = at; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 34) {
      index = stringEnd(text, index) - 1;
      if (index < 0) return -1;
    } else if (isOpen(code)) depth++;
    else if ((code === 125 || code === 93) && --depth === 0) return index + 1;
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
