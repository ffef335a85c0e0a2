/**
 * The site behind the WAF in CrowdSec's own harness: nginx with one static page at its root. Tests expect its answers to what
 * the WAF lets pass. Behaviour: nginx `ngx_http_index_module`, `ngx_http_static_module`.
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

export function answerOfOrigin(method: string, target: string): OriginAnswer {
  const status = statusOf(method, target);
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
