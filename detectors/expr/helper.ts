/** What a helper function is: its signature for the checker, its implementation for the compiler. */
import type { Type } from './types.ts';
import { anyType } from './types.ts';

export interface Helper {
  readonly parameters: readonly Type[];
  /** How many trailing parameters may be left out. */
  readonly optional?: number;
  /** The last parameter may be repeated or left out. */
  readonly variadic?: boolean;
  readonly returns: Type;
  /** Receives arguments of the declared types. May throw; the call site adds the place. */
  readonly run: (...args: never[]) => unknown;
  /** The same arguments give the same answer, now and later, and nothing else happens. */
  readonly pure?: boolean;
  /** It may raise `AwaitedValue`: only where an expression may be evaluated again later can it be called. */
  readonly waits?: boolean;
  /** What the program lacks for this helper: an expression that calls it is refused, with this as the cause. */
  readonly missing?: string;
  /** Stores under a key (`key`th argument) of a map (`map`th argument). */
  readonly stores?: { readonly map: number; readonly key: number };
}

export type HelperTable = Readonly<Record<string, Helper>>;

/** A helper that is known by name but cannot run here. */
export function unavailable(parameters: readonly Type[], missing: string, variadic = false): Helper {
  return {
    parameters,
    returns: anyType,
    missing,
    variadic,
    run: () => {
      throw new Error(missing);
    },
  };
}
