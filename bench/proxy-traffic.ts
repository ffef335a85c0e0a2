/** The traffic of `bench proxy`: what is asked, and the one answer to each request that counts as right. */

/** Distinct clients, given in X-Forwarded-For. */
export const clientCount = 50_000;
export const pathCount = 8;

const marker = 'portcullis-bench-origin';

/** What a browser sends with a page view, besides X-Forwarded-For: eleven headers. */
const browserHeaders = [
  'Host: bench.example',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Connection: keep-alive',
  'Upgrade-Insecure-Requests: 1',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: none',
  'Priority: u=0, i',
];

/** The address of client `index`: public, and in no prepared decision. */
export function clientAddress(index: number): string {
  return `81.${(index >> 16) + 16}.${(index >> 8) & 255}.${index & 255}`;
}

/** The path that client `index` asks for. */
export function clientPath(index: number): string {
  return `/page/${index % pathCount}`;
}

/** The bytes of the request of client `index`. */
export function requestBytes(index: number): Buffer {
  const lines = [`GET ${clientPath(index)} HTTP/1.1`, ...browserHeaders, `X-Forwarded-For: ${clientAddress(index)}`];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The body that the origin answers with: it names path and client, so that one answer cannot stand for another. */
export function originBody(path: string, client: string): string {
  return `${marker} ${path} ${client}\n`;
}

/**
 * The value of prepared decision `index`: addresses from 5.0.0.0 on, eleven apart, so that they lie scattered over 13
 * million addresses as lists of attackers do.
 */
export function bannedAddress(index: number): string {
  const number = 5 * 2 ** 24 + index * 11;
  return `${number >>> 24}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}
