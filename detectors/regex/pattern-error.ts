/** What is wrong with a pattern, and where. */
import { GatewayError } from '../../core/errors.ts';

/** Code PATTERN_INVALID. */
export class PatternError extends GatewayError {
  /** UTF-16 offset in the pattern, or null when it is about the whole. */
  readonly position: number | null;
  /** The message without the pattern and the place. */
  readonly reason: string;

  constructor(source: string, position: number | null, reason: string, remedy: string) {
    const shown = source.length > 200 ? `${source.slice(0, 200)}…` : source;
    const place = position === null ? '' : ` at position ${position}`;
    super('PATTERN_INVALID', `pattern ${JSON.stringify(shown)} is refused${place}: ${reason}`, { remedy });
    this.name = 'PatternError';
    this.position = position;
    this.reason = reason;
  }
}

/** The error every pattern fault is reported as. */
export function patternError(source: string, position: number | null, reason: string, remedy?: string): PatternError {
  return new PatternError(source, position, reason, remedy ?? 'Write the pattern in RE2 syntax.');
}
