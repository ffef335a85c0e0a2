/**
 * The site behind the WAF. In CrowdSec's own harness it is nginx with one static page at its root, and tests expect its answers
 * to what the WAF lets pass. Behaviour: nginx `ngx_http_index_module`, `ngx_http_static_module`.
 */
import { normalize } from 'node:path/posix';

export interface OriginAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

const page = '<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>Welcome</h1></body></html>\n';

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Not Allowed',
};

/** Answers what the WAF lets pass. */
export type Origin = (method: string, target: string) => OriginAnswer;

/**
 * The sites that a test may have been written for: the harness' own, then those that answer all requests alike. Which status a
 * passed request gets is nothing the WAF decides; none of them answers 403.
 */
export const origins: readonly [Origin, ...Origin[]] = [
  (method, target) => answerWith(statusOf(method, target), method),
  (method) => answerWith(200, method),
  (method) => answerWith(404, method),
  (method) => answerWith(405, method),
];

function answerWith(status: number, method: string): OriginAnswer {
  const body = status === 200 ? page : errorPage(status);
  return {
    status,
    headers: ['Server', 'nginx', 'Content-Type', 'text/html', 'Content-Length', String(body.length)],
    body: method === 'HEAD' ? '' : body,
  };
}

/** A page of the server's own, also for what the WAF refuses. */
export function errorPage(status: number): string {
  const title = `${status} ${reasons[status] ?? 'Forbidden'}`;
  return `<html>\n<head><title>${title}</title></head>\n<body>\n<center><h1>${title}</h1></center>\n</body>\n</html>\n`;
}

/** A static page takes no POST, and nothing else than GET, HEAD and POST is served at all. */
function statusOf(method: string, target: string): number {
  const path = pathOf(target);
  if (path === null) return 400;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return 405;
  if (path !== '/' && path !== '/index.html') return 404;
  return method === 'POST' ? 405 : 200;
}

/** Decoded and without dots; null when it leads out of the root or cannot be read. */
function pathOf(target: string): string | null {
  const [raw = ''] = target.split(/[?#]/, 1);
  if (!raw.startsWith('/')) return null;
  const decoded = raw.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (decoded.includes('\0')) return null;
  let depth = 0;
  for (const part of decoded.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return null;
  }
  return normalize(decoded.replaceAll(/\/{2,}/g, '/'));
}
