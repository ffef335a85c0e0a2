/** What the keys of notification documents hold. Every scalar arrives as the text that was written. */
import * as z from 'zod';
import { parseDuration } from '../../../core/duration.ts';

export function text(max = 4_096) {
  return z.string({ error: missingOr('a text') }).max(max);
}

/** A text that must not be empty. */
export function requiredText(max = 4_096) {
  return text(max).min(1, { error: 'must not be empty' });
}

/** A text that ends up in a header or a line: no control characters. */
export function lineText(max = 1_024) {
  return requiredText(max).regex(/^[^\p{Cc}]*$/u, { error: 'holds a line end or another control character' });
}

export function whole(min: number, max: number) {
  return z.string({ error: missingOr('a whole number') }).transform((written, context): number => {
    const value = /^[0-9]{1,9}$/.test(written) ? Number(written) : Number.NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `expected a whole number from ${min} to ${max}` });
    return z.NEVER;
  });
}

/** YAML's words for truth, those of version 1.1 among them. */
export function flag() {
  return z.string({ error: missingOr('true or false') }).transform((written, context): boolean => {
    if (/^(?:true|yes|on)$/i.test(written)) return true;
    if (/^(?:false|no|off)$/i.test(written)) return false;
    context.addIssue({ code: 'custom', message: 'expected true or false' });
    return z.NEVER;
  });
}

/** Milliseconds. */
export function durationText(max: string) {
  return z.string({ error: missingOr('a duration such as 10s') }).transform((written, context): number => {
    const value = parseDuration(written);
    if (value !== null && value >= 0 && value <= (parseDuration(max) ?? 0)) return value;
    context.addIssue({ code: 'custom', message: `expected a duration such as 10s, up to ${max}` });
    return z.NEVER;
  });
}

/** Where messages are posted to. The text of a fault does not repeat it: it may hold a key. */
export function httpUrl() {
  return z
    .string({ error: missingOr('a URL such as https://hooks.example.com/path') })
    .transform((written, context): URL => {
      const url = /^https?:\/\//i.test(written) ? URL.parse(written) : null;
      if (url !== null && url.hostname !== '') return url;
      context.addIssue({ code: 'custom', message: 'expected a URL that begins with http:// or https://' });
      return z.NEVER;
    });
}

export function filePath() {
  return requiredText().regex(/^[^\0]+$/, { error: 'a path has no NUL' });
}

/** Names and values as HTTP allows them. */
export function headers() {
  return z
    .record(
      z.string(),
      z.string({ error: 'expected a text' }).regex(/^[\t\x20-\x7e\x80-\xff]{0,8192}$/, {
        error: 'holds characters that a header cannot carry',
      }),
      { error: 'expected a map of names and values' },
    )
    .superRefine((each, context) => {
      const names = Object.keys(each);
      if (names.length > 100) context.addIssue({ code: 'custom', message: 'more than 100 headers' });
      const wrong = names.find((name) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name));
      if (wrong !== undefined) context.addIssue({ code: 'custom', path: [wrong], message: 'is no name of a header' });
    });
}

function missingOr(expected: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? 'is missing' : `expected ${expected}`);
}
