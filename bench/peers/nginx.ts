/** nginx as a plain reverse proxy: one worker, kept connections to the origin, a buffered access log. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startListener, type Peer, type PeerContext } from './peer.ts';

export const nginxPeer: Peer = {
  name: 'nginx',
  about: 'nginx, 1 worker, upstream keepalive, combined access log (64 KiB buffer), client from X-Forwarded-For',
  async start(t, context) {
    const config = join(context.folder, 'nginx.conf');
    await writeFile(config, configuration(context));
    const args = ['-p', context.folder, '-c', config, '-e', 'stderr'];
    return { process: await startListener(t, { ...context, command: 'nginx', args }), inspected: null };
  },
};

function configuration({ folder, port, originPort, accessLog }: PeerContext): string {
  return `daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log ${accessLog} combined buffer=64k flush=1s;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  set_real_ip_from 127.0.0.1;
  real_ip_header X-Forwarded-For;
  upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Real-IP $remote_addr;
    }
  }
}
`;
}
