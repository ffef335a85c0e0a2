/** Short ways to declare a builtin whose arguments each have one type. */
import { type Builtin, TypeMistake } from '../builtin.ts';
import { anyType, assignable, type Type, typeText } from '../types.ts';
import { goType, ValueError } from '../values.ts';

interface Signature {
  readonly name: string;
  readonly parameters: readonly Type[];
  readonly optional?: number;
  readonly returns: Type;
}

/** A builtin of fixed types; values of statically unknown types are checked when it is called. */
export function simple(signature: Signature, run: (...args: never[]) => unknown): Builtin {
  const { name, parameters, optional = 0, returns } = signature;
  return {
    least: parameters.length - optional,
    most: parameters.length,
    check: (types) => {
      for (const [index, type] of types.entries()) {
        const wanted = parameters[index] ?? anyType;
        if (assignable(type, wanted) || (wanted.kind === 'float' && type.kind === 'int')) continue;
        throw new TypeMistake(
          `invalid argument for ${name} (expected ${typeText(wanted)}, got ${typeText(type)})`,
          index,
        );
      }
      return returns;
    },
    run: (...args: unknown[]) => {
      for (const [index, arg] of args.entries()) {
        if (!matches(arg, parameters[index] ?? anyType)) throw invalidArgument(name, arg);
      }
      return run(...(args as never[]));
    },
  };
}

/** Whether a value is of a scalar or list type; maps and structures are told by the function itself. */
function matches(value: unknown, type: Type): boolean {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return typeof value === 'bigint';
    case 'float':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'bool':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'any':
    case 'nil':
    case 'time':
    case 'duration':
    case 'zone':
    case 'map':
    case 'struct':
      return true;
    default:
      return type satisfies never;
  }
}

export function invalidArgument(name: string, value: unknown): ValueError {
  return new ValueError(`invalid argument for ${name} (type ${goType(value)})`);
}
