/**
 * The parameters of a header value, `form-data; name="a"; filename="b"`, read as leniently as any origin does, with a note of
 * everything that two origins could read differently. RFC 9110 §5.6.6, RFC 7578 §4.2, RFC 8187; the habits are those of Go's
 * `mime.ParseMediaType`, PHP's `rfc1867.c` and Node's busboy.
 */
import { isBlank, trimBlanks } from './parse-cookies.ts';

export interface HeaderParameter {
  /** Lower case, without spaces. */
  readonly name: string;
  /** Without its quotes; `\"` and `\\` decoded when it had any. */
  readonly value: string;
  readonly quote: '' | '"' | "'";
  /** White space beside the `=`. */
  readonly spaced: boolean;
}

export interface ParameterList {
  /** What is before the first semicolon, trimmed. */
  readonly type: string;
  readonly parameters: readonly HeaderParameter[];
  /** Why it is not a clean list; "" when it is. */
  readonly fault: string;
}

/** More than any honest header has. */
const mostParameters = 32;

const semicolon = 0x3b;
const equalsSign = 0x3d;
const backslash = 0x5c;

export function readParameters(header: string): ParameterList {
  const typeEnd = header.indexOf(';');
  if (typeEnd < 0) return { type: trimBlanks(header), parameters: [], fault: '' };
  const parameters: HeaderParameter[] = [];
  let fault = '';
  let at = typeEnd;
  while (at < header.length && parameters.length < mostParameters) {
    const step = readParameter(header, at + 1);
    fault ||= step.fault;
    if (step.parameter !== null) parameters.push(step.parameter);
    at = step.end;
  }
  if (at < header.length) fault ||= 'too many parameters';
  return { type: trimBlanks(header.slice(0, typeEnd)), parameters, fault };
}

interface Step {
  readonly parameter: HeaderParameter | null;
  /** Of the semicolon after it, or of the header's end. */
  readonly end: number;
  readonly fault: string;
}

function readParameter(header: string, start: number): Step {
  let at = start;
  while (at < header.length && header.charCodeAt(at) !== equalsSign && header.charCodeAt(at) !== semicolon) at += 1;
  const name = trimBlanks(header.slice(start, at)).toLowerCase();
  if (header.charCodeAt(at) !== equalsSign) {
    // A semicolon at the end is a habit of some clients.
    const fault = name !== '' ? 'a parameter without a value' : at < header.length ? 'an empty parameter' : '';
    return { parameter: null, end: at, fault };
  }
  let valueStart = at + 1;
  while (valueStart < header.length && isBlank(header.charCodeAt(valueStart))) valueStart += 1;
  const spaced = valueStart > at + 1 || isBlank(header.charCodeAt(at - 1));
  const quote = header.charAt(valueStart);
  const quoted = quote === '"' || quote === "'";
  const { value, end, fault } = quoted ? quotedValue(header, valueStart + 1, quote) : plainValue(header, valueStart);
  const named = /[^!#$%&*+\-.^_`|~0-9a-z]/.test(name) ? 'a parameter name that is no token' : '';
  return { parameter: { name, value, quote: quoted ? quote : '', spaced }, end, fault: fault || named };
}

interface Value {
  readonly value: string;
  readonly end: number;
  readonly fault: string;
}

/** Up to the closing quote; what stands between it and the next semicolon is passed over, and a fault. */
function quotedValue(header: string, start: number, quote: string): Value {
  const closing = quote.charCodeAt(0);
  let value = '';
  let from = start;
  let at = start;
  for (; at < header.length && header.charCodeAt(at) !== closing; at += 1) {
    if (header.charCodeAt(at) !== backslash) continue;
    const next = header.charCodeAt(at + 1);
    // Other backslashes are part of the name: some browsers sent whole Windows paths.
    if (next !== closing && next !== backslash) continue;
    value += header.slice(from, at);
    from = at + 1;
    at += 1;
  }
  value += header.slice(from, at);
  if (at >= header.length) return { value, end: header.length, fault: 'a quoted value without its end' };
  const found = header.indexOf(';', at);
  const end = found < 0 ? header.length : found;
  const clean = trimBlanks(header.slice(at + 1, end)) === '';
  return { value, end, fault: clean ? '' : 'text after a quoted value' };
}

function plainValue(header: string, start: number): Value {
  const found = header.indexOf(';', start);
  const end = found < 0 ? header.length : found;
  const value = trimBlanks(header.slice(start, end));
  return { value, end, fault: /[\s"\\]/.test(value) ? 'a value that needs quotes' : '' };
}
