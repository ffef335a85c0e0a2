/**
 * Expressions to closures: the one entry of the expression language. An expression is parsed, checked against its
 * environment and compiled once, when a scenario, parser or profile is loaded; on the request path it is only called.
 * Specification: `expr-lang` 1.17 with CrowdSec's helpers.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Event } from '../event.ts';
import type { Node } from './ast.ts';
import type { HelperDependencies } from './dependencies.ts';
import type { Environment } from './environment.ts';

/** What an expression may read. A name that the environment declares but the scope lacks is nil. */
export interface Scope {
  readonly evt?: Event;
  readonly queue?: { readonly Queue: readonly Event[] };
  readonly leaky?: object;
  readonly signal?: object;
  readonly Alert?: object;
  readonly req?: object;
  readonly match?: object;
  readonly results?: unknown;
}

export interface Expression {
  readonly source: string;
  readonly ast: Node;
  /**
   * Dotted paths read: `evt.Meta.http_status`, `evt.Parsed.*` for a key only known at run time, `queue`. `GetMeta('x')`
   * reads `evt.Meta.x`. Members of the queue's events are reported as members of `evt`, because that is what they were.
   */
  readonly reads: ReadonlySet<string>;
  /** Dotted paths written by `SetMeta`, `SetParsed`, `UnmarshalJSON`, `ParseKV`. */
  readonly writes: ReadonlySet<string>;
  /**
   * The value: boolean, string, null for nil, bigint for Go's int, number for float64, arrays, maps.
   * @throws ExpressionError where CrowdSec's evaluation returns an error.
   */
  evaluate(scope: Scope): unknown;
}

export interface ExpressionCompiler {
  /** @throws GatewayError EXPRESSION_INVALID with line, column and a caret. */
  compile(source: string, expected: 'bool' | 'string' | 'any'): Expression;
}

export interface ExpressionCompilerOptions {
  readonly environment: Environment;
  readonly helpers: HelperDependencies;
  /** The most nodes that one expression may have. */
  readonly nodeLimit?: number;
}

export function createExpressionCompiler(_options: ExpressionCompilerOptions): ExpressionCompiler {
  throw new GatewayError('EXPRESSION_INVALID', 'The expression compiler is not complete yet.');
}
