/**
 * `JA4H(req)`: the fingerprint of an HTTP client, from what its request looks like.
 * Specification: FoxIO JA4H. As in CrowdSec, whose headers come from an unordered map, header names are sorted.
 */
import { createHash } from 'node:crypto';
import type { HelperTable } from '../helper.ts';
import { anyType, stringType } from '../types.ts';

/** The members of `req` that matter here; header names are canonical. */
interface FingerprintedRequest {
  readonly Method?: string;
  readonly ProtoMajor?: bigint | number;
  readonly ProtoMinor?: bigint | number;
  readonly Header?: Readonly<Record<string, readonly string[] | undefined>>;
}

export const ja4hHelper: HelperTable = {
  JA4H: {
    parameters: [anyType],
    returns: stringType,
    run: (request: unknown) => (typeof request === 'object' && request !== null ? fingerprint(request) : ''),
  },
};

const noCookies = '000000000000';

function fingerprint(request: FingerprintedRequest): string {
  const headers = request.Header ?? {};
  const cookies = (headers.Cookie ?? []).flatMap((line) => line.split(';')).flatMap(cookieOf);
  const names = Object.keys(headers)
    .filter((name) => !/^(?:cookie|referer)$/i.test(name))
    .sort();
  const first = [
    (request.Method ?? '').toLowerCase().slice(0, 2),
    `${Number(request.ProtoMajor ?? 0)}${Number(request.ProtoMinor ?? 0)}`,
    cookies.length > 0 ? 'c' : 'n',
    (headers.Referer?.[0] ?? '') === '' ? 'n' : 'r',
    String(Math.min(names.length, 99)).padStart(2, '0'),
    language(headers['Accept-Language']?.[0] ?? ''),
  ].join('');
  const sorted = cookies.toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
  return [
    first,
    shortHash(names.join(',')),
    cookies.length === 0 ? noCookies : shortHash(sorted.map(({ name }) => name).join(',')),
    cookies.length === 0 ? noCookies : shortHash(sorted.map(({ name, value }) => `${name}=${value}`).join(',')),
  ].join('_');
}

function cookieOf(part: string): { name: string; value: string }[] {
  const text = part.trim();
  const equals = text.indexOf('=');
  if (text === '' || equals === 0) return [];
  return [equals === -1 ? { name: text, value: '' } : { name: text.slice(0, equals), value: text.slice(equals + 1) }];
}

/** The first language without its dash, four characters, filled up with zeros: `enus`, `fr00`. */
function language(header: string): string {
  const [first = ''] = header.replaceAll('-', '').toLowerCase().split(/[,;]/);
  return first.slice(0, 4).padEnd(4, '0');
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
