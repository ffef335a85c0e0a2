/** JSON as Go's encoding/json writes and reads it: maps sorted, structs in the order of their fields, `<`, `>` and `&` escaped. */
import type { RenderContext } from './render-context.ts';
import { ValueFault } from './template-error.ts';
import { TemplateTime } from './template-time.ts';
import { isList, isMap, isStruct, isTrue, sortedEntries, type TemplateValue } from './values.ts';

export interface JsonStyle {
  readonly escapeHtml: boolean;
  /** What one level is indented by; "" for one line. */
  readonly indent: string;
}

/** @throws ValueFault for what JSON cannot say: infinite numbers, or values inside themselves. */
export function encodeJson(value: TemplateValue, style: JsonStyle, context: RenderContext): string {
  return new Encoder(style, context).encode(value, 0);
}

class Encoder {
  readonly #style: JsonStyle;
  readonly #context: RenderContext;

  constructor(style: JsonStyle, context: RenderContext) {
    this.#style = style;
    this.#context = context;
  }

  encode(value: TemplateValue, depth: number): string {
    this.#context.charge(1);
    this.#context.checkDepth(depth);
    if (value === null) return 'null';
    if (isList(value)) {
      return this.#group(
        '[]',
        value.map((each) => this.encode(each, depth + 1)),
        depth,
      );
    }
    if (isMap(value)) {
      const members = sortedEntries(value).map(([key, each]) => this.#member(key, each, depth));
      return this.#group('{}', members, depth);
    }
    if (isStruct(value)) {
      const members = [...value.fields.values()].flatMap(({ json, value: each, whenEmpty }) => {
        if (whenEmpty === 'keep' || isTrue(each)) return [this.#member(json, each, depth)];
        return whenEmpty === 'null' ? [this.#member(json, null, depth)] : [];
      });
      return this.#group('{}', members, depth);
    }
    if (value instanceof TemplateTime) return this.#text(value.format('2006-01-02T15:04:05.999999999Z07:00'));
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        if (!Number.isFinite(value)) throw new ValueFault(`json: unsupported value: ${value}`);
        return Object.is(value, -0) ? '-0' : String(value);
      default:
        return String(value);
    }
  }

  #member(key: string, value: TemplateValue, depth: number): string {
    return `${this.#text(key)}:${this.#style.indent === '' ? '' : ' '}${this.encode(value, depth + 1)}`;
  }

  #group(brackets: '[]' | '{}', members: readonly string[], depth: number): string {
    const [open = '', close = ''] = brackets;
    const { indent } = this.#style;
    this.#context.reserve(members.reduce((sum, each) => sum + each.length + 2, 2));
    if (indent === '' || members.length === 0) return open + members.join(',') + close;
    const pad = `\n${indent.repeat(depth + 1)}`;
    return `${open}${pad}${members.join(`,${pad}`)}\n${indent.repeat(depth)}${close}`;
  }

  #text(text: string): string {
    this.#context.reserve(text.length);
    const quoted = JSON.stringify(text.toWellFormed());
    const pattern = this.#style.escapeHtml ? /[<>&\u2028\u2029]/g : /[\u2028\u2029]/g;
    return quoted.replaceAll(pattern, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }
}

/** Numbers become floats, as in Go. @throws ValueFault when it is no JSON. */
export function decodeJson(text: string, context: RenderContext): TemplateValue {
  context.reserve(text.length);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new ValueFault('invalid JSON');
  }
  return fromParsed(parsed, 0, context);
}

function fromParsed(value: unknown, depth: number, context: RenderContext): TemplateValue {
  context.charge(1);
  context.checkDepth(depth);
  if (Array.isArray(value)) return value.map((each) => fromParsed(each, depth + 1, context));
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, each]) => [key, fromParsed(each, depth + 1, context)]));
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}
