/** HAProxy as a plain reverse proxy: one thread, reused connections to the origin, its HTTP log on standard output. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startListener, type Peer, type PeerContext } from './peer.ts';

export const haproxyPeer: Peer = {
  name: 'haproxy',
  about: 'HAProxy, 1 thread, http-reuse always, option httplog to a file, client from X-Forwarded-For',
  async start(t, context) {
    const config = join(context.folder, 'haproxy.cfg');
    await writeFile(config, configuration(context));
    const process = await startListener(t, {
      ...context,
      command: 'haproxy',
      args: ['-db', '-f', config],
      stdoutFile: context.accessLog,
    });
    return { process, inspected: null };
  },
};

function configuration({ port, originPort }: PeerContext): string {
  return `global
  nbthread 1
  maxconn 2048
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  option dontlognull
  http-reuse always
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend front
  bind 127.0.0.1:${port}
  http-request set-src hdr(x-forwarded-for)
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort} pool-max-conn 64
`;
}
