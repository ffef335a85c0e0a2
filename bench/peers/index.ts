/** The peers of `bench proxy`, in the order of the report. */
import { caddyPeer } from './caddy.ts';
import { haproxyPeer } from './haproxy.ts';
import { nginxPeer } from './nginx.ts';
import { bareNodePeer, httpProxyPeer, undiciPeer } from './node.ts';
import type { Peer } from './peer.ts';
import { portcullisPeer, type PortcullisOptions } from './portcullis.ts';

export function listPeers(options: PortcullisOptions): readonly Peer[] {
  const ours = [portcullisPeer(options), portcullisPeer(options, 'undici')];
  return [nginxPeer, haproxyPeer, caddyPeer, httpProxyPeer, undiciPeer, bareNodePeer, ...ours];
}
