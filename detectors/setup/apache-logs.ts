/**
 * The log files that an Apache configuration names: `CustomLog`, `TransferLog`, `GlobalLog` and `ErrorLog` wherever they stand,
 * through every include, with the variables of `envvars` and `Define`.
 * Specification: httpd.apache.org, mod_log_config, core (ErrorLog, Define, Include).
 */
import { posix } from 'node:path';
import type { ConfiguredLogs } from './nginx-logs.ts';
import type { RootFiles } from './root-files.ts';

const mainFiles = [
  '/etc/apache2/apache2.conf',
  '/etc/httpd/conf/httpd.conf',
  '/etc/apache2/httpd.conf',
  '/etc/apache2/default-server.conf',
];
const mostFiles = 2_000;
const readable = /^(?:|combined|common|vhost_combined|combinedio|env=.*|expr=.*|%.*)$/;

export function apacheLogs(files: RootFiles): ConfiguredLogs {
  const paths = new Set<string>();
  const notes = new Set<string>();
  const seen = new Set<string>();
  const variables = environmentOf(files.text('/etc/apache2/envvars') ?? '');
  const waiting = mainFiles.filter((path) => files.exists(path));
  let serverRoot = posix.dirname(waiting[0] ?? '/etc/apache2/apache2.conf').replace(/\/conf$/, '');
  for (let next = waiting.shift(); next !== undefined && seen.size < mostFiles; next = waiting.shift()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const [name = '', raw = '', ...rest] of directives(files.text(next) ?? '')) {
      const value = raw.replaceAll(/\$\{(\w+)\}/g, (_, variable: string) => variables.get(variable) ?? '*');
      switch (name.toLowerCase()) {
        case 'serverroot':
          serverRoot = value;
          break;
        case 'define':
          variables.set(value, rest[0] ?? '');
          break;
        case 'include':
        case 'includeoptional':
          waiting.push(...includedFiles(files, posix.resolve(serverRoot, value)));
          break;
        case 'errorlog':
        case 'customlog':
        case 'transferlog':
        case 'globallog': {
          if (isNoFile(value)) break;
          const path = posix.resolve(serverRoot, value);
          paths.add(path);
          if (!readable.test(rest[0] ?? '')) {
            notes.add(`${path} has the format "${rest[0] ?? ''}"; it is read when that begins as \`combined\` does`);
          }
          break;
        }
      }
    }
  }
  return { paths: [...paths], excluded: [], notes: [...notes] };
}

/** A folder stands for every file in it and below it. */
function includedFiles(files: RootFiles, pattern: string): readonly string[] {
  return files.glob(pattern).flatMap((path) => {
    const names = files.names(path);
    return names.length === 0 ? [path] : names.flatMap((name) => includedFiles(files, posix.join(path, name)));
  });
}

/** Each line as its words; a backslash at the end continues it. Section lines have names in angle brackets. */
function directives(text: string): readonly string[][] {
  return text
    .replaceAll(/\\\r?\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      Array.from(
        line.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|\S+/g),
        ([word, double, single]) => double ?? single ?? word,
      ),
    );
}

/** `export APACHE_LOG_DIR=/var/log/apache2$SUFFIX`: the suffix is that of a second instance, and empty for the first. */
function environmentOf(text: string): Map<string, string> {
  return new Map(
    Array.from(text.matchAll(/^\s*(?:export\s+)?(\w+)=["']?([^\s"']*)/gm), ([, name = '', value = '']) => [
      name,
      value.replaceAll(/\$\{?SUFFIX\}?/g, ''),
    ]),
  );
}

function isNoFile(value: string): boolean {
  return value === '' || value.startsWith('|') || value.startsWith('syslog') || value.startsWith('/dev/');
}
