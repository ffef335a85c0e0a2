/** Reads what the command line sent: zod schemas, one message that names every mistake, canonical values for scopes. */
import { z } from 'zod';
import { formatDuration, parseDuration } from '../../core/duration.ts';
import { GatewayError } from '../../core/errors.ts';
import { formatRange, type IpAddress, type IpRange, parseIp, parseRange } from '../../core/ip.ts';
import type { Scope } from '../../detectors/alert.ts';

/** @throws GatewayError USAGE that names every field at fault. */
export function parseInput<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    path.length ? `${path.join('.')}: ${message}` : message,
  );
  throw new GatewayError('USAGE', faults.join('; '), { remedy: 'See `portcullis help` for what each verb takes.' });
}

/** As many decades as Go's durations hold: what CrowdSec accepts. */
export const longestDurationMs = 2_562_047 * 3_600_000;

/** A duration of more than nothing, to milliseconds. */
export const durationSchema = z
  .string()
  .max(64)
  .transform((text, context) => {
    const ms = parseDuration(text.trim());
    if (ms !== null && ms > 0 && ms <= longestDurationMs) return ms;
    const problem = ms === null ? 'is not a duration' : ms > 0 ? 'is too long' : 'is not longer than nothing';
    context.issues.push({ code: 'custom', message: `"${text}" ${problem}; write 30m, 4h or 7d`, input: text });
    return z.NEVER;
  });

export const addressSchema = z.string().transform((text, context): IpAddress => {
  const address = parseIp(text.trim());
  if (address !== null) return address;
  const message =
    parseRange(text.trim()) === null ? `"${text}" is not an IP address` : `"${text}" is a range; use --range`;
  context.issues.push({ code: 'custom', message, input: text });
  return z.NEVER;
});

export const rangeSchema = z.string().transform((text, context): IpRange => {
  const range = parseRange(text.trim());
  if (range !== null) return range;
  context.issues.push({
    code: 'custom',
    message: `"${text}" is not a range; write 192.0.2.0/24 or 2001:db8::/32`,
    input: text,
  });
  return z.NEVER;
});

/** Query strings carry numbers and booleans as text. */
export const limitSchema = z.coerce.number().int().min(1).max(10_000);
export const flagSchema = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Text that people will read in tables: no control characters, bounded. */
export const wordsSchema = z
  .string()
  .trim()
  .max(512)
  .regex(/^[^\x00-\x1f\x7f]*$/, 'may not hold control characters');

/**
 * A value as the index keeps it: `core/ip.ts` spelling, AS number without `AS`, upper-case country.
 * @throws GatewayError DECISION_INVALID
 */
export function canonicalValue(scope: Scope, value: string): string {
  const text = value.trim();
  switch (scope) {
    case 'Ip':
      return parseIp(text)?.text ?? invalid(`"${text}" is not an IP address`, 'For a network use --range.');
    case 'Range': {
      const range = parseRange(text);
      return range
        ? formatRange(range)
        : invalid(`"${text}" is not a range`, 'Write it as 192.0.2.0/24 or 2001:db8::/32.');
    }
    case 'AS':
      return (
        /^(?:as)?(\d{1,10})$/i.exec(text)?.[1] ?? invalid(`"${text}" is not an AS number`, 'Write 64496 or AS64496.')
      );
    case 'Country':
      if (/^[A-Za-z]{2}$/.test(text)) return text.toUpperCase();
      return invalid(`"${text}" is not a country`, 'Write the two letters of ISO 3166-1, such as CH.');
    default:
      return text === '' ? invalid(`a decision of scope ${scope} needs a value`, 'Give it with --value.') : text;
  }
}

function invalid(message: string, remedy: string): never {
  throw new GatewayError('DECISION_INVALID', message, { remedy });
}

/** What is left until `until`, rounded to whole seconds as CrowdSec shows it. */
export function timeLeft(until: number, now: number): string {
  return formatDuration(Math.round((until - now) / 1_000) * 1_000);
}

/** RFC 3339 with the precision that matters to people. */
export function isoTime(ms: number): string {
  return new Date(Math.max(-8.64e15, Math.min(8.64e15, ms))).toISOString();
}

export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
