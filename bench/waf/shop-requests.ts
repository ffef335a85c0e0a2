/**
 * The mix of `bench waf`: seven page views to one form post, as browsers send them to a shop. Paths, browsers, languages and form
 * fields come again, as they do in life; searches, sessions, trackers, dates and messages are drawn anew for each request, so
 * that what a rule engine remembers of one request helps it with the next no more than in life.
 */
import { createSequence, type Sequence } from '../engine/sequence.ts';
import { clientAddress, clientCount } from '../proxy-traffic.ts';
import { firstNames, languages, lastNames, userAgents, words } from './vocabulary.ts';

export const host = 'shop.example';
/** One form post to so many requests. */
const mixLength = 8;

/** The bytes of one request after another, as latin1; endless. */
export type RequestSource = () => string;

/** Every request differs: no two are alike within any measurement. */
export function varyingRequests(seed: number): RequestSource {
  const sequence = createSequence(seed);
  let count = 0;
  return () => {
    count += 1;
    return count % mixLength === 0 ? formPost(sequence) : pageView(sequence);
  };
}

/** The same eight requests over and over, as benchmarks usually send them; only the client is another each time. */
export function fixedRequests(seed: number): RequestSource {
  const draw = varyingRequests(seed);
  return repeat(Array.from({ length: mixLength }, draw));
}

/** One after the other, each time from another client: a single one that sends so much is a flood, and treated as such. */
export function repeat(requests: readonly string[]): RequestSource {
  const parts = requests.map((request) => {
    const [before = '', after = ''] = request.split(/(?<=\r\nX-Forwarded-For: )[0-9.]+/);
    return { before, after };
  });
  let count = 0;
  return () => {
    const { before, after } = parts[count % parts.length] ?? { before: '', after: '' };
    count += 1;
    return before + clientAddress(count % clientCount) + after;
  };
}

function pageView(sequence: Sequence): string {
  const path = sequence.pick(['/search', '/category', '/product', '/product', '/blog', '/account/orders']);
  const page = path === '/product' || path === '/blog' ? `${path}/${slug(sequence)}` : path;
  const query = parameters([
    ['q', phrase(sequence, 1 + sequence.below(3))],
    ['page', String(1 + sequence.below(40))],
    ['sort', sequence.pick(['price', 'newest', 'rating'])],
    ['price', `${sequence.below(50)}-${50 + sequence.below(400)}`],
    ['utm_campaign', `${sequence.pick(words)}_${2020 + sequence.below(6)}`],
  ]);
  return `${headLines(sequence, `GET ${page}?${query} HTTP/1.1`).join('\r\n')}\r\n\r\n`;
}

function formPost(sequence: Sequence): string {
  const first = sequence.pick(firstNames);
  const last = sequence.pick(lastNames);
  const body = parameters([
    ['name', `${first} ${last}`],
    ['email', `${first}.${last}${sequence.below(10_000)}@mail.example`.toLowerCase()],
    ['phone', `+44 20 ${1000 + sequence.below(9000)} ${1000 + sequence.below(9000)}`],
    ['subject', phrase(sequence, 3)],
    ['message', sentences(sequence, 120 + sequence.below(240))],
    ['token', hex(sequence, 32)],
  ]);
  const lines = headLines(sequence, 'POST /contact HTTP/1.1');
  lines.push(
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    `Origin: https://${host}`,
  );
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Request line and the headers that a browser sends, three cookies among them. */
export function headLines(sequence: Sequence, requestLine: string): string[] {
  const tracker = `GA1.2.${100_000_000 + sequence.below(900_000_000)}.${1_700_000_000 + sequence.below(60_000_000)}`;
  return [
    requestLine,
    `Host: ${host}`,
    `User-Agent: ${sequence.pick(userAgents)}`,
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    `Accept-Language: ${sequence.pick(languages)}`,
    'Accept-Encoding: gzip, deflate, br',
    `Referer: https://${host}/product/${slug(sequence)}`,
    `Cookie: session=${hex(sequence, 32)}; _ga=${tracker}; theme=${sequence.pick(['light', 'dark'])}`,
    'Connection: keep-alive',
    'Upgrade-Insecure-Requests: 1',
    'Sec-Fetch-Dest: document',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-Site: same-origin',
    `X-Forwarded-For: ${clientAddress(sequence.below(clientCount))}`,
  ];
}

/** URL-encoded, as a browser's form does it. */
export function parameters(pairs: readonly (readonly [string, string])[]): string {
  return new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString();
}

export function phrase(sequence: Sequence, count: number): string {
  return Array.from({ length: count }, () => sequence.pick(words)).join(' ');
}

/** At least `length` characters of plain prose. */
export function sentences(sequence: Sequence, length: number): string {
  let text = '';
  while (text.length < length) {
    const sentence = phrase(sequence, 4 + sequence.below(8));
    text += `${text === '' ? '' : ' '}${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${sequence.pick(['.', '.', ', ok.', '!'])}`;
  }
  return text;
}

export function hex(sequence: Sequence, length: number): string {
  let text = '';
  while (text.length < length) text += sequence.below(65_536).toString(16).padStart(4, '0');
  return text.slice(0, length);
}

function slug(sequence: Sequence): string {
  return `${sequence.pick(words)}-${sequence.pick(words)}-${1000 + sequence.below(9000)}`;
}
