/**
 * What templates work with. Go's types are kept apart as far as a template can tell them apart: integers of 64 bits are
 * `bigint`, floating-point numbers are `number`, a pointer is what it points at. Texts are UTF-16 here and bytes in Go, so
 * whatever counts bytes goes through `bytesOf`.
 */
import type { RenderContext } from './render-context.ts';
import type { TemplateTime } from './template-time.ts';

export type TemplateValue =
  | null
  | boolean
  | string
  | bigint
  | number
  | TemplateList
  | TemplateMap
  | TemplateStruct
  | TemplateTime;

export type TemplateList = readonly TemplateValue[];

/** Keys are texts. Functions such as `set` change a map in place, as in Go. */
export interface TemplateMap extends Map<string, TemplateValue> {}

/** What an evaluation gives: `undefined` is Go's invalid value, printed as `<no value>`; `null` is nil. */
export type Result = TemplateValue | undefined;

/** A value of a named type with fields in order. */
export class TemplateStruct {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, StructField>;
  readonly methods: ReadonlyMap<string, TemplateFunction>;
  /** What its `String` method gives, or null when it has none and prints as its fields. */
  readonly display: string | null;

  constructor(
    typeName: string,
    fields: ReadonlyMap<string, StructField>,
    methods: ReadonlyMap<string, TemplateFunction> = new Map(),
    display: string | null = null,
  ) {
    this.typeName = typeName;
    this.fields = fields;
    this.methods = methods;
    this.display = display;
  }
}

export interface StructField {
  readonly value: TemplateValue;
  /** Its key in JSON. */
  readonly json: string;
  /** What JSON shows for an empty value: the value, nothing (`omitempty`), or null (a nil slice). */
  readonly whenEmpty: 'keep' | 'omit' | 'null';
}

/** What a parameter of a function accepts, by the name of the type that it arrives as. */
export interface ParameterTypes {
  text: string;
  int: bigint;
  float: number;
  bool: boolean;
  map: TemplateMap;
  time: TemplateTime;
  any: TemplateValue;
}
export type ParameterKind = keyof ParameterTypes;

/** A function or method that templates may call. What it raises for its arguments is a `ValueFault`. */
export interface TemplateFunction {
  readonly parameters: readonly ParameterKind[];
  /** The kind of any further arguments, or null when there are none. */
  readonly rest: ParameterKind | null;
  readonly run: (args: readonly TemplateValue[], context: RenderContext) => TemplateValue;
}

type ArgumentsOf<P extends readonly ParameterKind[]> = { [I in keyof P]: ParameterTypes[P[I]] };

/** A function whose arguments are checked before it runs, so that it may name their types. */
export function define<const P extends readonly ParameterKind[]>(
  parameters: P,
  run: (args: ArgumentsOf<P>, context: RenderContext) => TemplateValue,
): TemplateFunction {
  // The evaluator has brought every argument to its kind by then.
  return { parameters, rest: null, run: (args, context) => run(args as unknown as ArgumentsOf<P>, context) };
}

/** As `define`, with any number of further arguments of one kind. */
export function defineVariadic<const P extends readonly ParameterKind[], R extends ParameterKind>(
  parameters: P,
  rest: R,
  run: (args: ArgumentsOf<P>, rest: readonly ParameterTypes[R][], context: RenderContext) => TemplateValue,
): TemplateFunction {
  const fixed = parameters.length;
  return {
    parameters,
    rest,
    run: (args, context) =>
      run(
        args.slice(0, fixed) as unknown as ArgumentsOf<P>,
        args.slice(fixed) as unknown as readonly ParameterTypes[R][],
        context,
      ),
  };
}

export function isList(value: Result): value is TemplateList {
  return Array.isArray(value);
}

export function isMap(value: Result): value is TemplateMap {
  return value instanceof Map;
}

export function isStruct(value: Result): value is TemplateStruct {
  return value instanceof TemplateStruct;
}

/** Go's `IsTrue`: what `if`, `with`, `and`, `or` and `not` go by. */
export function isTrue(value: Result): boolean {
  if (value === undefined || value === null) return false;
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return value.size > 0;
  if (typeof value === 'object') return true;
  return typeof value === 'number' ? value !== 0 : Boolean(value);
}

/** The name of a value's type as Go prints it, near enough for messages, `%T` and `typeOf`. */
export function typeName(value: Result): string {
  if (value === undefined || value === null) return '<nil>';
  if (isList(value)) return '[]interface {}';
  if (isMap(value)) return 'map[string]interface {}';
  if (isStruct(value)) return value.typeName;
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    default:
      return 'time.Time';
  }
}

/** Go's kind of a value: `int`, `string`, `slice`, `map`, `struct`… */
export function kindName(value: TemplateValue): string {
  if (value === null) return 'invalid';
  if (isList(value)) return 'slice';
  if (isMap(value)) return 'map';
  return typeof value === 'object' ? 'struct' : typeName(value);
}

/** The bytes that a text is in Go. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** A part of a text by bytes. Half a character becomes U+FFFD. */
export function sliceBytes(text: string, from: number, to: number): string {
  return isAscii(text) ? text.slice(from, to) : bytesOf(text).subarray(from, to).toString('utf8');
}

export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

/** The order of Go's texts, which is that of their bytes: −1, 0 or 1. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  if (isAscii(left) && isAscii(right)) return left < right ? -1 : 1;
  return Buffer.compare(bytesOf(left), bytesOf(right));
}

/** A map's entries in the order in which Go ranges over and prints them. */
export function sortedEntries(map: TemplateMap): readonly (readonly [string, TemplateValue])[] {
  return [...map].sort(([left], [right]) => compareTexts(left, right));
}

/** An integer brought back to 64 bits, as Go's arithmetic wraps. */
export function wrap64(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
