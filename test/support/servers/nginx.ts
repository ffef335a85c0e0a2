/**
 * A real nginx as an origin. Its log tells exactly which requests it saw and the body of each: nginx reads a body only for
 * an upstream, so every request passes on to an inner server of the same process that answers
 * `nginx <method> <target>\n`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openOriginLog, type OriginLog } from './origin-log.ts';
import { startProcess, temporaryFolder, withFreePort, type ServerProcess, type Teardown } from './process.ts';

export interface NginxOptions {
  /** Extra lines inside the outer `server` block, such as further `location`s. */
  readonly server?: string;
  /** Extra lines inside `http`. */
  readonly http?: string;
  /** Files to put beside the configuration: name to content. `root` is that folder. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface WebServer {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly folder: string;
  readonly process: ServerProcess;
  readonly log: OriginLog;
}

const logFormat = [
  '$request',
  '$status',
  '$http_host',
  '$http_content_length',
  '$http_transfer_encoding',
  '$http_x_forwarded_for',
  '$connection',
  '$request_body',
].join('\t');

/** Starts nginx on a free port of the loopback. Rejects with `ProcessFailure` holding nginx's own words. */
export function startNginx(t: Teardown, options: NginxOptions = {}): Promise<WebServer> {
  return withFreePort(async (port) => {
    const folder = await temporaryFolder(t, 'nginx');
    const log = join(folder, 'access.log');
    await writeFile(log, '');
    await writeFile(join(folder, 'nginx.conf'), nginxConfig(folder, port, options));
    for (const [name, content] of Object.entries(options.files ?? {})) await writeFile(join(folder, name), content);
    const process = await startProcess(t, {
      command: 'nginx',
      args: ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
      cwd: folder,
      ready: /start worker process|OS: /,
    });
    return { port, origin: `http://127.0.0.1:${port}`, folder, process, log: openOriginLog(log, port) };
  });
}

/** One process without a master: it does not outlive its process id. */
function nginxConfig(folder: string, port: number, options: NginxOptions): string {
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 512; }
http {
  log_format origin '${logFormat}';
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  client_body_in_single_buffer on;
  ${options.http ?? ''}
  server {
    listen unix:${folder}/inner.sock;
    location / { return 200 "nginx $request_method $request_uri\\n"; }
  }
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    access_log ${folder}/access.log origin;
    ${options.server ?? ''}
    location / { proxy_pass http://unix:${folder}/inner.sock; }
  }
}
`;
}
