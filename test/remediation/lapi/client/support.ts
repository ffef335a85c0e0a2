/** One gateway's index, publisher and store around a client under test, and ways to wait for what goes over real sockets. */
import { createSystemRandom } from '../../../../core/random.ts';
import type { Random } from '../../../../core/random.ts';
import { createDecisionHistory } from '../../../../remediation/index/decision-history.ts';
import { createDecisionIndex } from '../../../../remediation/index/decision-index.ts';
import { mirroredPrefix, type Decision } from '../../../../remediation/decision.ts';
import { createLapiClient, type LapiClient } from '../../../../remediation/lapi/client/lapi-client.ts';
import type { LapiAddress, LapiCredentials, LapiTarget } from '../../../../remediation/lapi/client/lapi-target.ts';
import { createPublisher } from '../../../../remediation/exchange/publish.ts';
import { createMemoryStore } from '../../../../remediation/store/memory.ts';
import { storeOptions } from '../../../../remediation/store/options.ts';
import type { Store } from '../../../../remediation/store/store.ts';
import type { ManualClock } from '../../../support/manual-clock.ts';
import { eventually } from '../../../support/eventually.ts';
import { collectedLog } from '../../support.ts';

export const noTls = { ca: null, cert: null, key: null, serverName: null, isVerified: true } as const;

export function addressOf(url: string): LapiAddress {
  if (url.startsWith('unix:')) return { kind: 'unix', socketPath: url.slice('unix:'.length) };
  return { kind: 'http', url };
}

export function clientOf(
  url: string,
  clock: ManualClock,
  over: {
    name?: string;
    credentials?: LapiCredentials;
    timeoutMs?: number;
    scenarios?: () => readonly string[];
    tls?: LapiTarget['tls'];
  } = {},
): LapiClient {
  const { name = 'main', credentials = { kind: 'key', key: 'k1' }, timeoutMs = 10_000, scenarios, tls = noTls } = over;
  return createLapiClient({
    target: { name, address: addressOf(url), credentials, tls },
    clock,
    userAgent: credentials.kind === 'machine' ? 'portcullis/v0.1.0' : 'portcullis-bouncer/v0.1.0',
    timeoutMs,
    ...(scenarios && { scenarios }),
  });
}

/** Jitter in its middle, so that tests know when things fall due. */
export function evenRandom(): Random {
  return { ...createSystemRandom(), fraction: () => 0.5 };
}

export function createWorld(clock: ManualClock, store?: Store) {
  const random = evenRandom();
  const { log, lines } = collectedLog();
  const runtime = { clock, random, log };
  const kept = store ?? createMemoryStore(storeOptions.parse({ type: 'memory' }), runtime);
  const index = createDecisionIndex(runtime);
  const history = createDecisionHistory({ clock });
  const publisher = createPublisher({ ...runtime, index, history, store: kept });
  return { runtime, lines, store: kept, index, publisher };
}

/** The mirrored decisions that the store holds as active, read page by page. */
export async function mirroredIn(store: Store, clock: ManualClock): Promise<Decision[]> {
  const found: Decision[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await store.decisions({ limit: 10_000, ...(after !== undefined && { after }) });
    for (const { decision } of page) {
      if (decision.uuid.startsWith(mirroredPrefix) && decision.until > clock.now()) found.push(decision);
    }
    const last = page.at(-1);
    if (last === undefined) return found;
    after = last.cursor;
  }
}

/** Waits, in real time, until something holds; moves the clock by `stepMs` every tenth of a second when told to. */
export async function comesAbout(
  holds: () => boolean,
  what: string,
  { clock, stepMs = 0 }: { clock?: ManualClock; stepMs?: number } = {},
): Promise<void> {
  let steppedAt = performance.now();
  const look = (): boolean => {
    if (holds()) return true;
    if (performance.now() - steppedAt > 100) {
      steppedAt = performance.now();
      clock?.advance(stepMs);
    }
    return false;
  };
  await eventually(look, (isSo) => isSo, what);
}
