/** The forward-auth endpoint, put together as the settings want it. */
import type { Runtime } from '../../core/runtime.ts';
import { type ClientResolver, createClientResolver, type Geography } from '../client-address.ts';
import type { Settings } from '../settings.ts';
import type { SiteTable } from '../sites.ts';
import type { Traffic } from '../traffic.ts';
import { createForwardAuthEndpoint, type ForwardAuthEndpoint } from './forward-auth-endpoint.ts';

export interface ForwardAuthDeps extends Runtime {
  readonly traffic: Pick<Traffic, 'handlerFor'>;
  readonly sites: SiteTable;
  readonly geography: Geography | null;
}

/** Null when `forwardAuth.listen` is off. */
export function openForwardAuth(
  { forwardAuth, client, limits }: Pick<Settings, 'forwardAuth' | 'client' | 'limits'>,
  { traffic, sites, geography, ...runtime }: ForwardAuthDeps,
): ForwardAuthEndpoint | null {
  const { listen } = forwardAuth;
  if (listen === null) return null;
  const trustedProxies = [...client.trustedProxies, ...forwardAuth.from];
  const clients: ClientResolver = createClientResolver({ ...client, trustedProxies }, geography);
  const handler = traffic.handlerFor({ sites, clients });
  return createForwardAuthEndpoint({ ...forwardAuth, listen }, { ...runtime, clients, handler, limits });
}
