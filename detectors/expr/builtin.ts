/** What a function of the language itself is. Unlike helpers, many take several types, so each brings its own check. */
import type { Node } from './ast.ts';
import type { Type } from './types.ts';

export interface Builtin {
  /** The fewest and the most arguments. */
  readonly least: number;
  readonly most: number;
  /** The type of the result. @throws TypeMistake */
  readonly check: (types: readonly Type[], nodes: readonly Node[]) => Type;
  /** Absent for functions that take a predicate: the compiler makes loops of them. */
  readonly run?: (...args: never[]) => unknown;
  /** Reads the clock: must not be evaluated ahead of time. */
  readonly impure?: boolean;
}

export type BuiltinTable = Readonly<Record<string, Builtin>>;

/** An argument of a type that the function does not take. */
export class TypeMistake extends Error {
  /** Which argument, from 0. */
  readonly argument: number;

  constructor(message: string, argument = 0) {
    super(message);
    this.argument = argument;
  }
}
