/** Adds to an allowlist, or takes off it, in slices that the control socket takes. */
import { GatewayError } from '../../core/errors.ts';
import { parseRange } from '../../core/ip.ts';
import type { AllowlistChangeModel } from '../../gateway/admin/operator-models.ts';
import type { ControlClient } from '../control-client.ts';

const slice = 500;

export async function changeAllowlist(
  client: ControlClient,
  list: string,
  how: 'items' | 'remove',
  values: readonly string[],
  more: { readonly comment?: string; readonly expiration?: string } = {},
): Promise<AllowlistChangeModel> {
  const changed: string[] = [];
  const unchanged: string[] = [];
  let lifted = 0;
  for (let index = 0; index < values.length; index += slice) {
    const path = `/v1/allowlists/${encodeURIComponent(list)}/${how}`;
    const body = { values: values.slice(index, index + slice), ...more };
    const result = await client.ask<AllowlistChangeModel>('POST', path, { body });
    changed.push(...result.changed);
    unchanged.push(...result.unchanged);
    lifted += result.lifted;
  }
  return { changed, unchanged, lifted };
}

/**
 * The list's name and the values. People forget the name.
 * @throws GatewayError USAGE
 */
export function listAndValues(positionals: readonly string[]): {
  readonly list: string;
  readonly values: readonly string[];
} {
  const [list = '', ...values] = positionals;
  if (parseRange(list) === null && values.length > 0) return { list, values };
  const message =
    parseRange(list) === null ? 'no address, range or host name was given' : 'the allowlist must be named first';
  throw new GatewayError('USAGE', message, { remedy: 'See `allowlists list` for their names.' });
}
