/** The plain Node peers: what the libraries cost alone, and what Node's own HTTP server costs without any proxying. */
import { startNodePeer, type Peer } from './peer.ts';

export const httpProxyPeer: Peer = nodePeer('http-proxy-3', 'http-proxy-3 alone, keep-alive agent', 'http-proxy-3.ts');
export const undiciPeer: Peer = nodePeer('undici', 'undici alone, tuned dispatch', 'undici.ts');
export const bareNodePeer: Peer = nodePeer(
  'bare-node',
  'node:http answering itself: no origin behind it',
  'bare-node.ts',
);

function nodePeer(name: string, about: string, script: string): Peer {
  return {
    name,
    about: `${about}, combined access log`,
    async start(t, context) {
      return { process: await startNodePeer(t, context, `scripts/${script}`), inspected: null };
    },
  };
}
