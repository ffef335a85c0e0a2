/**
 * The bytes that go-ftw sends for a test: the fields in their order, and the headers that it adds on its own. Binary strings:
 * one character for each byte. Specification: go-ftw `ftwhttp/request.go`.
 */
import { expandTemplate } from './expand-template.ts';
import type { FtwInput } from './ftw-test.ts';

const formType = 'application/x-www-form-urlencoded';

/** Not anchored as a whole: that is how go-ftw has it, and a method such as `XPUTX` gets a length too. */
const methodWithLength = /^POST|PUT|PATCH|DELETE$/;

export function buildRequest(input: FtwInput): string {
  if (input.encodedRequest !== null) return Buffer.from(input.encodedRequest, 'base64').toString('latin1');
  const headers = input.headers.map(([name, value]) => [name, value] as const);
  const has = (name: string): boolean => headers.some(([one]) => one.toLowerCase() === name);
  let body = input.data === null ? '' : utf8(expandTemplate(input.data));
  if (body !== '' && input.autocompleteHeaders) {
    if (!has('content-type')) headers.push(['Content-Type', formType]);
    if (typeOf(headers) === formType) body = encodeForm(body);
  }
  // Written with the line ends of YAML, read by programs that want those of MIME.
  if (typeOf(headers).startsWith('multipart/form-data;')) body = body.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n');
  if (input.autocompleteHeaders) {
    if (!has('connection')) headers.push(['Connection', 'close']);
    const needsLength = body !== '' || methodWithLength.test(input.method);
    if (needsLength && !has('content-length')) headers.push(['Content-Length', String(body.length)]);
  }
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `${utf8(`${input.method} ${input.uri} ${input.version}\r\n${lines.join('')}`)}\r\n${body}`;
}

function typeOf(headers: readonly (readonly [string, string])[]): string {
  return headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
}

/**
 * Form data that nobody has encoded yet. Data in which nothing can be decoded, and that has a value at all, is encoded name
 * by name and value by value.
 */
function encodeForm(body: string): string {
  // A `+` or a `%` means that it is encoded already, or that it is to stay broken.
  if (/[+%]/.test(body)) return body;
  const pairs = body.split('&').map((pair) => {
    const at = pair.indexOf('=');
    return at === -1 ? ([pair, null] as const) : ([pair.slice(0, at), pair.slice(at + 1)] as const);
  });
  if (pairs.every(([, value]) => value === null || value === '')) return body;
  return pairs.map(([name, value]) => escapeForm(name) + (value === null ? '' : `=${escapeForm(value)}`)).join('&');
}

/** Go's `url.QueryEscape`. */
function escapeForm(text: string): string {
  return text.replace(/[^A-Za-z0-9_.~-]/g, (character) => {
    if (character === ' ') return '+';
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}
