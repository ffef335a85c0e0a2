/** A grok pattern that cannot be used: an unknown name, or what the references expand to is no regular expression. */
import { GatewayError } from '../../core/errors.ts';

export class GrokError extends GatewayError {
  /** Where in the written pattern, in UTF-16 units; within a reference, where the reference begins. */
  readonly offset: number;

  constructor(pattern: string, offset: number, reason: string, remedy: string) {
    const shown = pattern.length > 200 ? `${pattern.slice(0, 200)}…` : pattern;
    super('PATTERN_INVALID', `grok pattern ${JSON.stringify(shown)} is refused at position ${offset}: ${reason}`, {
      remedy,
    });
    this.name = 'GrokError';
    this.offset = offset;
  }
}
