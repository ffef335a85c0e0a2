/**
 * What one sender, and all together, may take of a syslog receiver. When all connections are taken, the one that has been
 * silent longest makes room, so that idle connections cannot keep others out.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';

const mostConnections = 256;
const mostConnectionsPerPeer = 32;
/** Who has been silent for so long may lose the connection to somebody else. */
const silentMs = 10_000;
const messagesPerSecond = 20_000;
/** Senders that are counted apart; the others share a count. UDP senders are easily invented. */
const mostPeers = 4_096;

export class PeerLimits {
  private readonly clock: Clock;
  private readonly perPeer = new Map<string, number>();
  /** Connections and when each last sent something; the longest silent first. */
  private readonly lastHeard = new Map<Socket, number>();
  private counts = new Map<string, number>();
  private second = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Whether a message of `peer` may be taken. */
  admit(peer: string): boolean {
    const second = Math.floor(this.clock.monotonic() / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.counts = new Map();
    }
    const key = this.counts.has(peer) || this.counts.size < mostPeers ? peer : '';
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    return count <= messagesPerSecond;
  }

  /** Null: the connection is taken in. Otherwise why it is not. */
  connect(peer: string, socket: Socket): string | null {
    const count = this.perPeer.get(peer) ?? 0;
    if (count >= mostConnectionsPerPeer) return `${peer} has ${count} connections, which is the most for one sender`;
    if (this.lastHeard.size >= mostConnections && !this.makeRoom()) {
      return `${mostConnections} connections are open, which is the most`;
    }
    this.perPeer.set(peer, count + 1);
    this.lastHeard.set(socket, this.clock.monotonic());
    return null;
  }

  touch(socket: Socket): void {
    if (this.lastHeard.delete(socket)) this.lastHeard.set(socket, this.clock.monotonic());
  }

  disconnect(peer: string, socket: Socket): void {
    this.lastHeard.delete(socket);
    const count = (this.perPeer.get(peer) ?? 1) - 1;
    if (count > 0) this.perPeer.set(peer, count);
    else this.perPeer.delete(peer);
  }

  closeAll(): void {
    for (const socket of this.lastHeard.keys()) socket.destroy();
  }

  private makeRoom(): boolean {
    const [longest] = this.lastHeard;
    if (longest === undefined || this.clock.monotonic() - longest[1] < silentMs) return false;
    longest[0].destroy();
    this.lastHeard.delete(longest[0]);
    return true;
  }
}
