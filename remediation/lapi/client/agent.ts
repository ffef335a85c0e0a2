/**
 * `LapiAgent`: reports the alerts of this gateway to another Local API, as a machine of that one: what its operators see in one
 * place, and what its profiles decide on for all bouncers there. Alerts that came from a Local API themselves are never sent
 * on. Specification: CrowdSec `POST /v1/alerts`, `/v1/watchers`, `/v1/heartbeat`.
 */
import type { TimerHandle } from '../../../core/clock.ts';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { Publication, Publisher } from '../../exchange/publish.ts';
import { createAlertQueue, type AlertQueueStatus } from './alert-queue.ts';
import { refusal } from './lapi-errors.ts';
import type { LapiClient } from './lapi-client.ts';
import { alertBody, registrationBody } from './wire-models.ts';

/** Who decides about the alerts: the profiles `there`, as for CrowdSec's agents, or `here`, and the decisions go along. */
export type DecidingSide = 'here' | 'there';

export interface LapiAgentStatus extends AlertQueueStatus {
  readonly name: string;
  readonly address: string;
  /** `pending`: the operator there has not agreed to the machine yet. */
  readonly state: 'unknown' | 'connected' | 'pending' | 'failing';
  /** Epoch milliseconds; null before the first that worked. */
  readonly lastHeartbeatAt: number | null;
  readonly heartbeatFailure: string | null;
}

export interface LapiAgent {
  readonly name: string;
  status(): LapiAgentStatus;
  /** Sends what is left, for at most `graceMs` (5 s). Safe twice. */
  close(graceMs?: number): Promise<void>;
}

export interface LapiAgentOptions extends Runtime {
  readonly client: Pick<LapiClient, 'name' | 'address' | 'ask' | 'demand'>;
  readonly publisher: Pick<Publisher, 'listen'>;
  readonly decide: DecidingSide;
  /** Alerts that wait at most while the other side is away; then the oldest are dropped. */
  readonly mostQueued: number;
}

const heartbeatMs = 60_000;
const gatherMs = 1_000;
const defaultGraceMs = 5_000;

export function createLapiAgent(options: LapiAgentOptions): LapiAgent {
  const { client, publisher, decide, clock, log } = options;
  const queue = createAlertQueue({ ...options, gatherMs });
  const stop = new AbortController();
  let lastHeartbeatAt: number | null = null;
  let heartbeatFailure: string | null = null;
  let isPending = false;
  let beating: Promise<void> | null = null;

  const beat = async (): Promise<void> => {
    try {
      await client.demand({ method: 'GET', path: 'v1/heartbeat', signal: stop.signal });
      if (heartbeatFailure !== null) log.info({ lapi: client.name }, 'the Local API takes the heartbeat again');
      lastHeartbeatAt = clock.now();
      heartbeatFailure = null;
      isPending = false;
    } catch (thrown) {
      if (stop.signal.aborted) return;
      const message = messageOf(thrown);
      if (message !== heartbeatFailure) log.warn({ lapi: client.name, err: thrown }, 'the heartbeat is not taken');
      heartbeatFailure = message;
      isPending = message.includes('not validated');
    }
  };
  const beatOnce = (): void => {
    beating ??= beat().finally(() => (beating = null));
  };
  const timer: TimerHandle = clock.every(heartbeatMs, beatOnce);
  beatOnce();
  const unlisten = publisher.listen((publication) => {
    const body = bodyOf(publication, decide);
    if (body !== null) queue.push(body);
  });

  const stateOf = (queued: AlertQueueStatus): LapiAgentStatus['state'] => {
    if (isPending) return 'pending';
    if (heartbeatFailure !== null || queued.failures > 0) return 'failing';
    return lastHeartbeatAt === null && queued.lastSuccessAt === null ? 'unknown' : 'connected';
  };

  return {
    name: client.name,
    status() {
      const queued = queue.status();
      const { name, address } = client;
      return { ...queued, name, address, state: stateOf(queued), lastHeartbeatAt, heartbeatFailure };
    },
    async close(graceMs = defaultGraceMs) {
      unlisten();
      timer.cancel();
      stop.abort();
      await queue.close(graceMs);
      await beating;
    },
  };
}

/** What is sent of an alert, or null: it was brought here by a machine, or only says what a person decided. */
function bodyOf({ alert, decisions }: Publication, decide: DecidingSide): unknown {
  if (alert.machineId !== undefined) return null;
  switch (decide) {
    case 'here':
      return alertBody(alert, decisions);
    case 'there':
      return alert.kind === 'cscli' ? null : alertBody(alert, null);
    default:
      return decide satisfies never;
  }
}

export type Registration = 'validated' | 'pending';

/**
 * Makes a machine on another Local API. `pending`: its operator has to agree first (`cscli machines validate`). The client
 * is one with credentials of the kind `none`. Throws LAPI_REFUSED when the name is taken or the token is wrong, LAPI_UNREACHABLE.
 */
export async function registerMachine(
  client: Pick<LapiClient, 'name' | 'address' | 'ask'>,
  machine: { readonly machineId: string; readonly password: string; readonly token: string | null },
): Promise<Registration> {
  const { machineId, password, token } = machine;
  const body = registrationBody(machineId, password, token);
  const answer = await client.ask({ method: 'POST', path: 'v1/watchers', body });
  if (answer.status === 202) return 'validated';
  if (answer.status >= 200 && answer.status < 300) return 'pending';
  if (answer.status === 403 && answer.message.includes('already exist')) {
    throw new GatewayError(
      'LAPI_REFUSED',
      `the Local API ${client.name} (${client.address}) knows a machine ${machineId} already`,
      {
        remedy: `Choose another name, or remove that one there: \`cscli machines delete ${machineId}\`.`,
      },
    );
  }
  if (answer.status === 401) {
    throw new GatewayError(
      'LAPI_REFUSED',
      `the Local API ${client.name} (${client.address}) does not take the registration token`,
      {
        remedy: 'Check the token and the address ranges in auto_registration there, or register without a token.',
      },
    );
  }
  throw refusal(client, { kind: 'machine', machineId, password: '' }, answer);
}
