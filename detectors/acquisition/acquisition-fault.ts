/** Mistakes with acquisition files and documents for which there is no text to show. */
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { ItemFault } from '../documents/item-fault.ts';

export function acquisitionFault(file: string, line: number, name: string, cause: unknown): ItemFault {
  const reason = messageOf(cause);
  const about = name === '' ? '' : `${name}: `;
  const remedy = cause instanceof GatewayError ? cause.remedy : null;
  const error = new GatewayError('ACQUISITION_INVALID', `${file}:${line}:1: ${about}${reason}`, {
    remedy: remedy ?? 'Correct it; the other documents are in use.',
    cause,
  });
  return { file, line, column: 1, name, reason, error };
}
