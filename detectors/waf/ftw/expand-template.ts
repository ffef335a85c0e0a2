/**
 * The part of Go's `text/template` that test data is written in: `{{ "a" | repeat 100 }}`. Data is often itself an attack on
 * template engines, so whatever is not understood in full leaves the whole text as it is; go-ftw does the same with a text
 * that is no template. Specification: go-ftw `test/data.go`; Go `text/template`; functions are those of sprig.
 */

/** No test needs more, and a repetition of a repetition must not fill the memory. */
const longest = 16 * 1024 * 1024;

type Value = string | number;

type Token =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'pipe' };

/** `text` with its templates expanded, or unchanged when one of them is not understood. */
export function expandTemplate(text: string): string {
  let expanded = '';
  let rest = text;
  for (let at = rest.indexOf('{{'); at !== -1; at = rest.indexOf('{{')) {
    const end = rest.indexOf('}}', at);
    if (end === -1) return text;
    const written = rest.slice(at + 2, end);
    const trims = { before: /^-\s/.test(written), after: /\s-$/.test(written) };
    const value = evaluate(written.slice(trims.before ? 1 : 0, trims.after ? -1 : undefined).trim());
    if (value === null) return text;
    const before = rest.slice(0, at);
    expanded += (trims.before ? before.trimEnd() : before) + String(value);
    if (expanded.length > longest) return text;
    rest = trims.after ? rest.slice(end + 2).trimStart() : rest.slice(end + 2);
  }
  return expanded + rest;
}

/** The value of a pipeline; null: not understood. */
function evaluate(pipeline: string): Value | null {
  if (/^\/\*[^]*\*\/$/.test(pipeline)) return '';
  const tokens = tokenize(pipeline);
  if (tokens === null) return null;
  let value: Value | null = null;
  let command: Token[] = [];
  for (const token of [...tokens, { kind: 'pipe' } as const]) {
    if (token.kind !== 'pipe') {
      command.push(token);
      continue;
    }
    value = call(command, value);
    if (value === null) return null;
    command = [];
  }
  return value;
}

const tokenShape =
  /\s*(?:("(?:[^"\\\n]|\\[^\n])*")|`([^`]*)`|(-?\d{1,9})(?![\w.])|([A-Za-z][A-Za-z0-9]*)(?![\w.])|(\|))/y;

function tokenize(pipeline: string): readonly Token[] | null {
  const tokens: Token[] = [];
  tokenShape.lastIndex = 0;
  while (tokenShape.lastIndex < pipeline.length) {
    const match = tokenShape.exec(pipeline);
    if (match === null) return null;
    const [, quoted, raw, integer, name] = match;
    const text = quoted === undefined ? raw : unquote(quoted);
    if (text === null) return null;
    if (text !== undefined) tokens.push({ kind: 'value', value: text });
    else if (integer !== undefined) tokens.push({ kind: 'value', value: Number(integer) });
    else tokens.push(name === undefined ? { kind: 'pipe' } : { kind: 'name', name });
  }
  return tokens;
}

/** Go's escapes beyond JSON's are rare in tests: such a text is not understood. */
function unquote(quoted: string): string | null {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return null;
  }
}

/** One command: a value, or a function with its arguments; what came through the pipe is the last of them. */
function call([first, ...others]: readonly Token[], piped: Value | null): Value | null {
  if (first === undefined || first.kind === 'pipe') return null;
  if (first.kind === 'value') return others.length === 0 && piped === null ? first.value : null;
  const given = others.flatMap((token) => (token.kind === 'value' ? [token.value] : []));
  if (given.length !== others.length) return null;
  return apply(first.name, piped === null ? given : [...given, piped]);
}

function apply(name: string, given: readonly Value[]): Value | null {
  const [first, second, third] = given;
  switch (name) {
    case 'repeat':
      if (given.length !== 2 || typeof first !== 'number' || typeof second !== 'string') return null;
      return first >= 0 && first * second.length <= longest ? second.repeat(first) : null;
    case 'replace':
      if (given.length !== 3 || typeof first !== 'string' || typeof second !== 'string') return null;
      return typeof third === 'string' ? third.replaceAll(first, () => second) : null;
    default:
      return given.length === 1 && typeof first === 'string' ? applyToText(name, first) : null;
  }
}

function applyToText(name: string, text: string): Value | null {
  switch (name) {
    case 'upper':
      return text.toUpperCase();
    case 'lower':
      return text.toLowerCase();
    case 'trim':
      return text.trim();
    case 'b64enc':
      return Buffer.from(text).toString('base64');
    case 'b64dec':
      return Buffer.from(text, 'base64').toString();
    case 'len':
      return Buffer.byteLength(text);
    default:
      return null;
  }
}
