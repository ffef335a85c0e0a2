/** Caddy as a plain reverse proxy: one thread (GOMAXPROCS 1, as it has one core), its JSON access log in a file. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startListener, type Peer, type PeerContext } from './peer.ts';

export const caddyPeer: Peer = {
  name: 'caddy',
  about: 'Caddy, GOMAXPROCS 1, reverse_proxy with keep-alive, JSON access log, loopback trusted for X-Forwarded-For',
  async start(t, context) {
    const config = join(context.folder, 'Caddyfile');
    await writeFile(config, configuration(context));
    const process = await startListener(t, {
      ...context,
      command: 'caddy',
      args: ['run', '--adapter', 'caddyfile', '--config', config],
      env: { GOMAXPROCS: '1', XDG_CONFIG_HOME: context.folder, XDG_DATA_HOME: context.folder },
    });
    return { process, inspected: null };
  },
};

function configuration({ port, originPort, accessLog }: PeerContext): string {
  return `{
	admin off
	auto_https off
	log {
		level ERROR
	}
}
http://:${port} {
	bind 127.0.0.1
	log {
		level INFO
		output file ${accessLog} {
			roll_disabled
		}
	}
	reverse_proxy 127.0.0.1:${originPort} {
		trusted_proxies 127.0.0.1/32
		transport http {
			keepalive_idle_conns_per_host 64
		}
	}
}
`;
}
