/** Mistakes in documents: each with its place, and as an error that shows it. The other documents are still used. */
import { type ErrorCode, GatewayError } from '../../core/errors.ts';
import { placeAt } from '../../core/place-at.ts';
import { markAt } from './text-place.ts';

/** What a document describes, for messages. */
export interface ItemKind {
  /** `scenario`, `parser`, `context`. */
  readonly what: string;
  readonly code: ErrorCode;
}

/** One mistake with its place. `error` is the same for people: `file:line:column: reason` and the source line, marked. */
export interface ItemFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** The item's name, or "" where it has none. */
  readonly name: string;
  readonly reason: string;
  readonly error: GatewayError;
}

/** Where a mistake is: in the text of a file, at an offset in UTF-16 units. */
export interface FaultPlace {
  readonly file: string;
  readonly source: string;
  readonly offset: number;
}

const remedy = 'Correct the document; the others are in use.';

/** A mistake in a document, shown in its text. */
export function documentFault(
  kind: ItemKind,
  { file, source, offset }: FaultPlace,
  name: string,
  reason: string,
  cause?: unknown,
): ItemFault {
  const { line, column } = placeAt(source, offset);
  const about = name === '' ? '' : `${kind.what} ${name}: `;
  const message = `${file}:${line}:${column}: ${about}${reason}\n${markAt(source, offset)}`;
  return { file, line, column, name, reason, error: new GatewayError(kind.code, message, { remedy, cause }) };
}

/** A mistake with a file as such: there is no text to show. */
export function itemFault(
  file: string,
  line: number,
  column: number,
  name: string,
  reason: string,
  cause?: unknown,
): ItemFault {
  const about = name === '' ? '' : `${name}: `;
  const error = new GatewayError('ITEM_INVALID', `${file}:${line}:${column}: ${about}${reason}`, { remedy, cause });
  return { file, line, column, name, reason, error };
}
