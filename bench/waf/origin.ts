/** The origin of `bench waf`: nginx answering every request from memory, with a small page. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, withFreePort, type Teardown } from '../../test/support/servers/process.ts';
import { startListener } from '../peers/peer.ts';

/** A page that no rule finds fault with; it names no request, because an answer is never another's on one connection. */
export const originBody = `<!doctype html><html lang=en><head><title>Shop</title></head><body><h1>Thank you</h1><p>${'Your basket is waiting for you. '.repeat(12)}</p></body></html>`;

/** Starts it on `core`; the port. */
export function startWafOrigin(t: Teardown, core: number): Promise<number> {
  return withFreePort(async (port) => {
    const folder = await temporaryFolder(t, 'waf-origin');
    const config = join(folder, 'nginx.conf');
    await writeFile(config, configuration(folder, port));
    await startListener(t, {
      core,
      command: 'nginx',
      args: ['-p', folder, '-c', config, '-e', 'stderr'],
      folder,
      port,
    });
    return port;
  });
}

function configuration(folder: string, port: number): string {
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  default_type text/html;
  client_max_body_size 10m;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 "${originBody}"; }
  }
}
`;
}
