/** Operators with their binding strength, and the functions that take a predicate: the tables that the parser walks. */
import type { BinaryOperator, UnaryOperator } from './ast.ts';

export interface BinaryRule {
  readonly operator: BinaryOperator;
  readonly precedence: number;
  readonly right?: true;
}

export const binaryRules: ReadonlyMap<string, BinaryRule> = new Map([
  ['or', { operator: 'or', precedence: 10 }],
  ['||', { operator: 'or', precedence: 10 }],
  ['and', { operator: 'and', precedence: 15 }],
  ['&&', { operator: 'and', precedence: 15 }],
  ['==', { operator: '==', precedence: 20 }],
  ['!=', { operator: '!=', precedence: 20 }],
  ['<', { operator: '<', precedence: 20 }],
  ['>', { operator: '>', precedence: 20 }],
  ['<=', { operator: '<=', precedence: 20 }],
  ['>=', { operator: '>=', precedence: 20 }],
  ['in', { operator: 'in', precedence: 20 }],
  ['matches', { operator: 'matches', precedence: 20 }],
  ['contains', { operator: 'contains', precedence: 20 }],
  ['startsWith', { operator: 'startsWith', precedence: 20 }],
  ['endsWith', { operator: 'endsWith', precedence: 20 }],
  ['..', { operator: '..', precedence: 25 }],
  ['+', { operator: '+', precedence: 30 }],
  ['-', { operator: '-', precedence: 30 }],
  ['*', { operator: '*', precedence: 60 }],
  ['/', { operator: '/', precedence: 60 }],
  ['%', { operator: '%', precedence: 60 }],
  ['**', { operator: '**', precedence: 100, right: true }],
  ['^', { operator: '**', precedence: 100, right: true }],
  ['??', { operator: '??', precedence: 500 }],
]);

export const unaryRules: ReadonlyMap<string, { operator: UnaryOperator; precedence: number }> = new Map([
  ['not', { operator: 'not', precedence: 50 }],
  ['!', { operator: 'not', precedence: 50 }],
  ['-', { operator: '-', precedence: 90 }],
  ['+', { operator: '+', precedence: 90 }],
]);

/** `a < b < c` means `a < b and b < c` for these. */
export const chainedComparisons: ReadonlySet<string> = new Set(['<', '>', '<=', '>=']);

/** What may follow an infix `not`: `x not in y`. */
export const negatable: ReadonlySet<string> = new Set(['in', 'matches', 'contains', 'startsWith', 'endsWith']);

export type ArgumentShape = 'value' | 'predicate' | 'optional value' | 'optional predicate';

export const predicateShapes: ReadonlyMap<string, readonly ArgumentShape[]> = new Map<string, ArgumentShape[]>([
  ['all', ['value', 'predicate']],
  ['none', ['value', 'predicate']],
  ['any', ['value', 'predicate']],
  ['one', ['value', 'predicate']],
  ['filter', ['value', 'predicate']],
  ['map', ['value', 'predicate']],
  ['count', ['value', 'optional predicate']],
  ['sum', ['value', 'optional predicate']],
  ['find', ['value', 'predicate']],
  ['findIndex', ['value', 'predicate']],
  ['findLast', ['value', 'predicate']],
  ['findLastIndex', ['value', 'predicate']],
  ['groupBy', ['value', 'predicate']],
  ['sortBy', ['value', 'predicate', 'optional value']],
  ['reduce', ['value', 'predicate', 'optional value']],
]);
