/**
 * The words of CrowdSec's rule YAML and what they are in SecLang. Specification: CrowdSec
 * `pkg/appsec/appsec_rule/modsecurity.go`; the documentation's "AppSec rules syntax".
 */
import type { VariableName } from '../variable-names.ts';

/** `zones`: which part of the request a rule looks at. */
export const zones: ReadonlyMap<string, VariableName> = new Map([
  ['ARGS', 'ARGS_GET'],
  ['ARGS_NAMES', 'ARGS_GET_NAMES'],
  ['BODY_ARGS', 'ARGS_POST'],
  ['BODY_ARGS_NAMES', 'ARGS_POST_NAMES'],
  ['COOKIES', 'REQUEST_COOKIES'],
  ['COOKIES_NAMES', 'REQUEST_COOKIES_NAMES'],
  ['FILES', 'FILES'],
  ['FILENAMES', 'FILES'],
  ['FILES_NAMES', 'FILES_NAMES'],
  ['FILES_TOTAL_SIZE', 'FILES_COMBINED_SIZE'],
  ['HEADERS', 'REQUEST_HEADERS'],
  ['HEADERS_NAMES', 'REQUEST_HEADERS_NAMES'],
  ['METHOD', 'REQUEST_METHOD'],
  ['PROTOCOL', 'REQUEST_PROTOCOL'],
  ['RAW_BODY', 'RAW_REQUEST_BODY'],
  ['URI', 'REQUEST_FILENAME'],
  ['URI_FULL', 'REQUEST_URI'],
]);

/** `match.type`, by SecLang's operator. The detectors take no value. */
export const matchTypes: ReadonlyMap<string, { readonly operator: string; readonly takesValue: boolean }> = new Map([
  ['regex', { operator: 'rx', takesValue: true }],
  ['equals', { operator: 'streq', takesValue: true }],
  ['startsWith', { operator: 'beginsWith', takesValue: true }],
  ['endsWith', { operator: 'endsWith', takesValue: true }],
  ['contains', { operator: 'contains', takesValue: true }],
  ['libinjectionSQL', { operator: 'detectSQLi', takesValue: false }],
  ['libinjectionXSS', { operator: 'detectXSS', takesValue: false }],
  ['gt', { operator: 'gt', takesValue: true }],
  ['lt', { operator: 'lt', takesValue: true }],
  ['gte', { operator: 'ge', takesValue: true }],
  ['lte', { operator: 'le', takesValue: true }],
  ['eq', { operator: 'eq', takesValue: true }],
  ['fromFile', { operator: 'pmFromFile', takesValue: true }],
]);

/** How many values a zone has, instead of the values: SecLang's `&`. */
export const countTransform = 'count';

const transforms: ReadonlyMap<string, string> = new Map([
  ['b64decode', 'base64Decode'],
  ['b64decodelenient', 'base64DecodeExt'],
  ['b64encode', 'base64Encode'],
  ['cmdline', 'cmdLine'],
  ['compresswhitespace', 'compressWhitespace'],
  ['compresswhitespaces', 'compressWhitespace'],
  ['cssdecode', 'cssDecode'],
  ['hexdecode', 'hexDecode'],
  ['htmlentitydecode', 'htmlEntityDecode'],
  ['jsdecode', 'jsDecode'],
  ['length', 'length'],
  ['lowercase', 'lowercase'],
  ['normalizepath', 'normalizePath'],
  ['normalizepathwin', 'normalizePathWin'],
  ['removecomments', 'removeComments'],
  ['removenulls', 'removeNulls'],
  ['removewhitespace', 'removeWhitespace'],
  ['removewhitespaces', 'removeWhitespace'],
  ['replacecomments', 'replaceComments'],
  ['replacenulls', 'replaceNulls'],
  ['trim', 'trim'],
  ['trimleft', 'trimLeft'],
  ['trimright', 'trimRight'],
  ['uppercase', 'uppercase'],
  ['urldecode', 'urlDecode'],
]);

/** Spellings for people, who misspelt one. */
export const transformNames: readonly string[] = [...transforms.keys(), countTransform];

/** SecLang's name of a `transform` entry; words may be parted by underscores. Null: there is no such transformation. */
export function transformOf(name: string): string | null {
  return transforms.get(name.replaceAll('_', '').toLowerCase()) ?? null;
}

/** `body_type`, by the body processor that it forces. */
export const bodyTypes: ReadonlyMap<string, string> = new Map([
  ['json', 'JSON'],
  ['multipart', 'MULTIPART'],
  ['raw', 'RAW'],
  ['urlencoded', 'URLENCODED'],
  ['xml', 'XML'],
]);

/** From the least to the most severe number, as SecLang counts them. */
export const severityNames = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const;
