/**
 * Allowlists as CrowdSec's API shows them. Keys in alphabetical order; what is empty is left out, "no expiry" is Go's year 1.
 * Specification: CrowdSec `pkg/models/localapi_swagger.yaml`, `GetAllowlistResponse`.
 */
import type { AllowlistEntry, AllowlistRecord } from '../../store/store.ts';
import { LapiError } from '../lapi-context.ts';
import { decodeBody, list, struct, text } from './go-decoder.ts';
import { millisecondDate } from './go-dates.ts';

/** A list with those of its entries that were asked for. */
export function allowlistView(record: AllowlistRecord, entries: readonly AllowlistEntry[]): object {
  return {
    created_at: millisecondDate(record.createdAt),
    description: record.description || undefined,
    items: entries.map((entry) => ({
      created_at: millisecondDate(entry.createdAt),
      description: entry.comment || undefined,
      expiration: millisecondDate(entry.until),
      value: entry.value,
    })),
    name: record.name,
    updated_at: millisecondDate(record.updatedAt),
  };
}

/** `1.2.3.4 from L (comment)`. */
export function allowedBy({ value, list, comment }: Pick<AllowlistEntry, 'value' | 'list' | 'comment'>): string {
  return comment === '' ? `${value} from ${list}` : `${value} from ${list} (${comment})`;
}

interface BulkCheck {
  readonly targets: readonly (string | null)[];
}

const bulkCheck = struct<BulkCheck>('BulkCheckAllowlistRequest', { targets: list('[]string', text) });

/** The targets of a bulk check, null ones as "". @throws LapiError 400 for what is not JSON, 500 without targets. */
export function readBulkCheck(body: Uint8Array): readonly string[] {
  const targets = decodeBody(body, bulkCheck)?.targets;
  if (targets === undefined) throw new LapiError(500, 'validation failure list:\ntargets in body is required');
  return targets.map((target) => target ?? '');
}
