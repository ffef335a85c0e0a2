/**
 * `transform:` of an acquisition document: an expression over `evt.Line` that makes texts out of one line, each a line of its
 * own. Specification: CrowdSec `pkg/acquisition/acquisition.go` (`transform`).
 */
import { messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { LineTransform } from '../acquisition/line-outlet.ts';
import { createExpressionCompiler } from '../expr/compile.ts';
import type { HelperDependencies } from '../expr/dependencies.ts';
import { eventEnvironment } from '../expr/environment.ts';
import { goType } from '../expr/values.ts';
import { createLineEvent } from './line-event.ts';

/** One line in a log that nobody reads must not fill another. */
const logPeriodMs = 60_000;

/** A line may become this many; more is a mistake or a bomb. */
const mostLines = 10_000;

/** Compiles expressions. The function that is returned throws GatewayError EXPRESSION_INVALID; what it makes never throws. */
export function createTransformCompiler(
  helpers: HelperDependencies,
  { clock, log }: Pick<Runtime, 'clock' | 'log'>,
): (expression: string) => LineTransform {
  const compiler = createExpressionCompiler({ environment: eventEnvironment, helpers });
  return (source) => {
    const expression = compiler.compile(source, 'any');
    let failed = 0;
    let logAgainAt = 0;
    return (line) => {
      try {
        return textsOf(expression.evaluate({ evt: createLineEvent(line, 0, line.Time) }));
      } catch (error) {
        failed++;
        const now = clock.now();
        if (now >= logAgainAt) {
          logAgainAt = now + logPeriodMs;
          const fields = {
            code: 'EXPRESSION_RAISED',
            transform: source,
            src: line.Src,
            failed,
            error: messageOf(error),
          };
          log.warn(fields, 'the transform of a source failed; the line is taken as it came');
        }
        return [line.Raw];
      }
    };
  };
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) throw new Error(`it gives ${goType(value)}, and not a text or a list of texts`);
  if (value.length > mostLines) throw new Error(`it makes more than ${mostLines} lines of one`);
  const other: unknown = value.find((item) => typeof item !== 'string');
  if (other !== undefined) throw new Error(`its list holds ${goType(other)}, and not only texts`);
  return value as string[];
}
