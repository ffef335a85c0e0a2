/** The origin of `bench proxy`: nginx answering from memory, the cheapest correct HTTP server at hand. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, withFreePort, type Teardown } from '../test/support/servers/process.ts';
import { startListener } from './peers/peer.ts';
import { originBody } from './proxy-traffic.ts';

/** Starts it on `core`; the port. Its answer names the first address of X-Forwarded-For: proxies may append to it. */
export function startBenchOrigin(t: Teardown, core: number): Promise<number> {
  return withFreePort(async (port) => {
    const folder = await temporaryFolder(t, 'bench-origin');
    const config = join(folder, 'nginx.conf');
    await writeFile(config, originConfig(folder, port));
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

function originConfig(folder: string, port: number): string {
  const body = originBody('$uri', '$client').replace('\n', '\\n');
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
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  map $http_x_forwarded_for $client { "~^(?<first>[0-9.]+)" $first; }
  server {
    listen 127.0.0.1:${port};
    location / { return 200 "${body}"; }
  }
}
`;
}
