/** Routes that CrowdSec had not in 1.4.6: it answers 404, and what is right stands in the specification only. */
import type { Exchange } from './exchange.ts';

const machine = { machine: 'm1' } as const;

export const laterExchanges: readonly Exchange[] = [
  { name: 'allowlists', as: machine, method: 'GET', path: '/v1/allowlists' },
  { name: 'an allowlist that is not there', as: machine, method: 'GET', path: '/v1/allowlists/nope' },
  { name: 'is an address allowed', as: machine, method: 'GET', path: '/v1/allowlists/check/192.0.2.1' },
  { name: 'is a range allowed', as: machine, method: 'GET', path: '/v1/allowlists/check/192.0.2.0%2F24' },
  { name: 'is an address allowed, by HEAD', as: machine, method: 'HEAD', path: '/v1/allowlists/check/192.0.2.1' },
  {
    name: 'are addresses allowed',
    as: machine,
    method: 'POST',
    path: '/v1/allowlists/check',
    body: { targets: ['192.0.2.1'] },
  },
  {
    name: 'metrics of a bouncer',
    as: { bouncer: 'b1' },
    method: 'POST',
    path: '/v1/usage-metrics',
    body: {
      remediation_components: [{ version: 'v1', utc_startup_timestamp: 1_700_000_000, metrics: [] }],
      log_processors: null,
    },
  },
  { name: 'a machine leaves', as: { machine: 'leaver' }, method: 'DELETE', path: '/v1/watchers/self' },
];
