/**
 * Requests for comparing engines: what browsers and programs ordinarily send, and attacks in every place that a request has for
 * them. The same for the same seed. Binary strings: one character for each byte.
 */
import type { Fraction } from './seeded.ts';

export interface LabelledRequest {
  readonly name: string;
  readonly raw: string;
}

const browsers = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
] as const;
const paths = [
  '/',
  '/index.html',
  '/blog/2026/07/',
  '/shop/item',
  '/api/v2/orders/81',
  '/search',
  '/static/app.4f2c.js',
];
const words =
  'red shoes order by date union station select committee coffee & cake 50% off Müller-Lüdenscheidt it’s 12:30 a=b C++ http://example.org/x don\'t 2026-08-22 "quoted" café 1,5 (new) #5 user@example.org'.split(
    ' ',
  );
const names = ['q', 'page', 'id', 'name', 'email', 'comment', 'items[]', 'sort', 'lang', 'utm_source', 'user.name'];

/** What people send. */
export function ordinaryRequests(random: Fraction, count: number): readonly LabelledRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const fields = Array.from({ length: 1 + below(random, 4) }, () => [pick(random, names), phrase(random)] as const);
    const headers = browserHeaders(random);
    const target = `${pick(random, paths)}?${form(fields)}`;
    const kinds = ['query', 'query', 'query', 'form', 'json', 'multipart'] as const;
    const kind = kinds[index % kinds.length] ?? 'query';
    const raw = kind === 'query' ? request('GET', target, headers, null) : post(kind, headers, fields);
    return { name: `ordinary ${kind} ${index}`, raw };
  });
}

const places = ['query', 'form', 'json', 'multipart', 'xml', 'cookie', 'referer', 'path', 'name'] as const;

/** Each payload in one of the places, in turn. */
export function hostileRequests(random: Fraction, payloads: readonly string[]): readonly LabelledRequest[] {
  return payloads.map((payload, index) => {
    const place = places[index % places.length] ?? 'query';
    const headers = browserHeaders(random);
    const name = `hostile ${place} ${index}`;
    switch (place) {
      case 'query':
        return { name, raw: request('GET', `/search?${form([['q', payload]])}`, headers, null) };
      case 'name':
        return { name, raw: request('GET', `/search?${form([[payload, '1']])}`, headers, null) };
      case 'path':
        return { name, raw: request('GET', `/files/${escape(payload)}`, headers, null) };
      case 'cookie':
        return { name, raw: request('GET', '/', [...headers, `Cookie: a=b; theme=${headerText(payload)}`], null) };
      case 'referer':
        return { name, raw: request('GET', '/', [...headers, `Referer: ${headerText(payload)}`], null) };
      case 'form':
      case 'json':
      case 'multipart':
      case 'xml':
        return { name, raw: post(place, headers, [['q', payload]]) };
      default:
        return place satisfies never;
    }
  });
}

type Fields = readonly (readonly [name: string, value: string])[];

function post(kind: 'form' | 'json' | 'multipart' | 'xml', headers: readonly string[], fields: Fields): string {
  switch (kind) {
    case 'form':
      return request('POST', '/post', [...headers, 'Content-Type: application/x-www-form-urlencoded'], form(fields));
    case 'json': {
      const body = utf8(JSON.stringify(Object.fromEntries(fields)));
      return request('POST', '/post', [...headers, 'Content-Type: application/json'], body);
    }
    case 'xml': {
      const escaped = (text: string): string =>
        text.replace(/[<&>\x00-\x08\x0b-\x1f]/g, (one) => `&#${one.charCodeAt(0)};`);
      const elements = fields.map(([name, value]) => `<v n="${name}">${escaped(utf8(value))}</v>`);
      const body = `<?xml version="1.0"?><r>${elements.join('')}</r>`;
      return request('POST', '/post', [...headers, 'Content-Type: text/xml'], body);
    }
    case 'multipart': {
      const parts = fields.map(
        ([name, value]) => `--sep\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${utf8(value)}\r\n`,
      );
      const body = `${parts.join('')}--sep--\r\n`;
      return request('POST', '/post', [...headers, 'Content-Type: multipart/form-data; boundary=sep'], body);
    }
    default:
      return kind satisfies never;
  }
}

function request(method: string, target: string, headers: readonly string[], body: string | null): string {
  const length = body === null ? [] : [`Content-Length: ${body.length}`];
  return `${[`${method} ${target} HTTP/1.1`, ...headers, ...length].join('\r\n')}\r\n\r\n${body ?? ''}`;
}

function browserHeaders(random: Fraction): readonly string[] {
  const cookies = [`sid=${Math.floor(random() * 1e12).toString(36)}`, 'theme=dark', '_ga=GA1.2.123456789.1690000000'];
  return [
    'Host: localhost',
    `User-Agent: ${pick(random, browsers)}`,
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: de,en-US;q=0.7,en;q=0.3',
    'Accept-Encoding: gzip, deflate, br',
    ...(random() < 0.5 ? [`Cookie: ${cookies.join('; ')}`] : []),
    ...(random() < 0.3 ? ['Referer: https://www.example.org/start?from=mail'] : []),
    'Connection: close',
  ];
}

function phrase(random: Fraction): string {
  return Array.from({ length: 1 + below(random, 5) }, () => pick(random, words)).join(' ');
}

function form(fields: Fields): string {
  return fields.map(([name, value]) => `${escape(name)}=${escape(value).replaceAll('%20', '+')}`).join('&');
}

function escape(text: string): string {
  return utf8(text).replace(
    /[^A-Za-z0-9_.~-]/g,
    (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}

/** What would end the header, or the request, is left out. */
function headerText(text: string): string {
  return utf8(text).replace(/[\x00-\x1f\x7f]/g, '');
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function pick<One>(random: Fraction, from: readonly One[]): One {
  return from[below(random, from.length)] as One;
}

function below(random: Fraction, limit: number): number {
  return Math.floor(random() * limit);
}
