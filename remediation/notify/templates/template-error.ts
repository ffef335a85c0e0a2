/**
 * What is wrong with a template, and where. Reading and running a template raise nothing else; the reasons are in the
 * words of Go's text/template, because those are what people search for.
 */
import { GatewayError } from '../../../core/errors.ts';
import { placeAt } from '../../../core/place-at.ts';

/** Code TEMPLATE_INVALID. */
export class TemplateError extends GatewayError {
  /** The message without the name and the place. */
  readonly reason: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;

  constructor(reason: string, line: number, column: number, message: string, remedy: string) {
    super('TEMPLATE_INVALID', message, { remedy });
    this.name = 'TemplateError';
    this.reason = reason;
    this.line = line;
    this.column = column;
  }
}

/** A fault of syntax at an offset of the text. */
export function syntaxFault(name: string, text: string, at: number, reason: string): TemplateError {
  const { line, column } = placeAt(text, at);
  return new TemplateError(
    reason,
    line,
    column,
    `template: ${name}:${line}:${column}: ${reason}`,
    'Write the template in the syntax of Go text/template.',
  );
}

/** A fault of a run, at the part of the template that was being evaluated. */
export function runFault(
  name: string,
  text: string,
  part: { readonly at: number; readonly end: number },
  template: string,
  reason: string,
): TemplateError {
  const { line, column } = placeAt(text, part.at);
  const source = text.slice(part.at, part.end).replaceAll(/\s+/g, ' ');
  const shown = source.length > 40 ? `${source.slice(0, 37)}...` : source;
  return new TemplateError(
    reason,
    line,
    column,
    `template: ${name}:${line}:${column}: executing ${JSON.stringify(template)} at <${shown}>: ${reason}`,
    'Correct the format of the notification; `notifications test` shows what it makes of an alert.',
  );
}

/** Thrown by functions and by values; whoever runs the template adds the place. */
export class ValueFault extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ValueFault';
  }
}
