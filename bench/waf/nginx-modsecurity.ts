/** nginx with ModSecurity 3 (Debian's `libnginx-mod-http-modsecurity`): one worker, kept connections to the origin. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startListener } from '../peers/peer.ts';
import { writeModSecurityRules } from './modsecurity-rules.ts';
import type { WafPeer, WafPeerContext } from './peer.ts';

const module = '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so';

export const nginxModSecurityPeer: WafPeer = {
  name: 'nginx+modsecurity3',
  about: "nginx, 1 worker, Debian's ModSecurity 3, upstream keepalive, buffered access log",
  async start(t, context) {
    const config = join(context.folder, 'nginx.conf');
    await writeFile(config, configuration(context, await writeModSecurityRules(context)));
    const args = ['-p', context.folder, '-c', config, '-e', 'stderr'];
    const debianPackage = 'libnginx-mod-http-modsecurity';
    return { process: await startListener(t, { ...context, command: 'nginx', args, debianPackage }), inspected: null };
  },
};

function configuration({ folder, port, originPort, accessLog }: WafPeerContext, rules: string): string {
  return `load_module ${module};
daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
error_log ${folder}/error.log error;
events { worker_connections 1024; }
http {
  access_log ${accessLog} combined buffer=64k flush=1s;
  keepalive_requests 1000000000;
  client_max_body_size 20m;
  client_body_buffer_size 256k;
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
    modsecurity on;
    modsecurity_rules_file ${rules};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`;
}
