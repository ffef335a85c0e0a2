/**
 * JSON as Go's `encoding/json` writes it: keys sorted, `<`, `>`, `&` and the line separators escaped, times in RFC 3339,
 * durations in nanoseconds; and JSON read within bounds.
 */
import { GoDuration, GoEnum, GoTime, GoZone } from './go-time.ts';
import { compareText } from './text.ts';
import { longestText, mapEntries, ValueError } from './values.ts';

/** Deeper documents are refused before they are read, so that no later walk can exhaust the stack. */
const deepestJson = 200;

/** Compact, or with `indent` before each level. @throws ValueError */
export function writeJson(value: unknown, indent = ''): string {
  const text = write(value, indent, '', 0);
  if (text.length > longestText) throw new ValueError('text is too long');
  return text;
}

function write(value: unknown, indent: string, margin: string, depth: number): string {
  if (depth > deepestJson) throw new ValueError('value is nested too deeply for JSON');
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return quoteJson(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      if (!Number.isFinite(value)) throw new ValueError(`json: unsupported value: ${goNumber(value)}`);
      return Object.is(value, -0) ? '-0' : String(value);
    case 'object':
      return writeObject(value, indent, margin, depth);
    default:
      throw new ValueError(`json: unsupported type: ${typeof value}`);
  }
}

function goNumber(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function writeObject(value: object, indent: string, margin: string, depth: number): string {
  if (value instanceof GoTime) return `"${value.toJson()}"`;
  if (value instanceof GoDuration) return String(BigInt(Math.round(value.ms * 1e6)));
  if (value instanceof GoEnum) return String(value.value);
  if (value instanceof GoZone) return '{}';
  const inner = margin + indent;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Array.isArray(value)
    ? value.map((item) => write(item, indent, inner, depth + 1))
    : mapEntries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]): [string, unknown] => [String(key), item])
        .toSorted(([left], [right]) => compareText(left, right))
        .map(([key, item]) => `${quoteJson(key)}:${indent === '' ? '' : ' '}${write(item, indent, inner, depth + 1)}`);
  if (parts.length === 0) return `${open}${close}`;
  if (indent === '') return `${open}${parts.join(',')}${close}`;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`;
}

function quoteJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The value of a JSON text; its numbers are float64. @throws ValueError */
export function readJson(text: string): unknown {
  if (nestingOf(text) > deepestJson) throw new ValueError(`JSON is nested more than ${deepestJson} levels deep`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ValueError(text.trim() === '' ? 'unexpected end of JSON input' : 'invalid JSON');
  }
}

/** An upper bound of the nesting, found without parsing: brackets in strings are not counted. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 92) index++;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 91 || code === 123) deepest = Math.max(deepest, ++depth);
    else if (code === 93 || code === 125) depth--;
  }
  return deepest;
}
