/** Brings an argument to the kind that a parameter wants, or says in Go's words why it cannot. */
import { ValueFault } from './template-error.ts';
import { TemplateTime } from './template-time.ts';
import { isMap, type ParameterKind, type Result, type TemplateValue, typeName } from './values.ts';

const goNames: Readonly<Record<ParameterKind, string>> = {
  text: 'string',
  int: 'int',
  float: 'float64',
  bool: 'bool',
  map: 'map[string]interface {}',
  time: 'time.Time',
  any: 'interface {}',
};

const constantNames = { text: 'string', int: 'integer', float: 'float', bool: 'bool' } as const;

/**
 * `literal` is the constant that stands in the template itself, or null: a number is an integer or a float as is wanted then.
 * @throws ValueFault
 */
export function coerceArgument(value: Result, kind: ParameterKind, literal: string | null): TemplateValue {
  if (kind === 'any') return value ?? null;
  if (value === undefined || value === null) {
    if (kind === 'map') return new Map();
    throw new ValueFault(`invalid value; expected ${goNames[kind]}`);
  }
  switch (kind) {
    case 'text':
      if (typeof value === 'string') return value;
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      break;
    case 'int':
      if (typeof value === 'bigint') return value;
      if (literal !== null && typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
      break;
    case 'float':
      if (typeof value === 'number') return value;
      if (literal !== null && typeof value === 'bigint') return Number(value);
      break;
    case 'map':
      if (isMap(value)) return value;
      break;
    case 'time':
      if (value instanceof TemplateTime) return value;
      break;
    default:
      kind satisfies never;
  }
  if (literal !== null && kind !== 'map' && kind !== 'time') {
    throw new ValueFault(`expected ${constantNames[kind]}; found ${literal}`);
  }
  throw new ValueFault(`wrong type for value; expected ${goNames[kind]}; got ${typeName(value)}`);
}
