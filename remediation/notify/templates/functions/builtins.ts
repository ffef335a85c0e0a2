/** The functions of text/template itself, but for comparisons and for `and` and `or`, which the evaluator knows. */
import { sprint, sprintf, sprintln } from '../format-value.ts';
import { ValueFault } from '../template-error.ts';
import {
  bytesOf,
  define,
  defineVariadic,
  isList,
  isMap,
  type TemplateFunction,
  type TemplateValue,
  typeName,
} from '../values.ts';

export const builtinFunctions: Readonly<Record<string, TemplateFunction>> = {
  print: defineVariadic([], 'any', (_, values, context) => sprint(values, context)),
  printf: defineVariadic(['text'], 'any', ([format], values, context) => sprintf(format, values, context)),
  println: defineVariadic([], 'any', (_, values, context) => sprintln(values, context)),
  len: define(['any'], ([value]) => lengthOf(value)),
  index: defineVariadic(['any'], 'any', ([value], keys) => keys.reduce<TemplateValue>(indexed, value)),
  html: defineVariadic([], 'any', (_, values, context) => escapeHtml(evaluated(values, sprint(values, context)))),
  js: defineVariadic([], 'any', (_, values, context) => escapeScript(evaluated(values, sprint(values, context)))),
  urlquery: defineVariadic([], 'any', (_, values, context) => escapeQuery(evaluated(values, sprint(values, context)))),
  call: defineVariadic(['any'], 'any', ([value]) => {
    if (value === null) throw new ValueFault('call of nil');
    throw new ValueFault(`non-function of type ${typeName(value)}`);
  }),
};

/** A single nil prints as in an action. */
function evaluated(values: readonly TemplateValue[], text: string): string {
  return values.length === 1 && values[0] === null ? '<no value>' : text;
}

function lengthOf(value: TemplateValue): bigint {
  if (typeof value === 'string') return BigInt(bytesOf(value).length);
  if (isList(value)) return BigInt(value.length);
  if (isMap(value)) return BigInt(value.size);
  throw new ValueFault(value === null ? 'len of nil pointer' : `len of type ${typeName(value)}`);
}

function indexed(value: TemplateValue, key: TemplateValue): TemplateValue {
  if (value === null) throw new ValueFault('index of untyped nil');
  if (isMap(value)) {
    if (typeof key === 'string') return value.get(key) ?? null;
    throw new ValueFault(
      key === null ? 'value is nil; should be of type string' : `value has type ${typeName(key)}; should be string`,
    );
  }
  if (!isList(value) && typeof value !== 'string') throw new ValueFault(`can't index item of type ${typeName(value)}`);
  if (typeof key !== 'bigint') {
    throw new ValueFault(
      key === null ? 'cannot index slice/array with nil' : `cannot index slice/array with type ${typeName(key)}`,
    );
  }
  const bytes = typeof value === 'string' ? bytesOf(value) : null;
  const length = bytes?.length ?? value.length;
  if (key < 0n || key >= BigInt(length)) throw new ValueFault(`index out of range: ${key}`);
  if (bytes !== null) return BigInt(bytes[Number(key)] ?? 0);
  return isList(value) ? (value[Number(key)] ?? null) : null;
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\u{fffd}',
};

/** Of `html`, and of `HTMLEscape` too. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/["'&<>\0]/g, (sign) => htmlEscapes[sign] ?? sign);
}

const scriptEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": String.raw`\'`,
  '"': String.raw`\"`,
  '<': String.raw`\u003C`,
  '>': String.raw`\u003E`,
  '&': String.raw`\u0026`,
  '=': String.raw`\u003D`,
};

function escapeScript(text: string): string {
  return text.toWellFormed().replaceAll(/[\\'"<>&=]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (sign) => {
    const point = sign.codePointAt(0) ?? 0;
    return scriptEscapes[sign] ?? String.raw`\u` + point.toString(16).toUpperCase().padStart(4, '0');
  });
}

/** `url.QueryEscape`: all but letters, digits and `-_.~`; a space is `+`. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
