/** What `bench waf` measures: a server that stands before the origin on one core and runs the Core Rule Set, blocking. */
import type { Teardown } from '../../test/support/servers/process.ts';
import type { PeerContext, StartedPeer } from '../peers/peer.ts';

export interface WafPeerContext extends PeerContext {
  /** A folder with `crs-setup.conf.example` and `rules/`. */
  readonly coreRules: string;
  readonly paranoia: number;
  /** Points at which a request is refused. */
  readonly inboundThreshold: number;
}

export interface WafPeer {
  readonly name: string;
  /** What it is and how it is set up, for the report. */
  readonly about: string;
  /** Rejects with `ProcessFailure` naming the package when the program is absent. */
  start(t: Teardown, context: WafPeerContext): Promise<StartedPeer>;
}
