/**
 * Our Local API over HTTP with everything behind it: store, index, ledger, publisher and profiles are the real ones, put together
 * as the gateway does it, without a gateway in front.
 */
import { pino } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { createSystemRandom } from '../../core/random.ts';
import type { Runtime } from '../../core/runtime.ts';
import { createExpressionCompiler } from '../../detectors/expr/compile.ts';
import { noDataFiles } from '../../detectors/expr/data-files.ts';
import { alertView } from '../../detectors/expr/environment/alert-view.ts';
import { profileEnvironment } from '../../detectors/expr/environment.ts';
import { compilePattern } from '../../detectors/regex/compile-pattern.ts';
import { createBouncerKeys } from '../../remediation/callers/bouncer-keys.ts';
import { type Bouncer, hashKey, newBouncer } from '../../remediation/bouncer.ts';
import { createDecider, type Decider } from '../../remediation/decider/decider.ts';
import { createDecisionHistory, type DecisionHistory } from '../../remediation/index/decision-history.ts';
import { createDecisionIndex, type DecisionIndex } from '../../remediation/index/decision-index.ts';
import { followStore } from '../../remediation/exchange/follow.ts';
import { lapiOptions } from '../../remediation/lapi/options.ts';
import { alertRoutes } from '../../remediation/lapi/routes/alerts.ts';
import { allowlistRoutes } from '../../remediation/lapi/routes/allowlists.ts';
import { decisionDeleteRoutes } from '../../remediation/lapi/routes/decisions-delete.ts';
import { liveDecisionRoutes } from '../../remediation/lapi/routes/decisions-live.ts';
import { decisionStreamRoutes } from '../../remediation/lapi/routes/decisions-stream.ts';
import { createLapiServer } from '../../remediation/lapi/server/lapi-server.ts';
import { createDecisionLedger } from '../../remediation/ledger/decision-ledger.ts';
import { createMachineDesk } from '../../remediation/callers/machine-desk.ts';
import { newMachine } from '../../remediation/machine.ts';
import { createPasswordHasher } from '../../remediation/callers/password-hash.ts';
import { parseProfiles } from '../../remediation/decider/profile-documents.ts';
import { createProfiles } from '../../remediation/decider/profiles.ts';
import { createPublisher, type Publisher } from '../../remediation/exchange/publish.ts';
import { createMemoryStore } from '../../remediation/store/memory.ts';
import { storeOptions } from '../../remediation/store/options.ts';
import { keyOf, passwordOf, type Correspondent } from '../real/lapi/exchange.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

interface Teardown {
  teardown(run: () => unknown): unknown;
}

/** The keys and passwords of those that are added are `keyOf` and `passwordOf` their names. */
export interface OwnLapi<Time extends Clock = ManualClock> extends Correspondent {
  readonly clock: Time;
  addBouncer(name: string): Promise<void>;
  addMachine(id: string): Promise<void>;
  bouncers(): Promise<readonly Bouncer[]>;
}

/** As Debian's package of CrowdSec has it. */
const crowdsecProfiles = `name: default_ip_remediation
filters: ['Alert.Remediation == true && Alert.GetScope() == "Ip"']
decisions: [{type: ban, duration: 4h}]
on_success: break
`;

/** On a clock that the test moves. */
export function startOwnLapi(t: Teardown): Promise<OwnLapi> {
  return startOwnLapiOn(t, createManualClock());
}

/** On `clock`; real programs need the system's. */
export async function startOwnLapiOn<Time extends Clock>(t: Teardown, clock: Time): Promise<OwnLapi<Time>> {
  const random = createSystemRandom();
  const runtime: Runtime = { clock, random, log: pino({ level: 'silent' }) };
  const store = createMemoryStore(storeOptions.parse({ type: 'memory' }), runtime);
  const index = createDecisionIndex(runtime);
  const history = createDecisionHistory({ clock });
  const ledger = createDecisionLedger(runtime);
  const publisher = createPublisher({ ...runtime, index, history, store });
  const pending = (): ReturnType<Publisher['pendingDecisions']> => publisher.pendingDecisions();
  const follower = followStore({ ...runtime, store, index, history, ledger, pending });
  await follower.ready;
  const bouncers = createBouncerKeys({ ...runtime, store });
  const machines = createMachineDesk({ ...runtime, store });
  const decider = openDecider(runtime, index, publisher, history);
  const server = createLapiServer(
    lapiOptions.parse({ listen: '127.0.0.1:0' }),
    {
      ...runtime,
      store,
      bouncers,
      machines,
      publisher,
      ledger,
      decider,
      index,
      settingsAllowlist: [],
      version: '0.0.0',
      gatewayName: 'portcullis',
    },
    [alertRoutes, decisionDeleteRoutes, allowlistRoutes, liveDecisionRoutes, decisionStreamRoutes],
  );
  const { port } = await server.listen();
  t.teardown(async () => {
    await server.close();
    await Promise.all([bouncers.close(), machines.close()]);
    decider.close();
    await publisher.close();
    await follower.close();
    await store.close();
  });
  const hasher = createPasswordHasher(random);
  return {
    url: `http://127.0.0.1:${port}`,
    kept: new Map(),
    tokens: new Map(),
    clock,
    async addBouncer(name) {
      await store.apply([{ kind: 'bouncer-added', bouncer: newBouncer(name, hashKey(keyOf(name)), clock.now()) }]);
      bouncers.changed();
    },
    async addMachine(id) {
      const passwordHash = await hasher.hash(passwordOf(id));
      await machines.register(newMachine(id, passwordHash, clock.now()));
    },
    bouncers: () => bouncers.list(),
  };
}

function openDecider(
  runtime: Runtime,
  index: DecisionIndex,
  publisher: Publisher,
  decisionCounts: DecisionHistory,
): Decider {
  const helpers = { ...runtime, files: noDataFiles, regex: compilePattern, decisionCounts };
  const profiles = createProfiles({
    documents: parseProfiles(crowdsecProfiles, 'profiles.yaml'),
    compiler: createExpressionCompiler({ environment: profileEnvironment, helpers }),
    view: alertView,
    log: runtime.log,
  });
  return createDecider({
    ...runtime,
    index,
    protectedSources: { reasonFor: () => null },
    goodBots: null,
    profiles,
    publisher,
  });
}
