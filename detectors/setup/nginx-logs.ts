/**
 * The log files that an nginx configuration names, wherever and through every include: each `access_log` is to be read and no
 * `error_log`, since nginx writes line breaks of a request into that as they are, and clients could forge lines.
 * Specification: nginx.org, ngx_core_module (error_log, include), ngx_http_log_module (access_log).
 */
import { posix } from 'node:path';
import type { RootFiles } from './root-files.ts';

export interface ConfiguredLogs {
  /** Absolute paths; a variable in one is written as `*`. */
  readonly paths: readonly string[];
  /** Logs that are not to be read, written likewise. */
  readonly excluded: readonly string[];
  /** What a person should know about them. */
  readonly notes: readonly string[];
}

const mainFiles = [
  '/etc/nginx/nginx.conf',
  '/usr/local/nginx/conf/nginx.conf',
  '/usr/local/openresty/nginx/conf/nginx.conf',
];
/** Where a relative path of a log may start: the prefixes of nginx's own packages, Debian's, and a build by hand. */
const prefixes = ['/etc/nginx', '/usr/share/nginx', '/usr/local/nginx', '/usr/local/openresty/nginx'];
const mostFiles = 2_000;
/** Formats that the parsers of nginx logs read. */
const readable: ReadonlySet<string> = new Set(['', 'combined', 'main', 'vhost', 'vhost_combined']);

export function nginxLogs(files: RootFiles): ConfiguredLogs {
  const paths = new Set<string>();
  const excluded = new Set<string>();
  const notes = new Set<string>();
  const seen = new Set<string>();
  const waiting = mainFiles.filter((path) => files.exists(path)).map((path) => ({ path, folder: posix.dirname(path) }));
  for (let next = waiting.shift(); next !== undefined && seen.size < mostFiles; next = waiting.shift()) {
    if (seen.has(next.path)) continue;
    seen.add(next.path);
    const { folder } = next;
    for (const [name = '', value = '', format = ''] of directives(files.text(next.path) ?? '')) {
      if (name === 'include') {
        for (const path of files.glob(posix.resolve(folder, value))) waiting.push({ path, folder });
        continue;
      }
      if (name !== 'access_log' && name !== 'error_log') continue;
      const path = logPath(files, value);
      if (path === null) continue;
      (name === 'access_log' ? paths : excluded).add(path);
      if (name === 'access_log' && !readable.has(format) && !format.includes('=')) {
        notes.add(`${path} has the format "${format}"; it is read when that begins as \`combined\` does`);
      }
    }
  }
  return { paths: [...paths], excluded: [...excluded], notes: [...notes] };
}

const tokens = /#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]|(?:\$\{\w+\}|[^\s{};])+/g;

/** Each directive as its words, blocks flattened: `server { listen 80; }` is `server`, then `listen 80`. */
function directives(text: string): readonly string[][] {
  const found: string[][] = [];
  let words: string[] = [];
  for (const [token] of text.matchAll(tokens)) {
    if (token.startsWith('#')) continue;
    if (token === '{' || token === '}' || token === ';') {
      if (words.length > 0) found.push(words);
      words = [];
    } else words.push(/^["']/.test(token) ? token.slice(1, -1) : token);
  }
  return found;
}

/** Null for what is no file: `off`, `syslog:…`, `memory:…`, `stderr` and devices. */
function logPath(files: RootFiles, value: string): string | null {
  if (value === '' || value === 'off' || value === 'stderr' || /^(?:syslog|memory):/.test(value)) return null;
  if (value.startsWith('/dev/') || value.startsWith('/proc/')) return null;
  const path = value.replaceAll(/\$\{\w+\}|\$\w+/g, '*');
  if (posix.isAbsolute(path)) return posix.normalize(path);
  const candidates = prefixes.map((prefix) => posix.join(prefix, path));
  return candidates.find((candidate) => files.glob(candidate).length > 0) ?? null;
}
