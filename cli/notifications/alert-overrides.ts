/** `--alert '{"scenario": "notification/test"}'`: what of an alert is said otherwise. */
import { GatewayError } from '../../core/errors.ts';

/** @throws GatewayError USAGE */
export function alertOverrides(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new GatewayError('USAGE', 'what stands after --alert is no JSON object', {
    remedy: `Write it as '{"scenario": "notification/test", "remediation": true}'.`,
  });
}
