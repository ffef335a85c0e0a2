/**
 * What a header means to a proxy, found in one map lookup for the usual spellings. A request carries a dozen names and
 * every request walks all of them, so the common spellings are listed and only the rare ones are folded to lower case.
 */

export const headerKind = {
  /** Passed on as it is. */
  ordinary: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  /** For one connection only (RFC 9110 §7.6.1): never passed on. */
  hopByHop: 7,
  /** Set by the gateway itself, whatever the client sent. */
  ours: 8,
  forwardedFor: 9,
  forwardedProto: 10,
  forwarded: 11,
  /** Speaks for the client's address: passed on from trusted proxies only. */
  forwarding: 12,
  userAgent: 13,
  referer: 14,
  selftest: 15,
} as const;

export type HeaderKind = (typeof headerKind)[keyof typeof headerKind];

/** Carries the one-time token of `portcullis selftest`; never reaches an origin. */
export const selftestHeader = 'x-portcullis-selftest';

const special: Readonly<Record<string, HeaderKind>> = {
  host: headerKind.host,
  'content-length': headerKind.contentLength,
  'transfer-encoding': headerKind.transferEncoding,
  connection: headerKind.connection,
  upgrade: headerKind.upgrade,
  expect: headerKind.expect,
  'keep-alive': headerKind.hopByHop,
  'proxy-connection': headerKind.hopByHop,
  'proxy-authenticate': headerKind.hopByHop,
  'proxy-authorization': headerKind.hopByHop,
  te: headerKind.hopByHop,
  trailer: headerKind.hopByHop,
  'http2-settings': headerKind.hopByHop,
  'x-real-ip': headerKind.ours,
  'x-request-id': headerKind.ours,
  'x-forwarded-host': headerKind.ours,
  'x-forwarded-for': headerKind.forwardedFor,
  'x-forwarded-proto': headerKind.forwardedProto,
  forwarded: headerKind.forwarded,
  'x-forwarded-port': headerKind.forwarding,
  'x-forwarded-server': headerKind.forwarding,
  'x-forwarded-by': headerKind.forwarding,
  'x-forwarded-scheme': headerKind.forwarding,
  'x-forwarded-ssl': headerKind.forwarding,
  'x-forwarded-prefix': headerKind.forwarding,
  'x-forwarded': headerKind.forwarding,
  'forwarded-for': headerKind.forwarding,
  'x-original-forwarded-for': headerKind.forwarding,
  'x-cluster-client-ip': headerKind.forwarding,
  'x-client-ip': headerKind.forwarding,
  'client-ip': headerKind.forwarding,
  'true-client-ip': headerKind.forwarding,
  'fastly-client-ip': headerKind.forwarding,
  'cf-connecting-ip': headerKind.forwarding,
  'cf-connecting-ipv6': headerKind.forwarding,
  'cf-pseudo-ipv4': headerKind.forwarding,
  'x-remote-ip': headerKind.forwarding,
  'x-remote-addr': headerKind.forwarding,
  'user-agent': headerKind.userAgent,
  referer: headerKind.referer,
  [selftestHeader]: headerKind.selftest,
};

/** Ordinary names that browsers and crawlers send: listed, so that they too cost one lookup. */
const common = [
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cache-control',
  'content-type',
  'cookie',
  'date',
  'dnt',
  'etag',
  'from',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'location',
  'origin',
  'pragma',
  'priority',
  'range',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'server',
  'set-cookie',
  'upgrade-insecure-requests',
  'vary',
  'x-requested-with',
];

const kindBySpelling: ReadonlyMap<string, HeaderKind> = new Map(
  [...common.map((name): [string, HeaderKind] => [name, headerKind.ordinary]), ...Object.entries(special)].flatMap(
    ([name, kind]): [string, HeaderKind][] => [
      [name, kind],
      [name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase()), kind],
    ],
  ),
);

/**
 * The kind of a header by its name in any spelling. Underscores count as dashes where the name would be special:
 * `X_Forwarded_For` reaches PHP and WSGI programs as the same variable as `X-Forwarded-For`.
 */
export function kindOfHeader(name: string): HeaderKind {
  return kindBySpelling.get(name) ?? kindOfRareSpelling(name);
}

function kindOfRareSpelling(name: string): HeaderKind {
  const folded = name.toLowerCase();
  const exact = special[folded];
  if (exact !== undefined) return exact;
  const dashed = folded.includes('_') ? folded.replaceAll('_', '-') : folded;
  if (dashed !== folded && special[dashed] !== undefined) return kindOfUnderscored(special[dashed]);
  return dashed.startsWith('x-forwarded-') ? headerKind.forwarding : headerKind.ordinary;
}

/** An underscored spelling never decides anything here; it is only kept from the origin where it would speak for us. */
function kindOfUnderscored(kind: HeaderKind): HeaderKind {
  switch (kind) {
    case headerKind.userAgent:
    case headerKind.referer:
    case headerKind.ordinary:
      return headerKind.ordinary;
    default:
      return headerKind.ours;
  }
}

/** Names that a `Connection` header may not list: removing them would change what the origin judges or trusts. */
export function mayNotBeNamedByConnection(lowerName: string): boolean {
  if (lowerName === 'authorization' || lowerName === 'cookie') return true;
  switch (kindOfHeader(lowerName)) {
    case headerKind.host:
    case headerKind.contentLength:
    case headerKind.transferEncoding:
    case headerKind.ours:
    case headerKind.forwardedFor:
    case headerKind.forwardedProto:
    case headerKind.forwarded:
    case headerKind.forwarding:
      return true;
    default:
      return false;
  }
}
