/**
 * The token of a machine: asked for when it is needed, kept while it is good, renewed before it ends. Many who need it at
 * once share one login. Specification: CrowdSec `POST /v1/watchers/login`.
 */
import type { Clock } from '../../../core/clock.ts';
import type { GatewayError } from '../../../core/errors.ts';
import type { LapiAnswer } from './lapi-client.ts';
import type { LapiCredentials } from './lapi-target.ts';
import { loginBody, readLogin } from './wire-models.ts';

export interface MachineLogin {
  /** A token that should be good. Throws LAPI_REFUSED or LAPI_UNREACHABLE. */
  token(): Promise<string>;
  /** This one is not: the next caller logs in. Says nothing about a newer one. */
  forget(token: string): void;
}

export interface MachineLoginOptions {
  readonly credentials: Extract<LapiCredentials, { kind: 'machine' }>;
  readonly clock: Clock;
  readonly scenarios: () => readonly string[];
  readonly post: (path: string, body: unknown) => Promise<LapiAnswer>;
  readonly refused: (answer: { readonly status: number; readonly message: string }) => GatewayError;
}

/** A token is renewed when a twentieth of its life is left, at most a minute. */
const renewFraction = 0.05;
const renewMostMs = 60_000;
/** When the server does not say: an hour is what CrowdSec gives. */
const usualLifeMs = 3_600_000;

export function createMachineLogin(options: MachineLoginOptions): MachineLogin {
  const { credentials, clock } = options;
  let current: { readonly token: string; readonly renewAt: number } | null = null;
  let underWay: Promise<string> | null = null;

  const login = async (): Promise<string> => {
    const askedAt = clock.now();
    const answer = await options.post('v1/watchers/login', loginBody(credentials, options.scenarios()));
    const granted = answer.status === 200 ? readLogin(answer.body) : null;
    if (granted === null) {
      throw options.refused(answer.status === 200 ? { ...answer, message: 'no token in it' } : answer);
    }
    // The lifetime is read off the token itself, so that clocks that differ do no harm.
    const lifeMs = granted.lifeMs ?? usualLifeMs;
    current = { token: granted.token, renewAt: askedAt + lifeMs - Math.min(renewMostMs, lifeMs * renewFraction) };
    return granted.token;
  };

  return {
    async token() {
      if (current !== null && clock.now() < current.renewAt) return current.token;
      underWay ??= login().finally(() => (underWay = null));
      return underWay;
    },
    forget(token) {
      if (current?.token === token) current = null;
    },
  };
}
