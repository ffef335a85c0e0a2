/** Values of template expressions. Texts are bytes: one character for each, as Go's are. */
import { DslError } from './dsl-syntax.ts';

export type DslValue = string | number | boolean | null | readonly DslValue[];

/** As Go prints it with `%v`. */
export function textOf(value: DslValue | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return value.map(textOf).join('\n');
  return String(value);
}

/** @throws DslError when it is none */
export function numberOf(value: DslValue | undefined): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && !Number.isNaN(number)) return number;
  throw new DslError(`${JSON.stringify(value ?? null)} is no number`);
}

export function isTrue(value: DslValue): boolean {
  if (typeof value === 'string') return value === 'true';
  return value === true || (typeof value === 'number' && value !== 0);
}

export function listOf(value: DslValue | undefined): readonly DslValue[] {
  if (value === undefined || value === null) return [];
  return typeof value === 'object' ? value : [value];
}
