/**
 * The static types of the expression language, as data. An environment declares its names with them; the checker refuses
 * what can never work and the compiler leaves out the run-time checks that a known type makes needless.
 */

/** What a method does, and what it reads and writes of the object it is called on (for `Expression.reads`). */
export interface Method {
  readonly parameters: readonly Type[];
  /** The last parameter may be repeated or left out. */
  readonly variadic?: boolean;
  readonly returns: Type;
  readonly call: (self: never, ...args: never[]) => unknown;
  /** Paths below the object, given the first argument when it is a literal, else `*`. */
  readonly reads?: (argument: string) => readonly string[];
  readonly writes?: (argument: string) => readonly string[];
}

export interface StructType {
  readonly kind: 'struct';
  /** As Go prints it, for messages. */
  readonly name: string;
  /** Behind a function because types refer to each other. */
  readonly fields: () => Readonly<Record<string, Type>>;
  readonly methods: Readonly<Record<string, Method>>;
  /** Go holds it by value: an absent one reads as its zero value. Otherwise it is a pointer, and absent is nil. */
  readonly byValue: boolean;
}

export interface MapType {
  readonly kind: 'map';
  readonly value: Type;
  readonly methods?: Readonly<Record<string, Method>>;
}

export type Type =
  | { readonly kind: 'any' | 'nil' | 'bool' | 'int' | 'float' | 'string' | 'time' | 'duration' | 'zone' }
  | { readonly kind: 'array'; readonly element: Type }
  | MapType
  | StructType;

export const anyType: Type = { kind: 'any' };
export const nilType: Type = { kind: 'nil' };
export const boolType: Type = { kind: 'bool' };
export const intType: Type = { kind: 'int' };
export const floatType: Type = { kind: 'float' };
export const stringType: Type = { kind: 'string' };
export const timeType: Type = { kind: 'time' };
export const durationType: Type = { kind: 'duration' };
export const zoneType: Type = { kind: 'zone' };
export const anyMap: MapType = { kind: 'map', value: anyType };
/** A missing key reads as "". */
export const stringMap: MapType = { kind: 'map', value: stringType };

export function arrayOf(element: Type): Type {
  return { kind: 'array', element };
}

export const anyArray: Type = arrayOf(anyType);
export const stringArray: Type = arrayOf(stringType);

/** The type as messages name it: `string`, `[]int`, `map[string]any`, `types.Event`. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case 'array':
      return `[]${typeText(type.element)}`;
    case 'map':
      return `map[string]${typeText(type.value)}`;
    case 'struct':
      return type.name;
    case 'time':
      return 'time.Time';
    case 'duration':
      return 'time.Duration';
    case 'zone':
      return 'time.Location';
    case 'float':
      return 'float64';
    case 'any':
    case 'nil':
    case 'bool':
    case 'int':
    case 'string':
      return type.kind;
    default:
      return type satisfies never;
  }
}

export function isAny(type: Type): boolean {
  return type.kind === 'any';
}

export function isNumeric(type: Type): boolean {
  return type.kind === 'int' || type.kind === 'float';
}

/** Whether a value of `type` may stand where `wanted` is declared. Unknown types may: the run time checks them. */
export function assignable(type: Type, wanted: Type): boolean {
  if (isAny(wanted) || isAny(type)) return true;
  if (type.kind === 'nil') return wanted.kind === 'array' || wanted.kind === 'map' || wanted.kind === 'struct';
  if (type.kind !== wanted.kind) return false;
  if (type.kind === 'array' && wanted.kind === 'array') return assignable(type.element, wanted.element);
  if (type.kind === 'map' && wanted.kind === 'map') return assignable(type.value, wanted.value);
  if (type.kind === 'struct' && wanted.kind === 'struct') return type.name === wanted.name;
  return true;
}

function sameType(left: Type, right: Type): boolean {
  if (left === right) return true;
  if (left.kind !== right.kind) return false;
  if (left.kind === 'array' && right.kind === 'array') return sameType(left.element, right.element);
  if (left.kind === 'map' && right.kind === 'map') return sameType(left.value, right.value);
  if (left.kind === 'struct' && right.kind === 'struct') return left.name === right.name;
  return true;
}

/** The type of `test ? left : right`: what both have in common, or unknown. */
export function joined(left: Type, right: Type): Type {
  return sameType(left, right) ? left : anyType;
}
