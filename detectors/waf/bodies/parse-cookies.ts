/** The Cookie header becomes named values. */
import type { NamedValue } from './body-processor.ts';

/**
 * Split at `;`, spaces around each cookie removed, name before the first `=`; nothing is decoded and duplicates are kept, since
 * origins differ in which one they take. A cookie without `=` is a name with an empty value. The header's own length is the bound.
 */
export function parseCookies(header: string): readonly NamedValue[] {
  const cookies: NamedValue[] = [];
  for (const segment of header.split(';')) {
    const cookie = trimBlanks(segment);
    if (cookie === '') continue;
    const equals = cookie.indexOf('=');
    if (equals < 0) cookies.push({ name: cookie, value: '' });
    else cookies.push({ name: trimBlanks(cookie.slice(0, equals)), value: cookie.slice(equals + 1) });
  }
  return cookies;
}

/** ASCII white space only: `trim()` would also take 0xA0, which here is half of a UTF-8 character. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** Space, tab, line feed, vertical tab, form feed, carriage return. */
export function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
