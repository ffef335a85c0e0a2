/**
 * What bouncers of today send, written after the description of their wire behaviour (`protocols.md` §2): the Traefik plugin
 * v1.7.1, the Lua library of nginx and OpenResty, the firewall bouncer and the HAProxy SPOA bouncer on the Go SDK, and the
 * AppSec engine that checks keys.
 */

export interface BouncerHabits {
  readonly name: string;
  readonly userAgent: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its first question of the stream, and the later ones; null: it has no such mode. */
  readonly stream: { readonly startup: string; readonly delta: string } | null;
  /** How it asks about one address. */
  readonly live: ((ip: string) => string) | null;
  /** `null`, when it has none to send. */
  readonly metrics: object;
}

/** Go's HTTP client offers compression on every request, and must not be taken at its word. */
const goHeaders = { 'Accept-Encoding': 'gzip' } as const;

/** The SDK sorts its options and encodes them as a form; the flags of the Central API are there at their zero value. */
const sdkStream = (options: readonly string[]): { readonly startup: string; readonly delta: string } => {
  const query = (more: readonly string[]): string =>
    ['additional_pull=false', 'community_pull=false', ...options, ...more].toSorted().join('&');
  return { startup: `/v1/decisions/stream?${query(['startup=true'])}`, delta: `/v1/decisions/stream?${query([])}` };
};

const at = 1_767_225_600;
const windowOf = (seconds: number): object => ({ window_size_seconds: seconds, utc_now_timestamp: at + seconds });
const debian = { name: 'debian', version: '12', family: 'linux' } as const;

const firewallMetrics = {
  remediation_components: [
    {
      version: 'v0.0.34',
      type: 'crowdsec-firewall-bouncer',
      name: 'firewall',
      os: debian,
      feature_flags: [],
      utc_startup_timestamp: at,
      metrics: [
        {
          meta: windowOf(900),
          items: [
            { name: 'active_decisions', value: 2, unit: 'ip', labels: { origin: 'cscli', ip_type: 'ipv4' } },
            { name: 'dropped', value: 3, unit: 'packet', labels: { origin: 'cscli', ip_type: 'ipv4' } },
            { name: 'dropped', value: 180, unit: 'byte', labels: { origin: 'cscli', ip_type: 'ipv4' } },
            { name: 'processed', value: 9_007_199, unit: 'packet', labels: { ip_type: 'ipv6' } },
          ],
        },
      ],
    },
  ],
} as const;

/** Its tables are arrays only when something is in them. */
const luaMetrics = {
  log_processors: null,
  remediation_components: [
    {
      version: 'crowdsec-nginx-bouncer/v1.1.3',
      type: 'lua-bouncer',
      name: 'nginx',
      os: debian,
      feature_flags: [],
      utc_startup_timestamp: at,
      metrics: [{ meta: windowOf(900), items: {} }],
    },
  ],
};

const traefikMetrics = {
  remediation_components: [
    {
      version: '1.X.X',
      type: 'bouncer',
      name: 'traefik_plugin',
      os: { name: 'unknown', version: 'unknown' },
      utc_startup_timestamp: at,
      feature_flags: [],
      metrics: [
        {
          meta: windowOf(600),
          items: [{ name: 'dropped', value: 4, unit: 'request', labels: { type: 'traefik_plugin' } }],
        },
      ],
    },
  ],
};

const spoaMetrics = {
  remediation_components: [
    { ...firewallMetrics.remediation_components[0], type: 'crowdsec-spoa-bouncer', metrics: [] },
  ],
  log_processors: [],
};

export const bouncers: readonly BouncerHabits[] = [
  {
    name: 'Traefik plugin',
    userAgent: 'Crowdsec-Bouncer-Traefik-Plugin/v1.7.1',
    headers: goHeaders,
    stream: { startup: '/v1/decisions/stream?startup=true', delta: '/v1/decisions/stream?startup=false' },
    live: (ip) => `/v1/decisions?ip=${ip}&banned=true`,
    metrics: traefikMetrics,
  },
  {
    name: 'nginx, in Lua',
    userAgent: 'crowdsec-nginx-bouncer/v1.1.3',
    headers: { Connection: 'close' },
    stream: { startup: '/v1/decisions/stream?startup=true', delta: '/v1/decisions/stream?startup=false' },
    live: (ip) => `/v1/decisions?ip=${ip}`,
    metrics: luaMetrics,
  },
  {
    name: 'firewall',
    userAgent: 'crowdsec-firewall-bouncer/v0.0.34-debian-pragmatic',
    headers: goHeaders,
    stream: sdkStream([]),
    live: null,
    metrics: firewallMetrics,
  },
  {
    name: 'firewall of Debian 12',
    userAgent: 'crowdsec-firewall-bouncer/-',
    headers: goHeaders,
    // A bare question mark.
    stream: { startup: '/v1/decisions/stream?startup=true', delta: '/v1/decisions/stream?' },
    live: null,
    metrics: firewallMetrics,
  },
  {
    name: 'HAProxy SPOA',
    userAgent: 'crowdsec-spoa-bouncer/v0.2.0',
    headers: goHeaders,
    stream: sdkStream(['scopes=ip%2Crange%2Ccountry']),
    live: null,
    metrics: spoaMetrics,
  },
];

/** What the Lua library makes of a duration, in seconds: integers and units only, and 0, which is for ever, of anything else. */
export function luaSeconds(duration: string): number {
  const found = /^(-?)(?:(\d+)h)?(?:(\d+)m)?(\d+)(ms|s)$/.exec(duration);
  if (found === null) return 0;
  const [, sign, hours = '0', minutes = '0', seconds, unit] = found;
  const last = unit === 'ms' ? Number(seconds) / 1000 : Number(seconds);
  return (Number(hours) * 3600 + Number(minutes) * 60 + last) * (sign === '-' ? -1 : 1);
}
