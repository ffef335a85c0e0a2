/**
 * The vocabulary of settings: what a duration, a size or an address looks like in YAML, and what it becomes in code. A zod
 * schema made of these is the only truth for types, defaults, the JSON Schema of editors and the reference page, so each
 * helper says what it expects in one phrase (shown on a mistake) and gives a pattern and an example (shown by editors).
 *
 * Defaults are written in the spelling of the file, with `.prefault('10s')`, so that documents show them as people would
 * type them. Suggestions travel in the `params` of a zod issue; `config/faults.ts` prints them.
 */
import { domainToASCII } from 'node:url';
import * as z from 'zod';
import { parseByteSize } from './byte-size.ts';
import { parseDuration } from './duration.ts';
import { formatRange, parseIp, parseRange } from './ip.ts';

/** How a value that is almost right could be written. */
export interface Suggestion {
  readonly suggestion?: string;
}

export type Reading<T> = { readonly value: T } | ({ readonly problem: string } & Suggestion);

export interface TextOption<T> {
  /** What the reference page calls the type: "duration". */
  readonly title: string;
  /** "a duration such as 10s": completes the sentence "expected …". */
  readonly expected: string;
  /** For editors: may accept a little more than `read`, never less. */
  readonly pattern: string;
  readonly example: string;
  readonly read: (text: string) => Reading<T>;
}

/** A setting that is text in the file and something else in code. */
export function textOption<T>({ title, expected, pattern, example, read }: TextOption<T>) {
  return z
    .string({ error: ({ input }) => (input === undefined ? `is required: ${expected}` : `expected ${expected}`) })
    .meta({ title, pattern, examples: [example] })
    .transform((text, context): T => {
      const reading = read(text);
      if ('value' in reading) return reading.value;
      const { problem, suggestion } = reading;
      context.addIssue({ code: 'custom', message: problem, ...(suggestion && { params: { suggestion } }) });
      return z.NEVER;
    });
}

/** `10s`, `1m30s`, `7d` → milliseconds, between `min` and `max`, themselves written as durations. */
export function duration(limits: { readonly min?: string; readonly max?: string } = {}) {
  const expected = 'a duration such as 10s, 5m, 4h or 7d';
  const min = limits.min ?? '0';
  return textOption<number>({
    title: 'duration',
    expected,
    pattern: String.raw`^\+?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+)$`,
    example: '10s',
    read(text) {
      const value = parseDuration(text);
      if (value === null) {
        const suggestion = /^\d+(?:\.\d+)?$/.test(text) ? `${text}s` : undefined;
        return { problem: `expected ${expected}`, ...(suggestion && { suggestion }) };
      }
      if (value < (parseDuration(min) ?? 0))
        return { problem: `must be ${min === '0' ? 'positive or 0' : `${min} or more`}` };
      const max = limits.max === undefined ? null : parseDuration(limits.max);
      return max !== null && value > max ? { problem: `must be ${limits.max} or less` } : { value };
    },
  });
}

