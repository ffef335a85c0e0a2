/** The Local API that this gateway serves, put together as the settings want it. */
import type { Runtime } from '../../core/runtime.ts';
import type { AllowlistItem } from '../../remediation/allowed/allowlists.ts';
import type { BouncerDesk } from '../../remediation/callers/bouncer-keys.ts';
import type { Decider } from '../../remediation/decider/decider.ts';
import type { DecisionIndex } from '../../remediation/index/decision-index.ts';
import { alertRoutes } from '../../remediation/lapi/routes/alerts.ts';
import { allowlistRoutes } from '../../remediation/lapi/routes/allowlists.ts';
import { decisionDeleteRoutes } from '../../remediation/lapi/routes/decisions-delete.ts';
import { liveDecisionRoutes } from '../../remediation/lapi/routes/decisions-live.ts';
import { decisionStreamRoutes } from '../../remediation/lapi/routes/decisions-stream.ts';
import { feedRoutes } from '../../remediation/lapi/routes/feeds.ts';
import { startLapiHousekeeping } from '../../remediation/lapi/server/housekeeping.ts';
import { createLapiServer, type LapiServer } from '../../remediation/lapi/server/lapi-server.ts';
import type { DecisionLedger } from '../../remediation/ledger/decision-ledger.ts';
import { createMachineDesk, type MachineDesk } from '../../remediation/callers/machine-desk.ts';
import type { Publisher } from '../../remediation/exchange/publish.ts';
import type { Store } from '../../remediation/store/store.ts';
import type { Settings } from '../settings.ts';

export interface OpenedLapi {
  readonly server: LapiServer;
  readonly machines: MachineDesk;
  /** Stops answering; what was noticed of bouncers and machines is written down. */
  close(): Promise<void>;
}

export interface LapiParts extends Runtime {
  readonly store: Store;
  readonly publisher: Publisher;
  /** Null: `servesLapi` said no. */
  readonly ledger: DecisionLedger | null;
  readonly decider: Decider;
  readonly index: DecisionIndex;
  readonly bouncers: BouncerDesk;
  readonly settingsAllowlist: readonly AllowlistItem[];
  readonly version: string;
}

/** What `machine_id` says of the gateway's own alerts. */
export const gatewayName = 'portcullis';

export function servesLapi({ lapi }: Pick<Settings, 'lapi'>): boolean {
  return lapi.listen !== null || lapi.socket !== null;
}

/** Null when nobody is served. */
export function openLapi(settings: Pick<Settings, 'lapi'>, parts: LapiParts): OpenedLapi | null {
  const { ledger } = parts;
  if (ledger === null) return null;
  const machines = createMachineDesk(parts);
  const deps = { ...parts, ledger, machines, gatewayName };
  const server = createLapiServer(settings.lapi, deps, [
    liveDecisionRoutes,
    decisionStreamRoutes,
    decisionDeleteRoutes,
    alertRoutes,
    allowlistRoutes,
    feedRoutes,
  ]);
  const housekeeping = startLapiHousekeeping(settings.lapi, deps);
  return {
    server,
    machines,
    async close() {
      housekeeping.close();
      await server.close();
      await machines.close();
    },
  };
}
