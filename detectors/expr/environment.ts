/** Which names an expression may use, and of which type. The declarations themselves are in `environment/`. */
import type { Type } from './types.ts';

export interface Environment {
  readonly names: Readonly<Record<string, Type>>;
}