/** `16KiB`, `1MB` or a bare number → bytes. */
export function bytes(limits: { readonly min?: number; readonly max?: number } = {}) {
  const expected = 'a size such as 16KiB or 1MiB, or a number of bytes';
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits;
  const text = z
    .string()
    .meta({ pattern: String.raw`^\d+(?:\.\d+)? ?(?:[Bb]|[KkMmGgTt][Ii]?[Bb])?$`, examples: ['16KiB'] });
  const either = z.union([text, z.int().min(0)], { error: `expected ${expected}` }).meta({ title: 'size' });
  return either.transform((written, context): number => {
    const value = parseByteSize(String(written));
    if (value !== null && value >= min && value <= max) return value;
    const message =
      value === null
        ? `expected ${expected}`
        : value < min
          ? `must be ${min} bytes or more`
          : `must be ${max} bytes or less`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** A number from 0 to 1. */
export function ratio() {
  return z.number({ error: 'expected a number from 0 to 1' }).min(0).max(1);
}

/** A whole number from `min` to `max`. */
export function count(limits: { readonly min?: number; readonly max?: number } = {}) {
  return z
    .int({ error: 'expected a whole number' })
    .min(limits.min ?? 0)
    .max(limits.max ?? 1_000_000_000);
}

/** One address in its canonical spelling. */
export function ipAddress() {
  const expected = 'an IP address such as 192.0.2.1 or 2001:db8::1';
  return textOption<string>({
    title: 'address',
    expected,
    pattern: '^[0-9A-Fa-f.:]{2,45}$',
    example: '192.0.2.1',
    read(text) {
      const address = parseIp(text);
      return address ? { value: address.text } : { problem: `expected ${expected}` };
    },
  });
}

/** A network in its canonical spelling; a bare address is the network of itself, host bits are cleared. */
export function cidr() {
  const expected = 'an address or a network such as 192.0.2.0/24 or 2001:db8::/32';
  return textOption<string>({
    title: 'network',
    expected,
    pattern: '^[0-9A-Fa-f.:]{2,45}(?:/[0-9]{1,3})?$',
    example: '192.0.2.0/24',
    read(text) {
      const range = parseRange(text);
      return range ? { value: formatRange(range) } : { problem: `expected ${expected}` };
    },
  });
}

/** Where to listen. `host` null is every address of the machine, IPv4 and IPv6. */
export type ListenAddress = { readonly host: string | null; readonly port: number } | { readonly socketPath: string };

/** `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` or `unix:/run/portcullis.sock`. Port 0 asks for any free one. */
export function listenAddress() {
  return textOption<ListenAddress>({
    title: 'listen address',
    expected: 'an address to listen on such as :8080, 127.0.0.1:8080 or unix:/run/portcullis.sock',
    pattern: String.raw`^(?:unix:.+|(?:\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]*):\d{1,5})$`,
    example: ':8080',
    read: readListenAddress,
  });
}

/** As `listenAddress`, or the word `off`, which becomes null. */
export function listenAddressOrOff() {
  return textOption<ListenAddress | null>({
    title: 'listen address or off',
    expected: 'an address to listen on such as 127.0.0.1:9180, or off',
    pattern: String.raw`^(?:off|unix:.+|(?:\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]*):\d{1,5})$`,
    example: '127.0.0.1:9180',
    read: (text) => (text === 'off' ? { value: null } : readListenAddress(text)),
  });
}

function readListenAddress(text: string): Reading<ListenAddress> {
  if (text.startsWith('unix:')) {
    const socketPath = text.slice('unix:'.length);
    return socketPath === '' ? { problem: 'a path must follow unix:' } : { value: { socketPath } };
  }
  if (/^\d{1,5}$/.test(text)) return { problem: 'a port is written after a colon', suggestion: `:${text}` };
  if (text.startsWith('/')) return { problem: 'the path of a socket follows unix:', suggestion: `unix:${text}` };
  if (parseIp(text)?.version === 6)
    return { problem: 'an IPv6 address stands in brackets, before a port', suggestion: `[${text}]:8080` };
  const match = /^(?:\[([^\]]+)\]|([^:/\s[\]]*)):(\d{1,5})$/.exec(text);
  if (!match)
    return { problem: 'expected an address to listen on such as :8080, 127.0.0.1:8080 or unix:/run/portcullis.sock' };
  const [, bracketed, plain = '', digits = ''] = match;
  const port = Number(digits);
  if (port > 65_535) return { problem: `port ${digits} is larger than 65535` };
  if (bracketed !== undefined) {
    const address = parseIp(bracketed);
    return address ? { value: { host: address.text, port } } : { problem: `${bracketed} is not an IPv6 address` };
  }
  if (plain === '*') return { problem: 'every address is written without a host', suggestion: `:${digits}` };
  if (/^[\d.]+$/.test(plain) && !parseIp(plain)) return { problem: `${plain} is not an IPv4 address` };
  return { value: { host: plain === '' ? null : plain, port } };
}

/** `http://app:3000` or `https://…`: scheme, host and port, nothing more. */
export function httpOrigin() {
  const expected = 'the address of a web server such as http://127.0.0.1:3000';
  return textOption<string>({
    title: 'origin',
    expected,
    pattern: String.raw`^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+/?$`,
    example: 'http://127.0.0.1:3000',
    read(text) {
      if (!/^https?:\/\//i.test(text)) {
        const bare = /^[^\s/:?#@]+(?::\d{1,5})?$/.test(text) && URL.canParse(`http://${text}`);
        return { problem: `expected ${expected}`, ...(bare && { suggestion: `http://${text}` }) };
      }
      const url = URL.parse(text);
      if (!url) return { problem: `expected ${expected}` };
      // The text would otherwise be repeated in messages: it holds a password.
      if (url.username !== '' || url.password !== '')
        return { problem: 'an origin holds no user name and no password' };
      if (url.pathname !== '/' || /[?#]/.test(text)) {
        return { problem: 'an origin has no path and no query', suggestion: url.origin };
      }
      return { value: url.origin };
    },
  });
}

/** `www.example.com`, or `*.example.com` for every name below it; in lower case, international names in their ASCII form. */
export function hostPattern() {
  return textOption<string>({
    title: 'host name',
    expected: 'a host name such as www.example.com or *.example.com',
    pattern: String.raw`^(?:\*\.)?[^\s/:*?#@]+$|^\[[0-9A-Fa-f:.]+\]$`,
    example: 'www.example.com',
    read(text) {
      const wildcard = text.startsWith('*.') ? '*.' : '';
      const written = text.slice(wildcard.length);
      const name = written.endsWith('.') ? written.slice(0, -1) : written;
      if (name.startsWith('[')) {
        const address = name.endsWith(']') ? parseIp(name.slice(1, -1)) : null;
        return address && !wildcard
          ? { value: `[${address.text}]` }
          : { problem: `${text} is not an IPv6 address in brackets` };
      }
      const ascii = domainToASCII(name);
      const valid =
        ascii.length > 0 && ascii.length <= 253 && ascii.split('.').every(isLabel) && !/[*/:?#@\s]/.test(name);
      if (valid) return { value: wildcard + ascii };
      const host = URL.parse(text)?.hostname || URL.parse(`http://${text}`)?.hostname;
      const suggestion = host && host !== text && !host.includes('*') ? host : undefined;
      return {
        problem: 'expected a host name such as www.example.com or *.example.com',
        ...(suggestion && { suggestion }),
      };
    },
  });
}

/** A DNS label as hosts use it: letters, digits, hyphens inside, and the underscore that some names carry. */
function isLabel(label: string): boolean {
  return /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label);
}

/** The name of a header (RFC 9110 §5.1), in lower case. */
export function headerName() {
  return textOption<string>({
    title: 'header name',
    expected: 'the name of a header such as x-real-ip',
    pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$",
    example: 'x-real-ip',
    read: (text) =>
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(text)
        ? { value: text.toLowerCase() }
        : { problem: 'expected the name of a header such as x-real-ip' },
  });
}

/** Text that no dump, page or log line shows. Its variable has a `_FILE` variant. Marked `writeOnly`, the JSON Schema word. */
export function secret() {
  return z.string({ error: 'expected text' }).min(1).meta({ title: 'secret', writeOnly: true });
}

/** The path of a file or folder; a relative one starts from the folder of the settings file. */
export function path() {
  return z
    .string({ error: 'expected a path' })
    .min(1)
    .regex(/^[^\0]+$/, { error: 'a path has no NUL' })
    .meta({ title: 'path', format: 'path' });
}
