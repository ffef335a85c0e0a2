/**
 * A real Apache httpd as an origin: files of its folder, and `/echo`, which answers with the request's own body
 * (mod_reflector). Its log cannot hold bodies, but tells which requests it saw and how they were framed.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WebServer } from './nginx.ts';
import { openOriginLog } from './origin-log.ts';
import { startProcess, temporaryFolder, withFreePort, type Teardown } from './process.ts';

export interface ApacheOptions {
  /** Extra lines at the end of the configuration. */
  readonly config?: string;
  /** Further modules by name, such as `proxy` or `headers`. */
  readonly modules?: readonly string[];
  /** Files to serve: name to content. `index.html` is there by default. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Where distributions put the modules. */
const moduleFolders = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules'];
const baseModules = ['mpm_event', 'authz_core', 'dir', 'mime', 'reflector'];

const logFormat = [
  '%r',
  '%>s',
  '%{Host}i',
  '%{Content-Length}i',
  '%{Transfer-Encoding}i',
  '%{X-Forwarded-For}i',
  '%{remote}p',
  'unlogged',
].join('\\t');

/** Starts Apache on a free port of the loopback. Rejects with `ProcessFailure` holding Apache's own words. */
export function startApache(t: Teardown, options: ApacheOptions = {}): Promise<WebServer> {
  return withFreePort(async (port) => {
    const folder = await temporaryFolder(t, 'apache');
    const log = join(folder, 'access.log');
    await writeFile(log, '');
    await writeFile(join(folder, 'httpd.conf'), apacheConfig(folder, port, options));
    const files = { 'index.html': 'apache index\n', ...options.files };
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    const process = await startProcess(t, {
      command: 'apache2',
      args: ['-d', folder, '-f', join(folder, 'httpd.conf'), '-DFOREGROUND'],
      cwd: folder,
      ready: /resuming normal operations/,
    });
    return { port, origin: `http://127.0.0.1:${port}`, folder, process, log: openOriginLog(log, port) };
  });
}

/**
 * Root must name whom to become; anybody else must not. The error log goes through `cat` to standard output, because Node's
 * pipes are sockets, which cannot be opened as /dev/stderr.
 */
function apacheConfig(folder: string, port: number, options: ApacheOptions): string {
  const modules = moduleFolders.find((candidate) => existsSync(candidate)) ?? moduleFolders[0];
  const load = [...baseModules, ...(options.modules ?? [])];
  return `ServerName origin.test
Listen 127.0.0.1:${port}
${load.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : ''}
PidFile ${folder}/httpd.pid
DefaultRuntimeDir ${folder}
Mutex posixsem
ErrorLog "|/bin/cat"
LogLevel notice
LogFormat "${logFormat}" origin
CustomLog ${folder}/access.log origin
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
TypesConfig /dev/null
DocumentRoot ${folder}
DirectoryIndex index.html
<Location /echo>
  SetHandler reflector
  SetInputFilter NONE
</Location>
${options.config ?? ''}
`;
}
